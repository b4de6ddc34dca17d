// Is the header of a message read and written bit by bit as the specification says?

import { describe, expect, test } from 'vitest';

import { RemoteProtocolError } from '../../src/protocol/errors.ts';
import { readHeader, writeHeader, type Segment } from '../../src/protocol/header.ts';
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
