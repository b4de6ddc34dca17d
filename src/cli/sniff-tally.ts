// How often did who search for what, and which server send beacons?

import type { Clock, Sniffed } from '../index.ts';

export interface TallyRow {
  /** The client or the server, `host:port`. */
  readonly who: string;
  /** The PV searched for, or what else was sent. */
  readonly what: string;
  readonly count: number;
  /** Time from one to the next, on the average; undefined of a single one. */
  readonly periodMs: number | undefined;
}

interface Count {
  readonly who: string;
  readonly what: string;
  count: number;
  readonly firstAt: number;
  lastAt: number;
}

/** Whoever makes up names shall not fill the memory. */
const MAX_ROWS = 10_000;
const MS_PER_SECOND = 1_000;

export class SniffTally {
  searchCount = 0;
  beaconCount = 0;
  /** Searches for names that are not in the rows, because there are too many. */
  unlistedCount = 0;
  readonly #clock: Clock;
  readonly #startedAt: number;
  readonly #counts = new Map<string, Count>();

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#startedAt = clock.now();
  }

  add(heard: Sniffed): void {
    if (heard.kind === 'beacon') {
      this.beaconCount++;
      return this.#count(heard.server, 'beacon');
    }
    this.searchCount++;
    if (heard.pvNames.length === 0) this.#count(heard.client, '(who is there?)');
    for (const pvName of heard.pvNames) this.#count(heard.client, pvName);
  }

  get seconds(): number {
    return (this.#clock.now() - this.#startedAt) / MS_PER_SECOND;
  }

  /** Most frequent first. */
  get rows(): readonly TallyRow[] {
    return [...this.#counts.values()]
      .toSorted((a, b) => b.count - a.count)
      .map(({ who, what, count, firstAt, lastAt }) => {
        const periodMs = count === 1 ? undefined : (lastAt - firstAt) / (count - 1);
        return { who, what, count, periodMs };
      });
  }

  #count(who: string, what: string): void {
    const key = `${who} ${what}`;
    const at = this.#clock.now();
    const known = this.#counts.get(key);
    if (known !== undefined) {
      known.count++;
      known.lastAt = at;
    } else if (this.#counts.size < MAX_ROWS) {
      this.#counts.set(key, { who, what, count: 1, firstAt: at, lastAt: at });
    } else {
      this.unlistedCount++;
    }
  }
}
