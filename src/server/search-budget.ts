// How many searches by UDP does a server look into? So many names a second for each sender and for all, and what is past
// that is dropped unread: clients search again, and whoever floods takes no time from the others. A sender that is alone
// takes it from nobody: it is answered as fast as it goes.
//
// A bucket for each holds the names of one second, and fills again as fast. Nothing is queued here; what waits is what the
// system holds for the socket.

import type { Limits } from '../protocol/limits.ts';
import { RateBucket } from '../protocol/machines/rate-bucket.ts';

export type SearchLimits = Pick<
  Limits,
  'maxSearchRatePerSender' | 'maxSearchRate' | 'maxForwardRate' | 'maxSearchSenders'
>;

/** A sender is alone when no other was heard for so long. */
const ALONE_MS = 500;

/** Knows senders by a text of their address and port; time comes in. */
export class SearchBudget {
  readonly #limits: SearchLimits;
  readonly #all: RateBucket;
  readonly #forwards: RateBucket;
  /** The one that was silent longest comes first. */
  readonly #senders = new Map<string, RateBucket>();
  #lastSender = '';
  /** Until then there is another sender than the last. */
  #sharedUntil = Number.NEGATIVE_INFINITY;
  #isShared = false;

  constructor(limits: SearchLimits, now: number) {
    this.#limits = limits;
    this.#all = new RateBucket(limits.maxSearchRate, now);
    this.#forwards = new RateBucket(limits.maxForwardRate, now);
  }

  /** Whether a search of this sender is to be looked into; `spend` tells then what it took. */
  admits(sender: string, now: number): boolean {
    const bucket = this.#bucketOf(sender, now);
    if (sender !== this.#lastSender) {
      // The first of all has no other before it.
      if (this.#lastSender !== '') this.#sharedUntil = now + ALONE_MS;
      this.#lastSender = sender;
    }
    this.#isShared = now < this.#sharedUntil;
    const hasSome = bucket.hasSome(now);
    return !this.#isShared || (hasSome && this.#all.hasSome(now));
  }

  /** So many names were looked up. A search without names takes as long as one with one. */
  spend(sender: string, names: number): void {
    const count = Math.max(names, 1);
    const bucket = this.#senders.get(sender);
    // Whoever was alone starts with nothing when others come, and owes nothing.
    if (!this.#isShared) return bucket?.takeSome(count);
    bucket?.take(count);
    this.#all.take(count);
  }

  /** Whether one more search may be passed on. */
  mayForward(now: number): boolean {
    if (!this.#forwards.hasSome(now)) return false;
    this.#forwards.take(1);
    return true;
  }

  #bucketOf(sender: string, now: number): RateBucket {
    const known = this.#senders.get(sender);
    if (known !== undefined) {
      this.#senders.delete(sender);
      this.#senders.set(sender, known);
      return known;
    }
    if (this.#senders.size >= this.#limits.maxSearchSenders) {
      const [silent] = this.#senders.keys();
      if (silent !== undefined) this.#senders.delete(silent);
    }
    const bucket = new RateBucket(this.#limits.maxSearchRatePerSender, now);
    this.#senders.set(sender, bucket);
    return bucket;
  }
}
