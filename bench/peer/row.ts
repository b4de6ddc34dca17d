// What is the outcome of one row? Figures of both servers, their ratio, and whether it is what it has to be.

import { isReached, ratiosOf, spreadOf, type Spread, type Target } from '../statistics.ts';

export interface Row {
  /** Scenario, and the figure where it has several: `get-10x16 p99`. */
  readonly name: string;
  readonly unit: string;
  /** Spread over the runs. */
  readonly pvkit: Spread;
  /** What pvkit is compared with; without it the target is one for pvkit's own figure. */
  readonly pvxs?: Spread | undefined;
  readonly ratio?: Spread | undefined;
  readonly target?: Target | undefined;
  readonly isReached?: boolean | undefined;
  /** Why it does not count, and what has to be known of it. */
  readonly faults: readonly string[];
  readonly notes: readonly string[];
  readonly date: string;
  readonly commit: string;
}

interface Measured {
  readonly name: string;
  readonly unit: string;
  readonly target: Target | undefined;
  readonly faults: readonly string[];
  readonly notes: readonly string[];
}

export function comparedRow(
  measured: Measured,
  pairs: readonly { readonly pvkit: number; readonly pvxs: number }[],
  now: { readonly date: string; readonly commit: string },
): Row {
  const ratio = spreadOf(ratiosOf(pairs));
  return {
    ...measured,
    pvkit: spreadOf(pairs.map(({ pvkit }) => pvkit)),
    pvxs: spreadOf(pairs.map(({ pvxs }) => pvxs)),
    ratio,
    isReached: measured.faults.length > 0 ? undefined : measured.target && isReached(ratio, measured.target),
    ...now,
  };
}

export function singleRow(
  measured: Measured,
  figures: readonly number[],
  now: { readonly date: string; readonly commit: string },
): Row {
  const pvkit = spreadOf(figures);
  const reached = measured.faults.length > 0 ? undefined : measured.target && isReached(pvkit, measured.target);
  return { ...measured, pvkit, isReached: reached, ...now };
}

/** When a row was measured, to the minute, in UTC. */
export function minuteNow(): string {
  return new Date().toISOString().slice(0, 16);
}
