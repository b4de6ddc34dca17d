// How do servers share their channels? Through Redis or Dragonfly: each keeps a copy of what is there, writes through
// scripts, and hears what the others write. docs/redis.md tells it at length.

import { randomBytes, randomUUID } from 'node:crypto';
import { reasonOf } from '../../../protocol/errors.ts';
import { systemClock, type Clock } from '../../../transport/clocks.ts';
import type { ChannelUpdate } from '../../channel.ts';
import type {
  ChannelStore,
  DefineOptions,
  ScanOptions,
  StoreChange,
  StoredChannel,
  StoredDefinition,
  StoreHealth,
  StoreWatcher,
  StoreWriteOptions,
} from '../channel-store.ts';
import { requireDefinition } from '../channel-operations.ts';
import { definitionConflict } from '../definition-difference.ts';
import { noSuchChannel, StoreError, storeClosed } from '../store-error.ts';
import type { StoreNodes } from '../store-nodes.ts';
import { decodeDefinition, isSameDefinition } from '../stored-definition.ts';
import { Watchers } from '../watchers.ts';
import { hashedDefinition, leafFields, wrongChannel } from './channel-hash.ts';
import { NodeRegistry } from './node-registry.ts';
import { RedisClient, type RedisArgument } from './redis-client.ts';
import { RedisClock } from './redis-clock.ts';
import { away, errorOf, isRefusal } from './redis-errors.ts';
import { RedisKeys } from './redis-keys.ts';
import { partsIn, textIn } from './redis-reply.ts';
import { locationOf, parseRedisUrl, type RedisUrl } from './redis-url.ts';
import { Replicas, channelOf } from './replicas.ts';
import { Resync } from './resync.ts';
import { defineScript, replaceScript } from './scripts/define.ts';
import { destroyScript } from './scripts/destroy.ts';
import type { RedisScript } from './scripts/redis-script.ts';
import { WriteQueue } from './write-queue.ts';

export interface RedisStoreOptions {
  readonly clock?: Clock;
  /** The identity of this server among those that share the store; a new UUID unless it is given. */
  readonly nodeId?: string;
  /** Told of what an operator should know: a store that has lost its data, a channel that cannot be read. */
  readonly onWarning?: (text: string) => void;
}

const CONNECT_MS = 5_000;
/** Definitions that change faster than they can be replaced. */
const MAX_ATTEMPTS = 10;

/**
 * Connects to the Redis or Dragonfly of a `redis:` URL (redis-url.ts tells its forms).
 * @throws LocalProtocolError for a URL that is none; rejects with a StoreError, STORE_AWAY when there is nobody
 */
export async function openRedisStore(url: string, options: RedisStoreOptions = {}): Promise<ChannelStore> {
  const store = new RedisStore(parseRedisUrl(url), options);
  try {
    await store.open();
    return store;
  } catch (thrown) {
    await store.close();
    throw thrown;
  }
}

class RedisStore implements ChannelStore {
  readonly kind = 'redis';
  readonly location: string;
  readonly #clock: Clock;
  readonly #warn: (text: string) => void;
  readonly #keys: RedisKeys;
  readonly #client: RedisClient;
  readonly #redisClock: RedisClock;
  readonly #watchers = new Watchers();
  readonly #replicas: Replicas;
  readonly #writes: WriteQueue;
  readonly #resync: Resync;
  readonly #nodes: NodeRegistry;
  /** Begins the id of every act of this object. */
  readonly #writer = randomBytes(9).toString('base64url');
  readonly #opening = new Opening();
  #isOpen = false;
  #isClosed = false;
  /** Whether it is connected, and to a store that is ours. */
  #isReady = false;
  #acts = 0;
  #latencyMs = 0;
  #revision = 0;
  #lagMs = 0;

