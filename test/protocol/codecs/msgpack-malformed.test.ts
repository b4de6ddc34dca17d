// Which MessagePack bodies are refused, and is nothing made of what they claim?

import { encode, ExtData } from '@msgpack/msgpack';
import { describe, expect, test } from 'vitest';
import { msgpack } from '../../../src/protocol/codecs/msgpack.ts';
import { LocalProtocolError, PvaError } from '../../../src/protocol/errors.ts';
import { DEFAULT_LIMITS } from '../../../src/protocol/limits.ts';
import type { Header } from '../../../src/protocol/header.ts';
import type { Limits } from '../../../src/protocol/limits.ts';
import { decodeMessage } from '../../../src/protocol/messages/index.ts';
import type { OperationTypes } from '../../../src/protocol/messages/message-module.ts';
import { any, arrayOf, double, int, string, structure, ubyte, union } from '../../../src/protocol/types/type-desc.ts';
import { TypeReceiver } from '../../../src/protocol/types/wire.ts';
import { fromHex } from '../../support/vectors.ts';

const CODES = {
  VALIDATION: 0x01,
  ECHO: 0x02,
  SEARCH: 0x03,
  AUTHNZ: 0x05,
  CREATE: 0x07,
  PUT: 0x0b,
  MONITOR: 0x0d,
  ORIGIN: 0x16,
} as const;
type Command = keyof typeof CODES;

const TYPE = structure({
  value: double,
  text: string,
  count: int,
  wave: arrayOf(double),
  bytes: arrayOf(ubyte),
  inner: structure({ a: int, b: int }),
  choice: union({ n: int, text: string }),
  loose: any,
  names: arrayOf(string),
  list: arrayOf(structure({ a: int })),
});
const LIVE = 7;
const DEAD = 8;

function read(command: Command, body: Uint8Array, fromServer = false, limits: Limits = DEFAULT_LIMITS): unknown {
  const header: Header = {
    version: 2,
    flags: 0x80,
    command: CODES[command],
    isControl: false,
    segment: 'none',
    fromServer,
    bigEndian: true,
    size: body.length,
  };
  const operation: OperationTypes = { command: fromServer ? 'MONITOR' : 'PUT', type: TYPE };
  const typeOf = (ioid: number): OperationTypes | undefined => (ioid === LIVE ? operation : undefined);
  return decodeMessage({ header, body }, { types: new TypeReceiver({ limits }), typeOf }, msgpack);
}

function put(update: unknown, ioid = LIVE): Uint8Array {
  return encode([1, ioid, 0, update]);
}

function join(...parts: readonly (string | Uint8Array)[]): Uint8Array {
  return Buffer.concat(parts.map((part) => (typeof part === 'string' ? fromHex(part) : part)));
}

/** An update with one field, its value in hex behind the key. */
function putField(name: string, value: string): Uint8Array {
  return join('94 01 07 00 81', encode(name), value);
}

function nested(depth: number): unknown {
  let type: unknown = 'int';
  for (let level = 0; level < depth; level++) type = { kind: 'structure', id: '', fields: [{ name: 'a', type }] };
  return type;
}

function anyInAny(depth: number): unknown {
  let value: unknown = null;
  for (let level = 0; level < depth; level++) value = ['any', value];
  return value;
}

