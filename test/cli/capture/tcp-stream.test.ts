// The bytes of a stream come out in order, whatever happened to its segments.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { TcpStream, type StreamPart } from '../../../src/cli/capture/tcp-stream.ts';
import { DEFAULT_LIMITS } from '../../../src/protocol/limits.ts';
import { hitsLimit } from '../../support/hits-limit.ts';

const SECOND = 1_000_000_000n;

interface Given {
  readonly cutBytes?: number;
  readonly isFin?: boolean;
  readonly timeNs?: bigint;
}

const segment = (sequence: number, text: string, { cutBytes = 0, isFin = false, timeNs = 0n }: Given = {}) => ({
  sequence: sequence >>> 0,
  bytes: Buffer.from(text),
  cutBytes,
  isFin,
  timeNs,
});

/** `ab|-3|.`: the bytes, holes as their length, the end as a dot. */
function shown(parts: readonly StreamPart[]): string {
  return parts
    .map((part) => {
      if (part.kind === 'bytes') return Buffer.from(part.bytes).toString();
      return part.kind === 'missing' ? `-${part.count}` : '.';
    })
    .join('|');
}

describe('a stream', () => {
  it('gives segments that come in order at once', () => {
    const stream = new TcpStream();
    stream.begin(99);
    expect(shown(stream.push(segment(100, 'ab')))).toBe('ab');
    expect(shown(stream.push(segment(102, 'cd')))).toBe('cd');
    expect(shown(stream.push(segment(104, '', { isFin: true })))).toBe('.');
  });

  it('holds what comes too early, and gives it once', () => {
    const stream = new TcpStream();
    stream.begin(99);
    expect(shown(stream.push(segment(104, 'ef')))).toBe('');
    expect(shown(stream.push(segment(102, 'cd')))).toBe('');
    expect(shown(stream.push(segment(104, 'ef')))).toBe('');
    expect(shown(stream.push(segment(100, 'ab')))).toBe('ab|cd|ef');
    expect(shown(stream.push(segment(102, 'cdefgh')))).toBe('gh');
    expect(shown(stream.push(segment(100, 'ab')))).toBe('');
  });

  it('begins with the first segment that was captured, if the beginning was not', () => {
    const stream = new TcpStream();
    expect(stream.isBegun).toBe(false);
    expect(shown(stream.push(segment(500, 'ab')))).toBe('ab');
    stream.begin(1);
    expect(shown(stream.push(segment(502, 'cd')))).toBe('cd');
  });

  it('goes on where sequence numbers go round', () => {
    const stream = new TcpStream();
    stream.begin(0xffff_fffd);
    expect(shown(stream.push(segment(0, 'cd')))).toBe('');
    expect(shown(stream.push(segment(-2, 'ab')))).toBe('ab|cd');
  });

  it('ends once, and only when all before the end came', () => {
    const stream = new TcpStream();
    stream.begin(99);
    expect(shown(stream.push(segment(102, 'cd', { isFin: true })))).toBe('');
    expect(shown(stream.push(segment(100, 'ab')))).toBe('ab|cd|.');
    expect(shown(stream.push(segment(104, '', { isFin: true })))).toBe('');
  });

  it('takes no notice of acknowledgements and of bytes sent to keep it alive', () => {
    const stream = new TcpStream();
    stream.begin(99);
    expect(shown(stream.push(segment(100, 'ab')))).toBe('ab');
    expect(shown(stream.push(segment(102, '')))).toBe('');
    expect(shown(stream.push(segment(200, '')))).toBe('');
    expect(shown(stream.push(segment(101, 'b')))).toBe('');
    expect(shown(stream.flush())).toBe('');
  });
});

describe('a hole', () => {
  it('is named when bytes of a segment were not captured', () => {
    const stream = new TcpStream();
    stream.begin(99);
    expect(shown(stream.push(segment(100, 'ab', { cutBytes: 3 })))).toBe('ab|-3');
    expect(shown(stream.push(segment(103, 'dexy')))).toBe('xy');
    expect(shown(stream.push(segment(107, 'z')))).toBe('z');
  });

  it('is given up when the capture ends', () => {
    const stream = new TcpStream();
    stream.begin(99);
    expect(shown(stream.push(segment(110, 'kl')))).toBe('');
    expect(shown(stream.push(segment(120, 'uv')))).toBe('');
    expect(shown(stream.flush())).toBe('-10|kl|-8|uv');
  });

  it('is given up after three seconds', () => {
    const stream = new TcpStream();
    stream.begin(99);
    expect(shown(stream.push(segment(110, 'kl', { timeNs: SECOND })))).toBe('');
    expect(shown(stream.push(segment(112, 'mn', { timeNs: 4n * SECOND })))).toBe('');
    expect(shown(stream.push(segment(114, 'op', { timeNs: 4n * SECOND + 1n })))).toBe('-10|kl|mn|op');
  });

  it('is given up when too much waits behind it', () => {
    hitsLimit('maxReorderBytes', 'maxReorderSegments');
    const byBytes = new TcpStream({ ...DEFAULT_LIMITS, maxReorderBytes: 3 });
    byBytes.begin(99);
    expect(shown(byBytes.push(segment(110, 'kl')))).toBe('');
    expect(shown(byBytes.push(segment(112, 'mn')))).toBe('-10|kl|mn');
    const bySegments = new TcpStream({ ...DEFAULT_LIMITS, maxReorderSegments: 1 });
    bySegments.begin(99);
    expect(shown(bySegments.push(segment(110, 'k')))).toBe('');
    // The next hole is younger.
    expect(shown(bySegments.push(segment(120, 'u')))).toBe('-10|k');
    expect(shown(bySegments.flush())).toBe('-9|u');
  });
});

describe('any segments', () => {
  it('give each byte once and in order, when all came', () => {
    const text = Array.from({ length: 60 }, (_, index) => String.fromCodePoint(0x30 + index)).join('');
    const ranges = fc.array(fc.tuple(fc.nat({ max: 59 }), fc.integer({ min: 1, max: 20 })), { maxLength: 40 });
    const sequence = fc.constantFrom(100, 0xffff_ffe0);
    fc.assert(
      fc.property(ranges, sequence, fc.infiniteStream(fc.nat()), (given, first, random) => {
        const every = Array.from({ length: 60 }, (_, index): readonly [number, number] => [index, 1]);
        const order = [...given, ...every]
          .map((range) => ({ range, key: Number(random.next().value) }))
          .toSorted((one, other) => one.key - other.key);
        const stream = new TcpStream();
        stream.begin(first - 1);
        const parts = order.flatMap(({ range: [start, length] }) =>
          stream.push(segment(first + start, text.slice(start, start + length))),
        );
        expect(shown(parts).replaceAll('|', '')).toBe(text);
        expect(stream.flush()).toEqual([]);
      }),
    );
  });
});
