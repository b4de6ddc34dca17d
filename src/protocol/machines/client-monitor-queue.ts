// How do updates wait for a reader that may be slow? In a bounded queue that squashes and never loses the last value.
//
// Servers send only what changed, so the last full value is kept here and each update is read over it. When the queue is
// full the newest update is squashed into the last one waiting, as pvxs does: fields that changed twice are marked in
// `overrun`. With a pipeline the reader's pace is told to the server by acknowledgements.
// Spec: Protocol-Operation-Monitor.

import type { BitSet } from '../bit-set.ts';
import { LocalProtocolError } from '../errors.ts';
import type { StructureType } from '../types/type-desc.ts';
import type { StructureValue } from '../types/value-of.ts';
import { codecOf } from '../values/codec.ts';
import { leafMask } from '../values/leaf-mask.ts';

/** One or more updates of the server as the reader gets them. */
export interface QueuedUpdate {
  readonly kind: 'update';
  /** Who sent it; as given to `begin`. */
  readonly server: string;
  readonly type: StructureType;
  /** The full value after the update. */
  readonly value: StructureValue;
  /** Fields that the server sent. */
  readonly changed: BitSet;
  /** Fields that changed more than once since the reader's last update, at the server or here. */
  readonly overrun: BitSet;
}

/** What waits between the updates: connected, disconnected. `kind` tells two of the same sort apart from others. */
export interface QueuedEvent {
  readonly kind: string;
}

export interface MonitorCounters {
  /** Updates that came from the server. */
  readonly receivedCount: number;
  /** Updates that the reader got. */
  readonly deliveredCount: number;
  /** Updates that the server had squashed before it sent them. */
  readonly serverSquashCount: number;
  /** Updates that were squashed here because the reader was slow. */
  readonly clientSquashCount: number;
  /** Updates beyond the pipeline's window: the server does not count well. */
  readonly windowExcessCount: number;
  /** Most updates that ever waited. */
  readonly highWaterCount: number;
  readonly waitingCount: number;
}

export interface MonitorQueueOptions {
  /** Updates that may wait, at least 1; with a pipeline also the server's window. */
  readonly queueSize: number;
  /** With a pipeline: read updates after which they are acknowledged, 1 to `queueSize`. */
  readonly acknowledgeAt?: number;
}

type Waiting<E extends QueuedEvent> =
  | { readonly event: E }
  | { update: QueuedUpdate; messageCount: number; readonly session: number };

/** Events between two updates: at most 'disconnected', 'connected'. More of them say nothing more. */
const EVENTS_IN_A_ROW = 2;

export class ClientMonitorQueue<E extends QueuedEvent = QueuedEvent> {
  readonly queueSize: number;
  readonly #acknowledgeAt: number | undefined;
  #waiting: Waiting<E>[] = [];
  #updateCount = 0;
  #kept: { readonly type: StructureType; readonly value: StructureValue; readonly server: string } | undefined;
  /** Counts the subscriptions: what waits from an earlier one is not acknowledged to the next server. */
  #session = 0;
  #window = 0;
  #unacknowledgedCount = 0;
  #receivedCount = 0;
  #deliveredCount = 0;
  #serverSquashCount = 0;
  #clientSquashCount = 0;
  #windowExcessCount = 0;
  #highWaterCount = 0;

  constructor(options: MonitorQueueOptions) {
    this.queueSize = options.queueSize;
    this.#acknowledgeAt = options.acknowledgeAt;
  }

  get length(): number {
    return this.#waiting.length;
  }

  get counters(): MonitorCounters {
    return {
      receivedCount: this.#receivedCount,
      deliveredCount: this.#deliveredCount,
      serverSquashCount: this.#serverSquashCount,
      clientSquashCount: this.#clientSquashCount,
      windowExcessCount: this.#windowExcessCount,
      highWaterCount: this.#highWaterCount,
      waitingCount: this.#updateCount,
    };
  }

  /** The server accepted the subscription: what it sends from now on is of this type, and starts from defaults. */
  begin(type: StructureType, server: string): void {
    this.#kept = { type, server, value: codecOf<StructureType>(type).defaultValue() };
    this.#session++;
    this.#window = this.queueSize;
    this.#unacknowledgedCount = 0;
  }

