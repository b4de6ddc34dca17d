// Does every message that decodes encode to bytes that decode to the same? In each codec.

import type { Codec } from '../../src/protocol/codecs/codec.ts';
import { msgpack } from '../../src/protocol/codecs/msgpack.ts';
import { pva } from '../../src/protocol/codecs/pva.ts';
import { Framer } from '../../src/protocol/framer.ts';

import { LinkTypes } from '../link-types.ts';
import { longMessage } from '../long-values.ts';
import { withFittingSizes } from '../repair.ts';
import { mayRefuse, type Target } from '../target.ts';
import { conversations, malformed, operations, packedConversations, packedMessages, type From } from '../vectors.ts';

export const clientMessages: Target = messagesOf('client', pva);
export const serverMessages: Target = messagesOf('server', pva);
export const packedClientMessages: Target = messagesOf('client', msgpack);
export const packedServerMessages: Target = messagesOf('server', msgpack);

function messagesOf(from: From, codec: Codec): Target {
  return {
    name: codec === pva ? `${from}-messages` : `msgpack-${from}-messages`,
    seeds: () =>
      codec === pva
        ? [...conversations(from), ...operations(from), ...malformed('message')]
        : [...packedMessages(from), ...packedConversations(from)],
    repair: withFittingSizes,
    speaks: codec.name,
    // In pvAccess types may come as an id and go out in full.
    usPerByte: codec === pva ? 40 : 4,
    long: (bytes, random) => longMessage(bytes, random, codec.name, from),
    run(input) {
      const framer = new Framer({ expectFromServer: from === 'server' });
      const link = new LinkTypes(codec);
      mayRefuse(() => framer.push(input, (frame) => link.take(frame)));
    },
  };
}
