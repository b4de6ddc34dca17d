// Which bytes of a MessagePack body are which field, whatever stands there?
//
// Forms of MessagePack: https://github.com/msgpack/msgpack/blob/master/spec.md; of arrays of numbers: docs/msgpack.md.

import { describe, expect, test } from 'vitest';

import { PackReader } from '../../../src/protocol/codecs/msgpack-reader.ts';
import { LimitError } from '../../../src/protocol/errors.ts';
import { readHeader } from '../../../src/protocol/header.ts';
import { DEFAULT_LIMITS } from '../../../src/protocol/limits.ts';
import type { ClientMessage } from '../../../src/protocol/messages/index.ts';
import { isPacked, notePacked } from '../../../src/protocol/trace/msgpack-notes.ts';
import { NoteTaker } from '../../../src/protocol/trace/notes.ts';
import { TypeReceiver } from '../../../src/protocol/types/wire.ts';
import { noteLines } from '../../support/trace.ts';
import { fromHex } from '../../support/vectors.ts';

const START: ClientMessage = { command: 'MONITOR', phase: 'exec', sid: 1, ioid: 2, subcommand: 0x44, acknowledged: 0 };

/** The lines of a body; with those that do not fit in `limits` it throws. */
function linesOf(hex: string, message?: ClientMessage, words = '', limits = DEFAULT_LIMITS): readonly string[] {
  const body = fromHex(hex);
  const input = new PackReader(body);
  const note = new NoteTaker(input.reader, new TypeReceiver({ limits }));
  notePacked(note, input, message, words);
  expect(input.reader.remaining).toBe(0);
  return noteLines({ body, fields: note.notes });
}

/** What may stand anywhere: its bytes, and what is said of them. */
const ITEMS: readonly (readonly [what: string, hex: string, told: string])[] = [
  ['a small integer', '07', 'long = 7'],
  ['a negative integer', 'ff', 'long = -1'],
  ['the lowest integer', 'd3 80 00 00 00 00 00 00 00', 'long = -9223372036854775808'],
  ['the largest with a sign', 'cf 7f ff ff ff ff ff ff ff', 'long = 9223372036854775807'],
  ['the next one', 'cf 80 00 00 00 00 00 00 00', 'ulong = 9223372036854775808'],
  ['a float', 'cb 3f f8 00 00 00 00 00 00', 'double = 1.5'],
  ['text', 'a2 68 69', 'string = "hi"'],
  ['true', 'c3', 'boolean = true'],
  ['false', 'c2', 'boolean = false'],
  ['nil', 'c0', 'nil'],
  ['bytes', 'c4 02 01 02', 'bytes'],
  ['numbers', 'd6 21 01 00 fe ff', 'short[] = {2}[1, -2]'],
  ['numbers that end amid one', 'c7 03 21 01 00 fe', 'extension 0x21 of 3 bytes'],
  ['an extension that nobody knows', 'd5 7f 01 02', 'extension 0x7f of 2 bytes'],
  ['an empty array', '90', 'array of 0'],
  ['an empty map', '80', 'map of 0'],
];

describe('an item of a body', () => {
  test.each(ITEMS)('is told: %s', (_, hex, told) => {
    expect(linesOf(`92 ${hex} 05`)).toEqual([
      '0  92  fields array of 2',
      `1  ${hex}  [0] ${told}`,
      `${1 + fromHex(hex).length}  05  [1] long = 5`,
    ]);
  });

  test.each(ITEMS)('is told inside an array: %s', (_, hex, told) => {
    expect(linesOf(`91 91 ${hex}`)).toEqual([
      '0  91  fields array of 1',
      '1  91  [0] array of 1',
      `2  ${hex}    [0] ${told}`,
    ]);
  });

  test.each(ITEMS)('is told with its key inside a map: %s', (_, hex, told) => {
    expect(linesOf(`91 81 a1 78 ${hex}`)).toEqual([
      '0  91  fields array of 1',
      '1  81  [0] map of 1',
      `2  a1 78 ${hex}    x ${told}`,
    ]);
  });

  test('is told on each level that it stands on', () => {
    expect(linesOf('91 82 a1 61 92 01 81 a1 62 c3 a1 63 02')).toEqual([
      '0  91  fields array of 1',
      '1  82  [0] map of 2',
      '2  a1 61 92    a array of 2',
      '5  01      [0] long = 1',
      '6  81      [1] map of 1',
      '7  a1 62 c3        b boolean = true',
      '10  a1 63 02    c long = 2',
    ]);
  });
});

