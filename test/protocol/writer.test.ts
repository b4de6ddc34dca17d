// Are items written byte by byte as the specification has them (Protocol-Encoding), however the buffer grows?

import { describe, expect, test } from 'vitest';
import { LocalProtocolError } from '../../src/protocol/errors.ts';
import { Writer } from '../../src/protocol/writer.ts';
import { toHex } from '../support/vectors.ts';
import { spaced } from '../support/wire-text.ts';

/** Each with its bytes in big endian order. */
const ITEMS: readonly (readonly [string, (writer: Writer) => void, string])[] = [
  ['u8', (writer) => writer.u8(254), 'fe'],
  ['i8', (writer) => writer.i8(-2), 'fe'],
  ['u16', (writer) => writer.u16(0xfedc), 'fe dc'],
  ['i16', (writer) => writer.i16(-292), 'fe dc'],
  ['u32', (writer) => writer.u32(0xfedc_ba98), 'fe dc ba 98'],
  ['i32', (writer) => writer.i32(-19_088_744), 'fe dc ba 98'],
  ['u64', (writer) => writer.u64(0xfedc_ba98_7654_3210n), 'fe dc ba 98 76 54 32 10'],
  ['i64', (writer) => writer.i64(-2n), 'ff ff ff ff ff ff ff fe'],
  ['f32', (writer) => writer.f32(-3.125), 'c0 48 00 00'],
  ['f64', (writer) => writer.f64(-3.125), 'c0 09 00 00 00 00 00 00'],
  ['true', (writer) => writer.boolean(true), '01'],
  ['false', (writer) => writer.boolean(false), '00'],
];

const written = (write: (writer: Writer) => void, bigEndian = false, initialBytes?: number): string => {
  const writer = new Writer(bigEndian, initialBytes);
  write(writer);
  return spaced(writer.view());
};

describe.each(ITEMS)('%s', (_name, write, hex) => {
  // 0: there is room for nothing; 64: for all of it.
  test.each([0, 1, 64])('is written in either byte order, from a buffer of %i bytes on', (initialBytes) => {
    expect(written(write, true, initialBytes)).toBe(hex);
    expect(written(write, false, initialBytes)).toBe(hex.split(' ').toReversed().join(' '));
    const twice = (writer: Writer): void => {
      writer.u8(0x11);
      write(writer);
      write(writer);
    };
    expect(written(twice, true, initialBytes)).toBe(`11 ${hex} ${hex}`);
  });
});

describe('a size', () => {
  test.each([
    [0, '00'],
    [253, 'fd'],
    [254, 'fe fe 00 00 00'],
    [65_536, 'fe 00 00 01 00'],
    [0x7fff_ffff, 'fe ff ff ff 7f'],
    [null, 'ff'],
  ])('%j is %s', (size, hex) => {
    expect(written((writer) => writer.size(size))).toBe(hex);
  });

  test('of more than 31 bits does not fit', () => {
    const writer = new Writer(true);
    expect(() => writer.size(0x8000_0000)).toThrow(LocalProtocolError);
    expect(() => writer.size(0x8000_0000)).toThrow('size 2147483648 does not fit the wire, at most 2147483647 does');
    expect(writer.length).toBe(0);
  });
});

describe('text', () => {
  test.each([
    ['', '00'],
    ['abc', '03 61 62 63'],
    ['é', '02 c3 a9'],
    ['aé', '03 61 c3 a9'],
    ['😀', '04 f0 9f 98 80'],
    ['\0', '01 00'],
    ['\u007F\u0080', '03 7f c2 80'],
    // Half of a pair is no text.
    ['\uD83D', '03 ef bf bd'],
  ])('%j is %s', (text, hex) => {
    expect(written((writer) => writer.string(text))).toBe(hex);
    expect(written((writer) => writer.string(text), true, 0)).toBe(hex);
  });

  test.each([1, 30, 64, 100, 253, 254, 300, 1_000])('of %i characters has its size in front', (length) => {
    const size = length < 254 ? length.toString(16).padStart(2, '0') : `fe${length.toString(16).padStart(8, '0')}`;
    for (const initialBytes of [0, 2_000]) {
      const writer = new Writer(true, initialBytes);
      writer.string('x'.repeat(length));
      expect(toHex(writer.view())).toBe(size + '78'.repeat(length));
      // The last character alone is no ASCII.
      writer.truncate(0);
      writer.string(`${'x'.repeat(length - 1)}é`);
      const more =
        length + 1 < 254
          ? (length + 1).toString(16).padStart(2, '0')
          : `fe${(length + 1).toString(16).padStart(8, '0')}`;
      expect(toHex(writer.view())).toBe(`${more}${'78'.repeat(length - 1)}c3a9`);
    }
  });
});

