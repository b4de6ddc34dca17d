// Does every message, in both directions and both byte orders, have the bytes of the specification, and survive damage?

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { BitSet } from '../../src/protocol/bit-set.ts';
import { LimitError, LocalProtocolError, PvaError, TruncatedError } from '../../src/protocol/errors.ts';
import type { Frame } from '../../src/protocol/framer.ts';
import { HEADER_BYTES, readHeader } from '../../src/protocol/header.ts';
import { DEFAULT_LIMITS } from '../../src/protocol/limits.ts';
import { preEncodeUpdate } from '../../src/protocol/messages/data.ts';
import {
  datagramContext,
  decodeClientMessage,
  decodeMessage,
  decodeServerMessage,
  encodeMessage,
  MESSAGE_MODULES,
} from '../../src/protocol/messages/index.ts';
import type { DecodeContext, OperationTypes } from '../../src/protocol/messages/message-module.ts';
import { isInit, isLast, monitorAction } from '../../src/protocol/messages/subcommand.ts';
import { ntScalar } from '../../src/protocol/normative/nt-scalar.ts';
import { OK } from '../../src/protocol/status.ts';
import * as t from '../../src/protocol/types/type-desc.ts';
import type { AnyValue, PvValue } from '../../src/protocol/types/value-of.ts';
import { TypeReceiver, TypeSender } from '../../src/protocol/types/wire.ts';
import { anyCodecOf } from '../../src/protocol/values/codec.ts';
import { Writer } from '../../src/protocol/writer.ts';
import { hitsLimit } from '../support/hits-limit.ts';
import { SAMPLE_TYPE, SAMPLES, type Sample } from '../support/message-samples.ts';
import { plain } from '../support/plain.ts';
import { fromHex, toHex } from '../support/vectors.ts';
import { spaced, wireBytes } from '../support/wire-text.ts';

const IOID = 0x1020_3040;
const NT_SCALAR = ntScalar(t.double, { display: true, control: true });

function contextWith(operation?: OperationTypes): DecodeContext {
  return { types: new TypeReceiver(), typeOf: (ioid) => (ioid === IOID ? operation : undefined) };
}

function frameOf({ code, from }: Pick<Sample, 'code' | 'from'>, body: Uint8Array, bigEndian: boolean): Frame {
  const flags = (from === 'server' ? 0x40 : 0) | (bigEndian ? 0x80 : 0);
  return { header: { ...readHeader(Uint8Array.of(0xca, 2, flags, code, 0, 0, 0, 0), 0), size: body.length }, body };
}

function write(sample: Sample, bigEndian: boolean): Uint8Array {
  const writer = new Writer(bigEndian);
  if (sample.from === 'client') encodeMessage(writer, sample.message, { fromServer: false });
  else encodeMessage(writer, sample.message, { fromServer: true });
  return writer.view();
}

/** The fields of a structure, each of a structure without fields; the first defines that type. */
function emptyFields(count: number): string {
  const size = count < 0xfe ? toHex(Uint8Array.of(count)) : `fe ${count.toString(16).padStart(8, '0')}`;
  const fields = Array.from({ length: count }, (_, index) => {
    const name = String(1_000 + index);
    return `04 ${toHex(new TextEncoder().encode(name))} ${index === 0 ? 'fd 0000 80 00 00' : 'fe 0000'}`;
  });
  return `${size} ${fields.join(' ')}`;
}

function listOf(count: number, element: () => PvValue): readonly PvValue[] {
  return Array.from({ length: count }, element);
}

/** `type` in so many structures, one in the other. */
function inside(levels: number, type: t.TypeDesc): t.TypeDesc {
  return levels === 0 ? type : t.structure({ x: inside(levels - 1, type) });
}

function insideValue(levels: number, value: PvValue): PvValue {
  return levels === 0 ? value : { x: insideValue(levels - 1, value) };
}

const WIDE_FIELDS = Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`f${index}`, t.boolean]));
const WIDE = t.structure(WIDE_FIELDS);
const WIDE_UNION = t.union(WIDE_FIELDS);

const cases = SAMPLES.flatMap((sample) =>
  [false, true].map(
    (bigEndian) => [sample.from, sample.name, bigEndian ? 'big' : 'little', sample, bigEndian] as const,
  ),
);

