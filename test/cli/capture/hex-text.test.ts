// Hexadecimal text is read however people paste it and whichever tool printed it.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { bytesOfHexText } from '../../../src/cli/capture/hex-text.ts';
import { spaced } from '../../support/wire-text.ts';

const read = (text: string, maxBytes = 1_000_000): string => spaced(bytesOfHexText(text, maxBytes));

describe('digits alone', () => {
  it('may stand in any groups and lines, with 0x and commas', () => {
    expect(read('ca024102')).toBe('ca 02 41 02');
    expect(read('ca02 4102\r\n00 00\t0000\n\n')).toBe('ca 02 41 02 00 00 00 00');
    expect(read('0xca, 0x02, 0x41, 0x02')).toBe('ca 02 41 02');
    expect(read('CA 02')).toBe('ca 02');
  });

  it('may have remarks between them', () => {
    expect(read('# SET_BYTE_ORDER\nca 02 41 02\n// its value\n00 00 00 00\n')).toBe('ca 02 41 02 00 00 00 00');
  });

  it('need two digits a byte, and only digits', () => {
    expect(() => read('ca 02\nca 0')).toThrow("line 2, column 4: '0', two digits a byte expected");
    expect(() => read('ca 02\n  xy')).toThrow("line 2, column 3: 'xy', hexadecimal digits expected");
    expect(() => read('hello')).toThrow("line 1, column 1: 'hello', hexadecimal digits expected");
  });

  it('are bounded', () => {
    expect(() => read('01 02 03', 2)).toThrow('line 1, column 1: more than 2 bytes');
  });
});

// Printed by the tools themselves.
const XXD = `00000000: ca02 4102 0000 0000 ca02 4001 1400 0000  ..A.......@.....
00000010: 0000 0100 ff7f 0209 616e 6f6e 796d 6f75  ........anonymou
00000020: 7302 6361                                s.ca
`;
const HEXDUMP = `00000000  ca 02 41 02 00 00 00 00  ca 02 40 01 14 00 00 00  |..A.......@.....|
00000010  00 00 01 00 ff 7f 02 09  61 6e 6f 6e 79 6d 6f 75  |........anonymou|
00000020  73 02 63 61                                       |s.ca|
00000024
`;
const OD = `000000 ca 02 41 02 00 00 00 00 ca 02 40 01 14 00 00 00  >..A.......@.....<
000010 00 00 01 00 ff 7f 02 09 61 6e 6f 6e 79 6d 6f 75  >........anonymou<
000020 73 02 63 61                                      >s.ca<
000024
`;
const WIRESHARK = `0000   ca 02 41 02 00 00 00 00 ca 02 40 01 14 00 00 00   ..A.......@.....
0010   00 00 01 00 ff 7f 02 09 61 6e 6f 6e 79 6d 6f 75   ........anonymou
0020   73 02 63 61                                       s.ca
`;
const TCPDUMP = `	0x0000:  ca02 4102 0000 0000 ca02 4001 1400 0000  ..A.......@.....
	0x0010:  0000 0100 ff7f 0209 616e 6f6e 796d 6f75  ........anonymou
	0x0020:  7302 6361                                s.ca
`;
const BYTES =
  'ca 02 41 02 00 00 00 00 ca 02 40 01 14 00 00 00 00 00 01 00 ff 7f 02 09 61 6e 6f 6e 79 6d 6f 75 73 02 63 61';

describe('the dump of a tool', () => {
  it.each([
    ['xxd', XXD],
    ['hexdump -C', HEXDUMP],
    ['od -A x -t x1z', OD],
    ['wireshark', WIRESHARK],
    ['tcpdump -X', TCPDUMP],
  ])('is read without its offsets and characters: %s', (_, text) => {
    expect(read(text)).toBe(BYTES);
  });

  it('has a line * for lines that repeat the one before', () => {
    const text = `00000000  ca 02 40 0a 40 00 00 00  00 00 00 00 00 00 00 00  |..@.@...........|
00000010  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |................|
*
00000040  01 02                                             |..|
00000042
`;
    expect(read(text)).toBe(`ca 02 40 0a 40 00 00 00 ${'00 '.repeat(56)}01 02`);
  });

  it('may begin at any offset', () => {
    expect(read('00000100: ca02\n00000102: 4102\n')).toBe('ca 02 41 02');
  });

  it('repeats no more than fits, and nothing of a line that is not there', () => {
    const first = '00000000  ca 02 |..|\n';
    expect(() => read(`${first}*\n00000005 ff\n`)).toThrow('line 3, column 1: offset 5 behind a line *');
    expect(() => read(`${first}*\n7fffffffffff0000 ff\n`)).toThrow('more than 1000000 bytes');
    expect(() => read(`${first}00000002\n*\n00000004\n`)).toThrow('line 4, column 1: offset 4 behind a line *');
    expect(() => read(`${first}what is this\n`)).toThrow('line 2, column 1: an offset expected');
  });
});

describe('any text', () => {
  it('gives bytes or says which line is wrong', () => {
    const texts = fc.oneof(
      fc.string({ maxLength: 200 }),
      fc.array(fc.constantFrom('ca', '02', '\n', ' ', '*', '|', ':', '00000000', '0x', '#', 'g'), { maxLength: 60 }),
    );
    fc.assert(
      fc.property(texts, (given) => {
        const text = typeof given === 'string' ? given : given.join(' ');
        try {
          expect(bytesOfHexText(text, 100).length).toBeLessThanOrEqual(100);
        } catch (thrown) {
          expect(String(thrown)).toMatch(/^CaptureError: line \d+, column \d+: /u);
        }
      }),
      { numRuns: 500 },
    );
  });
});
