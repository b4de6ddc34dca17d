// How long did the operations take? Counts in log-linear buckets: fixed memory, no allocation, within 1 % of the truth.

/** Buckets for each doubling. */
const STEPS = 128;
const STEP_BITS = 7;
/** Buckets count in parts of a microsecond, so that short times are told apart, too. */
const PARTS = 64;
const LAST_PART = 0xffff_ffff;
const US_PER_MS = 1_000;

/** What a histogram says, in microseconds; all 0 when nothing was counted. */
export interface LatencySummary {
  readonly min: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

export class Histogram {
  readonly #counts = new Float64Array(STEPS * (33 - STEP_BITS));
  #count = 0;
  #minMs = Number.POSITIVE_INFINITY;
  #maxMs = 0;

  get count(): number {
    return this.#count;
  }

  /** Counts a time; past 67 s it counts as 67 s, but `max` is exact. */
  add(ms: number): void {
    const parts = Math.min(LAST_PART, Math.max(0, ms) * (US_PER_MS * PARTS)) >>> 0;
    const index = bucketOf(parts);
    // Every index of a 32-bit number is inside.
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    this.#count++;
    if (ms < this.#minMs) this.#minMs = ms;
    if (ms > this.#maxMs) this.#maxMs = ms;
  }

  clear(): void {
    this.#counts.fill(0);
    this.#count = 0;
    this.#minMs = Number.POSITIVE_INFINITY;
    this.#maxMs = 0;
  }

  /** Counts all that another has counted, too. */
  addAll(other: Histogram): void {
    for (const [index, count] of other.#counts.entries()) this.#counts[index] = (this.#counts[index] ?? 0) + count;
    this.#count += other.#count;
    this.#minMs = Math.min(this.#minMs, other.#minMs);
    this.#maxMs = Math.max(this.#maxMs, other.#maxMs);
  }

  summary(): LatencySummary {
    if (this.#count === 0) return { min: 0, p50: 0, p90: 0, p99: 0, p999: 0, max: 0 };
    return {
      min: rounded(this.#minMs * US_PER_MS),
      p50: this.#quantile(0.5),
      p90: this.#quantile(0.9),
      p99: this.#quantile(0.99),
      p999: this.#quantile(0.999),
      max: rounded(this.#maxMs * US_PER_MS),
    };
  }

  /** The middle of the bucket in which that part of all times is reached. */
  #quantile(part: number): number {
    let left = Math.ceil(this.#count * part);
    for (const [index, count] of this.#counts.entries()) {
      left -= count;
      if (left <= 0) return this.#within(middleOf(index) / PARTS);
    }
    return rounded(this.#maxMs * US_PER_MS);
  }

  /** No quantile is beyond the extremes, which are exact. */
  #within(us: number): number {
    return rounded(Math.min(this.#maxMs * US_PER_MS, Math.max(this.#minMs * US_PER_MS, us)));
  }
}

function bucketOf(parts: number): number {
  if (parts < STEPS) return parts;
  const shift = 31 - Math.clz32(parts) - STEP_BITS;
  return (shift + 1) * STEPS + ((parts >>> shift) - STEPS);
}

function middleOf(index: number): number {
  if (index < STEPS) return index + 0.5;
  const shift = Math.floor(index / STEPS) - 1;
  return (STEPS + (index % STEPS) + 0.5) * 2 ** shift;
}

/** Nanoseconds are as exact as the clock. */
function rounded(us: number): number {
  return Math.round(us * 1_000) / 1_000;
}
