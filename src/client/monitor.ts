// How does a program watch a PV? An async iterable that goes on across lost connections, until either side ends it.
//
//   for await (const { value } of context.monitor('x')) { ... }       `break` ends the server's side, too

import {
  ClientMonitorQueue,
  type MonitorCounters,
  type QueuedUpdate,
} from '../protocol/machines/client-monitor-queue.ts';
import type { PvRequest } from '../protocol/pv-request.ts';
import type { StructureType } from '../protocol/types/type-desc.ts';
import type { ValueOf } from '../protocol/types/value-of.ts';
import type { ActiveChannel } from './active-channel.ts';
import type { Call, GiveUp } from './call.ts';
import type { Channel } from './channel.ts';
import { requireExpected } from './expected-type.ts';
import { ReaderQueue } from './reader-queue.ts';
import { Subscription } from './operations/monitor.ts';
import type { ChannelOptions } from './options.ts';

/** What can be said to a monitor. */
export interface MonitorOptions<T extends StructureType = StructureType> extends ChannelOptions {
  /** The type that is expected: it types the updates, and a channel of another type is an error. */
  readonly type?: T | undefined;
  /** Also give `connected` and `disconnected`. */
  readonly events?: boolean | undefined;
  /** Updates that wait, on the server and here, before they are squashed; as `record[queueSize=N]`. Default 4. */
  readonly queueSize?: number | undefined;
  /** Let the server send no more than what is read here; as `record[pipeline=true]`. */
  readonly pipeline?: boolean | undefined;
  /**
   * With `pipeline`: updates read until the server is told, as a number or a part of the queue such as '50%'; as
   * `record[ackAny=N]`. Default: half the queue.
   */
  readonly ackAny?: number | string | undefined;
  /** Milliseconds until there has to be a first update; default: no limit. */
  readonly timeoutMs?: number | undefined;
}

/** A change of the PV. */
export interface MonitorUpdate<T extends StructureType = StructureType> extends Omit<QueuedUpdate, 'value'> {
  readonly pvName: string;
  /** The full value after the change. */
  readonly value: ValueOf<T>;
}

/** The server accepted the subscription: at the beginning, and again after each loss. */
export interface MonitorConnected {
  readonly kind: 'connected';
  readonly pvName: string;
  readonly server: string;
  readonly type: StructureType;
}

/** No updates come until it is connected again. */
export interface MonitorDisconnected {
  readonly kind: 'disconnected';
  readonly pvName: string;
  readonly server: string;
  readonly reason: string;
}

/** What a monitor with `events` gives; `kind` tells them apart. */
export type MonitorEvent<T extends StructureType = StructureType> =
  | MonitorUpdate<T>
  | MonitorConnected
  | MonitorDisconnected;

/** What a monitor is made of; a context gives it. */
export interface MonitorPlan {
  readonly call: Call;
  readonly pvRequest: PvRequest;
  readonly queueSize: number;
  /** Read updates after which the server is told; undefined without a pipeline. */
  readonly acknowledgeAt: number | undefined;
  readonly expected: StructureType | undefined;
  readonly withEvents: boolean;
  /** Takes back the deadline, once something has come. */
  readonly unlimit: GiveUp;
  /** The channel in use, to be released by the monitor. */
  openChannel(): Promise<Channel>;
  /** The monitor has ended. */
  ended(): void;
}

/** What waits in the queue beside updates. */
type Lifecycle = MonitorConnected | MonitorDisconnected;

/** Ended by `break`, `return`, `close`, its signal, its context, or the server. */
export class Monitor<E = MonitorUpdate> implements AsyncIterableIterator<E, undefined> {
  readonly pvName: string;
  readonly #plan: MonitorPlan;
  readonly #queue: ClientMonitorQueue<Lifecycle>;
  readonly #readers: ReaderQueue<E>;
  #subscription: Subscription | undefined;
  #isPaused = false;

