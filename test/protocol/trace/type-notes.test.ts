// Which bytes of a type description say what?

import { describe, expect, test } from 'vitest';

import { Reader } from '../../../src/protocol/reader.ts';
import { NoteTaker } from '../../../src/protocol/trace/notes.ts';
import { noteType, typeName } from '../../../src/protocol/trace/type-notes.ts';
import * as t from '../../../src/protocol/types/type-desc.ts';
import { TypeReceiver } from '../../../src/protocol/types/wire.ts';
import { noteLines } from '../../support/trace.ts';
import { fromHex } from '../../support/vectors.ts';

/** The lines of a type named `it`, read in big endian with what `types` knows. */
function linesOf(hex: string, types = new TypeReceiver()): readonly string[] {
  const body = fromHex(hex);
  const note = new NoteTaker(new Reader(body, true), types);
  noteType(note, 'it');
  expect(note.reader.remaining).toBe(0);
  return noteLines({ body, fields: note.notes });
}

describe('the bytes of a type', () => {
  // Codes: Protocol-Encoding, "Introspection Data".
  test.each([
    ['FF', 'null type'],
    ['43', 'double'],
    ['4B', 'double[]'],
    ['53 08', 'double<8>'],
    ['5B FE 00 00 01 00', 'double[256]'],
    ['83 28', 'string(40)'],
    ['82', 'any'],
    ['8A', 'any[]'],
    ['80 00 00', 'structure, 0 fields'],
    ['81 03 75 5f 74 00', 'union "u_t", 0 fields'],
    ['80 03 61 22 0a 00', 'structure "a\\"\\n", 0 fields'],
  ])('%s are told: %s', (hex, told) => {
    expect(linesOf(hex)).toEqual([`0  ${hex.toLowerCase()}  it ${told}`]);
  });

  test('stand beside each field, with its name', () => {
    expect(linesOf('80 03 73 5f 74 03 01 61 22 01 75 81 00 02 01 62 60 01 63 8A 01 64 33 02')).toEqual([
      '0  80 03 73 5f 74 03  it structure "s_t", 3 fields',
      '6  01 61 22    a int',
      '9  01 75 81 00 02    u union, 2 fields',
      '14  01 62 60      b string',
      '17  01 63 8a      c any[]',
      '20  01 64 33 02    d long<2>',
    ]);
  });

  test('stand beside the element of an array', () => {
    expect(linesOf('88 80 03 73 5f 74 01 01 61 22')).toEqual([
      '0  88  it structure[] "s_t"',
      '1  80 03 73 5f 74 01    element structure "s_t", 1 field',
      '7  01 61 22      a int',
    ]);
    expect(linesOf('89 81 00 01 01 61 22')).toEqual([
      '0  89  it union[]',
      '1  81 00 01    element union, 1 field',
      '4  01 61 22      a int',
    ]);
  });

  test('tell the id that a type gets, and the one it had', () => {
    const types = new TypeReceiver();
    expect(linesOf('80 00 02 01 61 FD 00 07 80 00 01 01 62 22 01 63 FE 00 07', types)).toEqual([
      '0  80 00 02  it structure, 2 fields',
      '3  01 61 fd 00 07 80 00 01    a structure, 1 field, from now on type 7',
      '11  01 62 22      b int',
      '14  01 63 fe 00 07    c structure, defined before as type 7',
    ]);
    expect(linesOf('FE 00 07', types)).toEqual(['0  fe 00 07  it structure, defined before as type 7']);
    expect(linesOf('FD 01 02 4B', types)).toEqual(['0  fd 01 02 4b  it double[], from now on type 258']);
    expect(linesOf('88 FE 00 07', types)).toEqual([
      '0  88  it structure[]',
      '1  fe 00 07    element structure, defined before as type 7',
    ]);
  });
});

test.each<[type: t.TypeDesc, name: string]>([
  [t.ubyte, 'ubyte'],
  [t.arrayOf(t.string), 'string[]'],
  [t.boundedArrayOf(t.int, 8), 'int<8>'],
  [t.fixedArrayOf(t.int, 8), 'int[8]'],
  [t.boundedString(40), 'string(40)'],
  [t.any, 'any'],
  [t.anyArray, 'any[]'],
  [t.structure({}), 'structure'],
  [t.structure('time_t', {}), 'structure "time_t"'],
  [t.union('u_t', {}), 'union "u_t"'],
  [t.arrayOf(t.structure('s_t', {})), 'structure[] "s_t"'],
  [t.arrayOf(t.union({})), 'union[]'],
])('a type has a name: %j', (type, name) => {
  expect(typeName(type)).toBe(name);
});
