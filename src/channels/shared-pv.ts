// What does a ready-made PV look like? A value in memory that any number of clients read, watch and perhaps write.

import { BitSet } from '../protocol/bit-set.ts';
import { LocalProtocolError, PvaError } from '../protocol/errors.ts';
import type { Alarm } from '../protocol/normative/alarm.ts';
import { OK, type Status } from '../protocol/status.ts';
import type { StructureType } from '../protocol/types/type-desc.ts';
import type { AnyValue, ValueOf } from '../protocol/types/value-of.ts';
import { anyCodecOf } from '../protocol/values/codec.ts';
import { coercePartial } from '../protocol/values/coerce.ts';
import { leafMask } from '../protocol/values/leaf-mask.ts';
import { systemClock, type Clock } from '../transport/clocks.ts';
import { Behaviours, type BehaviourOptions } from './behaviours/behaviours.ts';
import { beginTelling, endTelling } from './behaviours/wave.ts';
import type { CallRequest, Channel, ChannelRequest, ChannelUpdate, PutRequest, Subscriber } from './channel.ts';
import { DecodedPut } from './decoded-put.ts';
import type { PostOf } from './post-of.ts';
import { nativePromise } from './promise-like.ts';
import { requireChoice, requireStructure, stamped, unset } from './standard-fields.ts';

/** The first value, the handlers and the behaviours of a `SharedPV`; without any it is a read-only value. */
export interface SharedPVOptions<
  T extends StructureType = StructureType,
  V = ValueOf<T>,
  P = PostOf<T>,
> extends BehaviourOptions {
  /** Fields of the first value, as for `post`; what is left out counts as never set. */
  readonly initial?: NoInfer<P>;
  /**
   * Takes a client's put, usually by posting it. What it throws or rejects with is the client's answer. Without it the
   * PV is read-only.
   */
  readonly onPut?: (put: PutRequest, pv: SharedPV<T, V, P>) => void | Promise<void>;
  /** Answers an RPC with a value and its type, or with nothing. Without it there is no RPC. */
  readonly onCall?: (call: CallRequest, pv: SharedPV<T, V, P>) => AnyValue | void | Promise<AnyValue | void>;
  /**
   * Answers PROCESS: reads the device, takes the next step of a simulation. What it throws or rejects with is the
   * client's answer. A PUT_GET calls it between the two, unless its client says `record[process=false]`.
   */
  readonly onProcess?: (request: ChannelRequest, pv: SharedPV<T, V, P>) => void | Promise<void>;
  /** Somebody watches: a good time to begin producing values. */
  readonly onFirstSubscriber?: (pv: SharedPV<T, V, P>) => void;
  /** Nobody watches any more. */
  readonly onLastUnsubscribe?: (pv: SharedPV<T, V, P>) => void;
  /**
   * Milliseconds that `onPut` and `onProcess` may take before the client is told that they did not finish; by default
   * the server's limit.
   */
  readonly putTimeoutMs?: number;
  /** The same of `onCall`. */
  readonly callTimeoutMs?: number;
  /** Where time stamps come from; the system's by default. */
  readonly clock?: Clock;
}

/**
 * A PV with its value in memory. It is read-only without `onPut`, takes no RPC without `onCall`, and behaves as its
 * options say. `V` and `P` are what values of `T` and patches of them are in TypeScript; there is no need to name them.
 */
export class SharedPV<T extends StructureType = StructureType, V = ValueOf<T>, P = PostOf<T>> implements Channel {
  readonly type: T;
  readonly putTimeoutMs: number | undefined;
  readonly callTimeoutMs: number | undefined;
  readonly process: ((request: ChannelRequest) => void | Promise<void>) | undefined;
  readonly #handlers: Handlers;
  readonly #behaviours: Behaviours | undefined;
  /** Made for the first, as the next: most PVs of a large server have no clients, and an empty set takes 150 bytes. */
  #subscribers: Set<Subscriber> | undefined;
  #closeListeners: Set<() => void> | undefined;
  #state: ChannelUpdate;
  #isClosed = false;

