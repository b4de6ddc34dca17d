// Does every input that ever led somewhere, or broke something, keep to what fuzzing promises?

import { decode } from '@msgpack/msgpack';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

import { Corpus, saveFinding, readHex } from '../fuzz/corpus.ts';
import { fuzz } from '../fuzz/fuzz.ts';
import { grown } from '../fuzz/grow.ts';
import { Guard } from '../fuzz/guard.ts';
import { pace, yardstickMs } from '../fuzz/pace.ts';
import { fromHexText, toHexText } from '../fuzz/hex-text.ts';
import { messagesOf, mutateMessages } from '../fuzz/mutate-messages.ts';
import { mutate } from '../fuzz/mutate.ts';
import { Random } from '../fuzz/random.ts';
import { requireThat, type Target } from '../fuzz/target.ts';
import { TARGETS } from '../fuzz/targets.ts';

const CORPUS = fileURLToPath(new URL('../fuzz/corpus', import.meta.url));

describe('the corpus of', () => {
  it.each(TARGETS)('$name breaks no promise', async (target) => {
    const inputs = new Corpus(CORPUS, target.name).inputs();
    expect(inputs.length).toBeGreaterThan(0);
    for (const input of inputs) await target.run(input);
  });
});

describe('the fuzzer', () => {
  it('makes the same inputs of the same seed', () => {
    const parents = [Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8]), new Uint8Array(0)];
    const inputs = (seed: number): readonly Uint8Array[] => {
      const random = new Random(seed);
      return Array.from({ length: 200 }, () => mutate(random.pick(parents), random.pick(parents), random));
    };
    expect(inputs(7)).toEqual(inputs(7));
    expect(inputs(7)).not.toEqual(inputs(8));
    expect(parents[0]).toEqual(Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8]));
  });

  it('makes conversations of other messages of the same seed, and leaves their parents as they are', () => {
    const message = (command: number): readonly number[] => [
      0xca,
      2,
      0,
      command,
      9,
      0,
      0,
      0,
      1,
      0,
      0,
      0,
      2,
      0,
      0,
      0,
      8,
    ];
    const parents = [Uint8Array.from([7, 10, 15].flatMap(message)), new Uint8Array(0), Uint8Array.of(1, 2, 3)];
    const inputs = (seed: number): readonly Uint8Array[] => {
      const random = new Random(seed);
      return Array.from({ length: 500 }, () => mutateMessages(random.pick(parents), random.pick(parents), random));
    };
    expect(inputs(7)).toEqual(inputs(7));
    expect(parents[0]).toEqual(Uint8Array.from([7, 10, 15].flatMap(message)));
    const commands = new Set(inputs(7).map((bytes) => [3, 20, 37, 54].map((at) => bytes[at]).join(' ')));
    // Left out, twice, in another order, another command.
    expect([...commands]).toEqual(expect.arrayContaining(['7 15  ', '7 7 10 15', '10 7 15 ', '7 10 15 ']));
  });

  it('takes an input that throws, or wants more memory than it may, for a finding', async () => {
    const guard = new Guard();
    const held: ArrayBuffer[] = [];
    const target: Target = {
      name: 'test',
      seeds: () => [],
      run: ([kind = 0]) => {
        if (kind === 1) throw new Error('thrown');
        if (kind === 2) held.push(new ArrayBuffer(200 * 1024 * 1024));
      },
    };
    expect(await guard.reasonAgainst(target, Uint8Array.of(0))).toBeUndefined();
    expect(await guard.reasonAgainst(target, Uint8Array.of(1))).toContain('thrown');
    expect(await guard.reasonAgainst(target, Uint8Array.of(2))).toMatch(
      /^took \d{9} bytes of memory, at most 67109888 expected$/u,
    );
  });

  it('finds what takes the square of its length, and writes down with what', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'pvkit-fuzz-'));
    // Of each byte it looks how far the same goes on.
    const square: Target = {
      name: 'square',
      seeds: () => [Buffer.from('value = 1')],
      run: (input) => {
        for (let from = 0; from < input.length; from++) {
          let to = from;
          while (to < input.length && input[to] === input[from]) to++;
        }
      },
    };
    const { finding } = await fuzz({
      target: square,
      corpus: new Corpus(folder, 'square'),
      coverage: { blockCount: 0, knownCount: 0, takeNew: () => new Set(), remember: () => undefined },
      guard: new Guard(),
      random: new Random(1),
      seconds: 60,
      progress: () => undefined,
    });
    expect(finding?.reason).toMatch(/^too slow: \d+ bytes took \d+ ms, at most \d+ expected$/u);
    const input = finding?.input ?? new Uint8Array(0);
    expect(readHex(saveFinding(folder, 'square', input))).toEqual(Uint8Array.from(input));
    rmSync(folder, { recursive: true });
  }, 60_000);

  it('takes what is slow in proportion to its length for no finding', async () => {
    let rounds = 0;
    const target: Target = {
      name: 'test',
      seeds: () => [],
      usPerByte: 20,
      // Two microseconds of work for each byte.
      run: ({ length }) => {
        for (const since = process.cpuUsage(); process.cpuUsage(since).user < length * 2;) rounds++;
      },
    };
    const input = new Uint8Array(60_000);
    const guardAt = (pace: number): Guard => new Guard(undefined, () => pace);
    expect(await guardAt(1).reasonAgainst(target, input)).toBeUndefined();
    expect(await guardAt(1).reasonAgainst({ ...target, usPerByte: 0.5 }, input)).toContain('too slow');
    // A machine that is slower has more time, and is asked only when the time is not enough.
    expect(await guardAt(20).reasonAgainst({ ...target, usPerByte: 0.5 }, input)).toBeUndefined();
    const unasked = (): never => {
      throw new Error('asked');
    };
    expect(await new Guard(undefined, unasked).reasonAgainst({ ...target, usPerByte: 200 }, input)).toBeUndefined();
    expect(rounds).toBeGreaterThan(0);
  });

  it('measures how fast the machine is just now', () => {
    expect(yardstickMs()).toBeGreaterThan(0);
    expect(pace()).toBeGreaterThanOrEqual(1);
  });

  it('makes long inputs of the same seed, with sizes that fit in either codec', () => {
    const packed = Buffer.from([0x92, 0xa3, ...Buffer.from('abc'), 7]);
    const series = (seed: number): readonly Uint8Array[] => {
      const random = new Random(seed);
      return Array.from({ length: 300 }, () => grown(packed, random, { codec: 'msgpack', mostBytes: 5_000 })).flat();
    };
    expect(series(3).map(toHexText)).toEqual(series(3).map(toHexText));
    const decoded = series(3).flatMap(decodedOf);
    const isLong = (item: unknown): boolean => typeof item === 'string' && item.length > 4_000;
    expect(decoded.some((value) => Array.isArray(value) && value.length === 2 && value.some(isLong))).toBe(true);
    expect(decoded.some((value) => Array.isArray(value) && value.length > 1_000)).toBe(true);
    const random = new Random(3);
    const text = Buffer.from([3, ...Buffer.from('abc'), 7]);
    const sized = Array.from({ length: 300 }, () => grown(text, random, { codec: 'pva', mostBytes: 4_096 })).flat();
    expect(sized.some((bytes) => bytes[0] === 0xfe && Buffer.from(bytes).readUInt32LE(1) === bytes.length - 6)).toBe(
      true,
    );
  });

  it('changes ids and subcommands of MessagePack, and the size of the message with them', () => {
    const message = Buffer.from('ca02800a00000004 93020108'.replace(' ', ''), 'hex');
    const random = new Random(7);
    const inputs = Array.from({ length: 5_000 }, () => mutateMessages(message, message, random, 'msgpack'));
    const bodies = inputs.flatMap((bytes) => messagesOf(bytes)).map((each) => decode(each.subarray(8)));
    expect(bodies).toContainEqual([0xffff_ffff, 1, 8]);
    expect(bodies).toContainEqual([2, 0x7fff_ffff, 8]);
    expect(bodies).toContainEqual([2, 1, 0x44]);
  });

  it('writes down what comes many times once', () => {
    const bytes = Buffer.concat([Buffer.from('ca02', 'hex'), Buffer.alloc(30_000, '%'), Buffer.from('\n')]);
    expect(toHexText(bytes)).toBe('ca02,25*30000,0a');
    for (const each of [bytes, Buffer.from('abcabc'), Buffer.alloc(0), Buffer.alloc(500, 'abc'), Buffer.alloc(64)]) {
      expect(Buffer.from(fromHexText(toHexText(each))).equals(each)).toBe(true);
    }
  });

  it('finds a promise that is not kept', () => {
    expect(() => requireThat(false, 'this holds')).toThrow('this holds');
  });
});

/** What the bytes are as MessagePack, if they are. */
function decodedOf(bytes: Uint8Array): readonly unknown[] {
  try {
    return [decode(bytes)];
  } catch {
    return [];
  }
}
