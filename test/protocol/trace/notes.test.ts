// Has every byte that was read a note, with what it says, and what is there when reading ends early?

import { describe, expect, test } from 'vitest';

import { TruncatedError } from '../../../src/protocol/errors.ts';
import { DEFAULT_LIMITS } from '../../../src/protocol/limits.ts';
import { Reader } from '../../../src/protocol/reader.ts';
import { NoteTaker } from '../../../src/protocol/trace/notes.ts';
import { arrayOf, short } from '../../../src/protocol/types/type-desc.ts';
import { TypeReceiver } from '../../../src/protocol/types/wire.ts';
import { noteLines } from '../../support/trace.ts';
import { fromHex } from '../../support/vectors.ts';

function takerOf(hex: string, limits = DEFAULT_LIMITS, bigEndian = true): NoteTaker {
  return new NoteTaker(new Reader(fromHex(hex), bigEndian), new TypeReceiver({ limits }));
}

function linesOf({ reader, notes }: NoteTaker): readonly string[] {
  return noteLines({ body: reader.bytes, fields: notes });
}

describe('a field', () => {
  const IPV4 = '00 00 00 00 00 00 00 00 00 00 ff ff 7f 00 00 01';

  test.each<[hex: string, take: (note: NoteTaker) => unknown, value: unknown, line: string]>([
    ['07', (note) => note.u8('it'), 7, 'ubyte = 7'],
    ['01 02', (note) => note.u16('it'), 0x0102, 'ushort = 258'],
    ['01 02 03 04', (note) => note.u32('it'), 0x0102_0304, 'uint = 16909060'],
    ['fe 00 00 01 00', (note) => note.size('it'), 256, 'uint = 256'],
    ['01', (note) => note.boolean('it'), true, 'boolean = true'],
    ['02 68 69', (note) => note.string('it'), 'hi', 'string = "hi"'],
    [
      '01 02 03 04 05 06 07 08 09 0a 0b 0c',
      (note) => note.guid('it'),
      '0102030405060708090a0b0c',
      'string = "0102030405060708090a0b0c"',
    ],
    [IPV4, (note) => note.address('it'), '127.0.0.1', 'string = "127.0.0.1"'],
    ['02 00 01 ff fe', (note) => note.value('it', arrayOf(short)), Int16Array.of(1, -2), 'short[] = {2}[1, -2]'],
  ])('%s is read and noted', (hex, take, value, line) => {
    const note = takerOf(`${hex} ee`);
    expect(take(note)).toEqual(value);
    expect(linesOf(note)).toEqual([`0  ${hex}  it ${line}`]);
    expect(note.reader.remaining).toBe(1);
  });

  test('may have a remark, which knows its value', () => {
    const note = takerOf('07 00 00 00 08');
    note.u8('a', (value) => `twice is ${value * 2}`);
    note.u32('b', (value) => `twice is ${value * 2}`);
    expect(linesOf(note)).toEqual(['0  07  a ubyte = 7 (twice is 14)', '1  00 00 00 08  b uint = 8 (twice is 16)']);
  });

  test('may be bytes that are not read', () => {
    const note = takerOf('01 02 03 04');
    note.bytes('reserved', 3, 'as it is');
    note.bytes('more', 1, '');
    expect(linesOf(note)).toEqual(['0  01 02 03  reserved as it is', '3  04  more']);
    expect(note.notes.map((one) => 'content' in one)).toEqual([false, false]);
  });

  test('may only shape what stands below it', () => {
    const note = takerOf('02 07 08 09');
    note.group(
      'list',
      () => ['of some', note.reader.u8()],
      (count) => {
        for (let index = 0; index < count; index++) note.u8(`[${index}]`);
      },
    );
    note.section('section', 'without bytes', () => note.u8('last'));
    expect(linesOf(note)).toEqual([
      '0  02  list of some',
      '1  07    [0] ubyte = 7',
      '2  08    [1] ubyte = 8',
      '3  section without bytes',
      '3  09    last ubyte = 9',
    ]);
  });

  test('that is cut short leaves those before it', () => {
    const note = takerOf('07 01');
    note.u8('a');
    expect(() => note.u16('b')).toThrow(TruncatedError);
    note.remainder('rest', 'not decoded');
    expect(linesOf(note)).toEqual(['0  07  a ubyte = 7', '1  01  rest not decoded']);
  });
});

