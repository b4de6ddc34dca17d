// How does a worker serve a channel of its server? It keeps a copy of the state, answers reads and subscriptions from it,
// and has the server carry out everything else.

import type {
  CallRequest,
  Channel,
  ChannelRequest,
  ChannelUpdate,
  PutRequest,
  Subscriber,
} from '../../channels/channel.ts';
import type { BitSet } from '../../protocol/bit-set.ts';
import { encodeAny, encodeUpdate } from '../../protocol/messages/data.ts';
import type { Status } from '../../protocol/status.ts';
import type { StructureType } from '../../protocol/types/type-desc.ts';
import type { AnyValue } from '../../protocol/types/value-of.ts';
import { encodeType } from '../../protocol/types/wire.ts';
import type { AskedRequests } from './asked.ts';
import { TO_SERVER } from './messages.ts';

export interface ReplicaFacts {
  readonly id: number;
  readonly type: StructureType;
  readonly isWritable: boolean;
  readonly isCallable: boolean;
  readonly hasProcess: boolean;
  readonly putTimeoutMs: number | undefined;
  readonly callTimeoutMs: number | undefined;
}

export class Replica implements Channel {
  readonly id: number;
  readonly type: StructureType;
  readonly isWritable: boolean;
  readonly isCallable: boolean;
  readonly putTimeoutMs: number | undefined;
  readonly callTimeoutMs: number | undefined;
  readonly process: ((request: ChannelRequest) => Promise<void>) | undefined;
  /** How often it was opened. */
  grantCount = 0;
  /** Looks in a row at which nobody had it open. */
  idleCount = 0;
  readonly #asked: AskedRequests;
  readonly #subscribers = new Set<Subscriber>();
  readonly #closeListeners = new Set<() => void>();
  #state: ChannelUpdate;
  #isClosed = false;

  constructor(facts: ReplicaFacts, state: ChannelUpdate, asked: AskedRequests) {
    this.id = facts.id;
    this.type = facts.type;
    this.isWritable = facts.isWritable;
    this.isCallable = facts.isCallable;
    this.putTimeoutMs = facts.putTimeoutMs;
    this.callTimeoutMs = facts.callTimeoutMs;
    if (facts.hasProcess) this.process = (request) => this.#process(request);
    this.#asked = asked;
    this.#state = state;
  }

  get state(): ChannelUpdate {
    return this.#state;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Whether no link has it open: each waits for its end. */
  get isIdle(): boolean {
    return this.#closeListeners.size === 0;
  }

  async put(request: PutRequest): Promise<void> {
    const { changed, value } = request;
    await this.#asked.ask(TO_SERVER.put, this.id, request, (writer) =>
      encodeUpdate(writer, { type: this.type, changed, value }, encodeType),
    );
  }

  call(request: CallRequest): Promise<AnyValue> {
    return this.#asked.ask(TO_SERVER.call, this.id, request, (writer) =>
      encodeAny(writer, request.argument, encodeType),
    );
  }

  subscribe(subscriber: Subscriber): () => void {
    subscriber.update(this.#state);
    this.#subscribers.add(subscriber);
    return () => this.#subscribers.delete(subscriber);
  }

  onClosed(closed: () => void): () => void {
    this.#closeListeners.add(closed);
    return () => this.#closeListeners.delete(closed);
  }

  /** The server has another state; subscribers are told unless the server told none. */
  follow(update: ChannelUpdate, overrun: BitSet | undefined, isTold: boolean): void {
    this.#state = { changed: this.#state.changed.clone().or(update.changed), value: update.value };
    for (const subscriber of this.#subscribers) {
      if (isTold) subscriber.update(update, overrun);
      else subscriber.settle?.(update);
    }
  }

  /** The server has ended the subscriptions that there are. */
  finish(status: Status): void {
    const finished = [...this.#subscribers];
    this.#subscribers.clear();
    for (const subscriber of finished) subscriber.finish(status);
  }

  close(): void {
    this.#isClosed = true;
    const listeners = [...this.#closeListeners];
    this.#closeListeners.clear();
    this.#subscribers.clear();
    for (const closed of listeners) closed();
  }

  async #process(request: ChannelRequest): Promise<void> {
    await this.#asked.ask(TO_SERVER.process, this.id, request, () => undefined);
  }
}
