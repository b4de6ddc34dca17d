// What does `pvkit serve` do about an error that nobody caught? It says so and serves on: nearly always it concerns one
// request. Several within a minute mean that more is broken; then it ends in good order with 1, and whoever watches over it
// starts it again.

import type { CliHost } from './host.ts';
import { stackOf } from './fault.ts';
import type { Log } from './log.ts';

/** So many within that time are too many. */
const MOST_FAULTS = 10;
const WITHIN_MS = 60_000;

export class ServeFaults {
  /** Resolves when there were too many. */
  readonly tooMany: Promise<void>;
  areTooMany = false;
  readonly #clock: CliHost['clock'];
  readonly #log: Log;
  readonly #unhear: (() => void) | undefined;
  /** When the last ones were. */
  #times: number[] = [];
  #end: () => void = ignore;

  constructor({ clock, onFault }: CliHost, log: Log) {
    this.#clock = clock;
    this.#log = log;
    this.tooMany = new Promise((resolve) => (this.#end = resolve));
    this.#unhear = onFault?.((thrown) => this.#take(thrown));
  }

  stop(): void {
    this.#unhear?.();
  }

  #take(thrown: unknown): void {
    this.#log.write({ level: 'error', text: `fault of this program, please report it: ${stackOf(thrown)}` });
    const now = this.#clock.now();
    this.#times = [...this.#times.filter((time) => now - time < WITHIN_MS), now];
    if (this.#times.length < MOST_FAULTS || this.areTooMany) return;
    this.areTooMany = true;
    const text = `${MOST_FAULTS} faults within ${WITHIN_MS / 1_000} s: ending, so that it can be started anew`;
    this.#log.write({ level: 'error', text });
    this.#end();
  }
}

function ignore(): void {
  // Replaced before anybody can call it.
}