/** All but those in which the end of the body means something. */
const growing = cases.filter(
  ([, name, , { message }]) => !['ECHO', 'ACL_CHANGE'].includes(message.command) && name !== 'MONITOR end',
);

describe('every message', () => {
  test.each(cases)('of a %s: %s, %s endian', (_from, _name, _order, sample, bigEndian) => {
    const body = wireBytes(sample.body, bigEndian);
    const bytes = write(sample, bigEndian);
    expect(spaced(bytes.subarray(HEADER_BYTES))).toBe(spaced(body));
    expect(readHeader(bytes, 0)).toEqual(frameOf(sample, body, bigEndian).header);

    const frame = frameOf(sample, body, bigEndian);
    expect(plain(decodeMessage(frame, contextWith(sample.operation)))).toEqual(plain(sample.message));
  });

  test.each(growing)('of a %s: %s, %s endian, may grow at its end', (_from, _name, _order, sample, bigEndian) => {
    const longer = fromHex(`${Buffer.from(wireBytes(sample.body, bigEndian)).toString('hex')} 65 78 74 72 61`);
    const message = decodeMessage(frameOf(sample, longer, bigEndian), contextWith(sample.operation));
    expect(plain(message)).toEqual(plain(sample.message));
  });

  test.each(cases)('of a %s: %s, %s endian, is refused if cut', (_from, _name, _order, sample, bigEndian) => {
    const body = wireBytes(sample.body, bigEndian);
    for (let length = 0; length < body.length; length++) {
      const frame = frameOf(sample, body.subarray(0, length), bigEndian);
      const decode = () => decodeMessage(frame, contextWith(sample.operation));
      if (sample.mayEndAt?.includes(length) === true) expect(decode).not.toThrow();
      else expect(decode, `cut at ${length}`).toThrow(TruncatedError);
    }
  });

  test('that is damaged is read or refused, and nothing else', () => {
    const damage = fc.array(fc.tuple(fc.nat(80), fc.nat(255)), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(fc.constantFrom(...SAMPLES), fc.boolean(), damage, (sample, bigEndian, changes) => {
        const body = wireBytes(sample.body, bigEndian);
        for (const [at, byte] of changes) if (at < body.length) body[at] = byte;
        const operations = (ioid: number) => (ioid === IOID ? sample.operation : undefined);
        try {
          decodeMessage(frameOf(sample, body, bigEndian), { types: new TypeReceiver(), typeOf: operations });
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(PvaError);
          expect(thrown).not.toBeInstanceOf(LocalProtocolError);
        }
      }),
      { numRuns: 3000 },
    );
  });

  test('of random bytes is read or refused, and nothing else', () => {
    const code = fc.constantFrom(...MESSAGE_MODULES.map((module) => module.code));
    const from = fc.constantFrom('client' as const, 'server' as const);
    fc.assert(
      fc.property(code, from, fc.uint8Array({ maxLength: 60 }), fc.boolean(), (code, from, body, bigEndian) => {
        const operation: OperationTypes = { command: 'MONITOR', type: SAMPLE_TYPE };
        const context: DecodeContext = { types: new TypeReceiver(), typeOf: () => operation };
        try {
          decodeMessage(frameOf({ code, from }, body, bigEndian), context);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(PvaError);
          expect(thrown).not.toBeInstanceOf(LocalProtocolError);
        }
      }),
      { numRuns: 3000 },
    );
  });

  test('of the specification has its number and directions', () => {
    const directions = MESSAGE_MODULES.map(({ code, command, fromClient, fromServer }) => [
      code,
      command,
      `${fromClient === undefined ? '' : 'client '}${fromServer === undefined ? '' : 'server'}`.trim(),
    ]);
    expect(directions.toSorted((a, b) => Number(a[0]) - Number(b[0]))).toEqual([
      [0x00, 'BEACON', 'server'],
      [0x01, 'CONNECTION_VALIDATION', 'client server'],
      [0x02, 'ECHO', 'client server'],
      [0x03, 'SEARCH', 'client'],
      [0x04, 'SEARCH_RESPONSE', 'server'],
      [0x05, 'AUTHNZ', 'client server'],
      [0x06, 'ACL_CHANGE', 'server'],
      [0x07, 'CREATE_CHANNEL', 'client server'],
      [0x08, 'DESTROY_CHANNEL', 'client server'],
      [0x09, 'CONNECTION_VALIDATED', 'server'],
      [0x0a, 'GET', 'client server'],
      [0x0b, 'PUT', 'client server'],
      [0x0c, 'PUT_GET', 'client server'],
      [0x0d, 'MONITOR', 'client server'],
      [0x0e, 'ARRAY', 'client server'],
      [0x0f, 'DESTROY_REQUEST', 'client'],
      [0x10, 'PROCESS', 'client server'],
      [0x11, 'GET_FIELD', 'client server'],
      [0x12, 'MESSAGE', 'client server'],
      [0x14, 'RPC', 'client server'],
      [0x15, 'CANCEL_REQUEST', 'client'],
      [0x16, 'ORIGIN_TAG', 'client server'],
    ]);
    const sampled = new Set(SAMPLES.map(({ from, message }) => `${message.command} ${from}`));
    const expected = directions.flatMap(([, command, from]) =>
      String(from)
        .split(' ')
        .map((one) => `${command} ${one}`),
    );
    expect(expected.filter((one) => !sampled.has(one))).toEqual([]);
  });
});

