// How do many who wait for their turn together keep to a rate?

import type { Clock } from '../transport/clocks.ts';

const MS_PER_SECOND = 1_000;
/** Who comes late may make good for it, but not more than this: no burst follows a pause. */
const MOST_BEHIND_MS = 100;

export class Pace {
  readonly #clock: Clock;
  readonly #gapMs: number;
  readonly #waiting = new Set<() => void>();
  #dueAt: number;

  /** `rate` is in turns a second; undefined for no waiting at all. */
  constructor(clock: Clock, rate: number | undefined) {
    this.#clock = clock;
    this.#gapMs = rate === undefined ? 0 : MS_PER_SECOND / rate;
    this.#dueAt = clock.now();
  }

  /** Resolves when it is the turn of whoever asks. */
  turn(): Promise<void> {
    if (this.#gapMs === 0) return Promise.resolve();
    const now = this.#clock.now();
    this.#dueAt = Math.max(this.#dueAt + this.#gapMs, now - MOST_BEHIND_MS);
    const waitMs = this.#dueAt - now;
    if (waitMs <= 0) return Promise.resolve();
    return new Promise((resolve) => {
      const over = (): void => {
        timer.cancel();
        this.#waiting.delete(over);
        resolve();
      };
      const timer = this.#clock.after(waitMs, over);
      this.#waiting.add(over);
    });
  }

  /** Nobody waits any more. */
  end(): void {
    for (const over of this.#waiting) over();
  }
}

/** Resolves after this time, or when the signal aborts. */
export function waited(ms: number, clock: Clock, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const over = (): void => {
      timer.cancel();
      signal?.removeEventListener('abort', over);
      resolve();
    };
    const timer = clock.after(ms, over);
    signal?.addEventListener('abort', over);
  });
}
