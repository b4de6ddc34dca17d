// Does the scanner of the load generator see in any bytes what its plain twin sees: the framer, and a comparison?

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bodyFormOf } from '../../src/load/body-form.ts';
import { ReplyScanner } from '../../src/load/reply-scanner.ts';
import { BitSet } from '../../src/protocol/bit-set.ts';
import type { Codec } from '../../src/protocol/codecs/codec.ts';
import { msgpack } from '../../src/protocol/codecs/msgpack.ts';
import { pva } from '../../src/protocol/codecs/pva.ts';
import { Framer, type Frame } from '../../src/protocol/framer.ts';
import { DEFAULT_LIMITS } from '../../src/protocol/limits.ts';
import { decodeServerMessage, encodeMessage, type ServerMessageToSend } from '../../src/protocol/messages/index.ts';
import { ntScalarArray } from '../../src/protocol/normative/nt-scalar.ts';
import { error, OK } from '../../src/protocol/status.ts';
import { double } from '../../src/protocol/types/type-desc.ts';
import { TypeReceiver } from '../../src/protocol/types/wire.ts';
import { Writer } from '../../src/protocol/writer.ts';

const GET = 0x0a;
const TYPE = ntScalarArray(double);
const FIFTY = Array.from({ length: 50 }, (_, index) => index);

interface Wire {
  readonly name: string;
  readonly codec: Codec;
  readonly bigEndian: boolean;
}

const LITTLE: Wire = { name: 'little endian', codec: pva, bigEndian: false };
const WIRES: readonly Wire[] = [
  LITTLE,
  { name: 'big endian', codec: pva, bigEndian: true },
  { name: 'as MessagePack', codec: msgpack, bigEndian: true },
];

interface Told {
  readonly ioid: number | undefined;
  readonly isExpected: boolean;
  readonly text: string;
}

/** By request id. */
type Bodies = ReadonlyMap<number, Buffer>;

/** The twin: every message through the framer and the decoder, its body compared as a whole. */
function plain(chunks: readonly Buffer[], bodies: Bodies, { codec }: Wire): readonly Told[] {
  const told: Told[] = [];
  const framer = new Framer({ expectFromServer: true });
  for (const chunk of chunks) framer.push(chunk, (frame) => told.push(toldOf(frame, bodies, codec)));
  return told;
}

function scanned(chunks: readonly Buffer[], bodies: Bodies, { codec }: Wire): readonly Told[] {
  const told: Told[] = [];
  const scanner = new ReplyScanner(GET, bodyFormOf(codec), DEFAULT_LIMITS, {
    matched: (ioid) => told.push({ ioid, isExpected: true, text: '' }),
    frame: (frame) => told.push(toldOf(frame, bodies, codec)),
  });
  for (const [ioid, body] of bodies) scanner.expect(ioid, body);
  for (const chunk of chunks) {
    const shown = Buffer.from(chunk);
    scanner.push(shown);
    // The buffer is read into again: what is kept of it is lost.
    shown.fill(0xdb);
  }
  return told;
}

function toldOf(frame: Frame, bodies: Bodies, codec: Codec): Told {
  const types = new TypeReceiver();
  const message = decodeServerMessage(frame, { types, typeOf: () => ({ command: 'GET', type: TYPE }) }, codec);
  const ioid = message !== undefined && 'ioid' in message ? message.ioid : undefined;
  const isGet = frame.header.command === GET && !frame.header.isControl;
  const isExpected = isGet && ioid !== undefined && bodies.get(ioid)?.equals(frame.body) === true;
  if (isExpected) return { ioid, isExpected, text: '' };
  return { ioid, isExpected, text: `${frame.header.command} ${Buffer.from(frame.body).toString('hex')}` };
}

function bytesOf(message: ServerMessageToSend, { bigEndian, codec }: Wire): Buffer {
  const writer = new Writer(bigEndian);
  encodeMessage(writer, message, { fromServer: true, codec });
  return Buffer.from(writer.copy());
}

function reply(ioid: number, values: readonly number[]): ServerMessageToSend & { readonly ioid: number } {
  const update = { type: TYPE, changed: BitSet.of(1), value: { value: Float64Array.from(values) } };
  return { command: 'GET', phase: 'exec', ioid, subcommand: 0, status: OK, update };
}

/** Some as expected, some alike but different, and all that may come between them. */
const messages: fc.Arbitrary<ServerMessageToSend> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom(reply(1, [1]), reply(2, [2, 3]), reply(3, FIFTY), reply(200, [4]), reply(300, [5])),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      reply(1, [7]),
      reply(3, FIFTY.with(49, 7)),
      reply(9, [1]),
      reply(200, [7]),
      reply(301, [1]),
    ),
  },
  fc.constantFrom<ServerMessageToSend>(
    { command: 'ECHO_RESPONSE', value: 0x0102_0304 },
    { command: 'ECHO', payload: new Uint8Array() },
    { command: 'MESSAGE', ioid: 1, severity: 0, text: 'by the way' },
    { command: 'GET', phase: 'exec', ioid: 1, subcommand: 0, status: error('no'), update: null },
  ),
);

/** Cuts bytes at these places, given as parts of the whole. */
function cut(bytes: Buffer, places: readonly number[]): readonly Buffer[] {
  const ends = [...new Set(places.map((place) => Math.floor(place * bytes.length)))].toSorted((a, b) => a - b);
  return [0, ...ends].map((start, index) => bytes.subarray(start, ends[index] ?? bytes.length));
}

const EXPECTED = [reply(1, [1]), reply(2, [2, 3]), reply(3, FIFTY), reply(200, [4]), reply(300, [5])];

