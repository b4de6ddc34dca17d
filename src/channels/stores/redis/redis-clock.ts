// What does the clock of Redis say? It is asked once a second; between, it is taken to run as ours does.

import type { Clock } from '../../../transport/clocks.ts';

export class RedisClock {
  readonly #clock: Clock;
  #aheadMs: number | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Milliseconds of Redis' clock; of ours, as long as nothing was heard of it. */
  now(): number {
    return this.#aheadMs === undefined ? this.#clock.wallTime() : this.#clock.now() + this.#aheadMs;
  }

  /** Redis said `timeMs` in answer to a question that was sent at `sentAt` of our monotonic clock. */
  set(timeMs: number, sentAt: number): void {
    this.#aheadMs = timeMs - (sentAt + this.#clock.now()) / 2;
  }
}
