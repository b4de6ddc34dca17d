// Does text become the very bytes of the platform's UTF-8, and come back from them?
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cut, decodeText, encodeAscii, encodeText, textBytes } from '../../src/protocol/text.ts';

/** Every length of a character in UTF-8, at both of its ends. */
const EDGES = ['\u0000', '\u007F', '\u0080', '\u07FF', '\u0800', '\uFFFF', '\u{10000}', '\u{10FFFF}'];
const TEXTS = [
  '',
  ...EDGES,
  EDGES.join(''),
  'mA',
  '°C',
  '温度',
  'x'.repeat(31),
  'x'.repeat(32),
  'x'.repeat(33),
  `${'x'.repeat(31)}°`,
  '\uFEFFbom',
];

describe('text from bytes', () => {
  it.each(TEXTS)('is what the platform reads: %j', (text) => {
    const bytes = Buffer.from(`<<${text}>>`);
    expect(decodeText(bytes, 2, bytes.length - 2)).toBe(text);
  });

  it('is any text that was written, wherever it lies', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 50 }), fc.nat(9), (text, offset) => {
        const utf8 = Buffer.from(text);
        const bytes = Buffer.concat([Buffer.alloc(offset, 0x80), utf8, Buffer.from('!')]);
        expect(decodeText(bytes, offset, offset + utf8.length)).toBe(utf8.toString());
      }),
    );
  });

  it.each([
    ['a byte that begins nothing', [0x41, 0xff, 0x42], 'A\uFFFDB'],
    ['a character that is cut short', [0x41, 0xc2], 'A\uFFFD'],
    ['a byte that only continues', [0x80], '\uFFFD'],
  ])('has U+FFFD for %s', (_what, bytes, text) => {
    expect(decodeText(Uint8Array.from(bytes), 0, bytes.length)).toBe(text);
  });

  it('that is said to go on behind the bytes is what there is of it', () => {
    expect(decodeText(Buffer.from('ab'), 1, 5)).toBe('b');
  });
});

describe('text to bytes', () => {
  it.each(TEXTS)('is what the platform writes: %j', (text) => {
    expect([...encodeText(text)]).toEqual([...Buffer.from(text)]);
    expect(textBytes(text)).toBe(Buffer.byteLength(text));
  });

  it('is counted as it is written, for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(textBytes(text)).toBe(encodeText(text).length);
      }),
    );
  });

  it('has U+FFFD for half of a pair of surrogates', () => {
    expect([...encodeText('a\uD800b')]).toEqual([0x61, 0xef, 0xbf, 0xbd, 0x62]);
    expect(textBytes('a\uD800b')).toBe(5);
  });
});

describe('ASCII', () => {
  it('is written where it is to be, and nowhere else', () => {
    const target = new Uint8Array(6).fill(0xee);
    expect(encodeAscii('\u0000a\u007F', target, 2)).toBe(true);
    expect([...target]).toEqual([0xee, 0xee, 0x00, 0x61, 0x7f, 0xee]);
  });

  it('is told from all other text', () => {
    const target = new Uint8Array(4);
    expect(EDGES.map((text) => encodeAscii(text, target, 0))).toEqual(EDGES.map((text) => text <= '\u007F'));
    expect(encodeAscii('ab°', target, 0)).toBe(false);
    expect(encodeAscii('', target, 0)).toBe(true);
  });
});

describe('a text that is too long', () => {
  it.each([
    ['', ''],
    ['four', 'four'],
    ['fives', 'five... (5 characters)'],
    ['ü€ß!?', 'ü€ß!... (5 characters)'],
    // Half of a character is none.
    ['123😀', '123\ufffd... (5 characters)'],
  ])('%s is cut to %s', (text, short) => {
    expect(cut(text, 4)).toBe(short);
  });
});
