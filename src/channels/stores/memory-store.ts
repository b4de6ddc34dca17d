// What is the simplest store? Tables in the memory of this process: the reference for all others, and what tests use.

import type { ChannelUpdate } from '../channel.ts';
import { define, destroy, write, type Effect } from './channel-operations.ts';
import type {
  ChannelStore,
  DefineOptions,
  StoredChannel,
  StoredDefinition,
  StoreHealth,
  StoreWatcher,
  StoreWriteOptions,
} from './channel-store.ts';
import { storeClosed } from './store-error.ts';
import { Watchers } from './watchers.ts';

/** What several memory stores share, as several servers share a database. */
export class MemoryEngine {
  readonly channels = new Map<string, StoredChannel>();
  readonly stores = new Set<(event: (watcher: StoreWatcher) => void) => void>();
}

/** A store in memory: gone with the process, or with the last store of its engine. */
export class MemoryStore implements ChannelStore {
  readonly kind = 'memory';
  readonly location = 'memory:';
  readonly #engine: MemoryEngine;
  readonly #watchers = new Watchers();
  readonly #tell = (event: (watcher: StoreWatcher) => void): void => this.#watchers.tell(event);
  #isClosed = false;
  #revision = 0;

  constructor(engine: MemoryEngine = new MemoryEngine()) {
    this.#engine = engine;
    engine.stores.add(this.#tell);
    this.watch({ defined() {}, destroyed() {}, health() {}, changed: () => void this.#revision++ });
  }

  get health(): StoreHealth {
    return {
      isConnected: !this.#isClosed,
      latencyMs: 0,
      queuedCount: 0,
      revision: this.#revision,
      lagMs: 0,
      reason: this.#isClosed ? storeClosed().message : undefined,
    };
  }

  async define(definition: StoredDefinition, initial?: ChannelUpdate, options?: DefineOptions) {
    return this.#take(() => define(this.#engine.channels, definition, initial, options));
  }

  async destroy(name: string): Promise<boolean> {
    return this.#take(() => destroy(this.#engine.channels, name));
  }

  async read(name: string): Promise<StoredChannel | undefined> {
    if (this.#isClosed) throw storeClosed();
    return this.#engine.channels.get(name);
  }

  async *scan(): AsyncIterable<StoredChannel> {
    if (this.#isClosed) throw storeClosed();
    // As it is now: whoever scans may define and destroy meanwhile.
    const channels = [...this.#engine.channels.values()];
    yield* channels;
  }

  async write(name: string, change: ChannelUpdate, { signal, definition }: StoreWriteOptions = {}): Promise<number> {
    signal?.throwIfAborted();
    return this.#take(() => write(this.#engine.channels, name, change, definition));
  }

  watch(watcher: StoreWatcher): () => void {
    return this.#watchers.add(watcher);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#engine.stores.delete(this.#tell);
    this.#watchers.health(this.health);
  }

  #take<R>(act: () => Effect<R>): R {
    if (this.#isClosed) throw storeClosed();
    const { result, tell } = act();
    for (const store of this.#engine.stores) store(tell);
    return result;
  }
}