  /** @throws LocalProtocolError when `initial` or a behaviour does not fit the type */
  constructor(type: T, options: SharedPVOptions<T, V, P> = {}) {
    this.type = type;
    this.putTimeoutMs = options.putTimeoutMs;
    this.callTimeoutMs = options.callTimeoutMs;
    this.#handlers = handlersOf(options, this);
    const { onProcess } = options;
    this.process = onProcess && ((request) => onProcess(request, this));
    this.#behaviours = Behaviours.of(type, options, options.clock ?? systemClock);
    this.#state = unset(type);
    if (options.initial !== undefined) this.post(options.initial);
  }

  /** A PV that takes whatever clients put, with the time of the put unless the client sends one. */
  static mailbox<T extends StructureType>(type: T, options: Omit<SharedPVOptions<T>, 'onPut'> = {}): SharedPV<T> {
    const clock = options.clock ?? systemClock;
    return new SharedPV(type, {
      ...options,
      onPut: (put, pv) => pv.#take(stamped(type, pv.#completed(put, undefined), clock.wallTime())),
    });
  }

  get state(): ChannelUpdate {
    return this.#state;
  }

  /** The value as it is now, every field present; never changed in place. */
  get value(): V {
    // The one border: what is kept was made by the codec of T or went through it.
    return this.#state.value as V;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Whether there is an `onPut`: clients are told. */
  get isWritable(): boolean {
    return this.#handlers.put !== undefined;
  }

  /** Whether there is an `onCall`. */
  get isCallable(): boolean {
    return this.#handlers.call !== undefined;
  }

  get subscriberCount(): number {
    return this.#subscribers?.size ?? 0;
  }

  /**
   * Sets fields and tells all subscribers. A patch names the fields to set: `{ value: 3, alarm: { severity: 1 } }`;
   * an update carries a full value and says itself which fields of it count.
   * @throws LocalProtocolError when the patch does not fit the type, or after `close`; nothing is changed then
   */
  post(patch: P): void {
    this.postAtLeast(patch, undefined);
  }

  /** Posts with an alarm that the PV is to have unless it has a worse one. Needs a behaviour, whichever. */
  protected postAtLeast(patch: unknown, alarm: Alarm | undefined): void {
    this.#take(this.#completed(patch, alarm));
  }

  /** What `post` makes of a patch: with the alarm and the time stamp that it gets. Nothing is changed yet. */
  completed(patch: unknown): ChannelUpdate {
    return this.#completed(patch, undefined);
  }

  /**
   * Posts an update as it is, for one that was completed already: by this PV, or by the one that it is a copy of.
   * @throws LocalProtocolError after `close`
   */
  adopt(update: ChannelUpdate): void {
    const applied = this.#applied(update);
    this.#behaviours?.recall(applied);
    this.#take(applied);
  }

  #completed(patch: unknown, alarm: Alarm | undefined): ChannelUpdate {
    const applied = this.#applied(patch);
    return this.#behaviours?.complete(applied, this.#state, alarm) ?? applied;
  }

