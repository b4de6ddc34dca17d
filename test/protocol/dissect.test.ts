// Do the declared description of the messages of discovery and their hand-written decoders agree?

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { dissect, type Dissection } from '../../src/protocol/dissect.ts';
import { PvaError, RemoteProtocolError, TruncatedError } from '../../src/protocol/errors.ts';
import { HEADER_BYTES, readHeader, writeHeader, type Segment } from '../../src/protocol/header.ts';
import type { Beacon } from '../../src/protocol/messages/beacon.ts';
import { datagramContext, decodeMessage, encodeMessage } from '../../src/protocol/messages/index.ts';
import type { SearchResponse } from '../../src/protocol/messages/search-response.ts';
import type { Search } from '../../src/protocol/messages/search.ts';
import { Reader } from '../../src/protocol/reader.ts';
import { anyCodecOf } from '../../src/protocol/values/codec.ts';
import { decodeType, TypeReceiver } from '../../src/protocol/types/wire.ts';
import { Writer } from '../../src/protocol/writer.ts';
import { loadTranscript, transcriptNames } from '../support/transcript.ts';
import { fromHex } from '../support/vectors.ts';

type Discovery = Beacon | Search | SearchResponse;

/** The dissection as the decoder would give it. */
function asMessage(found: Dissection): Discovery | undefined {
  switch (found.command) {
    case 'BEACON': {
      const { end: _, serverStatus, ...fields } = found.body;
      const reader = new Reader(serverStatus, found.header.bigEndian === 1);
      const type = decodeType(reader);
      const value = type === null ? null : { type, value: anyCodecOf(type).decode(reader, new TypeReceiver()) };
      return { command: 'BEACON', ...fields, serverStatus: value };
    }
    case 'SEARCH': {
      const { end: _, flags, reserved: __, protocolCount, nameCount, ...fields } = found.body;
      expect([protocolCount, nameCount]).toEqual([fields.protocols.length, fields.names.length]);
      const { unicast, unused, replyToSource, mustReply } = flags;
      const byte = (unicast << 7) | (unused << 2) | (replyToSource << 1) | mustReply;
      return { command: 'SEARCH', ...fields, flags: byte };
    }
    case 'SEARCH_RESPONSE': {
      const { end: _, instanceIdCount, found: byte, ...fields } = found.body;
      expect(instanceIdCount).toBe(fields.instanceIds.length);
      return { command: 'SEARCH_RESPONSE', ...fields, found: byte !== 0 };
    }
    case 'OTHER':
      return undefined;
  }
}

function decode(bytes: Uint8Array) {
  const frame = { header: readHeader(bytes, 0), body: bytes.subarray(HEADER_BYTES) };
  return decodeMessage(frame, datagramContext());
}

function encode(message: Discovery, bigEndian: boolean): Uint8Array {
  const writer = new Writer(bigEndian);
  if (message.command === 'SEARCH') encodeMessage(writer, message, { fromServer: false });
  else encodeMessage(writer, message, { fromServer: true });
  return writer.copy();
}

// --- random messages ---

const u8 = fc.nat(0xff);
const u16 = fc.nat(0xffff);
const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  // Long enough for the long form of a size, and the byte order mark that decoders of text love to swallow.
  fc.string({ minLength: 254, maxLength: 300 }),
  fc.constant('\u{feff}mark'),
);
const address = fc.oneof(fc.ipV4(), fc.constantFrom('::', '::1', 'fe80::1:2', '2001:db8::5'));
const guid = fc.uint8Array({ minLength: 12, maxLength: 12 }).map((bytes) => Buffer.from(bytes).toString('hex'));

const beacon: fc.Arbitrary<Beacon> = fc.record({
  command: fc.constant('BEACON'),
  guid,
  flags: u8,
  sequence: u8,
  changeCount: u16,
  serverAddress: address,
  serverPort: u16,
  protocol: text,
  serverStatus: fc.constant(null),
});

const search: fc.Arbitrary<Search> = fc.record({
  command: fc.constant('SEARCH'),
  sequenceId: u32,
  flags: u8,
  responseAddress: address,
  responsePort: u16,
  protocols: fc.array(text, { maxLength: 3 }),
  names: fc.array(fc.record({ instanceId: u32, pvName: text }), { maxLength: 20 }),
});

const response: fc.Arbitrary<SearchResponse> = fc.record({
  command: fc.constant('SEARCH_RESPONSE'),
  guid,
  sequenceId: u32,
  serverAddress: address,
  serverPort: u16,
  protocol: text,
  found: fc.boolean(),
  instanceIds: fc.array(u32, { maxLength: 20 }),
});

const discovery = fc.oneof<fc.Arbitrary<Discovery>[]>(beacon, search, response);

