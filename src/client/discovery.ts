// Which servers are in reach? An async iterable of those that answer a ping or send beacons.

import { CLIENT_LIMITS } from '../protocol/limits.ts';
import type { Call } from './call.ts';

import { ReaderQueue } from './reader-queue.ts';
import type { Search } from './search.ts';
import type { ServerEvent, ServerWatch } from './server-watch.ts';
import type { Clock, TimerHandle } from '../transport/clocks.ts';

/** A server that came or went. */
export interface DiscoveredServer {
  readonly kind: 'online' | 'offline';
  /** 24 hexadecimal digits, new at each start of the server. */
  readonly guid: string;
  /** `host:port` to connect to. */
  readonly server: string;
  readonly protocol: string;
  /** Version of the protocol that the server speaks. */
  readonly version: number;
  /** `host:port` that the answer or beacon came from. */
  readonly via: string;
}

/** Datagrams get lost: the ping is repeated. */
const PING_AT_MS = [0, 250, 1_000, 3_000];

export interface DiscoveryPlan {
  readonly call: Call;
  readonly clock: Clock;
  readonly search: Search;
  readonly watch: ServerWatch;
  /** Stop after so long; Infinity for never. */
  readonly durationMs: number;
  ended(): void;
}

/**
 * The servers that come and go, as an async iterable of `Context.discover()`. Ended by `break`, `close`, its signal,
 * its time or its context.
 */
export class Discovery implements AsyncIterableIterator<DiscoveredServer, undefined> {
  readonly #plan: DiscoveryPlan;
  readonly #waiting: DiscoveredServer[] = [];
  readonly #timers: TimerHandle[] = [];
  readonly #readers = new ReaderQueue<DiscoveredServer>(this.#waiting);
  readonly #unwatch: () => void;

  constructor(plan: DiscoveryPlan) {
    this.#plan = plan;
    this.#unwatch = plan.watch.watch((event) => this.#take(event));
    for (const server of plan.watch.servers()) this.#take({ kind: 'online', server });
    for (const ms of PING_AT_MS) this.#at(ms, () => this.#ping());
    if (plan.durationMs !== Number.POSITIVE_INFINITY) this.#at(plan.durationMs, () => this.#end());
    plan.watch.open().catch((error: unknown) => this.#end(error));
    // Rejects when the signal aborts or the context closes.
    plan.call.wait<never>(() => () => {}).catch((error: unknown) => this.#fail(error));
  }

  next(): Promise<IteratorResult<DiscoveredServer, undefined>> {
    return this.#readers.next();
  }

  async return(): Promise<IteratorResult<DiscoveredServer, undefined>> {
    this.#waiting.length = 0;
    this.#end();
    return { done: true, value: undefined };
  }

  /** Idempotent. */
  async close(): Promise<void> {
    await this.return();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #take({ kind, server }: ServerEvent): void {
    this.#waiting.push({ kind, ...server });
    if (this.#waiting.length > CLIENT_LIMITS.maxWaitingDiscoveries) this.#waiting.shift();
    this.#readers.serve();
  }

  #at(ms: number, act: () => void): void {
    this.#timers.push(this.#plan.clock.after(ms, act));
  }

  #ping(): void {
    this.#plan.search.ping().catch((error: unknown) => this.#end(error));
  }

  #fail(error: unknown): void {
    this.#waiting.length = 0;
    this.#end(error);
  }

  #end(error?: unknown): void {
    if (this.#readers.isEnded) return;
    this.#unwatch();
    for (const timer of this.#timers) timer.cancel();
    this.#plan.ended();
    this.#readers.end(error);
  }
}