describe('control messages', () => {
  const controls = [
    ['MARK', 0x00, 'ca 02 01 00 01 02 03 04'],
    ['ACKNOWLEDGE', 0x01, 'ca 02 01 01 01 02 03 04'],
    ['ECHO_REQUEST', 0x03, 'ca 02 01 03 01 02 03 04'],
    ['ECHO_RESPONSE', 0x04, 'ca 02 01 04 01 02 03 04'],
  ] as const;

  test.each(controls)('%s carries a value in its size field', (command, _code, hex) => {
    const little = new Writer(false);
    encodeMessage(little, { command, value: 0x0403_0201 }, { fromServer: false });
    expect(spaced(little.view())).toBe(hex);
    const frame = { header: readHeader(little.view(), 0), body: new Uint8Array(0) };
    expect(decodeClientMessage(frame, contextWith())).toEqual({ command, value: 0x0403_0201 });
    const big = new Writer(true);
    encodeMessage(big, { command, value: 0x0102_0304 }, { fromServer: true });
    expect(spaced(big.view())).toBe(hex.replace('ca 02 01', 'ca 02 c1'));
  });

  test('SET_BYTE_ORDER is told by its own order bit', () => {
    // First messages of the servers in test/vectors/transcripts, little and big endian.
    for (const [hex, bigEndian] of [
      ['ca 02 41 02 00 00 00 00', false],
      ['ca 02 c1 02 00 00 00 00', true],
    ] as const) {
      const frame = { header: readHeader(fromHex(hex), 0), body: new Uint8Array(0) };
      expect(decodeServerMessage(frame, contextWith())).toEqual({ command: 'SET_BYTE_ORDER', bigEndian, value: 0 });
      const writer = new Writer(bigEndian);
      encodeMessage(writer, { command: 'SET_BYTE_ORDER', bigEndian, value: 0 }, { fromServer: true });
      expect(spaced(writer.view())).toBe(hex);
    }
  });

  test('SET_BYTE_ORDER is not written in another order than it sets', () => {
    const message = { command: 'SET_BYTE_ORDER', bigEndian: true, value: 0 } as const;
    expect(() => encodeMessage(new Writer(false), message, { fromServer: true })).toThrow(LocalProtocolError);
  });

  test('that are unknown are skipped', () => {
    // "unknown control command 0x7f" in test/vectors/malformed.json.
    const frame = { header: readHeader(fromHex('ca02017f44332211'), 0), body: new Uint8Array(0) };
    expect(decodeMessage(frame, contextWith())).toBeUndefined();
  });
});

