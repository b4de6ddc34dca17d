// Is the header of a message read and written bit by bit as the specification says?

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { RemoteProtocolError } from '../../src/protocol/errors.ts';
import {
  asSegment,
  isBigEndianHeader,
  placeHeader,
  placeU32,
  plainBodyBytes,
  readHeader,
  readU32,
  writeHeader,
  type Segment,
} from '../../src/protocol/header.ts';
import { Writer } from '../../src/protocol/writer.ts';
import { spaced } from '../support/wire-text.ts';
import { fromHex } from '../support/vectors.ts';

describe('a header', () => {
  test('is read at an offset, its size in its own byte order', () => {
    // First message of test/vectors/transcripts/pvxs-ioc-get-ai.json, behind two bytes of something else.
    expect(readHeader(fromHex('0000 ca 02 40 01 14 00 00 00'), 2)).toEqual({
      version: 2,
      flags: 0x40,
      command: 1,
      isControl: false,
      segment: 'none',
      fromServer: true,
      bigEndian: false,
      size: 20,
    });
    expect(readHeader(fromHex('ca 02 80 03 00 00 00 2c'), 0)).toMatchObject({ bigEndian: true, size: 44, command: 3 });
  });

  test('may claim a size of all 32 bits', () => {
    expect(readHeader(fromHex('ca 02 01 02 ff ff ff ff'), 0)).toMatchObject({ isControl: true, size: 0xffff_ffff });
    expect(readHeader(fromHex('ca 02 81 02 80 00 00 00'), 0)).toMatchObject({ isControl: true, size: 0x8000_0000 });
  });

  test('may come from a later version of the protocol', () => {
    expect(readHeader(fromHex('ca 03 00 02 00 00 00 00'), 0).version).toBe(3);
    expect(readHeader(fromHex('ca ff 00 02 00 00 00 00'), 0).version).toBe(255);
  });

  test('of version 0 is refused', () => {
    expect(() => readHeader(fromHex('ca 00 00 02 00 00 00 00'), 0)).toThrow(RemoteProtocolError);
    expect(() => readHeader(fromHex('ca 00 00 02 00 00 00 00'), 0)).toThrow('version 0, 1 or later expected');
  });

  test('with another magic byte is refused, naming it', () => {
    expect(() => readHeader(fromHex('0a 02 00 02 00 00 00 00'), 0)).toThrow('starts with 0x0a, 0xca expected');
  });

  const segments: readonly (readonly [Segment, string])[] = [
    ['none', 'ca 02 00 0a 00 00 00 00'],
    ['first', 'ca 02 10 0a 00 00 00 00'],
    ['last', 'ca 02 20 0a 00 00 00 00'],
    ['middle', 'ca 02 30 0a 00 00 00 00'],
  ];

  test.each(segments)('names segment %s', (segment, hex) => {
    expect(readHeader(fromHex(hex), 0).segment).toBe(segment);
    const writer = new Writer(false);
    writeHeader(writer, { command: 0x0a, fromServer: false, segment, size: 0 });
    expect(spaced(writer.view())).toBe(hex);
  });

  test('is written with the flags of direction, control and byte order, and version 2', () => {
    const little = new Writer(false);
    writeHeader(little, { command: 2, fromServer: true, isControl: true, size: 0 });
    expect(spaced(little.view())).toBe('ca 02 41 02 00 00 00 00');
    const big = new Writer(true);
    writeHeader(big, { command: 3, fromServer: false, size: 44 });
    expect(spaced(big.view())).toBe('ca 02 80 03 00 00 00 2c');
  });
});