describe('a buffer', () => {
  test('grows by as much as is needed, and twice at least', () => {
    const writer = new Writer(false, 4);
    const chunk = Uint8Array.from({ length: 1_000 }, (_, index) => index);
    writer.bytes(chunk);
    writer.bytes(chunk);
    expect(writer.length).toBe(2_000);
    expect([...writer.view()]).toEqual([...chunk, ...chunk]);
    const { buffer } = writer;
    for (let count = 0; writer.buffer === buffer; count++) {
      expect(count).toBeLessThan(3_000);
      writer.u8(1);
    }
    expect(writer.buffer.length).toBeGreaterThanOrEqual(2 * buffer.length);
  });

  test('does not grow while there is room', () => {
    const writer = new Writer(false, 4);
    const { buffer } = writer;
    writer.u32(1);
    expect(writer.buffer).toBe(buffer);
    expect(writer.buffer.length).toBe(4);
  });

  test('grows no further than it is told, and keeps what it has', () => {
    const writer = new Writer(true, 4);
    writer.growUpTo(100);
    writer.u32(7);
    expect(() => writer.bytes(new Uint8Array(5_000))).toThrow('message to send: 5004 asked, maxBodyBytes allows 100');
    expect([[...writer.view()], writer.buffer.length]).toEqual([[0, 0, 0, 7], 4]);
    writer.growUpTo(5_004);
    writer.bytes(new Uint8Array(5_000));
    expect(writer.length).toBe(5_004);
    // There is room, but it was told not to take it; and a buffer that begins is bounded likewise.
    expect(writer.buffer.length).toBeGreaterThan(5_004);
    expect(() => writer.u8(1)).toThrow('5005 asked, maxBodyBytes allows 5004');
    writer.detach(10_000);
    expect(() => writer.bytes(new Uint8Array(5_005))).toThrow('maxBodyBytes allows 5004');
    writer.growUpTo(Number.POSITIVE_INFINITY);
    writer.bytes(new Uint8Array(5_005));
    expect(writer.length).toBe(5_005);
  });

  test('is seen, copied or given away', () => {
    const writer = new Writer(true, 16);
    writer.u16(0x0102);
    const [view, copy] = [writer.view(), writer.copy()];
    writer.truncate(0);
    writer.u16(0x0304);
    expect([spaced(view), spaced(copy)]).toEqual(['03 04', '01 02']);
    const given = writer.detach(8);
    expect(writer.length).toBe(0);
    expect(writer.buffer.length).toBe(8);
    writer.u16(0x0506);
    expect([spaced(given), spaced(writer.view())]).toEqual(['03 04', '05 06']);
  });

  test('is cut where it is told, but not where nothing was written', () => {
    const writer = new Writer(true);
    writer.u32(0x0102_0304);
    writer.truncate(4);
    expect(writer.length).toBe(4);
    writer.truncate(2);
    expect(spaced(writer.view())).toBe('01 02');
    expect(() => writer.truncate(3)).toThrow('truncate to 3 of 2 bytes written');
    expect(writer.length).toBe(2);
  });

  test('has room for what is known only later', () => {
    for (const [bigEndian, expected] of [
      [true, '11 01 02 03 04 22'],
      [false, '11 04 03 02 01 22'],
    ] as const) {
      const writer = new Writer(bigEndian, 0);
      writer.u8(0x11);
      const at = writer.reserveU32();
      expect(at).toBe(1);
      writer.u8(0x22);
      writer.patchU32(at, 0x0102_0304);
      expect(spaced(writer.view())).toBe(expected);
    }
    const writer = new Writer(true, 0);
    const at = writer.reserve(3);
    writer.buffer.set([7, 8, 9], at);
    expect(spaced(writer.view())).toBe('07 08 09');
  });
});