  /** Makes a completed update the state, and tells it. */
  #take(update: ChannelUpdate): void {
    if (this.#isClosed) throw new LocalProtocolError('post to a PV that is closed');
    const { changed } = this.#state;
    // After the first few posts nothing is new in it.
    const everSet = changed.includes(update.changed) ? changed : changed.clone().or(update.changed);
    this.#state = { changed: everSet, value: update.value };
    const told = this.#behaviours === undefined ? update : this.#behaviours.toTell(update);
    if (this.#subscribers === undefined || this.#subscribers.size === 0) return;
    beginTelling();
    try {
      for (const subscriber of this.#subscribers) {
        if (told === undefined) subscriber.settle?.(update);
        else subscriber.update(told);
      }
    } finally {
      endTelling();
    }
  }

  /** Ends all subscriptions that there are: what is queued is still sent, then the status. */
  finish(status: Status = OK): void {
    for (const subscriber of this.#subscribers ?? []) subscriber.finish(status);
    this.#leave([...(this.#subscribers ?? [])]);
  }

  /** Ends the PV: clients lose their channels. Idempotent. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const listeners = [...(this.#closeListeners ?? [])];
    this.#closeListeners = undefined;
    for (const closed of listeners) closed();
    this.#leave([...(this.#subscribers ?? [])]);
  }

  put(put: PutRequest): void | Promise<void> {
    if (this.#handlers.put === undefined) throw new PvaError('READ_ONLY', 'this PV is read-only');
    const { value } = this.#state;
    requireChoice(this.type, put, value);
    return this.#handlers.put(this.#behaviours?.admit(put, value) ?? put);
  }

  call(call: CallRequest): AnyValue | Promise<AnyValue> {
    if (this.#handlers.call === undefined) throw new PvaError('NO_RPC', 'this PV takes no RPC');
    const result = nativePromise(this.#handlers.call(call));
    return result instanceof Promise ? result.then((value) => value ?? null) : (result ?? null);
  }

  subscribe(subscriber: Subscriber): () => void {
    subscriber.update(this.#state);
    this.#subscribers ??= new Set();
    this.#subscribers.add(subscriber);
    if (this.#subscribers.size === 1) this.#welcomeFirst(subscriber);
    return () => this.#leave([subscriber]);
  }

  onClosed(closed: () => void): () => void {
    this.#closeListeners ??= new Set();
    this.#closeListeners.add(closed);
    return () => this.#closeListeners?.delete(closed);
  }

  /** The full value after a patch, and the leaves that it sets. */
  #applied(patch: unknown): ChannelUpdate {
    const before = this.#state.value;
    if (patch instanceof DecodedPut) {
      const merged = patch.over(before);
      if (merged !== undefined) return merged;
    }
    if (!isUpdate(patch)) {
      const { changed, value } = coercePartial(this.type, patch, before);
      return { changed, value: requireStructure(value) };
    }
    const changed = leafMask(this.type, patch.changed);
    return { changed, value: requireStructure(anyCodecOf(this.type).merge(before, patch.value, changed)) };
  }

  #welcomeFirst(subscriber: Subscriber): void {
    try {
      this.#handlers.firstSubscriber?.();
    } catch (thrown) {
      this.#subscribers?.delete(subscriber);
      throw thrown;
    }
  }

  #leave(subscribers: readonly Subscriber[]): void {
    if (this.#subscribers === undefined || this.#subscribers.size === 0) return;
    for (const subscriber of subscribers) this.#subscribers.delete(subscriber);
    if (this.#subscribers.size === 0) this.#handlers.lastUnsubscribe?.();
  }
}

/** The handlers with their PV filled in: without its type among them, a PV of a certain type can stand for any PV. */
interface Handlers {
  readonly put: ((put: PutRequest) => void | Promise<void>) | undefined;
  readonly call: ((call: CallRequest) => AnyValue | void | Promise<AnyValue | void>) | undefined;
  readonly firstSubscriber: (() => void) | undefined;
  readonly lastUnsubscribe: (() => void) | undefined;
}

function handlersOf<T extends StructureType, V, P>(options: SharedPVOptions<T, V, P>, pv: SharedPV<T, V, P>): Handlers {
  const { onPut, onCall, onFirstSubscriber, onLastUnsubscribe } = options;
  return {
    put: onPut && ((put) => onPut(put, pv)),
    call: onCall && ((call) => onCall(call, pv)),
    firstSubscriber: onFirstSubscriber && (() => onFirstSubscriber(pv)),
    lastUnsubscribe: onLastUnsubscribe && (() => onLastUnsubscribe(pv)),
  };
}

function isUpdate(patch: unknown): patch is ChannelUpdate {
  return (
    typeof patch === 'object' &&
    patch !== null &&
    'changed' in patch &&
    patch.changed instanceof BitSet &&
    'value' in patch
  );
}