describe('the header of a whole message', () => {
  test.each([
    // First message of test/vectors/transcripts/pvxs-ioc-get-ai.json.
    ['ca 02 40 01 14 00 00 00', true, 20],
    ['ca 02 c0 03 00 00 00 2c', true, 44],
    ['ca 02 00 0a 00 01 00 00', false, 256],
    ['ca 02 80 0a 80 00 00 01', false, 0x8000_0001],
    ['ca 01 00 0a ff ff ff ff', false, 0xffff_ffff],
    ['ca 02 00 0a 00 00 00 00', false, 0],
  ])('is known at a glance: %s', (hex, fromServer, size) => {
    expect(plainBodyBytes(fromHex(`0000 ${hex}`), 2, fromServer)).toBe(size);
    expect(plainBodyBytes(fromHex(hex), 0, !fromServer)).toBe(-1);
    expect(isBigEndianHeader(fromHex(`0000 ${hex}`), 2)).toBe(readHeader(fromHex(hex), 0).bigEndian);
  });

  test.each([
    ['another magic byte', 'cb 02 00 0a 01 00 00 00'],
    ['version 0', 'ca 00 00 0a 01 00 00 00'],
    ['a control message', 'ca 02 01 02 01 00 00 00'],
    ['the first of some segments', 'ca 02 10 0a 01 00 00 00'],
    ['the last', 'ca 02 20 0a 01 00 00 00'],
    ['one between', 'ca 02 30 0a 01 00 00 00'],
    ['a message of the other side', 'ca 02 40 0a 01 00 00 00'],
  ])('is not taken for one: %s', (_what, hex) => {
    expect(plainBodyBytes(fromHex(hex), 0, false)).toBe(-1);
  });

  test('is as readHeader says, for any bytes behind the magic', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 7, maxLength: 7 }), fc.boolean(), (rest, fromServer) => {
        const bytes = Uint8Array.of(0xca, ...rest);
        fc.pre(bytes[1] !== 0);
        const { isControl, segment, size, ...header } = readHeader(bytes, 0);
        const isWhole = !isControl && segment === 'none' && header.fromServer === fromServer;
        expect(plainBodyBytes(bytes, 0, fromServer)).toBe(isWhole ? size : -1);
      }),
    );
  });
});

describe('a header in place', () => {
  test.each([
    [false, 'ca 02 40 0d 78 56 34 f2'],
    [true, 'ca 02 c0 0d f2 34 56 78'],
  ])('is one of a server, big endian %s', (bigEndian, hex) => {
    const bytes = new Uint8Array(12).fill(0xee);
    placeHeader(bytes, 2, 0x0d, 0xf234_5678, bigEndian);
    expect(spaced(bytes)).toBe(`ee ee ${hex} ee ee`);
    const writer = new Writer(bigEndian);
    writeHeader(writer, { command: 0x0d, fromServer: true, size: 0xf234_5678 });
    expect(spaced(writer.view())).toBe(hex);
  });

  test.each([0, 1, 0x0102_0304, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff])('has any size: %i', (size) => {
    for (const bigEndian of [false, true]) {
      const bytes = new Uint8Array(6);
      placeU32(bytes, 1, size, bigEndian);
      expect(readU32(bytes, 1, bigEndian)).toBe(size);
      expect(new DataView(bytes.buffer).getUint32(1, !bigEndian)).toBe(size);
      expect([bytes[0], bytes[5]]).toEqual([0, 0]);
    }
  });

  test.each([
    [false, 'first', 'ca 02 50 0a 04 03 02 01'],
    [false, 'middle', 'ca 02 70 0a 04 03 02 01'],
    [true, 'last', 'ca 02 e0 0a 01 02 03 04'],
    [true, 'none', 'ca 02 c0 0a 01 02 03 04'],
  ] as const)('becomes that of a segment, big endian %s, %s', (bigEndian, segment, hex) => {
    const bytes = new Uint8Array(10);
    placeHeader(bytes, 1, 0x0a, 77, bigEndian);
    const header = bytes.subarray(1, 9);
    expect(asSegment(header, 'middle', 1)).toBe(header);
    expect(spaced(asSegment(header, segment, 0x0102_0304))).toBe(hex);
    expect([bytes[0], bytes[9]]).toEqual([0, 0]);
  });
});