describe('a status', () => {
  // Spec: Protocol-Encoding, "Status".
  test.each([
    ['ff', true, ['0  ff  status OK']],
    ['00 01 61 00', true, ['0  00  status OK', '1  01 61    message string = "a"', '3  00    callTree string = ""']],
    ['01 00 00', true, ['0  01  status WARNING', '1  00    message string = ""', '2  00    callTree string = ""']],
    [
      '02 00 01 62',
      false,
      ['0  02  status ERROR', '1  00    message string = ""', '2  01 62    callTree string = "b"'],
    ],
    ['03 00 00', false, ['0  03  status FATAL', '1  00    message string = ""', '2  00    callTree string = ""']],
    [
      '04 00 00',
      false,
      ['0  04  status unknown type 4', '1  00    message string = ""', '2  00    callTree string = ""'],
    ],
  ])('%s is a success: %s', (hex, isSuccess, lines) => {
    const note = takerOf(hex);
    expect(note.status()).toBe(isSuccess);
    expect(linesOf(note)).toEqual(lines);
    expect(note.reader.remaining).toBe(0);
  });

  test('may have a name of its own', () => {
    const note = takerOf('ff');
    note.status('ending');
    expect(linesOf(note)).toEqual(['0  ff  ending OK']);
  });
});

describe('what is left', () => {
  test('is one field behind all others, also when reading ended inside one', () => {
    const note = takerOf('01 02 03 04');
    expect(() =>
      note.section('outer', '', () => {
        note.u8('inner');
        note.reader.skip(1);
        throw new RangeError('no more');
      }),
    ).toThrow(RangeError);
    note.remainder('rest', 'not decoded');
    expect(linesOf(note)).toEqual(['0  outer', '0  01    inner ubyte = 1', '1  02 03 04  rest not decoded']);
  });

  test('is no field when there is none', () => {
    const note = takerOf('01');
    note.u8('all');
    note.remainder('rest', 'not decoded');
    expect(linesOf(note)).toEqual(['0  01  all ubyte = 1']);
  });

  test('begins where the notes begin, which may be amid the bytes', () => {
    const reader = new Reader(fromHex('01 02 03'), true);
    reader.skip(1);
    const note = new NoteTaker(reader, new TypeReceiver());
    note.remainder('rest', '');
    expect(linesOf(note)).toEqual(['1  02 03  rest']);
  });
});

describe('of too many fields', () => {
  const taken = (maxTraceNotes: number): readonly string[] => {
    const note = takerOf('01 02 03 04', { ...DEFAULT_LIMITS, maxTraceNotes });
    note.section('in', '', () => {
      for (const name of ['a', 'b', 'c', 'd']) note.u8(name);
    });
    expect(note.reader.remaining).toBe(0);
    return linesOf(note);
  };

  test('all are shown up to the limit', () => {
    expect(taken(5)).toEqual([
      '0  in',
      '0  01    a ubyte = 1',
      '1  02    b ubyte = 2',
      '2  03    c ubyte = 3',
      '3  04    d ubyte = 4',
    ]);
  });

  test('those behind the limit are read all the same, and shown as one', () => {
    expect(taken(3)).toEqual([
      '0  in',
      '0  01    a ubyte = 1',
      '1  02    b ubyte = 2',
      '2  03 04  ... too many fields to be shown one by one',
    ]);
    expect(taken(0)).toEqual(['0  01 02 03 04  ... too many fields to be shown one by one']);
  });
});
