// Which updates wait to be sent to one subscriber, and what happens when there is no room for another?
//
// The newest is then squashed into the last that waits: nothing of the latest state is lost, and the overrun mask says
// which fields changed more than once. Values are full and immutable, so the newest value is the merged one.
//
// Masks here name leaves only (values/leaf-mask.ts): with them, "changed in both" is a plain intersection.

import type { BitSet } from '../bit-set.ts';
import type { Update } from '../values/update.ts';

export interface MonitorEntry<V> {
  /** As it was pushed, the same object, unless something was squashed into it. */
  readonly update: Update<V>;
  /** Leaves that changed more than once since the entry before; undefined where none did. */
  readonly overrun: BitSet | undefined;
}

export class MonitorQueue<V> {
  /** Entries that may wait, at least 1. */
  readonly limit: number;
  /** Updates squashed into others so far. */
  squashCount = 0;
  readonly #entries: MonitorEntry<V>[] = [];

  constructor(limit: number) {
    this.limit = limit;
  }

  get length(): number {
    return this.#entries.length;
  }

  /** Adds an update behind the others; false when it was squashed into the last. */
  push(update: Update<V>): boolean {
    const last = this.#entries.at(-1);
    if (last === undefined || this.#entries.length < this.limit) {
      this.#entries.push({ update, overrun: undefined });
      return true;
    }
    this.#entries[this.#entries.length - 1] = squash(last, update);
    this.squashCount++;
    return false;
  }

  /** Takes the oldest. */
  shift(): MonitorEntry<V> | undefined {
    return this.#entries.shift();
  }

  clear(): void {
    this.#entries.length = 0;
  }
}

function squash<V>(last: MonitorEntry<V>, newest: Update<V>): MonitorEntry<V> {
  const twice = last.update.changed.clone().and(newest.changed);
  const overrun = last.overrun === undefined ? twice : twice.or(last.overrun);
  return {
    update: { changed: last.update.changed.clone().or(newest.changed), value: newest.value },
    overrun: overrun.isEmpty() ? undefined : overrun,
  };
}
