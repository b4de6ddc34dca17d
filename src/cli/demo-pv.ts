// What is a demo PV made of?

import type { Channel } from '../index.ts';

/** A SharedPV, whatever its type is. */
export interface PostedPv extends Channel {
  post(patch: unknown): void;
}

/** One PV and, if it changes by itself, how. */
export interface DemoPv {
  readonly pv: PostedPv;
  /** Milliseconds between changes; none for a PV that only clients change. */
  readonly everyMs?: number;
  /** The fields to post at each change. */
  readonly next?: () => unknown;
}

/** A PV that has its first value from the beginning. */
export function moving(pv: PostedPv, everyMs: number, next: () => unknown): DemoPv {
  pv.post(next());
  return { pv, everyMs, next };
}
