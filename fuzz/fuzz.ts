// How is one target fuzzed? Inputs are made from inputs that led somewhere new; what breaks a promise is made small.

import type { Corpus } from './corpus.ts';
import type { Coverage } from './coverage.ts';
import { grown, lengths, MOST_GROWN_BYTES } from './grow.ts';
import { turn, type Guard } from './guard.ts';
import { mutate } from './mutate.ts';
import { mutateMessages } from './mutate-messages.ts';
import { Random } from './random.ts';
import type { Target } from './target.ts';

export interface FuzzOptions {
  readonly target: Target;
  readonly corpus: Corpus;
  readonly coverage: Pick<Coverage, 'blockCount' | 'knownCount' | 'takeNew' | 'remember'>;
  readonly guard: Guard;
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
  /** Blocks of the functions that have run, whether they ran or not. */
  readonly knownBlocks: number;
  /** What the dearest input took. */
  readonly mostMs: number;
  readonly mostBytes: number;
  /** The largest part that an input took of the time it may take. */
  readonly mostPart: number;
  readonly finding: Finding | undefined;
}

/** Looking at what has been covered takes milliseconds: inputs run in batches that take this many times as long. */
const BATCH_TIMES = 8;
const MOST_BATCH = 1_000;
/** How fast the size of the batches follows. */
const ADAPTION = 0.2;
const SMALLER_TRIES = 400;
const SMALLER_MS = 5_000;
const MOST_SEED = 0x1_0000_0000;
/** What is twice as slow as it may be is so the next time, too. */
const SURELY = 2;
/** Inputs that led somewhere before have this part of the time, in an order of their own each time; new ones have the rest. */
const KNOWN_PART = 0.5;
/** Long inputs have this part of the rest. */
const LONG_PART = 0.25;

export async function fuzz(options: FuzzOptions): Promise<Outcome> {
  const { target, corpus, coverage, guard, random, seconds, progress } = options;
  const pool = [...target.seeds(), ...corpus.inputs(), new Uint8Array(0)];
  const started = performance.now();
  let [executions, added, told, batchSize] = [0, 0, started, 1];
  const outcome = (finding?: Finding): Outcome => ({
    executions,
    seconds: (performance.now() - started) / 1_000,
    inputs: pool.length,
    added,
    blocks: coverage.blockCount,
    knownBlocks: coverage.knownCount,
    mostMs: guard.mostMs,
    mostBytes: guard.mostBytes,
    mostPart: guard.mostPart,
    finding,
  });

  const spentMs = (): number => performance.now() - started;
  for (const input of random.shuffled(pool)) {
    if (spentMs() > KNOWN_PART * seconds * 1_000) break;
    executions++;
    const reason = await guard.reasonAgainst(target, input);
    if (reason !== undefined) return outcome(await shrunk(options, input, reason));
  }
  coverage.remember(coverage.takeNew());
  const newFrom = spentMs();
  let longMs = 0;
  while (spentMs() < seconds * 1_000) {
    const batch = Array.from({ length: Math.round(batchSize) }, () => made(target, pool, random));
    const began = performance.now();
    for (const input of batch) {
      executions++;
      const reason = await guard.reasonAgainst(target, input);
      if (reason !== undefined) return outcome(await shrunk(options, input, reason));
    }
    const ran = performance.now();
    // Most targets never let go of the thread, and then nobody hears of promises that were left alone.
    await turn();
    const stray = guard.takeStray();
    if (stray !== undefined) return outcome({ input: batch.at(-1) ?? new Uint8Array(0), reason: stray });
    const looked = performance.now();
    const blocks = coverage.takeNew();
    const wanted = (BATCH_TIMES * (performance.now() - looked) * batch.length) / Math.max(ran - began, 0.01);
    batchSize = Math.min(MOST_BATCH, Math.max(1, batchSize + (wanted - batchSize) * ADAPTION));
    if (blocks.size > 0) {
      const led = await leaders(options, batch, blocks);
      coverage.remember(blocks);
      pool.push(...led);
      for (const input of led) corpus.add(input);
      added += led.length;
    }
    while (longMs < LONG_PART * (spentMs() - newFrom)) {
      const from = spentMs();
      for (const input of long(target, pool, random)) {
        if (spentMs() > seconds * 1_000) break;
        executions++;
        const reason = await guard.reasonAgainst(target, input);
        if (reason !== undefined) return outcome(await shrunk(options, input, reason));
      }
      longMs += spentMs() - from;
    }
    if (performance.now() - told > 1_000) {
      told = performance.now();
      progress(outcome());
    }
  }
  return outcome();
}

function made({ repair, speaks }: Target, pool: readonly Uint8Array[], random: Random): Uint8Array {
  const [one, other] = [random.pick(pool), random.pick(pool)];
  if (speaks !== undefined && random.chance(3)) return mutateMessages(one, other, random, speaks);
  const input = mutate(one, other, random);
  return repair !== undefined && random.chance(2) ? repair(input) : input;
}

/** One input in several lengths, from the shortest. */
function long(target: Target, pool: readonly Uint8Array[], random: Random): readonly Uint8Array[] {
  const { repair, speaks: codec, long: composed, mostBytes = MOST_GROWN_BYTES } = target;
  if (composed !== undefined && random.chance(2)) {
    const seed = random.below(MOST_SEED);
    return lengths(random, mostBytes).map((length) => composed(length, new Random(seed)));
  }
  const series = grown(random.pick(pool), random, { codec, mostBytes });
  return repair !== undefined && random.chance(2) ? series.map(repair) : series;
}

/** Those inputs of a batch that lead to the new blocks: halves run once more, and halves of those, down to single inputs. */
async function leaders(
  options: FuzzOptions,
  batch: readonly Uint8Array[],
  blocks: ReadonlySet<string>,
): Promise<readonly Uint8Array[]> {
  if (batch.length <= 1 || blocks.size === 0) return blocks.size === 0 ? [] : batch;
  const { target, coverage, guard } = options;
  const first = batch.slice(0, batch.length >> 1);
  for (const input of first) await guard.reasonAgainst(target, input);
  const reached = new Set([...coverage.takeNew()].filter((block) => blocks.has(block)));
  const others = new Set([...blocks].filter((block) => !reached.has(block)));
  return [...(await leaders(options, first, reached)), ...(await leaders(options, batch.slice(first.length), others))];
}

/** Cuts pieces out of the input as long as it still fails, and there is time for it. */
async function shrunk({ target, guard }: FuzzOptions, input: Uint8Array, reason: string): Promise<Finding> {
  let smallest = input;
  let tries = 0;
  const until = performance.now() + SMALLER_MS;
  const hasTime = (): boolean => tries < SMALLER_TRIES && performance.now() < until;
  for (let size = Math.max(1, smallest.length >> 1); size >= 1 && hasTime(); size >>= 1) {
    for (let at = 0; at < smallest.length && hasTime();) {
      tries++;
      const shorter = Buffer.concat([smallest.subarray(0, at), smallest.subarray(at + size)]);
      if ((await guard.reasonAgainst(target, shorter, SURELY)) === undefined) at += size;
      else smallest = shorter;
    }
  }
  return { input: smallest, reason };
}