describe('the fields of a body', () => {
  test('have the names of those of the message, the subcommand its words, and what stands behind them its index', () => {
    expect(linesOf('95 01 02 44 00 07', START, 'START')).toEqual([
      '0  95  fields array of 5',
      '1  01  sid long = 1',
      '2  02  ioid long = 2',
      '3  44  subcommand long = 68 (START)',
      '4  00  acknowledged long = 0',
      '5  07  [4] long = 7',
    ]);
  });
});

describe('what is nested deep', () => {
  test('is shown 64 levels down, and below as a whole', () => {
    const lines = linesOf(`${'91 '.repeat(66)} 07`);
    expect(lines).toHaveLength(66);
    expect(lines.at(-2)?.trim()).toMatch(/^64 {2}91 +\[0\] array of 1$/u);
    expect(lines.at(-1)?.trim()).toMatch(/^65 {2}91 07 +\[0\] too deep to be shown$/u);
    const inMaps = linesOf(`91 ${'81 a1 78 '.repeat(65)} 07`);
    expect(inMaps.at(-1)?.trim()).toMatch(/^191 {2}a1 78 81 a1 78 07 +x too deep to be shown$/u);
  });

  test('is gone through as far as any in any, and the types of each, may be nested, and no further', () => {
    // 64 levels below the fields are shown; each of 20 levels of any has 20 of its type, and itself.
    const levels = 1 + 64 + 20 * 21;
    expect(linesOf(`${'91 '.repeat(levels)} 07`)).toHaveLength(66);
    expect(() => linesOf(`${'91 '.repeat(levels + 1)} 07`)).toThrow(
      new LimitError('maxTypeNesting', 421, 420, 'levels of MessagePack'),
    );
  });

  test('is gone through up to as many items as a message may have', () => {
    const hex = `${'91 '.repeat(65)} 93 01 02 03`;
    expect(linesOf(hex, undefined, '', { ...DEFAULT_LIMITS, maxValueNodes: 4 })).toHaveLength(66);
    expect(() => linesOf(hex, undefined, '', { ...DEFAULT_LIMITS, maxValueNodes: 3 })).toThrow(
      new LimitError('maxValueNodes', 4, 3, 'items'),
    );
  });
});

describe('a message is MessagePack', () => {
  const isPackedBody = (hex: string, command = 0x05, flags = 0x80): boolean | undefined => {
    const header = readHeader(Uint8Array.of(0xca, 2, flags, command, 0, 0, 0, 0), 0);
    return isPacked({ header, body: fromHex(hex) }, { types: new TypeReceiver(), typeOf: () => undefined });
  };

  test.each([
    ['the array of its fields from end to end', '91 c0', true],
    ['not with bytes behind', '91 c0 00', false],
    ['not with fields that are missing', '91 92', false],
    ['not as another item', '81 c0', false],
    ['not as pvAccess', 'ff ff', false],
  ])('%s', (_, hex, packed) => {
    expect(isPackedBody(hex)).toBe(packed);
  });

  test('or is not, which nobody can tell from a byte, or from a control message', () => {
    expect(isPackedBody('')).toBe(undefined);
    expect(isPackedBody('ff')).toBe(undefined);
    expect(isPackedBody('91 c0', 0x02, 0x81)).toBe(undefined);
  });

  test('not by a command that nobody knows', () => {
    expect(isPackedBody('91 c0', 0x42)).toBe(false);
  });

  test('unless the program fails, which is no answer', () => {
    const frame = { header: readHeader(fromHex('ca 02 c0 0a 00 00 00 00'), 0), body: fromHex('94 01 00 c0 c0') };
    const typeOf = () => {
      throw new TypeError('a fault');
    };
    expect(() => isPacked(frame, { types: new TypeReceiver(), typeOf })).toThrow(TypeError);
  });
});
