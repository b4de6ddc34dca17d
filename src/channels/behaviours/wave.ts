// In which order are channels recomputed that depend on one another? Each once for a post, after all that it is made of.
//
// Without it a channel that depends on a post in two ways would be computed twice, the first time from one new input and
// one old. A wave begins and ends within one outermost `post`, so nothing waits here between turns of the event loop.

import { LimitError } from '../../protocol/errors.ts';
import { DEFAULT_LIMITS } from '../../protocol/limits.ts';

/** A channel that is made of others. */
export interface Dependent {
  /** Longest way to a channel that is made of no other, at least 1. */
  readonly depth: number;
  /** Does not throw. */
  recompute(): void;
}

/** Those that wait, by their depth. */
const waiting: Set<Dependent>[] = [];
let waitingCount = 0;
/** Posts that are telling their subscribers at this moment, one within the other. */
let tellingCount = 0;
let isRunning = false;

/** Asks for a channel to be recomputed: once all subscribers of the post that is under way are told, or at once. */
export function recomputeSoon(dependent: Dependent): void {
  const level = waiting[dependent.depth] ?? new Set();
  waiting[dependent.depth] = level;
  if (!level.has(dependent)) waitingCount++;
  level.add(dependent);
  runUnlessTelling();
}

/** Around the telling of subscribers: between the two nothing is recomputed. */
export function beginTelling(): void {
  tellingCount++;
}

export function endTelling(): void {
  tellingCount--;
  if (waitingCount > 0) runUnlessTelling();
}

function runUnlessTelling(): void {
  if (tellingCount > 0 || isRunning) return;
  isRunning = true;
  const { maxComputationsPerPost } = DEFAULT_LIMITS;
  try {
    for (let count = 1; waitingCount > 0; count++) {
      if (count > maxComputationsPerPost)
        throw new LimitError('maxComputationsPerPost', count, maxComputationsPerPost, 'computed channels');
      takeShallowest()?.recompute();
    }
  } finally {
    waiting.length = 0;
    waitingCount = 0;
    isRunning = false;
  }
}

/** Recomputing one asks for deeper ones, so whatever is shallowest has all its inputs as they will be. */
function takeShallowest(): Dependent | undefined {
  for (const level of waiting) {
    // A level that nobody was ever at is a hole.
    const [first] = level ?? [];
    if (first === undefined) continue;
    level.delete(first);
    waitingCount--;
    return first;
  }
  waitingCount = 0;
  return undefined;
}