describe('skipped are', () => {
  test.each([0x13, 0x17, 0x55, 0x7f, 0xff])('application messages of the unknown command %i', (code) => {
    const body = fromHex('01 02 03');
    for (const from of ['client', 'server'] as const) {
      expect(decodeMessage(frameOf({ code, from }, body, true), contextWith())).toBeUndefined();
    }
  });

  test('commands from the side that never sends them', () => {
    const none = new Uint8Array(0);
    for (const { code, fromClient, fromServer } of MESSAGE_MODULES) {
      for (const from of ['client', 'server'] as const) {
        if ((from === 'client' ? fromClient : fromServer) !== undefined) continue;
        expect(decodeMessage(frameOf({ code, from }, none, true), contextWith())).toBeUndefined();
      }
    }
  });

  test('messages of the other side, as a search with the direction bit of a server', () => {
    const search = SAMPLES.find(({ name }) => name === 'SEARCH');
    if (search === undefined) throw new Error('no sample');
    const body = wireBytes(search.body, true);
    const fromClient = frameOf(search, body, true);
    const fromServer = frameOf({ code: search.code, from: 'server' }, body, true);
    expect(decodeClientMessage(fromClient, contextWith())?.command).toBe('SEARCH');
    expect(decodeClientMessage(fromServer, contextWith())).toBeUndefined();
    expect(decodeServerMessage(fromServer, contextWith())).toBeUndefined();
    expect(decodeServerMessage(fromClient, contextWith())).toBeUndefined();
  });
});

describe('data for an operation that is not alive', () => {
  const data = SAMPLES.filter(({ operation }) => operation !== undefined);

  test.each(data.map((sample) => [sample.from, sample.name, sample] as const))(
    'of a %s: %s',
    (_from, _name, sample) => {
      const body = wireBytes(sample.body, true);
      const others: readonly (OperationTypes | undefined)[] = [
        undefined,
        { command: 'RPC', type: SAMPLE_TYPE, putType: SAMPLE_TYPE },
        { command: sample.operation?.command ?? 'GET', type: null },
      ];
      for (const operation of others) {
        const message = decodeMessage(frameOf(sample, body, true), contextWith(operation));
        expect(message).toMatchObject({ command: sample.message.command, phase: 'outOfScope', ioid: IOID });
        expect(message).toHaveProperty('subcommand');
      }
    },
  );

  test('is no reason to end the link even if it is nonsense', () => {
    // "GET reply for an unknown request" in test/vectors/malformed.json.
    const body = fromHex('efbeadde 00 ff 00');
    expect(decodeServerMessage(frameOf({ code: 0x0a, from: 'server' }, body, false), contextWith())).toEqual({
      command: 'GET',
      phase: 'outOfScope',
      ioid: 0xdead_beef,
      subcommand: 0,
    });
  });
});

describe('masked data', () => {
  test('is read over the value that was kept', () => {
    const base = { a: 7, b: 'old' };
    for (const [command, code, body] of [
      ['GET', 0x0a, "[10203040] 00 ff 01 04 02 'hi'"],
      ['MONITOR', 0x0d, "[10203040] 00 01 04 02 'hi' 00"],
    ] as const) {
      const context = contextWith({ command, type: SAMPLE_TYPE, base });
      const frame = frameOf({ code, from: 'server' }, wireBytes(body, true), true);
      expect(decodeServerMessage(frame, context)).toMatchObject({ update: { value: { a: 7, b: 'hi' } } });
    }
    expect(base).toEqual({ a: 7, b: 'old' });
  });

  test('that was encoded before is written as it is, and only in its own byte order', () => {
    const update = { type: SAMPLE_TYPE, changed: BitSet.of(1), value: { a: 1, b: '' } };
    for (const bigEndian of [false, true]) {
      const encoded = preEncodeUpdate(update, bigEndian);
      const [early, late] = [encoded, update].map((update) => {
        const writer = new Writer(bigEndian);
        const message = {
          command: 'MONITOR',
          phase: 'update',
          ioid: 1,
          subcommand: 0,
          update,
          overrun: BitSet.of(1),
        } as const;
        encodeMessage(writer, message, { fromServer: true });
        return spaced(writer.view());
      });
      expect(early).toBe(late);
    }
  });

  test.each([
    ['pva', true, false, 'update encoded in big-endian pvAccess for a link that speaks little-endian pvAccess'],
    ['pva', false, true, 'update encoded in little-endian pvAccess for a link that speaks big-endian pvAccess'],
    ['msgpack', true, true, 'update encoded in MessagePack for a link that speaks big-endian pvAccess'],
  ] as const)('that was encoded for another link is not written: %s, %s for %s', (codec, theirs, ours, why) => {
    const update = { bytes: Uint8Array.of(0), codec, bigEndian: theirs, type: SAMPLE_TYPE };
    const reply = { command: 'GET', phase: 'exec', ioid: 1, subcommand: 0, status: OK, update } as const;
    expect(() => encodeMessage(new Writer(ours), reply, { fromServer: true })).toThrow(
      new LocalProtocolError(`GET: ${why}`),
    );
  });
});

