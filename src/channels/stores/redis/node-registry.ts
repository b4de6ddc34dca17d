// Which servers share this Redis, and does it still answer? One script a second says that we are alive, hears of the
// others, and reads the clock of Redis.

import { randomUUID } from 'node:crypto';
import { reasonOf } from '../../../protocol/errors.ts';
import { STORE_LIMITS } from '../../../protocol/limits.ts';
import type { Clock, TimerHandle } from '../../../transport/clocks.ts';
import type { NodeDescription, StoreNode, StoreNodes } from '../store-nodes.ts';
import type { RedisClient } from './redis-client.ts';
import type { RedisClock } from './redis-clock.ts';
import { isRefusal } from './redis-errors.ts';
import type { RedisKeys } from './redis-keys.ts';
import { countIn, partsIn, textIn } from './redis-reply.ts';
import { beatScript } from './scripts/beat.ts';

const BEAT_MS = 1_000;
/** A server that was silent for so long counts as gone. */
const SILENCE_MS = 3_000;
const LATEST_TIME_MS = 8.64e15;
const MOST = 2 ** 31 - 1;

export interface NodeRegistryOptions {
  readonly own: string;
  readonly client: RedisClient;
  readonly keys: RedisKeys;
  readonly clock: Clock;
  readonly redisClock: RedisClock;
  /** Called when `refusal` has changed. */
  readonly moved?: () => void;
  /** Asks Redis what else is to be asked once a second. */
  readonly alsoAsk?: () => Promise<void>;
}

export class NodeRegistry implements StoreNodes {
  readonly #options: NodeRegistryOptions;
  readonly #sinceMs: number;
  readonly #listeners = new Set<(alive: readonly StoreNode[]) => void>();
  readonly #beating: TimerHandle;
  #describe: (() => NodeDescription) | undefined;
  #alive: readonly StoreNode[] = [];
  #isAsking = false;
  #refusal: string | undefined;
  #own: string;

  constructor(options: NodeRegistryOptions) {
    this.#own = options.own;
    this.#options = options;
    this.#sinceMs = Math.round(options.clock.wallTime());
    this.#beating = options.clock.every(BEAT_MS, () => void this.#check());
  }

  get own(): string {
    return this.#own;
  }

  get alive(): readonly StoreNode[] {
    return this.#alive;
  }

  /** Why Redis, which answers, would not have the last beat: it will have no write either. Undefined when it took it. */
  get refusal(): string | undefined {
    return this.#refusal;
  }

  async join(describe: () => NodeDescription): Promise<void> {
    try {
      await this.beat();
      // Two servers that were given one name, or one that came back before it was missed.
      if (this.#alive.some(({ id }) => id === this.#own)) this.#own += `-${randomUUID().slice(0, 8)}`;
    } finally {
      this.#describe = describe;
    }
    await this.beat();
  }

  async leave(): Promise<void> {
    if (this.#describe === undefined) return;
    this.#describe = undefined;
    await this.#ask([this.own, '']);
  }

  onChange(changed: (alive: readonly StoreNode[]) => void): () => void {
    this.#listeners.add(changed);
    return () => this.#listeners.delete(changed);
  }

  /** Rejects when Redis does not answer. */
  async beat(): Promise<void> {
    const describe = this.#describe;
    await this.#ask(describe === undefined ? ['', ''] : [this.own, this.#text(describe())]);
  }

  close(): void {
    this.#beating.cancel();
  }

  async #check(): Promise<void> {
    const { client } = this.#options;
    if (!client.isUp || this.#isAsking) return;
    this.#isAsking = true;
    try {
      // Also so that something is asked on either connection: one that does not answer is lost.
      await Promise.all([this.beat(), client.ping(), this.#options.alsoAsk?.()]);
    } catch (thrown) {
      // A connection that is lost says so itself; with a new one nothing is refused less.
      if (isRefusal(thrown)) this.#refuse(`it answered: ${reasonOf(thrown)}`);
      else if (client.isUp) client.reconnect(reasonOf(thrown));
    } finally {
      this.#isAsking = false;
    }
  }

  async #ask(args: readonly [id: string, text: string]): Promise<void> {
    const { client, keys, clock, redisClock } = this.#options;
    const sentAt = clock.now();
    const [timeMs, ...found] = partsIn(await client.run(beatScript, keys.nodes, [...args, SILENCE_MS]));
    this.#refuse(undefined);
    redisClock.set(countIn(timeMs) ?? clock.wallTime(), sentAt);
    const alive: StoreNode[] = [];
    for (let index = 0; index + 1 < found.length && alive.length < STORE_LIMITS.maxNodes; index += 2) {
      const node = nodeIn(textIn(found[index]), textIn(found[index + 1]));
      if (node !== undefined) alive.push(node);
    }
    this.#set(alive.toSorted((one, other) => (one.id < other.id ? -1 : 1)));
  }

  #refuse(reason: string | undefined): void {
    if (this.#refusal === reason) return;
    this.#refusal = reason;
    this.#options.moved?.();
  }

  #set(alive: readonly StoreNode[]): void {
    const before = this.#alive.map(({ id }) => id);
    this.#alive = alive;
    if (before.length === alive.length && alive.every(({ id }, index) => id === before[index])) return;
    for (const listener of this.#listeners) listener(alive);
  }

  #text(description: NodeDescription): string {
    return JSON.stringify({ ...description, sinceMs: this.#sinceMs });
  }
}

/** Undefined for a text that is not as we write it. */
function nodeIn(id: string, text: string): StoreNode | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof parsed !== 'object' || parsed === null) return undefined;
  const { address, sinceMs, channelCount, linkCount } = { ...NOBODY, ...parsed };
  if (typeof address !== 'string' || address.length > 300) return undefined;
  if (!isCount(sinceMs, LATEST_TIME_MS) || !isCount(channelCount, MOST) || !isCount(linkCount, MOST)) return undefined;
  return { id, address, sinceMs, channelCount, linkCount };
}

function isCount(count: unknown, most: number): boolean {
  return typeof count === 'number' && Number.isSafeInteger(count) && count >= 0 && count <= most;
}

const NOBODY: NodeDescription & { readonly sinceMs: number } = {
  address: '',
  sinceMs: 0,
  channelCount: 0,
  linkCount: 0,
};
