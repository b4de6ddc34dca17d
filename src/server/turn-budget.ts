// How much may the requests of one link have a server do in one turn of the event loop? A few bytes can ask for an array of
// 64 MiB to be made. It counts as if it had come, and what is behind such a request waits for the next turn: others get theirs.

import type { Clock } from '../transport/clocks.ts';

/** One large array is made in any case. */
const TURN_BYTES = 4 * 1024 * 1024;

export class TurnBudget {
  readonly #clock: Pick<Clock, 'soon'>;
  readonly #goOn: () => void;
  #spentBytes = 0;

  /** `goOn` is called in the next turn, each time that it was spent. */
  constructor(clock: Pick<Clock, 'soon'>, goOn: () => void) {
    this.#clock = clock;
    this.#goOn = goOn;
  }

  /** Whether requests are to wait. */
  get isSpent(): boolean {
    return this.#spentBytes > TURN_BYTES;
  }

  /** A request had so many bytes made that its client did not send. */
  spend(bytes: number): void {
    const wasSpent = this.isSpent;
    this.#spentBytes += bytes;
    if (!wasSpent && this.isSpent) this.#clock.soon(() => this.#refill());
  }

  #refill(): void {
    this.#spentBytes = 0;
    this.#goOn();
  }
}
