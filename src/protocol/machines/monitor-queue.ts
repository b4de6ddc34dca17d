// Which updates wait to be sent to one subscriber, and what happens when there is no room for another?
//
// The newest is then squashed into the last that waits: nothing of the latest state is lost, and the overrun mask says
// which fields changed more than once. Values are full and immutable, so the newest value is the merged one.
//
// Room is a number of entries and a sum of bytes: clients choose the one, and the size of values the other. A room that
// many queues share bounds what they hold together.
//
// Masks here name leaves only (values/leaf-mask.ts): with them, "changed in both" is a plain intersection.

import type { BitSet } from '../bit-set.ts';
import { DEFAULT_LIMITS } from '../limits.ts';
import type { Update } from '../values/update.ts';
import { weightOf } from '../values/weight.ts';

export interface MonitorEntry<V> {
  /** As it was pushed, the same object, unless something was squashed into it. */
  readonly update: Update<V>;
  /** Leaves that changed more than once since the entry before; undefined where none did. */
  readonly overrun: BitSet | undefined;
}

/** What several queues may hold together, beside the oldest entry of each. */
export interface SharedRoom {
  /** Whether there is room for so many more bytes. */
  has(bytes: number): boolean;
  /** So many more are held; fewer, where it is negative. */
  add(bytes: number): void;
}

export class MonitorQueue<V> {
  /** Entries that may wait, at least 1. */
  readonly limit: number;
  /** What their values may weigh together (values/weight.ts); a single entry may weigh anything. */
  readonly maxBytes: number;
  /** Updates squashed into others so far. */
  squashCount = 0;
  readonly #entries: MonitorEntry<V>[] = [];
  /** Weight of all entries but the oldest, so that whoever keeps up has nothing weighed. */
  #bytesBehind = 0;
  readonly #room: SharedRoom | undefined;

  constructor(limit: number, maxBytes: number = DEFAULT_LIMITS.maxMonitorQueueBytes, room?: SharedRoom) {
    this.limit = limit;
    this.maxBytes = maxBytes;
    this.#room = room;
  }

  get length(): number {
    return this.#entries.length;
  }

  /** What `shift` would give. */
  get oldest(): Update<V> | undefined {
    return this.#entries[0]?.update;
  }

  /**
   * Adds an update behind the others; false when it was squashed into the last. `overrun` names the leaves of it that
   * had been squashed before it came here.
   */
  push(update: Update<V>, overrun?: BitSet): boolean {
    const entries = this.#entries;
    const oldest = entries[0];
    if (oldest === undefined) {
      entries.push({ update, overrun });
      return true;
    }
    const bytes = weightOf(update.value);
    if (entries.length < this.limit && this.#hasRoom(oldest, bytes)) {
      entries.push({ update, overrun });
      this.#addBehind(bytes);
      return true;
    }
    const last = entries.at(-1) ?? oldest;
    if (last !== oldest) this.#addBehind(bytes - weightOf(last.update.value));
    entries[entries.length - 1] = squash(last, { update, overrun });
    this.squashCount++;
    return false;
  }

  /** Takes the oldest. */
  shift(): MonitorEntry<V> | undefined {
    const taken = this.#entries.shift();
    const oldest = this.#entries[0];
    if (oldest !== undefined) this.#addBehind(-weightOf(oldest.update.value));
    return taken;
  }

  /** Squashes all that waits into the newest, which is all that is held then; gives how many updates are gone. */
  squash(): number {
    const [oldest, ...rest] = this.#entries;
    if (oldest === undefined) return 0;
    this.clear();
    this.#entries.push(rest.reduce(squash, oldest));
    this.squashCount += rest.length;
    return rest.length;
  }

  clear(): void {
    this.#entries.length = 0;
    this.#addBehind(-this.#bytesBehind);
  }

  #hasRoom(oldest: MonitorEntry<V>, bytes: number): boolean {
    if (weightOf(oldest.update.value) + this.#bytesBehind + bytes > this.maxBytes) return false;
    return this.#room === undefined || this.#room.has(bytes);
  }

  #addBehind(bytes: number): void {
    this.#bytesBehind += bytes;
    this.#room?.add(bytes);
  }
}

function squash<V>(last: MonitorEntry<V>, { update: newest, overrun: before }: MonitorEntry<V>): MonitorEntry<V> {
  const overrun = last.update.changed.clone().and(newest.changed);
  if (last.overrun !== undefined) overrun.or(last.overrun);
  if (before !== undefined) overrun.or(before);
  return {
    update: { changed: last.update.changed.clone().or(newest.changed), value: newest.value },
    overrun: overrun.isEmpty() ? undefined : overrun,
  };
}