describe('types', () => {
  test('can be sent as ids, and are then read with the registry of the link', () => {
    const sender = new TypeSender();
    const context = contextWith();
    const reply = { command: 'GET', phase: 'init', ioid: 1, subcommand: 8, status: OK, type: SAMPLE_TYPE } as const;
    const sizes = [1, 2].map(() => {
      const writer = new Writer(true);
      encodeMessage(writer, reply, { fromServer: true, typeSender: sender });
      const bytes = writer.view();
      const frame = { header: readHeader(bytes, 0), body: bytes.subarray(HEADER_BYTES) };
      expect(decodeServerMessage(frame, context)).toEqual(reply);
      return bytes.length;
    });
    // 0xfe and the id stand for the whole.
    expect(sizes[1]).toBe(HEADER_BYTES + 6 + 3);
  });

  test('of one datagram are not remembered for the next', () => {
    const define = fromHex(
      '0102030405060708090a0b0c 00 00 0000 00000000000000000000000000000000 0000 03 746370 fd0001 8000 00',
    );
    const use = fromHex('0102030405060708090a0b0c 00 00 0000 00000000000000000000000000000000 0000 03 746370 fe0001');
    const beacon = (body: Uint8Array) => frameOf({ code: 0, from: 'server' }, body, true);
    expect(decodeServerMessage(beacon(define), datagramContext())).toMatchObject({ serverStatus: { value: {} } });
    expect(() => decodeServerMessage(beacon(use), datagramContext())).toThrow('type id 1');
  });
});

describe('a message that cannot be sent', () => {
  test('leaves no type behind that the peer would be expected to know', () => {
    const sender = new TypeSender();
    const send = (argument: AnyValue): Uint8Array => {
      const writer = new Writer(true);
      const message = { command: 'RPC', phase: 'exec', sid: 1, ioid: 1, subcommand: 0, argument } as const;
      encodeMessage(writer, message, { fromServer: false, typeSender: sender });
      return writer.copy().subarray(HEADER_BYTES + 9);
    };
    const [known, type] = [t.structure({ a: t.int }), t.structure({ b: t.structure({ c: t.int }) })];
    // Type codes and ids of the specification: 0xfd defines, 0xfe refers.
    expect(spaced(send({ type: known, value: { a: 1 } }))).toBe(spaced(fromHex('fd0001 80 00 01 0161 22 00000001')));
    expect(() => send({ type, value: { b: { c: 'text' } } })).toThrow(LocalProtocolError);
    expect(spaced(send({ type: known, value: { a: 1 } }))).toBe(spaced(fromHex('fe0001 00000001')));
    const defined = 'fd0002 80 00 01 0162 fd0003 80 00 01 0163 22 00000002';
    expect(spaced(send({ type, value: { b: { c: 2 } } }))).toBe(spaced(fromHex(defined)));
  });

  test('leaves the writer as it was and is named', () => {
    const writer = new Writer(false);
    encodeMessage(writer, { command: 'ECHO', payload: Uint8Array.of(1) }, { fromServer: true });
    const before = spaced(writer.view());
    const wrong = { type: SAMPLE_TYPE, changed: BitSet.of(0), value: { a: 'text', b: '' } };
    const reply = { command: 'GET', phase: 'exec', ioid: 1, subcommand: 0, status: OK, update: wrong } as const;
    expect(() => encodeMessage(writer, reply, { fromServer: true })).toThrow(/^GET, field a: a number/u);
    expect(spaced(writer.view())).toBe(before);
  });

  test('is a success without what a success brings', () => {
    const send = (message: Parameters<typeof encodeMessage>[1]) => () => {
      // All of these are messages of a server.
      encodeMessage(new Writer(false), message as never, { fromServer: true });
    };
    const head = { ioid: 1, status: OK } as const;
    expect(send({ command: 'GET', phase: 'exec', ...head, subcommand: 0, update: null })).toThrow(
      'success without data',
    );
    expect(send({ command: 'PUT', phase: 'get', ...head, subcommand: 0x40, update: null })).toThrow('without data');
    expect(send({ command: 'ARRAY', phase: 'get', ...head, subcommand: 0x40, array: null })).toThrow(
      'without an array',
    );
    expect(send({ command: 'ARRAY', phase: 'getLength', ...head, subcommand: 4, length: null })).toThrow(
      'without a length',
    );
  });

  test('is one of the other side', () => {
    // A mistake that the types refuse, made on purpose.
    const send = () => encodeMessage(new Writer(false), SAMPLES[0]?.message as never, { fromServer: false });
    expect(send).toThrow('BEACON: no message of a client');
  });

  test('has more entries than its count can say', () => {
    const many = Array.from({ length: 0x1_0000 }, (_, cid) => ({ cid, instanceId: cid, pvName: 'x' }));
    const create = { command: 'CREATE_CHANNEL', channels: many } as const;
    expect(() => encodeMessage(new Writer(false), create, { fromServer: false })).toThrow('65536 channels');
    const search = SAMPLES.find(({ name }) => name === 'SEARCH')?.message;
    if (search?.command !== 'SEARCH') throw new Error('no sample');
    expect(() => encodeMessage(new Writer(false), { ...search, names: many }, { fromServer: false })).toThrow(
      '65536 names',
    );
    const response = SAMPLES.find(({ name }) => name === 'SEARCH_RESPONSE')?.message;
    if (response?.command !== 'SEARCH_RESPONSE') throw new Error('no sample');
    const instanceIds = many.map(({ cid }) => cid);
    expect(() => encodeMessage(new Writer(false), { ...response, instanceIds }, { fromServer: true })).toThrow(
      '65536 ids',
    );
  });
});

