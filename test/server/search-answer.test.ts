// Does the fast way from the bytes of a search to those of its answer say what the plain one says?
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PvaFieldReader } from '../../src/protocol/codecs/pva.ts';
import { readDatagram } from '../../src/protocol/datagram.ts';
import { PvaError } from '../../src/protocol/errors.ts';
import type { Frame } from '../../src/protocol/framer.ts';
import { KnownNames } from '../../src/protocol/known-names.ts';
import { DEFAULT_LIMITS } from '../../src/protocol/limits.ts';
import { datagramContext, decodeClientMessage, encodeMessage } from '../../src/protocol/messages/index.ts';
import { readSearchHead, SEARCHED_NAMES, type Search } from '../../src/protocol/messages/search.ts';
import { Reader } from '../../src/protocol/reader.ts';
import { TypeReceiver } from '../../src/protocol/types/wire.ts';
import { Writer } from '../../src/protocol/writer.ts';
import { answerSearch, SearchAnswers } from '../../src/server/search-answer.ts';

const SERVER = { guid: '00112233445566778899aabb', tcpPort: 5075 };
const HERE = new Set(['x', 'lab:temperature', 'größe', 'y'.repeat(300)]);
const LIMITS = { ...DEFAULT_LIMITS, maxSearchNames: 6 };
const has = (pvName: string): boolean => HERE.has(pvName);

/** Decode, look up, encode. */
function plainAnswer(frame: Frame): Uint8Array | undefined {
  const search = decodeClientMessage(frame, datagramContext(LIMITS));
  if (search?.command !== 'SEARCH') throw new Error('a search expected');
  const answer = answerSearch(search, has, SERVER);
  if (answer === undefined) return undefined;
  const writer = new Writer(true);
  encodeMessage(writer, answer, { fromServer: true });
  return writer.copy();
}

function outcomeOf(answer: () => Uint8Array | undefined): unknown {
  try {
    const bytes = answer();
    return bytes && [...bytes];
  } catch (thrown) {
    if (!(thrown instanceof PvaError)) throw thrown;
    return thrown.code;
  }
}

const searches: fc.Arbitrary<Search> = fc.record({
  command: fc.constant('SEARCH' as const),
  sequenceId: fc.nat(0xffff_ffff),
  flags: fc.nat(0xff),
  responseAddress: fc.constantFrom('0.0.0.0', '::', '192.0.2.7', 'fe80::1'),
  responsePort: fc.nat(0xffff),
  protocols: fc.array(fc.constantFrom('tcp', 'tls', '', 'größe'), { maxLength: 3 }),
  names: fc.array(
    fc.record({
      instanceId: fc.nat(0xffff_ffff),
      pvName: fc.oneof(fc.constantFrom(...HERE), fc.string({ unit: 'grapheme' })),
    }),
    { maxLength: 12 },
  ),
});

test('it does, for any search in either order, also one that was damaged', () => {
  const answers = new SearchAnswers(SERVER, new KnownNames());
  const damages = fc.option(fc.tuple(fc.nat(), fc.nat(0xff)), { nil: undefined });
  fc.assert(
    fc.property(searches, fc.boolean(), damages, fc.nat(3), (search, bigEndian, damage, cut) => {
      const writer = new Writer(bigEndian);
      encodeMessage(writer, search, { fromServer: false });
      const [frame] = readDatagram(writer.copy());
      if (frame === undefined) throw new Error('a message expected');
      if (damage !== undefined) frame.body[damage[0] % frame.body.length] = damage[1];
      const body = frame.body.subarray(0, frame.body.length - cut);
      const cutFrame = { header: frame.header, body };
      const fast = () => {
        const reader = new Reader(body, bigEndian);
        const fields = new PvaFieldReader(reader, new TypeReceiver({ limits: LIMITS }));
        const head = readSearchHead(fields);
        return answers.answer(head, Math.min(fields.count(SEARCHED_NAMES), LIMITS.maxSearchNames), reader, has);
      };
      expect(outcomeOf(fast)).toEqual(outcomeOf(() => plainAnswer(cutFrame)));
    }),
    { numRuns: 1_000 },
  );
});