  constructor(url: RedisUrl, { clock = systemClock, nodeId = randomUUID(), onWarning = () => {} }: RedisStoreOptions) {
    // What is given up because this store is closed is no news.
    this.#warn = (text) => {
      if (!this.#isClosed) onWarning(text);
    };
    this.location = locationOf(url);
    this.#clock = clock;
    this.#keys = new RedisKeys(url.prefix);
    this.#redisClock = new RedisClock(clock);
    this.#client = new RedisClient(
      url,
      this.#keys.changes,
      {
        up: () => this.#up(),
        down: (reason) => this.#down(reason),
        // Before, nothing is known that could change; without both connections all is read again once they are there.
        message: (bytes) => {
          if (this.#isOpen && this.#client.isUp) this.#replicas.receive(bytes);
        },
      },
      clock,
    );
    const parts = { client: this.#client, keys: this.#keys, clock, redisClock: this.#redisClock };
    this.#replicas = new Replicas({
      ...parts,
      watchers: this.#watchers,
      ownChange: (act) => this.#writes.changeOf(act),
      told: (change, timeMs) => this.#told(change, timeMs),
      caughtUp: (name, revision) => this.#writes.told(name, revision),
      checkStore: () =>
        this.#checkStore().catch(async (thrown: unknown) => {
          throw await errorOf(thrown, this.#client, this.#keys.store);
        }),
      warn: this.#warn,
    });
    this.#writes = new WriteQueue({
      ...parts,
      replicas: this.#replicas,
      writer: this.#writer,
      warn: this.#warn,
      askTime: () => this.#nodes.beat(),
      answered: (latencyMs) => (this.#latencyMs = latencyMs),
    });
    this.#nodes = new NodeRegistry({
      ...parts,
      own: nodeId,
      moved: () => this.#refused(),
      alsoAsk: () => this.#checkStore(),
    });
    this.#resync = new Resync({
      ...parts,
      replicas: this.#replicas,
      newAct: (kind) => this.#act(kind),
      warn: this.#warn,
    });
  }

  get nodes(): StoreNodes {
    return this.#nodes;
  }

  get health(): StoreHealth {
    const isUp = this.#isReady && !this.#isClosed && this.#client.isUp;
    const { refusal } = this.#nodes;
    const isConnected = isUp && refusal === undefined;
    return {
      isConnected,
      latencyMs: this.#latencyMs,
      queuedCount: this.#writes.length,
      revision: this.#revision,
      lagMs: this.#lagMs,
      reason: isUp ? refusal : this.#isClosed ? storeClosed().message : this.#client.reason,
    };
  }

  /** Rejects with STORE_AWAY if the first attempt to connect comes to nothing. */
  async open(): Promise<void> {
    const timer = this.#clock.after(CONNECT_MS, () => this.#opening.down(this.#client.reason));
    try {
      await this.#opening.done;
      await this.#resync.begin();
      await this.#nodes.beat();
      this.#isOpen = true;
      this.#isReady = true;
    } catch (thrown) {
      throw await errorOf(thrown, this.#client, this.#keys.nodes);
    } finally {
      timer.cancel();
    }
  }

  async define(definition: StoredDefinition, initial?: ChannelUpdate, options: DefineOptions = {}) {
    const { name, type } = definition;
    const { text, digest } = hashedDefinition(definition);
    const leaves = initial === undefined ? [] : leafFields(type, initial);
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const act = this.#act('define');
      const reply = await this.#run(defineScript, name, [text, digest, act, this.#keys.changes, ...leaves]);
      const [said = '', storedText = ''] = partsIn(reply).map(textIn);
      if (said === 'foreign')
        throw wrongChannel(name, `the key '${this.#keys.channel(name)}' is a hash that is not ours`);
      if (said === 'created') {
        await this.#replicas.read(name, true);
        return 'created';
      }
      const stored = decodeDefinition(name, storedText);
      if (isSameDefinition(stored, definition)) return 'same';
      if (options.replace !== true) throw definitionConflict(stored, definition);
      const isKept = stored.type === type;
      const replacing = [text, digest, this.#act('define'), this.#keys.changes, hashedDefinition(stored).digest];
      const state = isKept ? ['keep'] : ['reset', ...leaves];
      const [done] = partsIn(await this.#run(replaceScript, name, [...replacing, ...state])).map(textIn);
      if (done !== 'replaced') continue;
      await this.#replicas.read(name, true);
      return 'replaced';
    }
    throw new StoreError('DEFINITION_CONFLICT', `channel '${name}' is defined anew again and again by somebody else`);
  }

  async destroy(name: string): Promise<boolean> {
    const done = await this.#run(destroyScript, name, [this.#act('destroy'), this.#keys.changes]);
    if (this.#replicas.get(name) !== undefined) await this.#replicas.read(name);
    return done === 1;
  }

  async read(name: string): Promise<StoredChannel | undefined> {
    this.#requireOpen();
    const found = await this.#replicas.read(name);
    return found && channelOf(found);
  }

  async *scan({ onFault = throwFault }: ScanOptions = {}): AsyncIterable<StoredChannel> {
    this.#requireOpen();
    const pages = this.#readPages(onFault);
    // One page ahead: Redis and this process work at the same time.
    let next = pages.next();
    for (;;) {
      const page = await next;
      if (page.done === true) return;
      next = pages.next();
      next.catch(nobody);
      for (const name of page.value) {
        // As it is by now: its watcher may have been told of changes meanwhile.
        const channel = this.#replicas.get(name);
        if (channel !== undefined) yield channelOf(channel);
      }
    }
  }

  async *#readPages(onFault: (name: string, fault: StoreError) => void): AsyncGenerator<readonly string[], void, void> {
    const seen = new Set<string>();
    for await (const names of this.#resync.names()) {
      const fresh = names.filter((name) => !seen.has(name));
      for (const name of fresh) seen.add(name);
      for (const [name, fault] of await this.#replicas.readAll(fresh)) onFault(name, fault);
      this.#replicas.scanned(fresh);
      yield fresh;
    }
  }

  async write(name: string, change: ChannelUpdate, { signal, definition }: StoreWriteOptions = {}): Promise<number> {
    signal?.throwIfAborted();
    this.#requireOpen();
    const channel = this.#replicas.get(name) ?? (await this.#replicas.read(name));
    if (channel === undefined) throw noSuchChannel(name);
    // That Redis has this definition still, the script sees to.
    requireDefinition(channel.definition, definition);
    signal?.throwIfAborted();
    return this.#writes.send(channel, change, signal);
  }

  watch(watcher: StoreWatcher): () => void {
    return this.#watchers.add(watcher);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    // Others hear at once that this server has gone, if there is somebody to tell.
    if (this.#client.isUp) await this.#nodes.leave().catch(() => {});
    this.#isClosed = true;
    this.#nodes.close();
    this.#writes.close();
    this.#client.close();
    this.#watchers.health(this.health);
  }

  async #run(script: RedisScript, name: string, args: readonly RedisArgument[]): Promise<unknown> {
    this.#requireOpen();
    const key = this.#keys.channel(name);
    try {
      return await this.#client.run(script, key, args);
    } catch (thrown) {
      if (isRefusal(thrown)) throw await errorOf(thrown, this.#client, key);
      const why = `whether '${name}' was changed is not known: ${reasonOf(thrown)}`;
      throw new StoreError('STORE_UNCERTAIN', why, { cause: thrown });
    }
  }

  #requireOpen(): void {
    if (this.#isClosed) throw storeClosed();
    if (!this.#client.isUp || !this.#isReady) throw away(this.#client.reason);
  }

  #act(kind: 'define' | 'destroy' | 'restore'): string {
    return `${kind}:${this.#writer}:${++this.#acts}`;
  }

  #told({ name, revision }: StoreChange, timeMs: number | undefined): void {
    this.#revision++;
    if (timeMs !== undefined) this.#lagMs = Math.max(0, this.#redisClock.now() - timeMs);
    this.#writes.told(name, revision);
  }

  #up(): void {
    this.#opening.up();
    if (!this.#isOpen) return;
    const isOurs = (): void => {
      this.#isReady = true;
      this.#writes.sweep();
      this.#watchers.health(this.health);
    };
    this.#resync.again(isOurs).catch((thrown: unknown) => this.#warn(reasonOf(thrown)));
  }

  /** A store that has lost its data on connections that go on is as one that comes back without it. */
  async #checkStore(): Promise<void> {
    if (!this.#isReady || (await this.#resync.isSame())) return;
    if (this.#isReady) this.#client.reconnect('it has lost its data');
  }

  /** Redis has begun or ended to refuse what it is told. */
  #refused(): void {
    if (this.#isReady) this.#watchers.health(this.health);
  }

  #down(reason: string): void {
    this.#opening.down(reason);
    if (!this.#isOpen) return;
    this.#replicas.doubtAll();
    if (!this.#isReady) return;
    this.#isReady = false;
    this.#watchers.health(this.health);
  }
}

const nobody = (): void => {};

function throwFault(_name: string, fault: StoreError): never {
  throw fault;
}

/** The first connection, or the first failure to get one, whichever comes first. */
class Opening {
  up = nobody;
  down: (reason: string) => void = nobody;
  readonly done = new Promise<void>((resolve, reject) => {
    this.up = resolve;
    this.down = (reason) => reject(away(reason));
  });

  constructor() {
    // Whoever opens hears of it; nobody else needs to.
    this.done.catch(nobody);
  }
}
