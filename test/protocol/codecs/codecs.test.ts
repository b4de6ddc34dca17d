// Do both codecs keep the contract of codecs?

import { msgpack } from '../../../src/protocol/codecs/msgpack.ts';
import { pva } from '../../../src/protocol/codecs/pva.ts';
import { runCodecSuite } from './codec-suite.ts';

runCodecSuite(pva);
runCodecSuite(msgpack);