describe('a decode error names', () => {
  test('the command and the offset', () => {
    const frame = frameOf({ code: 0x0f, from: 'client' }, fromHex('01020304 05'), true);
    expect(() => decodeMessage(frame, contextWith())).toThrow(
      'DESTROY_REQUEST at offset 4 of 5: 4 bytes expected at offset 4',
    );
  });

  test('the field', () => {
    const operation: OperationTypes = { command: 'PUT', type: t.structure({ inner: t.structure({ name: t.string }) }) };
    const frame = frameOf({ code: 0x0b, from: 'client' }, fromHex('00000001 10203040 00 01 01 20 61'), true);
    expect(() => decodeMessage(frame, contextWith(operation))).toThrow(
      'PUT at offset 12 of 13, field inner.name: 32 bytes',
    );
  });

  test('the limit', () => {
    const limits = { ...DEFAULT_LIMITS, maxTypeNesting: 1 };
    const context: DecodeContext = { types: new TypeReceiver({ limits }), typeOf: () => undefined };
    const body = fromHex('00000001 10203040 08 80 00 01 01 61 80 00 01 01 62 80 00 00');
    const decode = () => decodeMessage(frameOf({ code: 0x0a, from: 'client' }, body, true), context);
    expect(decode).toThrow(LimitError);
    expect(decode).toThrow('GET at offset');
  });
});

