// How is one target fuzzed? Inputs are made from inputs that led somewhere new; what breaks a promise is made small.

import type { Corpus } from './corpus.ts';
import type { Coverage } from './coverage.ts';
import { mutate } from './mutate.ts';
import type { Random } from './random.ts';
import type { Target } from './target.ts';

export interface FuzzOptions {
  readonly target: Target;
  readonly corpus: Corpus;
  readonly coverage: Coverage;
  readonly random: Random;
  readonly seconds: number;
  /** Called about once a second. */
  readonly progress: (outcome: Outcome) => void;
}

export interface Finding {
  readonly input: Uint8Array;
  readonly reason: string;
}

export interface Outcome {
  readonly executions: number;
  readonly seconds: number;
  readonly inputs: number;
  /** Those of them that led somewhere new in this run. */
  readonly added: number;
  readonly blocks: number;
  readonly finding: Finding | undefined;
}

/** Looking at what has been covered takes as long as tens of inputs, so inputs run in batches. */
const BATCH = 50;
/** One input that takes longer hangs, for all that anybody knows. */
const SLOW_MS = 2_000;
const SMALLER_TRIES = 400;

export async function fuzz(options: FuzzOptions): Promise<Outcome> {
  const { target, corpus, coverage, random, seconds, progress } = options;
  const pool = [...target.seeds(), ...corpus.inputs(), new Uint8Array(0)];
  const started = performance.now();
  let [executions, added, told] = [0, 0, started];
  const outcome = (finding?: Finding): Outcome => ({
    executions,
    seconds: (performance.now() - started) / 1_000,
    inputs: pool.length,
    added,
    blocks: coverage.blockCount,
    finding,
  });

  for (const input of pool) {
    executions++;
    const reason = await reasonAgainst(target, input);
    if (reason !== undefined) return outcome(await shrunk(target, input, reason));
  }
  coverage.remember(coverage.takeNew());
  while (performance.now() - started < seconds * 1_000) {
    const batch = Array.from({ length: BATCH }, () => made(target, pool, random));
    for (const input of batch) {
      executions++;
      const reason = await reasonAgainst(target, input);
      if (reason !== undefined) return outcome(await shrunk(target, input, reason));
    }
    const blocks = coverage.takeNew();
    if (blocks.size > 0) {
      const led = await leaders(options, batch, blocks);
      coverage.remember(blocks);
      pool.push(...led);
      for (const input of led) corpus.add(input);
      added += led.length;
    }
    if (performance.now() - told > 1_000) {
      told = performance.now();
      progress(outcome());
    }
  }
  return outcome();
}

function made({ repair }: Target, pool: readonly Uint8Array[], random: Random): Uint8Array {
  const input = mutate(random.pick(pool), random.pick(pool), random);
  return repair !== undefined && random.chance(2) ? repair(input) : input;
}

/** Those inputs of a batch that lead to the new blocks: each runs once more, alone. */
async function leaders(
  { target, coverage }: FuzzOptions,
  batch: readonly Uint8Array[],
  blocks: ReadonlySet<string>,
): Promise<readonly Uint8Array[]> {
  const wanted = new Set(blocks);
  const led: Uint8Array[] = [];
  for (const input of batch) {
    if (wanted.size === 0) break;
    await reasonAgainst(target, input);
    const reached = [...coverage.takeNew()].filter((block) => wanted.delete(block));
    if (reached.length > 0) led.push(input);
  }
  return led;
}

async function reasonAgainst(target: Target, input: Uint8Array): Promise<string | undefined> {
  const before = performance.now();
  try {
    await target.run(Uint8Array.from(input));
  } catch (thrown) {
    return thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
  }
  const tookMs = performance.now() - before;
  return tookMs > SLOW_MS ? `took ${Math.round(tookMs)} ms` : undefined;
}

/** Cuts pieces out of the input as long as it still fails, and there is time for it. */
async function shrunk(target: Target, input: Uint8Array, reason: string): Promise<Finding> {
  let smallest = input;
  let tries = 0;
  for (let size = Math.max(1, smallest.length >> 1); size >= 1 && tries < SMALLER_TRIES; size >>= 1) {
    for (let at = 0; at < smallest.length && tries < SMALLER_TRIES;) {
      tries++;
      const shorter = new Uint8Array([...smallest.subarray(0, at), ...smallest.subarray(at + size)]);
      if ((await reasonAgainst(target, shorter)) === undefined) at += size;
      else smallest = shorter;
    }
  }
  return { input: smallest, reason };
}