const CASES: readonly (readonly [what: string, command: Command, body: Uint8Array, reason: RegExp | string])[] = [
  // The array of fields.
  ['no bytes at all', 'ECHO', join(), 'ECHO at offset 0 of 0: 1 bytes expected at offset 0'],
  ['no array', 'ECHO', join('01'), 'an integer (0x01) at offset 0, an array expected'],
  ['a map', 'ECHO', encode({ payload: 1 }), 'a map (0x81) at offset 0, an array expected'],
  ['an empty array', 'ECHO', join('90'), '0 fields in the body, more expected'],
  ['a field too many', 'ECHO', encode([new Uint8Array(1), 1]), '2 fields in the body, 1 expected'],
  ['a field too few', 'CREATE', join('90'), '0 fields in the body, more expected'],
  ['bytes behind', 'ECHO', join(encode([new Uint8Array(1)]), '00'), '1 bytes behind the array of fields'],
  [
    'a byte of no format',
    'ECHO',
    join('91 c1'),
    'a byte that MessagePack does not use (0xc1) at offset 1, bytes expected',
  ],
  [
    'an array of 4 thousand million fields',
    'ECHO',
    join('dd ff ff ff ff'),
    '4294967295 elements claimed before offset 5',
  ],
  // Plain fields.
  [
    'an id of 33 bits',
    'PUT',
    encode([1, 2 ** 32, 0, {}]),
    '4294967296 at offset 2, an integer from 0 to 4294967295 expected',
  ],
  ['a negative id', 'PUT', encode([-1, LIVE, 0, {}]), '-1 at offset 1, an integer from 0 to 4294967295'],
  ['an id that is text', 'PUT', encode(['1', LIVE, 0, {}]), 'text (0xa1) at offset 1, an integer from 0'],
  ['a subcommand of 9 bits', 'PUT', encode([1, LIVE, 256, {}]), '256 at offset 3, an integer from 0 to 255'],
  ['a payload of 4 GB', 'ECHO', join('91 c6 ff ff ff ff 00'), '4294967295 bytes expected at offset 6, 1 are there'],
  ['an address that is none', 'SEARCH', encode([1, 0, 'localhost', 1, [], []]), 'an IPv4 or IPv6 address expected'],
  // Lists.
  ['elements of another length', 'CREATE', encode([[[1, 'a', 2]]]), 'array of 3 at offset 2, 2 expected: channels'],
  ['elements that are no arrays', 'CREATE', encode([[1, 'a']]), 'an integer (0x01) at offset 2, an array expected'],
  [
    'a list of 65 536 channels',
    'CREATE',
    join('91 dd 00 01 00 00', new Uint8Array(65_536)),
    '65536 channels, at most 65535',
  ],
  [
    'a list of 4 thousand million',
    'CREATE',
    join('91 dd ff ff ff ff 00'),
    '4294967295 elements claimed before offset 6, 1 bytes',
  ],
  // Types.
  ['a type that is a number', 'AUTHNZ', encode([[1, 1]]), 'an integer (0x01) at offset 2, text expected'],
  ['a type of no name', 'AUTHNZ', encode([['nothing', 1]]), 'type at offset 2: "nothing" is no type'],
  [
    'a type with bytes in it',
    'AUTHNZ',
    encode([[{ kind: new Uint8Array(2) }, 1]]),
    'bytes (0xc4) at offset 8, text expected',
  ],
  [
    'a type with a time stamp in it',
    'AUTHNZ',
    join('91 92 81 a4 6b 69 6e 64 d6 ff 00 00 00 00 01'),
    'an extension (0xd6) at offset 8',
  ],
  [
    'a type with another key',
    'AUTHNZ',
    encode([[{ kind: 'structure', constructor: 'x' }, {}]]),
    "key 'constructor' at offset 18 is no field",
  ],
  [
    'a type with __proto__',
    'AUTHNZ',
    join('91 92 81 a9', encode('__proto__').subarray(1), '80 80'),
    "key '__proto__' at offset 3",
  ],
  [
    'a type with a key twice',
    'AUTHNZ',
    join('91 92 82 a2 69 64 a0 a2 69 64 a0 80'),
    "key 'id' at offset 7 is there twice",
  ],
  [
    'a type without fields',
    'AUTHNZ',
    encode([[{ kind: 'structure', id: '' }, {}]]),
    'a structure has no list of fields',
  ],
  [
    'two fields of one name',
    'AUTHNZ',
    encode([
      [
        {
          kind: 'structure',
          id: '',
          fields: [
            { name: 'a', type: 'int' },
            { name: 'a', type: 'int' },
          ],
        },
        {},
      ],
    ]),
    'type at offset 2: ',
  ],
  ['a type of 21 levels', 'AUTHNZ', encode([[nested(21), {}]]), 'maxTypeNesting allows 20'],
  ['a type of 22 levels', 'AUTHNZ', encode([[nested(22), {}]]), 'maxTypeNesting allows 63'],
  [
    'a type of 10 000 levels',
    'AUTHNZ',
    join('91 92', ...Array.from({ length: 10_000 }, () => '91'), 'c0'),
    'maxTypeNesting allows 63',
  ],
  ['a nil type before a value', 'AUTHNZ', encode([[null, 1]]), 'nil at offset 2, a type expected'],
  ['a type alone', 'AUTHNZ', encode([['int']]), 'array of 1 at offset 1, 2 expected: a type and a value'],
  ['any in any, 21 levels', 'AUTHNZ', encode([anyInAny(22)]), 'any inside any: 21 asked, maxTypeNesting allows 20'],
  // Updates and values.
  ['an update that is an array', 'PUT', put([1]), 'an array (0x91) at offset 4, a map expected'],
  ['a field that there is not', 'PUT', put({ valu: 1 }), "key 'valu' at offset 5 is no field of this type"],
  ['a field __proto__', 'PUT', putField('__proto__', '80'), "key '__proto__' at offset 5 is no field of this type"],
  ['a field constructor', 'PUT', put({ constructor: 1 }), "key 'constructor' at offset 5 is no field"],
  ['a key that is a number', 'PUT', join('94 01 07 00 81 01 01'), 'an integer (0x01) at offset 5, text expected'],
  [
    'a field twice',
    'PUT',
    join('94 01 07 00 82', encode('count'), '01', encode('count'), '02'),
    "key 'count' at offset 12 is there twice",
  ],
  [
    'more fields than the type has',
    'PUT',
    join('94 01 07 00 8b', ...Array.from({ length: 11 }, () => encode('count').slice()), new Uint8Array(11)),
    'map of 11 at offset 4, the structure has 10 fields',
  ],
  [
    '4 thousand million fields',
    'PUT',
    join('94 01 07 00 df ff ff ff ff 00'),
    '4294967295 pairs claimed before offset 9, 1 bytes',
  ],
  [
    'an integer that is a float',
    'PUT',
    put({ count: 1.5 }),
    'a float (0xcb) at offset 11, an integer from -2147483648 to 2147483647',
  ],
  ['an integer of 32 bits and more', 'PUT', put({ count: 2 ** 31 }), 'field count: 2147483648 at offset 11'],
  ['a float that is text', 'PUT', put({ value: '1' }), 'field value: text (0xa1) at offset 11, a number expected'],
  ['a float that is a huge integer', 'PUT', putField('value', 'cf 00 20 00 00 00 00 00 01'), 'too large for one'],
  ['text that is nil', 'PUT', put({ text: null }), 'field text: nil (0xc0) at offset 10, text expected'],
  ['text of 4 GB', 'PUT', putField('text', 'db ff ff ff ff 61'), '4294967295 bytes expected at offset 15, 1 are there'],
  [
    'numbers that are an array',
    'PUT',
    put({ wave: [1, 2] }),
    'an array (0x92) at offset 10, an extension: elements of double expected',
  ],
  [
    'numbers of another type',
    'PUT',
    put({ wave: new ExtData(0x42, new Uint8Array(8)) }),
    'extension of type 66 at offset 10, type 67 expected',
  ],
  [
    'numbers of half an element',
    'PUT',
    put({ wave: new ExtData(0x43, new Uint8Array(12)) }),
    '12 bytes before offset 13, a multiple of 8 expected',
  ],
  [
    'numbers of 4 GB',
    'PUT',
    putField('wave', 'c9 ff ff ff f8 43 00'),
    '4294967288 bytes expected at offset 16, 1 are there',
  ],
  [
    'bytes that are bin',
    'PUT',
    put({ bytes: new Uint8Array(2) }),
    'bytes (0xc4) at offset 11, an extension: elements of ubyte expected',
  ],
  [
    'strings, 4 thousand million of them',
    'PUT',
    putField('names', 'dd ff ff ff ff a0'),
    '4294967295 elements claimed before offset 16, 1 bytes',
  ],
  [
    'structures that are not whole',
    'PUT',
    put({ list: [{}] }),
    "field list[0]: map of 0 at offset 11, the structure has 1 fields; 'a' is missing",
  ],
  ['a structure that is nil', 'PUT', put({ inner: null }), 'field inner: nil (0xc0) at offset 11, a map expected'],
  [
    'a field of a structure twice',
    'PUT',
    join('94 01 07 00 81', encode('inner'), '82 a1 61 01 a1 61 02'),
    "field inner: key 'a' at offset 15 is there twice",
  ],
  [
    'a union of two',
    'PUT',
    put({ choice: { n: 1, text: 'x' } }),
    'map of 2 at offset 12, one member of a union expected',
  ],
  ['a union of none', 'PUT', put({ choice: {} }), 'map of 0 at offset 12, one member of a union expected'],
  ['a union of another member', 'PUT', put({ choice: { toString: 1 } }), "key 'toString' at offset 13 is no field"],
  ['an any without a type', 'PUT', put({ loose: 1 }), 'an integer (0x01) at offset 11, an array expected'],
  // Of an operation that is gone nothing is made; it has to be MessagePack all the same.
  ['late data that is cut', 'PUT', join('94 01 08 00 92 01'), 'elements claimed before offset 5, 1 bytes are there'],
  [
    'late data that nests without end',
    'PUT',
    join('94 01 08 00', ...Array.from({ length: 10_000 }, () => '91'), 'c0'),
    'maxTypeNesting allows 840',
  ],
  ['late data of 4 GB', 'PUT', join('94 01 08 00 c9 ff ff ff f8 43 00'), '4294967289 bytes expected'],
];

