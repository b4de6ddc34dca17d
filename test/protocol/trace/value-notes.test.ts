// Which bytes of a value are which field of it?

import { describe, expect, test } from 'vitest';

import { RemoteProtocolError } from '../../../src/protocol/errors.ts';
import { DEFAULT_LIMITS } from '../../../src/protocol/limits.ts';
import { Reader } from '../../../src/protocol/reader.ts';
import { NoteTaker } from '../../../src/protocol/trace/notes.ts';
import { noteTypeAndValue, noteUpdate, noteValue } from '../../../src/protocol/trace/value-notes.ts';
import * as t from '../../../src/protocol/types/type-desc.ts';
import { TypeReceiver } from '../../../src/protocol/types/wire.ts';
import { noteLines } from '../../support/trace.ts';
import { fromHex } from '../../support/vectors.ts';

/** The lines of what `take` notes of bytes in big endian. */
function linesOf(hex: string, take: (note: NoteTaker) => void, limits = DEFAULT_LIMITS): readonly string[] {
  const body = fromHex(hex);
  const note = new NoteTaker(new Reader(body, true), new TypeReceiver({ limits }));
  take(note);
  expect(note.reader.remaining).toBe(0);
  return noteLines({ body, fields: note.notes });
}

const valueLines = (type: t.TypeDesc, hex: string, limits = DEFAULT_LIMITS) =>
  linesOf(hex, (note) => noteValue(note, 'it', type), limits);

const POINT = t.structure('point_t', { x: t.short, y: t.short });
const CHOICE = t.union({ n: t.short, p: POINT });

describe('the bytes of a whole value', () => {
  // Encodings: Protocol-Encoding, "User Data".
  test.each<[what: string, type: t.TypeDesc, hex: string, lines: readonly string[]]>([
    ['a scalar', t.int, '00 00 00 07', ['0  00 00 00 07  it int = 7']],
    ['numbers', t.arrayOf(t.short), '02 00 01 ff fe', ['0  02 00 01 ff fe  it short[] = {2}[1, -2]']],
    [
      'a structure',
      POINT,
      '00 01 00 02',
      ['0  it structure "point_t"', '0  00 01    x short = 1', '2  00 02    y short = 2'],
    ],
    ['a union of nothing', CHOICE, 'ff', ['0  ff  it union, nothing selected']],
    [
      'a union',
      CHOICE,
      '01 00 01 00 02',
      [
        '0  01  it union, member 1',
        '1    p structure "point_t"',
        '1  00 01      x short = 1',
        '3  00 02      y short = 2',
      ],
    ],
    ['an any of nothing', t.any, 'ff', ['0  it any', '0  ff    type null type']],
    ['an any', t.any, '21 00 07', ['0  it any', '0  21    type short', '1  00 07    value short = 7']],
    [
      'a list of structures',
      t.arrayOf(POINT),
      '02 01 00 01 00 02 00',
      [
        '0  02  it structure[] "point_t", 2 elements',
        '1  01    [0] structure "point_t"',
        '2  00 01      x short = 1',
        '4  00 02      y short = 2',
        '6  00    [1] not there',
      ],
    ],
    [
      'a list of unions',
      t.arrayOf(CHOICE),
      '03 01 00 00 07 01 ff 00',
      [
        '0  03  it union[], 3 elements',
        '1  01 00    [0] union, member 0',
        '3  00 07      n short = 7',
        '5  01 ff    [1] union, nothing selected',
        '7  00    [2] not there',
      ],
    ],
    [
      'a list of one any',
      t.anyArray,
      '01 01 ff',
      ['0  01  it any[], 1 element', '1  01    [0] any', '2  ff      type null type'],
    ],
    [
      'a list of any',
      t.anyArray,
      '03 01 21 00 07 01 ff 00',
      [
        '0  03  it any[], 3 elements',
        '1  01    [0] any',
        '2  21      type short',
        '3  00 07      value short = 7',
        '5  01    [1] any',
        '6  ff      type null type',
        '7  00    [2] not there',
      ],
    ],
  ])('are those of its fields: %s', (_, type, hex, lines) => {
    expect(valueLines(type, hex)).toEqual(lines);
  });

  test('that selects a member that the union has not are refused, as by the decoder', () => {
    expect(() => valueLines(CHOICE, '02 00 07')).toThrow(
      new RemoteProtocolError('union selector 2 before offset 1, the union has 2 members'),
    );
  });
});