describe('limits', () => {
  test('names of a search past the limit are not looked at, but counted against the bytes', () => {
    hitsLimit('maxSearchNames');
    const limits = { ...DEFAULT_LIMITS, maxSearchNames: 2 };
    const context: DecodeContext = { types: new TypeReceiver({ limits }), typeOf: () => undefined };
    const head = '00000000 00 000000 00000000000000000000000000000000 0000 00';
    const names = '00000001 01 61 00000002 01 62 00000003 01 63';
    const search = (hex: string) => decodeMessage(frameOf({ code: 0x03, from: 'client' }, fromHex(hex), true), context);
    expect(search(`${head} 0003 ${names}`)).toMatchObject({
      names: [
        { instanceId: 1, pvName: 'a' },
        { instanceId: 2, pvName: 'b' },
      ],
    });
    expect(() => search(`${head} 0004 ${names}`)).toThrow('4 names claimed, 18 bytes are there');
  });

  test('methods and protocols count as objects of their message', () => {
    hitsLimit('maxValueNodes');
    const limits = { ...DEFAULT_LIMITS, maxValueNodes: 3 };
    const context: DecodeContext = { types: new TypeReceiver({ limits }), typeOf: () => undefined };
    const validation = frameOf({ code: 0x01, from: 'server' }, fromHex('00010000 7fff 04 00 00 00 00'), true);
    expect(() => decodeMessage(validation, context)).toThrow('maxValueNodes');
    const search = '00000000 00 000000 00000000000000000000000000000000 0000 04 00 00 00 00 0000';
    expect(() => decodeMessage(frameOf({ code: 0x03, from: 'client' }, fromHex(search), true), context)).toThrow(
      'maxValueNodes',
    );
  });

  test('structures without fields, which take no bytes, are bounded by the bytes of their message', () => {
    hitsLimit('maxValueNodesPerByte', 'freeValueNodes');
    const context = contextWith();
    const authNz = (hex: string) => decodeMessage(frameOf({ code: 0x05, from: 'client' }, fromHex(hex), true), context);
    const [many, few] = [emptyFields(9_000), emptyFields(990)];
    expect(authNz(`fd 0001 80 00 ${many}`)).toMatchObject({ data: { value: {} } });
    expect(() => authNz('fe 0001')).toThrow('maxValueNodesPerByte allows 1048');
    expect(() => authNz(`8a 05 ${'01 fe 0001'.repeat(5)}`)).toThrow('maxValueNodesPerByte');
    expect(() => authNz('81 00 01 01 61 fe 0001 00')).toThrow('maxValueNodesPerByte');
    // As a client that sends ids asks for many fields a second time.
    authNz(`fd 0002 80 00 ${few}`);
    expect(authNz('fe 0002')).toMatchObject({ data: { type: { bitCount: 991 } } });
  });

  test('an id stands for no type of any that is many times as long as the message', () => {
    hitsLimit('maxAnyTypeBytesPerByte', 'freeAnyTypeBytes');
    const context = contextWith();
    const authNz = (hex: string) => decodeMessage(frameOf({ code: 0x05, from: 'client' }, fromHex(hex), true), context);
    // A union of one member with a name of 20 000 bytes, and one that holds it twice; then a list of those, each null.
    authNz(`fd 0001 81 00 01 fe 00004e20 ${'61'.repeat(20_000)} 22 ff`);
    authNz('fd 0002 81 00 02 01 61 fe 0001 01 62 fe 0001 ff');
    expect(authNz(`8a 06 ${'01 fe 0001 ff'.repeat(6)}`)).toMatchObject({ data: { value: { length: 6 } } });
    expect(() => authNz(`8a 07 ${'01 fe 0001 ff'.repeat(7)}`)).toThrow('bytes of types in any: 140063 asked, max');
    expect(() => authNz(`8a 04 ${'01 fe 0002 ff'.repeat(4)}`)).toThrow('maxAnyTypeBytesPerByte allows 132480');
    expect(() => authNz(`8a 04 ${'01 81 00 02 01 61 fe 0001 01 62 fe 0001 ff'.repeat(4)}`)).toThrow('in any: 160');
    const most = { ...DEFAULT_LIMITS, maxBodyBytes: 30_000 };
    const small = { types: new TypeReceiver({ limits: most }), typeOf: () => undefined };
    const named = fromHex(`fd 0001 81 00 01 fe 00004e20 ${'61'.repeat(20_000)} 22 ff`);
    decodeMessage(frameOf({ code: 0x05, from: 'client' }, named, true), small);
    const twice = frameOf({ code: 0x05, from: 'client' }, fromHex('8a 02 01 fe 0001 ff 01 fe 0001 ff'), true);
    expect(() => decodeMessage(twice, small)).toThrow('maxBodyBytes allows 30000');
  });

  test('a long list of any is read whose types are ids, as of a table with columns of any', () => {
    const row = { type: NT_SCALAR, value: anyCodecOf(NT_SCALAR).defaultValue() };
    const writer = new Writer(false);
    const argument = { type: t.structure({ rows: t.anyArray }), value: { rows: listOf(20_000, () => row) as PvValue } };
    const message = { command: 'RPC', phase: 'exec', sid: 1, ioid: 1, subcommand: 0, argument } as const;
    encodeMessage(writer, message, { fromServer: false, typeSender: new TypeSender() });
    const bytes = writer.view();
    const frame = { header: readHeader(bytes, 0), body: bytes.subarray(HEADER_BYTES) };
    expect(decodeMessage(frame, contextWith())).toMatchObject({ argument: { value: { rows: { length: 20_000 } } } });
  });

  test.each<[string, t.TypeDesc, (count: number) => readonly PvValue[]]>([
    ['structures of a byte', t.structure({ a: t.boolean }), (n) => listOf(n, () => ({ a: true }))],
    ['structures in structures', inside(8, t.byte), (n) => listOf(n, () => insideValue(8, 1))],
    ['empty lists of wide structures', t.structure({ a: t.arrayOf(WIDE) }), (n) => listOf(n, () => ({ a: [] }))],
    ['unions of many members', WIDE_UNION, (n) => listOf(n, () => ({ select: 'f7', value: true }))],
    ['unions of nothing', WIDE_UNION, (n) => listOf(n, () => null)],
    ['any', t.any, (n) => listOf(n, () => ({ type: t.arrayOf(t.string), value: [] }))],
    ['empty texts', t.string, (n) => listOf(n, () => '')],
    ['booleans', t.boolean, (n) => listOf(n, () => true)],
  ])('a long list of %s is no more than its bytes allow', (_what, element, values) => {
    // The types that `arrayOf` takes are what the table has.
    const type = t.arrayOf(element as t.StructureType);
    const value = values(20_000) as PvValue;
    const writer = new Writer(false);
    const message = {
      command: 'RPC',
      phase: 'exec',
      sid: 1,
      ioid: 1,
      subcommand: 0,
      argument: { type, value },
    } as const;
    encodeMessage(writer, message, { fromServer: false });
    const bytes = writer.view();
    const frame = { header: readHeader(bytes, 0), body: bytes.subarray(HEADER_BYTES) };
    const read = decodeMessage(frame, contextWith());
    expect(read?.command === 'RPC' && 'argument' in read ? read.argument?.value : null).toHaveLength(20_000);
  });

  test('each message has its whole budget of objects', () => {
    const limits = { ...DEFAULT_LIMITS, maxValueNodes: 4 };
    const context: DecodeContext = { types: new TypeReceiver({ limits }), typeOf: () => undefined };
    const validation = frameOf({ code: 0x01, from: 'server' }, fromHex('00010000 7fff 03 00 00 00'), true);
    for (let count = 0; count < 5; count++) {
      expect(decodeMessage(validation, context)).toMatchObject({ methods: ['', '', ''] });
    }
  });
});