describe('a MessagePack body', () => {
  test.each(CASES)('with %s is refused', (_what, command, body, reason) => {
    const before = process.memoryUsage().arrayBuffers;
    expect(() => read(command, body)).toThrow(PvaError);
    expect(() => read(command, body)).not.toThrow(LocalProtocolError);
    expect(() => read(command, body)).toThrow(reason);
    // What is claimed would be four thousand million of something.
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(10 * 1024 * 1024);
  });

  test.each([
    ['a status of a fifth type', encode([LIVE, 0x10, [4, '', '']]), '4 at offset 4, an integer from 0 to 3'],
    ['a status of two', encode([LIVE, 0x10, [2, 'no']]), 'array of 2 at offset 3, 3 expected: type, message'],
    ['a mask with false in it', encode([LIVE, 0, {}, { value: false }]), 'a mask has only what is true'],
    [
      'a mask with a number in it',
      encode([LIVE, 0, {}, { value: 1 }]),
      'an integer (0x01) at offset 11, true or false',
    ],
    ['a mask of what there is not', encode([LIVE, 0, {}, { x: true }]), "key 'x' at offset 5 is no field"],
    ['no mask', encode([LIVE, 0, {}]), '3 fields in the body, more expected'],
  ])('of a server with %s is refused', (_what, body, reason) => {
    expect(() => read('MONITOR', body, true)).toThrow(reason);
  });

  test('with a number that no float holds is refused, and with an infinite one is not', () => {
    const float = (value: number): unknown => read('AUTHNZ', encode([['float', value]]));
    expect(() => float(1e300)).toThrow('1e+300 at offset 8, a float up to 3.4e38 expected');
    expect(float(3.4e38)).toMatchObject({ data: { value: Math.fround(3.4e38) } });
    expect(float(Number.NEGATIVE_INFINITY)).toMatchObject({ data: { value: Number.NEGATIVE_INFINITY } });
    expect(float(Number.NaN)).toMatchObject({ data: { value: Number.NaN } });
  });

  test('with a long text for an address is refused at once', () => {
    const before = performance.now();
    expect(() => read('ORIGIN', encode([`${'%'.repeat(100_000)}\n`]))).toThrow('an IPv4 or IPv6 address expected');
    expect(performance.now() - before).toBeLessThan(1_000);
  });

  test('with more objects than one message may become is refused', () => {
    const names = Array.from({ length: 101 }, () => '');
    const limits = { ...DEFAULT_LIMITS, maxValueNodes: 100 };
    expect(() => read('PUT', put({ names }), false, limits)).toThrow('maxValueNodes allows 100');
    // A boolean takes an eighth of the memory of an object; the any that holds them is one.
    const flags = (length: number) => encode([['boolean[]', Array.from({ length }, () => true)]]);
    expect(read('AUTHNZ', flags(792), false, limits)).toMatchObject({ data: { value: { length: 792 } } });
    expect(() => read('AUTHNZ', flags(793), false, limits)).toThrow('maxValueNodes allows 100');
    expect(() => read('PUT', put(names, DEAD), false, limits)).toThrow('maxValueNodes allows 100');
    const channels = Array.from({ length: 101 }, (_, cid) => [cid, 'a']);
    expect(() => read('CREATE', encode([channels]), false, limits)).toThrow('maxValueNodes allows 100');
  });

  test('with a type of more fields than allowed is refused', () => {
    const fields = Array.from({ length: 101 }, (_, index) => ({ name: `f${index}`, type: 'int' }));
    const limits = { ...DEFAULT_LIMITS, maxTypeFields: 100 };
    const body = encode([[{ kind: 'structure', id: '', fields }, {}]]);
    expect(() => read('AUTHNZ', body, false, limits)).toThrow('maxTypeFields allows 100');
    const many = Array.from({ length: 1_100 }, () => fields[0]);
    const larger = encode([[{ kind: 'structure', id: '', fields: many }, {}]]);
    expect(() => read('AUTHNZ', larger, false, limits)).toThrow('maxTypeFields allows 1010');
  });

  test('for an operation that is gone is read and forgotten', () => {
    expect(
      read('PUT', put({ any: [1, 'x', { y: new Uint8Array(3) }, new ExtData(0x43, new Uint8Array(9)), 1.5] }, DEAD)),
    ).toMatchObject({
      phase: 'outOfScope',
      ioid: DEAD,
    });
  });

  test('may write numbers wider than they need, and floats as integers', () => {
    const wide = join(
      '94 ce 00 00 00 01 cf 00 00 00 00 00 00 00 07 d1 00 00 81',
      encode('value'),
      'd3 ff ff ff ff ff ff ff fe',
    );
    expect(read('PUT', wide)).toMatchObject({ sid: 1, ioid: LIVE, update: { value: { value: -2 } } });
    expect(read('PUT', putField('value', 'ca 3f 80 00 00'))).toMatchObject({ update: { value: { value: 1 } } });
  });

  test('may have its keys in any order; the value has them in the order of the type', () => {
    const message = read('PUT', put({ list: [{ a: 1 }], inner: { b: 2 }, value: 1 }));
    expect(message).toMatchObject({ update: { value: { value: 1, inner: { a: 0, b: 2 }, list: [{ a: 1 }] } } });
    if (typeof message !== 'object' || message === null || !('update' in message))
      throw new Error('an update expected');
    const { value } = message.update as { readonly value: object };
    expect(Object.keys(value)).toEqual(TYPE.fields.map(({ name }) => name));
  });
});
