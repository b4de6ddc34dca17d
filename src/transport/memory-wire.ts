// What can happen to bytes on their way between two hosts in memory?
import type { Clock, TimerHandle } from './clocks.ts';
import { systemClock } from './clocks.ts';
import { SeededRandom } from './seeded-random.ts';

/** How a memory network treats what passes through it; the defaults lose and delay nothing. */
export interface MemoryNetworkOptions {
  /** Everything random follows from it; print it in the test's name. Default 1. */
  readonly seed?: number;
  /** Default: the system's. With a `ManualClock` nothing moves until time does. */
  readonly clock?: Clock;
  /** Least and greatest delay of each chunk, datagram and handshake; default none. */
  readonly delayMs?: readonly [least: number, greatest: number];
  /** Least and greatest size of the pieces that streams are cut into, however they were written. Default 1 to 65 536. */
  readonly chunkBytes?: readonly [least: number, greatest: number];
  /** Bytes of one direction of a stream that are under way or unread before `bufferedBytes` grows. Default 65 536. */
  readonly kernelBytes?: number;
  /** Bytes that one direction of a stream carries in a millisecond. Default: no limit. */
  readonly bytesPerMs?: number;
  /** Probability that a datagram is lost, for each receiving host. */
  readonly datagramLoss?: number;
  /** Probability that a datagram arrives twice. */
  readonly datagramDuplication?: number;
  /** Probability that a datagram is not kept in order, but takes a delay of its own. */
  readonly datagramReorder?: number;
}

/** Bytes that nobody may look at any more are overwritten with this: a view kept too long shows. */
const POISON = 0xdb;

/** Lets the receiver look at the bytes, and only as long as it may. */
export function showOnce(bytes: Uint8Array, show: (bytes: Uint8Array) => void): void {
  show(bytes);
  bytes.fill(POISON);
}

/** What all hosts of one memory network share: time, chance, and who is cut off from whom. */
export class Wire {
  readonly clock: Clock;
  readonly random: SeededRandom;
  readonly options: Required<MemoryNetworkOptions>;
  readonly #partitions = new Set<string>();
  readonly #held = new Set<() => void>();

  constructor(options: MemoryNetworkOptions) {
    this.options = {
      seed: 1,
      clock: systemClock,
      delayMs: [0, 0],
      chunkBytes: [1, 65_536],
      kernelBytes: 65_536,
      bytesPerMs: Infinity,
      datagramLoss: 0,
      datagramDuplication: 0,
      datagramReorder: 0,
      ...options,
    };
    this.clock = this.options.clock;
    this.random = new SeededRandom(this.options.seed);
  }

  randomDelayMs(): number {
    return this.random.between(...this.options.delayMs);
  }

  /** Without a delay it still is never now: a network does not call back from inside a call. */
  later(ms: number, act: () => void): TimerHandle {
    if (ms > 0) return this.clock.after(ms, act);
    let isCancelled = false;
    this.clock.soon(() => {
      if (!isCancelled) act();
    });
    return { cancel: () => void (isCancelled = true) };
  }

  isPartitioned(hostA: string, hostB: string): boolean {
    return this.#partitions.has(pairOf(hostA, hostB));
  }

  partition(hostA: string, hostB: string): void {
    this.#partitions.add(pairOf(hostA, hostB));
  }

  heal(hostA: string, hostB: string): void {
    this.#partitions.delete(pairOf(hostA, hostB));
    const held = [...this.#held];
    this.#held.clear();
    for (const retry of held) retry();
  }

  /** Calls `retry` after the next `heal`. */
  hold(retry: () => void): void {
    this.#held.add(retry);
  }
}

/** Carries items from one host to another, each after a random delay, in order; partitions hold them up. */
export class DelayLine<T> {
  readonly #wire: Wire;
  readonly #from: string;
  readonly #to: string;
  readonly #deliver: (items: readonly T[]) => void;
  readonly #queue: { readonly item: T; readonly at: number }[] = [];
  #lastAt = 0;
  #timer: TimerHandle | undefined;

  constructor(wire: Wire, from: string, to: string, deliver: (items: readonly T[]) => void) {
    this.#wire = wire;
    this.#from = from;
    this.#to = to;
    this.#deliver = deliver;
  }

  push(item: T, bytes = 0): void {
    const arrival = this.#wire.clock.now() + this.#wire.randomDelayMs();
    this.#lastAt = Math.max(this.#lastAt, arrival) + bytes / this.#wire.options.bytesPerMs;
    this.#queue.push({ item, at: this.#lastAt });
    this.#wait();
  }

  /** What is under way is lost. */
  clear(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#queue.length = 0;
  }

  readonly #wait = (): void => {
    const [first] = this.#queue;
    if (first === undefined || this.#timer !== undefined) return;
    this.#timer = this.#wire.later(first.at - this.#wire.clock.now(), () => this.#arrive());
  };

  #arrive(): void {
    this.#timer = undefined;
    if (this.#wire.isPartitioned(this.#from, this.#to)) return this.#wire.hold(this.#wait);
    const now = this.#wire.clock.now();
    // The first is due, even if a real timer came a little early.
    const laterIndex = this.#queue.findIndex(({ at }, index) => index > 0 && at > now);
    const due = this.#queue.splice(0, laterIndex === -1 ? this.#queue.length : laterIndex);
    this.#wait();
    this.#deliver(due.map(({ item }) => item));
  }
}

function pairOf(hostA: string, hostB: string): string {
  return hostA < hostB ? `${hostA} ${hostB}` : `${hostB} ${hostA}`;
}