describe('what peers do beside the specification', () => {
  test('a monitor that announces a window but sends none has a window of 0, as with pvxs', () => {
    const body = fromHex('00000001 10203040 88 ff');
    expect(decodeMessage(frameOf({ code: 0x0d, from: 'client' }, body, true), contextWith())).toMatchObject({
      phase: 'init',
      window: 0,
    });
  });

  test('method ca needs its type, others may leave it out, as with pvAccessCPP', () => {
    // "CONNECTION_VALIDATION ca, credentials missing" in test/vectors/malformed.json.
    const ca = frameOf({ code: 0x01, from: 'client' }, fromHex('00000100 ff7f 0000 02 6361'), false);
    expect(() => decodeMessage(ca, contextWith())).toThrow(TruncatedError);
    const anonymous = fromHex('00000100 ff7f 0000 09 616e6f6e796d6f7573');
    expect(decodeMessage(frameOf({ code: 0x01, from: 'client' }, anonymous, false), contextWith())).toMatchObject({
      method: 'anonymous',
      credentials: null,
    });
  });

  test('subcommands are sets of bits', () => {
    expect([0x08, 0x88, 0x18, 0x48].map(isInit)).toEqual([true, true, true, true]);
    expect([0x00, 0x40, 0x10, 0x84].map(isInit)).toEqual([false, false, false, false]);
    expect([0x10, 0x50, 0x94, 0x00, 0x44].map(isLast)).toEqual([true, true, true, false, false]);
    expect([0x44, 0xc4, 0x54, 0x04, 0x84, 0x00, 0x40, 0x80].map(monitorAction)).toEqual([
      'start',
      'start',
      'start',
      'stop',
      'stop',
      'none',
      'none',
      'none',
    ]);
  });
});
