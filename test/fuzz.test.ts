// Does every input that ever led somewhere, or broke something, keep to what fuzzing promises?

import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

import { Corpus } from '../fuzz/corpus.ts';
import { Guard } from '../fuzz/guard.ts';
import { mutateMessages } from '../fuzz/mutate-messages.ts';
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
      /^took \d{9} bytes of memory, at most 67108864 expected$/u,
    );
  });

  it('finds a promise that is not kept', () => {
    expect(() => requireThat(false, 'this holds')).toThrow('this holds');
  });
});
