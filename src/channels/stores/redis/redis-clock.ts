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

  /**
   * Redis said `timeMs` in answer to a question that was sent at `sentAt` of our monotonic clock: at some moment since. What
   * can still be true of what is known stays, so that an answer that took long, or was read late, spoils nothing.
   */
  set(timeMs: number, sentAt: number): void {
    const [least, most] = [timeMs - this.#clock.now(), timeMs - sentAt];
    this.#aheadMs = Math.min(Math.max(this.#aheadMs ?? (least + most) / 2, least), most);
  }
}
