// Is there anything left of so many a second? A bucket holds those of one second, and fills again as fast.

const MS_PER_SECOND = 1_000;

/** So many a second, and as many at once after a second of rest. */
export class RateBucket {
  readonly #rate: number;
  #level: number;
  #at: number;

  constructor(rate: number, now: number) {
    this.#rate = rate;
    this.#level = rate;
    this.#at = now;
  }

  /** Whether there is anything left. */
  hasSome(now: number): boolean {
    const filled = this.#level + ((now - this.#at) * this.#rate) / MS_PER_SECOND;
    this.#level = Math.min(filled, this.#rate);
    this.#at = now;
    return this.#level >= 1;
  }

  /** Takes more than there is, if need be: what that is too much has to fill again. */
  take(count: number): void {
    this.#level -= count;
  }

  /** Takes what there is, at most. */
  takeSome(count: number): void {
    this.#level = Math.max(this.#level - count, 0);
  }
}