describe('dissection and decoder agree', () => {
  test('on random messages, to their ends', () => {
    fc.assert(
      fc.property(discovery, fc.boolean(), (message, bigEndian) => {
        const bytes = encode(message, bigEndian);
        const found = dissect(bytes);
        expect(asMessage(found)).toEqual(decode(bytes));
        // Behind the last field of a beacon stands its status, here the null type.
        const rest = message.command === 'BEACON' ? 1 : 0;
        expect(found.body?.end).toBe(bytes.length - HEADER_BYTES - rest);
      }),
    );
  });

  test('on random headers', () => {
    const segment = fc.constantFrom<Segment>('none', 'first', 'last', 'middle');
    fc.assert(
      fc.property(
        fc.boolean(),
        fc.record({
          command: fc.integer({ min: 5, max: 255 }),
          fromServer: fc.boolean(),
          isControl: fc.boolean(),
          segment,
          size: fc.nat(40),
        }),
        (bigEndian, header) => {
          const writer = new Writer(bigEndian);
          writeHeader(writer, header);
          writer.bytes(new Uint8Array(40));
          const found = dissect(writer.view()).header;
          const read = readHeader(writer.view(), 0);
          expect({
            version: found.version,
            command: found.command,
            isControl: found.control === 1,
            segment: (['none', 'first', 'last', 'middle'] as const)[found.segment],
            fromServer: found.fromServer === 1,
            bigEndian: found.bigEndian === 1,
            size: found.size,
          }).toEqual({ ...read, flags: undefined });
          expect([found.magic, found.unusedFlags]).toEqual([0xca, 0]);
        },
      ),
    );
  });

  test('that a search or response which is cut is no message', () => {
    fc.assert(
      fc.property(
        fc.oneof<fc.Arbitrary<Discovery>[]>(search, response),
        fc.boolean(),
        fc.nat(),
        (message, bigEndian, at) => {
          const whole = encode(message, bigEndian);
          const length = HEADER_BYTES + (at % (whole.length - HEADER_BYTES));
          const bytes = whole.slice(0, length);
          // The header claims no more than is there, so that it is the body that ends early.
          new DataView(bytes.buffer).setUint32(4, length - HEADER_BYTES, !bigEndian);
          expect(() => decode(bytes)).toThrow(TruncatedError);
          expect(() => dissect(bytes)).toThrow(TruncatedError);
        },
      ),
    );
  });

  test('whether random bytes are a message', () => {
    const code = fc.constantFrom(0x03, 0x04);
    fc.assert(
      fc.property(code, fc.uint8Array({ maxLength: 80 }), fc.boolean(), (code, body, bigEndian) => {
        const writer = new Writer(bigEndian);
        writeHeader(writer, { command: code, fromServer: code === 0x04, size: body.length });
        writer.bytes(body);
        const [decoded, dissected] = [decode, (bytes: Uint8Array) => asMessage(dissect(bytes))].map((read) => {
          try {
            return read(writer.view());
          } catch (thrown) {
            expect(thrown).toBeInstanceOf(PvaError);
            return 'refused';
          }
        });
        expect(dissected).toEqual(decoded);
      }),
      { numRuns: 500 },
    );
  });
});

describe('recorded datagrams', () => {
  test.each(transcriptNames())('%s', (name) => {
    const { udp } = loadTranscript(name);
    for (const { hex, headers } of udp) {
      let rest = fromHex(hex);
      for (const recorded of headers) {
        const bytes = rest.subarray(0, HEADER_BYTES + recorded.payloadSize);
        const found = dissect(bytes);
        expect(found.header).toEqual({
          magic: recorded.magic,
          version: recorded.version,
          bigEndian: Number(recorded.bigEndian),
          fromServer: Number(recorded.fromServer),
          segment: 0,
          unusedFlags: 0,
          control: 0,
          command: recorded.command,
          size: recorded.payloadSize,
        });
        expect(found.command).toBe(recorded.commandName === 'ORIGIN_TAG' ? 'OTHER' : recorded.commandName);
        if (found.command !== 'OTHER') expect(asMessage(found)).toEqual(decode(bytes));
        rest = rest.subarray(bytes.length);
      }
      expect(rest.length).toBe(0);
    }
    // A conversation with a known address has no datagrams, and nothing was left of the others.
    expect(udp.every(({ headers }) => headers.length > 0)).toBe(true);
  });
});

describe('what a dissection shows beside the message', () => {
  test('reserved bytes, single bits and where it ended', () => {
    const bytes = fromHex(
      'ca 02 80 03 00 00 00 25  00000001 87 010203 00000000000000000000ffff7f000001 13d3  00 0001 00000009 02 7076 ee',
    );
    expect(dissect(bytes)).toMatchObject({
      body: {
        flags: { unicast: 1, unused: 1, replyToSource: 1, mustReply: 1 },
        reserved: [1, 2, 3],
        end: 36,
      },
    });
  });

  test('the status of a beacon as bytes', () => {
    // First datagram of test/vectors/transcripts/beacons-pvxs.json.
    const hex = loadTranscript('beacons-pvxs').udp[0]?.hex ?? '';
    expect(dissect(fromHex(hex))).toMatchObject({ command: 'BEACON', body: { serverStatus: Uint8Array.of(0xff) } });
  });

  test('nothing of a control message, whatever its size field says', () => {
    const found = dissect(fromHex('ca 02 41 03 ff ff ff ff'));
    expect(found).toMatchObject({ command: 'OTHER', body: undefined, header: { control: 1, size: 0xffff_ffff } });
  });
});

describe('refused is', () => {
  test('another magic byte', () => {
    expect(() => dissect(fromHex('cb 02 00 03 00 00 00 00'))).toThrow(RemoteProtocolError);
  });

  test('a header or a body that ends early', () => {
    expect(() => dissect(fromHex('ca 02 00'))).toThrow(TruncatedError);
    expect(() => dissect(fromHex('ca 02 00 03 05 00 00 00 01'))).toThrow('body of 5 bytes, 1 are there');
  });

  test('a count that is null or past 31 bits', () => {
    const head = '00000001 80 000000 00000000000000000000000000000000 0000';
    expect(() => dissect(fromHex(`ca 02 80 03 00 00 00 1b ${head} ff`))).toThrow('null size, a count expected');
    expect(() => dissect(fromHex(`ca 02 80 03 00 00 00 1f ${head} fe ffffffff`))).toThrow('size 4294967295');
  });
});