function bodiesOf(wire: Wire): Bodies {
  return new Map(EXPECTED.map((message) => [message.ioid, bytesOf(message, wire).subarray(8)]));
}

describe('the scanner of replies', () => {
  it('tells what its twin tells, however the stream is cut', () => {
    const part = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });
    fc.assert(
      fc.property(
        fc.array(messages, { maxLength: 12 }),
        fc.constantFrom(...WIRES),
        fc.array(part, { maxLength: 12 }),
        (sent, wire, places) => {
          const bytes = Buffer.concat(sent.map((message) => bytesOf(message, wire)));
          const chunks = cut(bytes, places);
          expect(scanned(chunks, bodiesOf(wire), wire)).toEqual(plain(chunks, bodiesOf(wire), wire));
        },
      ),
      { numRuns: 500 },
    );
  });

  describe.each(WIRES)('$name', (wire) => {
    const sent = [reply(1, [1]), reply(3, FIFTY), reply(1, [2]), reply(2, [2, 3]), reply(200, [4]), reply(300, [5])];
    const bytes = Buffer.concat(sent.map((message) => bytesOf(message, wire)));
    const expected = [
      [1, true],
      [3, true],
      [1, false],
      [2, true],
      [200, true],
      [300, true],
    ];

    it('tells the same byte by byte', () => {
      const chunks = [...bytes.keys()].map((at) => bytes.subarray(at, at + 1));
      const told = scanned(chunks, bodiesOf(wire), wire);
      expect(told).toEqual(plain(chunks, bodiesOf(wire), wire));
      expect(told.map(({ ioid, isExpected }) => [ioid, isExpected])).toEqual(expected);
    });

    it('knows what is expected without the framer, which is asked about the rest alone', () => {
      let framed = 0;
      const matched: number[] = [];
      const scanner = new ReplyScanner(GET, bodyFormOf(wire.codec), DEFAULT_LIMITS, {
        matched: (ioid) => matched.push(ioid),
        frame: () => framed++,
      });
      for (const [ioid, body] of bodiesOf(wire)) scanner.expect(ioid, body);
      scanner.push(bytes);
      expect(matched).toEqual(expected.flatMap(([ioid, isExpected]) => (isExpected === true ? ioid : [])));
      expect(framed).toBe(1);
    });
  });

  it('knows an id of MessagePack in every form that it may have, so that no other form passes for another value', () => {
    // Body [5, 1, nil] with the head and the id in their short and in their longest forms.
    const bodies = [
      '93 05 01 c0',
      '93 cc05 01 c0',
      '93 cd0005 01 c0',
      '93 ce00000005 01 c0',
      'dd00000003 cf0000000000000005 01 c0',
    ];
    for (const hex of bodies) {
      const body = Buffer.from(hex.replaceAll(' ', ''), 'hex');
      const matched: number[] = [];
      const scanner = new ReplyScanner(GET, bodyFormOf(msgpack), DEFAULT_LIMITS, {
        matched: (ioid) => matched.push(ioid),
        frame: () => matched.push(Number.NaN),
      });
      scanner.expect(5, body);
      scanner.push(Buffer.concat([Buffer.from([0xca, 2, 0xc0, GET, 0, 0, 0, body.length]), body]));
      expect(matched).toEqual([5]);
    }
  });

  it('joins segments, which it does not compare', () => {
    const whole = bytesOf(reply(1, [1]), LITTLE);
    const cutAt = 20;
    const segment = (flags: number, body: Buffer): Buffer => {
      const header = Buffer.from(whole.subarray(0, 8));
      header[2] = flags;
      header.writeUInt32LE(body.length, 4);
      return Buffer.concat([header, body]);
    };
    // 0x10 is the first, 0x20 the last segment; 0x40 says that a server speaks.
    const chunks = [segment(0x50, whole.subarray(8, cutAt)), segment(0x60, whole.subarray(cutAt)), whole];
    expect(scanned(chunks, bodiesOf(LITTLE), LITTLE)).toEqual(plain(chunks, bodiesOf(LITTLE), LITTLE));
    expect(scanned(chunks, bodiesOf(LITTLE), LITTLE).map(({ isExpected }) => isExpected)).toEqual([true, true]);
  });

  it('refuses what is no message as the framer does', () => {
    const garbage = [Buffer.from('HTTP/1.1 400 Bad Request\r\n')];
    expect(() => scanned(garbage, new Map(), LITTLE)).toThrow('message starts with 0x48, 0xca expected');
    expect(() => plain(garbage, new Map(), LITTLE)).toThrow('message starts with 0x48, 0xca expected');
  });

  it('hands raw messages out first, and those that are not understood again as frames', () => {
    const seen: string[] = [];
    const scanner = new ReplyScanner(GET, bodyFormOf(pva), DEFAULT_LIMITS, {
      matched: () => seen.push('matched'),
      raw: (command, id, bytes, at, size) => {
        seen.push(`raw ${command} ${id} ${size}`);
        return bytes[at + 8] === 1;
      },
      frame: ({ header }) => seen.push(`frame ${header.command}`),
    });
    const human = bytesOf({ command: 'MESSAGE', ioid: 1, severity: 0, text: 'a' }, LITTLE);
    const other = bytesOf({ command: 'MESSAGE', ioid: 2, severity: 0, text: 'b' }, LITTLE);
    scanner.push(Buffer.concat([human, other]));
    expect(seen).toEqual(['raw 18 1 7', 'raw 18 2 7', 'frame 18']);
  });
});
