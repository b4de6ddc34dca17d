// How fast is a line, and how much faster than its twin? Both in turn, several rounds, so that a machine that changes its
// speed does not count.

import { isDeepStrictEqual } from 'node:util';
import { Bench } from 'tinybench';
import { ratiosOf, spreadOf, type Spread } from '../statistics.ts';
import type { Line } from './subject.ts';

export interface Timing {
  readonly rounds: number;
  /** Milliseconds of each round, after as many to warm up before the first. */
  readonly roundMs: number;
}

export interface Measured {
  readonly name: string;
  readonly fastPath: string | undefined;
  readonly perSecond: Spread;
  /** How many times as fast as the plain twin. */
  readonly ratio: Spread | undefined;
}

/** @throws Error when a line and its twin do not agree: a fast path that does something else is none */
export async function measureLine(line: Line, timing: Timing): Promise<Measured> {
  const { name, fastPath, operations, run, plain } = line;
  if (plain !== undefined && !isDeepStrictEqual(await run(), await plain()))
    throw new Error(`${name}: its plain twin differs`);
  await round(run, timing.roundMs);
  if (plain !== undefined) await round(plain, timing.roundMs);
  const fast: number[] = [];
  const slow: number[] = [];
  for (let count = 0; count < timing.rounds; count++) {
    fast.push((await round(run, timing.roundMs)) * operations);
    if (plain !== undefined) slow.push((await round(plain, timing.roundMs)) * operations);
  }
  const ratios = ratiosOf(slow.map((pvxs, index) => ({ pvkit: fast[index] ?? Number.NaN, pvxs })));
  return {
    name,
    fastPath,
    perSecond: spreadOf(fast),
    ratio: ratios.length === 0 ? undefined : spreadOf(ratios),
  };
}

/** Calls a second. */
async function round(run: () => unknown, roundMs: number): Promise<number> {
  const bench = new Bench({ time: roundMs, iterations: 1, warmup: false, throws: true });
  // What gives a promise is waited for.
  bench.add('line', run);
  const [task] = await bench.run();
  if (task?.result.state !== 'completed') throw new Error(`a round ended as ${task?.result.state}`);
  return 1000 / task.result.latency.mean;
}