describe('the bytes of an update', () => {
  const TYPE = t.structure({ a: t.short, in: POINT, b: t.short });
  const updateLines = (hex: string, type: t.TypeDesc = TYPE) =>
    linesOf(hex, (note) => noteUpdate(note, 'bits', 'it', type));

  test.each([
    ['nothing', '00', ['0  00  bits no bits']],
    ['bits that stand for nothing', '01 80', ['0  01 80  bits bit 7']],
    ['the first field', '01 02 00 07', ['0  01 02  bits bit 1', '2  it structure', '2  00 07    a short = 7']],
    [
      'a field of a structure',
      '01 10 00 07',
      ['0  01 10  bits bit 4', '2  it structure', '2    in structure "point_t"', '2  00 07      y short = 7'],
    ],
    [
      'a structure as a whole, and the field behind it',
      '01 24 00 01 00 02 00 03',
      [
        '0  01 24  bits bits 2, 5',
        '2  it structure',
        '2    in structure "point_t"',
        '2  00 01      x short = 1',
        '4  00 02      y short = 2',
        '6  00 03    b short = 3',
      ],
    ],
    [
      'all',
      '01 01 00 01 00 02 00 03 00 04',
      [
        '0  01 01  bits bit 0',
        '2  it structure',
        '2  00 01    a short = 1',
        '4    in structure "point_t"',
        '4  00 02      x short = 2',
        '6  00 03      y short = 3',
        '8  00 04    b short = 4',
      ],
    ],
  ])('are its bits and what they select: %s', (_, hex, lines) => {
    expect(updateLines(hex)).toEqual(lines);
  });

  test('of what is no structure are its value, if it is there', () => {
    expect(updateLines('01 01 00 07', t.short)).toEqual(['0  01 01  bits bit 0', '2  00 07  it short = 7']);
    expect(updateLines('00', t.short)).toEqual(['0  00  bits no bits']);
  });

  test('name 32 bits, and that there are more', () => {
    const wide = t.structure(Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`f${index}`, t.byte])));
    const bits = Array.from({ length: 32 }, (_, index) => index + 1).join(', ');
    expect(updateLines(`05 fe ff ff ff 01 ${'00'.repeat(32)}`, wide)[0]).toBe(
      `0  05 fe ff ff ff 01  bits bits ${bits}`,
    );
    expect(updateLines(`05 fe ff ff ff 03 ${'00'.repeat(33)}`, wide)[0]).toBe(
      `0  05 fe ff ff ff 03  bits bits ${bits}, ...`,
    );
  });
});

describe('a type and its value', () => {
  const anyLines = (hex: string, limits = DEFAULT_LIMITS) =>
    linesOf(hex, (note) => noteTypeAndValue(note, 'what', 'it'), limits);

  test('are both there, or the null type alone', () => {
    expect(anyLines('21 00 07')).toEqual(['0  21  what short', '1  00 07  it short = 7']);
    expect(anyLines('FF')).toEqual(['0  ff  what null type']);
  });

  test('are any inside any up to the limit, and refused past it', () => {
    const limits = { ...DEFAULT_LIMITS, maxTypeNesting: 2 };
    expect(anyLines('82 21 00 07', limits).at(-1)).toBe('2  00 07    value short = 7');
    expect(() => anyLines('82 82 21 00 07', limits)).toThrow('any inside any: 3 asked, maxTypeNesting allows 2');
  });
});

describe('what a value claims is counted as by the decoder', () => {
  const lists = [t.arrayOf(POINT), t.arrayOf(CHOICE), t.anyArray];

  test.each([
    ['the elements of a list', lists[0], '03 00 00 00', 3],
    // A structure of two fields is three, as it has bits; and one for being an element.
    ['the structures in it', lists[0], '01 01 00 01 00 02', 1 + 3],
    ['the members of unions', lists[1], '01 01 01 00 01 00 02', 1 + 3],
    ['the values of any', lists[2], '01 01 80 00 02 01 61 21 01 62 21 00 01 00 02', 1 + 3],
  ])('%s', (_, type, hex, nodes) => {
    const read = (maxValueNodes: number) => valueLines(type ?? t.any, hex, { ...DEFAULT_LIMITS, maxValueNodes });
    expect(read(nodes).length).toBeGreaterThan(1);
    expect(() => read(nodes - 1)).toThrow(`${nodes} asked, maxValueNodes allows ${nodes - 1}`);
  });
});