  constructor(plan: MonitorPlan) {
    this.pvName = plan.call.subject;
    this.#plan = plan;
    const { queueSize, acknowledgeAt } = plan;
    const queue = new ClientMonitorQueue<Lifecycle>(
      acknowledgeAt === undefined ? { queueSize } : { queueSize, acknowledgeAt },
    );
    this.#queue = queue;
    this.#readers = new ReaderQueue<E>({
      // The border: without events none are put into the queue, and the type is checked when the subscription begins.
      shift: () => this.#shift() as E | undefined,
      get length() {
        return queue.length;
      },
    });
    this.#run().catch((error: unknown) => this.#fail(error));
  }

  /** What came, what was squashed, what waits. */
  get counters(): MonitorCounters {
    return this.#queue.counters;
  }

  /** The next update or event; `done` when the monitor has ended. Rejects with what ended it, once. */
  next(): Promise<IteratorResult<E, undefined>> {
    return this.#readers.next();
  }

  /** Ends the monitor; what waits is thrown away. */
  async return(): Promise<IteratorResult<E, undefined>> {
    this.#close();
    return { done: true, value: undefined };
  }

  /** As `return`. Idempotent. */
  async close(): Promise<void> {
    this.#close();
  }

  /** Asks the server to send no updates for now. */
  pause(): void {
    this.#isPaused = true;
    this.#subscription?.stop();
  }

  resume(): void {
    this.#isPaused = false;
    this.#subscription?.start();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  // -------------------------------------------------------------------------------------------------------------

  /** Subscribes on the channel, and again whenever it was lost. */
  async #run(): Promise<void> {
    const { call } = this.#plan;
    let channel: Channel | undefined;
    try {
      channel = await this.#plan.openChannel();
      let isOver = false;
      while (!isOver) {
        const active = await channel.whenActive(call);
        // Lost again between the news of it and this turn.
        if (active.isAlive) isOver = await this.#subscribe(active);
      }
      this.#end();
    } finally {
      channel?.release();
    }
  }

  /** Resolves when the subscription is over: true for good, false when another is to be tried. */
  #subscribe(active: ActiveChannel): Promise<boolean> {
    const { call, pvRequest, acknowledgeAt, expected } = this.#plan;
    const { pvName, server } = active;
    const isPipelined = acknowledgeAt !== undefined;
    let isConnected = false;
    call.waitingFor = () => `found at ${server}, no reply to MONITOR INIT`;
    return call.wait((resolve, reject) => {
      const subscription = new Subscription(
        active,
        { pvRequest, isPipelined, queue: this.#queue },
        {
          begun: (type) => {
            try {
              requireExpected(pvName, type, expected);
            } catch (error) {
              subscription.end();
              reject(error);
              return false;
            }
            call.waitingFor = () => `subscribed at ${server}, no update came`;
            isConnected = true;
            call.mostBefore = undefined;
            this.#event({ kind: 'connected', pvName, server, type });
            return !this.#isPaused;
          },
          arrived: () => {
            this.#plan.unlimit();
            this.#readers.serve();
          },
          finished: (error) => (error === undefined ? resolve(true) : reject(error)),
          refused: (error) => (active.link.kept.makeRoom(call) ? resolve(false) : reject(error)),
          lost: (reason) => {
            if (isConnected) this.#event({ kind: 'disconnected', pvName, server, reason: reason.message });
            resolve(false);
          },
        },
      );
      this.#subscription = subscription;
      return () => subscription.end();
    });
  }

  #event(event: Lifecycle): void {
    if (!this.#plan.withEvents) return;
    this.#queue.pushEvent(event);
    this.#readers.serve();
  }

  #shift(): MonitorEvent | undefined {
    const entry = this.#queue.shift();
    if (entry === undefined) return undefined;
    const count = this.#queue.takeAcknowledgement();
    if (count > 0) this.#subscription?.acknowledge(count);
    return entry.kind === 'update' ? { pvName: this.pvName, ...entry } : entry;
  }

  #close(): void {
    // Ends what waits in #run, and with it the server's side.
    this.#plan.call.fail(undefined);
    this.#queue.clear();
    this.#end();
  }

  /** What the server ends comes behind what it sent before; whoever gives up wants nothing more. */
  #fail(error: unknown): void {
    if (this.#plan.call.isEnded) this.#queue.clear();
    this.#end(error);
  }

  #end(error?: unknown): void {
    if (this.#readers.isEnded) return;
    this.#plan.ended();
    this.#readers.end(error);
  }
}
