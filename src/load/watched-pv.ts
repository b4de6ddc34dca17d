// Does a monitor tell the truth about a PV that is counted up? Values are never older than the one before, nor newer than
// what was sent, and the last one arrives.

import type { MonitorUpdateReply } from '../protocol/messages/monitor.ts';
import type { Clock } from '../transport/clocks.ts';
import { valueOf, type Ledger, type LedgerEntry } from './ledger.ts';

interface Waiter {
  readonly least: number;
  tell(hasCome: boolean): void;
}

export class WatchedPv {
  readonly entry: LedgerEntry;
  readonly #ledger: Ledger;
  readonly #clock: Clock;
  #waiters: Waiter[] = [];
  /** The last value that was heard; before the first, what was acknowledged when the monitor was asked for. */
  last: number;
  #hasHeard = false;

  constructor(ledger: Ledger, entry: LedgerEntry, clock: Clock) {
    this.#ledger = ledger;
    this.entry = entry;
    this.#clock = clock;
    this.last = entry.acknowledged;
  }

  /** Checks an update. */
  heard({ update }: MonitorUpdateReply): void {
    this.#hasHeard = true;
    if (this.entry.form !== undefined) {
      const value = valueOf(update);
      // An update of other fields alone says nothing of the value.
      if (value !== undefined) this.last = this.#ledger.checkNumber(this.entry, this.last, value) ?? this.last;
    }
    const come = this.#waiters.filter(({ least }) => this.last >= least);
    if (come.length === 0) return;
    this.#waiters = this.#waiters.filter(({ least }) => this.last < least);
    for (const waiter of come) waiter.tell(true);
  }

  /** Whether a value of at least this was heard, or is heard in time. */
  until(least: number, timeoutMs: number): Promise<boolean> {
    if (this.#hasHeard && this.last >= least) return Promise.resolve(true);
    return new Promise((resolve) => {
      const timer = this.#clock.after(timeoutMs, () => {
        this.#waiters = this.#waiters.filter((each) => each !== waiter);
        resolve(false);
      });
      const waiter: Waiter = {
        least,
        tell: (hasCome) => {
          timer.cancel();
          resolve(hasCome);
        },
      };
      this.#waiters.push(waiter);
    });
  }

  /** Nothing more is to be waited for: the link is gone. */
  end(): void {
    for (const waiter of this.#waiters) waiter.tell(false);
    this.#waiters = [];
  }
}
