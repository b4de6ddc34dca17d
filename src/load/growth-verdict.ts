// Does a server grow while it is soaked, or does it only breathe? The slope of its memory and of its handles is held
// against what is tolerated, once it was measured for long enough to mean something.

import type { ProcessUse } from './process-watch.ts';

/**
 * What a server that stays as it is may seem to grow by. Memory is returned in gulps and clients are counted in the middle
 * of their coming and going: over less than half an hour such a wave looks like a slope. Past it, 16 MiB an hour are 8 MiB
 * of wave, and what two hundred steps a second leave behind is found from some twenty bytes each on.
 */
export const GROWTH_TOLERANCE = Object.freeze({
  /** Of samples, after the warm-up, before anything is said. */
  leastSeconds: 1_800,
  memoryBytesPerHour: 16 * 1024 * 1024,
  handlesPerHour: 12,
});

/** `tooShort`: nothing can be said of a run that was sampled for less than `GROWTH_TOLERANCE.leastSeconds`. */
export type GrowthVerdict = 'tooShort' | 'steady' | 'grows';

const BYTES_PER_MIB = 1024 * 1024;

/** The verdict, and a sentence for each figure that grows; null where nothing was sampled. */
export function growthVerdict(
  use: ProcessUse | null,
): { readonly verdict: GrowthVerdict; readonly problems: readonly string[] } | null {
  if (use === null) return null;
  const { leastSeconds, memoryBytesPerHour, handlesPerHour } = GROWTH_TOLERANCE;
  // The last sample may come a moment before the time is over.
  if (Math.ceil(use.seconds) < leastSeconds) return { verdict: 'tooShort', problems: [] };
  const problems: string[] = [];
  if (use.memoryBytes.perHour > memoryBytesPerHour) {
    const [grown, tolerated] = [use.memoryBytes.perHour, memoryBytesPerHour].map((bytes) => bytes / BYTES_PER_MIB);
    problems.push(
      `the memory of the server grows by ${grown?.toFixed(1)} MiB an hour, ${tolerated?.toFixed(1)} are tolerated`,
    );
  }
  if (use.handles.perHour > handlesPerHour) {
    const grown = use.handles.perHour.toFixed(1);
    problems.push(`the handles of the server grow by ${grown} an hour, ${handlesPerHour} are tolerated`);
  }
  return { verdict: problems.length === 0 ? 'steady' : 'grows', problems };
}
