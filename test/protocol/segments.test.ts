// Are large messages cut as the specification has it, and put together again by our framer, whatever stands between?

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Framer } from '../../src/protocol/framer.ts';
import { DEFAULT_LIMITS } from '../../src/protocol/limits.ts';
import { encodeMessage } from '../../src/protocol/messages/index.ts';
import { requireSegmentBytes, Segmenter } from '../../src/protocol/segments.ts';
import { Writer } from '../../src/protocol/writer.ts';
import { hitsLimit } from '../support/hits-limit.ts';
import { isBytes, loadTranscript, ownFrame } from '../support/transcript.ts';
import { fromHex, toHex } from '../support/vectors.ts';
import { spaced } from '../support/wire-text.ts';

const ECHO = (bytes: number) =>
  ({ command: 'ECHO', payload: Uint8Array.from({ length: bytes }, (_, at) => at) }) as const;

/** Echoes of these sizes in one buffer, cut. */
function cutEchoes(sizes: readonly number[], maxSegmentBytes: number, bigEndian = false) {
  const writer = new Writer(bigEndian);
  const segmenter = new Segmenter(maxSegmentBytes);
  for (const size of sizes) {
    const start = writer.length;
    encodeMessage(writer, ECHO(size), { fromServer: false });
    segmenter.encoded(start, writer.length);
  }
  const buffer = writer.detach(0);
  return { buffer, pieces: segmenter.pieces(buffer), segmenter };
}

function bodiesOf(pieces: readonly Uint8Array[]): string[] {
  const bodies: string[] = [];
  const framer = new Framer({ expectFromServer: false });
  for (const piece of pieces) framer.push(piece, (frame) => bodies.push(toHex(ownFrame(frame).body)));
  return bodies;
}

describe('a message larger than a segment', () => {
  test.each([
    [
      false,
      'ca 02 10 02 04 00 00 00 00 01 02 03',
      ['ca 02 30 02 04 00 00 00', '04 05 06 07', 'ca 02 20 02 01 00 00 00', '08'],
    ],
    [
      true,
      'ca 02 90 02 00 00 00 04 00 01 02 03',
      ['ca 02 b0 02 00 00 00 04', '04 05 06 07', 'ca 02 a0 02 00 00 00 01', '08'],
    ],
  ] as const)('goes as first, middle and last, each with its own size (big endian: %s)', (bigEndian, first, others) => {
    const { pieces } = cutEchoes([9], 4, bigEndian);
    expect(pieces.map(spaced)).toEqual([first, ...others]);
  });

  test('is waiting to be cut until the buffer is sent', () => {
    const segmenter = new Segmenter(4);
    expect(segmenter.isIdle).toBe(true);
    segmenter.encoded(0, 8 + 4);
    expect(segmenter.isIdle).toBe(true);
    segmenter.encoded(12, 12 + 8 + 5);
    expect(segmenter.isIdle).toBe(false);
    segmenter.pieces(new Uint8Array(25));
    expect(segmenter.isIdle).toBe(true);
  });

  test('of two segments has no middle, and the last is never empty', () => {
    hitsLimit('maxSegmentBytes');
    expect(cutEchoes([8], 4).pieces.map(spaced)).toEqual([
      'ca 02 10 02 04 00 00 00 00 01 02 03',
      'ca 02 20 02 04 00 00 00',
      '04 05 06 07',
    ]);
  });

  test.each([
    ['base-put-big', 0x00, 0x0b, ['ca02100b', 'ca02300b', 'ca02200b']],
    ['base-ts-get-segmented', 0x40, 0x0a, ['ca02500a', 'ca02700a', 'ca02600a']],
  ] as const)('has the flags of the segments recorded in %s', (name, flags, command, expected) => {
    const recorded = loadTranscript(name).tcp.filter(isBytes);
    const inSegments = recorded.filter(({ header }) => header.segment !== 'none').map(({ hex }) => hex.slice(0, 8));
    expect(inSegments).toEqual(expected);
    const buffer = Uint8Array.of(0xca, 2, flags, command, 12, 0, 0, 0, ...new Uint8Array(12));
    const segmenter = new Segmenter(4);
    segmenter.encoded(0, buffer.length);
    const ours = segmenter.pieces(buffer).map((piece) => toHex(piece.subarray(0, 4)));
    expect(ours.filter((bytes) => bytes.startsWith('ca'))).toEqual(expected);
  });

  test('is not copied', () => {
    const { buffer, pieces } = cutEchoes([1_000_000], 65_536);
    const copied = pieces.filter(({ buffer: memory }) => memory !== buffer.buffer);
    expect(copied.every(({ length }) => length === 8)).toBe(true);
    expect(copied).toHaveLength(15);
  });
});

describe('other messages', () => {
  test('of just that size are whole', () => {
    const { buffer, pieces } = cutEchoes([4, 3, 0], 4);
    expect(pieces).toEqual([buffer]);
    expect(pieces[0]).toBe(buffer);
  });

  test('stay whole around one that is cut', () => {
    const { pieces } = cutEchoes([2, 5, 1], 4);
    expect(pieces.map(spaced)).toEqual([
      'ca 02 00 02 02 00 00 00 00 01 ca 02 10 02 04 00 00 00 00 01 02 03',
      'ca 02 20 02 01 00 00 00',
      '04',
      'ca 02 00 02 01 00 00 00 00',
    ]);
  });

  test('in the next buffer are not cut where the last one was', () => {
    const { segmenter } = cutEchoes([9], 4);
    const next = new Uint8Array(30);
    expect(segmenter.pieces(next)).toEqual([next]);
  });
});

describe('our framer', () => {
  test('puts together what was cut, and control messages between segments come through', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(300), { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 1, max: 100 }),
        fc.boolean(),
        (sizes, maxSegmentBytes, bigEndian) => {
          const { pieces } = cutEchoes(sizes, maxSegmentBytes, bigEndian);
          expect(bodiesOf(pieces)).toEqual(sizes.map((size) => toHex(ECHO(size).payload)));
        },
      ),
    );
    // MARK behind each piece but where a header is parted from its body.
    const mark = fromHex('ca02010000000000');
    const { pieces } = cutEchoes([50], 7);
    const withMarks = pieces.flatMap((piece) => (piece.length === 8 ? [piece] : [piece, mark]));
    const commands: string[] = [];
    const framer = new Framer({ expectFromServer: false });
    for (const piece of withMarks) {
      framer.push(piece, ({ header }) => commands.push(header.isControl ? 'control' : `${header.size} bytes`));
    }
    expect(commands).toEqual([...Array.from({ length: 7 }, () => 'control'), '50 bytes', 'control']);
  });
});

describe('the size of segments', () => {
  test.each([0, -1, 15, 16.5, Number.NaN, Number.POSITIVE_INFINITY])('cannot be %s', (maxSegmentBytes) => {
    expect(() => requireSegmentBytes(maxSegmentBytes)).toThrow(/^maxSegmentBytes is .*, a whole number of 16 or more/);
  });

  test.each([16, 1_000, 2 ** 32 - 1])('can be %s', (maxSegmentBytes) => {
    expect(() => requireSegmentBytes(maxSegmentBytes)).not.toThrow();
  });

  test('is by default what a header can say', () => {
    expect(DEFAULT_LIMITS.maxSegmentBytes).toBe(2 ** 32 - 1);
  });
});