  /** The full value that the next update is read over; undefined before `begin`. */
  get base(): StructureValue | undefined {
    return this.#kept?.value;
  }

  /** Takes an update of the server in: a full value, with the bits of the fields that came. */
  push(changed: BitSet, value: StructureValue, overrun: BitSet): void {
    if (this.#kept === undefined) throw new LocalProtocolError('an update came in before the subscription began');
    const { type, server } = this.#kept;
    this.#kept = { type, server, value };
    this.#count(overrun);

    const update: QueuedUpdate = { kind: 'update', server, type, value, changed, overrun };
    const last = this.#waiting.at(-1);
    if (
      this.#updateCount >= this.queueSize &&
      last !== undefined &&
      'update' in last &&
      last.session === this.#session
    ) {
      last.update = squash(last.update, update);
      last.messageCount++;
      this.#clientSquashCount++;
      return;
    }
    this.#waiting.push({ update, messageCount: 1, session: this.#session });
    this.#updateCount++;
    if (this.#updateCount > this.queueSize) this.#squashOldest();
    this.#highWaterCount = Math.max(this.#highWaterCount, this.#updateCount);
  }

  /** Puts an event behind the updates that wait. */
  pushEvent(event: E): void {
    this.#waiting.push({ event });
    this.#joinEvents(this.#waiting.length);
  }

  /** What waits longest, or undefined. */
  shift(): QueuedUpdate | E | undefined {
    const first = this.#waiting.shift();
    if (first === undefined) return undefined;
    if ('event' in first) return first.event;
    this.#updateCount--;
    this.#deliveredCount++;
    if (first.session === this.#session) this.#unacknowledgedCount += first.messageCount;
    return first.update;
  }

  /** Updates to acknowledge now, 0 for none yet. They count as acknowledged after this. */
  takeAcknowledgement(): number {
    const count = this.#unacknowledgedCount;
    if (this.#acknowledgeAt === undefined || count < this.#acknowledgeAt) return 0;
    this.#unacknowledgedCount = 0;
    this.#window += count;
    return count;
  }

  /** Forgets what waits. */
  clear(): void {
    this.#waiting = [];
    this.#updateCount = 0;
  }

  #count(overrun: BitSet): void {
    this.#receivedCount++;
    if (!overrun.isEmpty()) this.#serverSquashCount++;
    if (this.#acknowledgeAt === undefined) return;
    if (this.#window > 0) this.#window--;
    else this.#windowExcessCount++;
  }

  /** Makes room where the newest cannot be squashed, because a lost connection lies before it. */
  #squashOldest(): void {
    const index = this.#waiting.findIndex((entry) => 'update' in entry);
    const [oldest] = this.#waiting.splice(index, 1);
    this.#updateCount--;
    this.#clientSquashCount++;
    const next = this.#waiting.findIndex((entry) => 'update' in entry);
    const heir = this.#waiting[next];
    // Across a new subscription there is nothing to merge: the server sent everything again.
    if (
      oldest !== undefined &&
      heir !== undefined &&
      'update' in oldest &&
      'update' in heir &&
      oldest.session === heir.session
    ) {
      heir.update = squash(oldest.update, heir.update);
      heir.messageCount += oldest.messageCount;
    }
    this.#joinEvents(next);
  }

  /** Shortens the events just before `end` to the last ones that say something. */
  #joinEvents(end: number): void {
    let start = end;
    while (start > 0 && 'event' in (this.#waiting[start - 1] ?? {})) start--;
    const kept: Waiting<E>[] = [];
    for (const entry of this.#waiting.slice(start, end)) {
      if (kept.length === EVENTS_IN_A_ROW) kept.pop();
      const last = kept.at(-1);
      if (last !== undefined && 'event' in last && 'event' in entry && last.event.kind === entry.event.kind) kept.pop();
      kept.push(entry);
    }
    this.#waiting.splice(start, end - start, ...kept);
  }
}

function squash(before: QueuedUpdate, after: QueuedUpdate): QueuedUpdate {
  const first = leafMask(after.type, before.changed);
  const second = leafMask(after.type, after.changed);
  const overrun = leafMask(after.type, before.overrun).or(leafMask(after.type, after.overrun));
  return { ...after, changed: first.clone().or(second), overrun: overrun.or(first.and(second)) };
}
