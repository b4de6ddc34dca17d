// What does this process know of the channels in Redis, and is it still so? A copy of each, brought up to date by what
// is published; what does not follow on what is known (a gap) is read again.
//
// Messages that come while a channel is being read are held and applied to what was read: a revision says whether a
// change is already in it. Of definitions and ends nothing says that, so after one of them the channel is read anew.

import { reasonOf } from '../../../protocol/errors.ts';
import { STORE_LIMITS } from '../../../protocol/limits.ts';
import { anyCodecOf } from '../../../protocol/values/codec.ts';
import { leafMask } from '../../../protocol/values/leaf-mask.ts';
import type { ChannelUpdate } from '../../channel.ts';
import { requireStructure } from '../../standard-fields.ts';
import type { StoreChange, StoredChannel } from '../channel-store.ts';
import { decodeLeaves } from '../stored-leaves.ts';
import type { Watchers } from '../watchers.ts';
import { readChanges, type ActId, type ChangeMessage } from './change-message.ts';
import { readHash, wrongChannel, type HashedChannel } from './channel-hash.ts';
import type { RedisClient } from './redis-client.ts';
import { errorOf } from './redis-errors.ts';
import type { RedisKeys } from './redis-keys.ts';
import { isFieldList, fieldsIn } from './redis-reply.ts';
import { readScript } from './scripts/read.ts';
import { Turnstile } from './turnstile.ts';

/** A channel that is made and destroyed faster than it can be read is given up for now. */
const MAX_ATTEMPTS = 20;

interface Reading {
  done: Promise<void>;
  held: ChangeMessage[];
  isOutdated: boolean;
  /** Whether watchers are to hear of it if it is new. */
  isNews: boolean;
}

export interface ReplicaOptions {
  readonly client: RedisClient;
  readonly keys: RedisKeys;
  readonly watchers: Watchers;
  /** The value behind a write of this process, so that nothing has to be decoded. */
  readonly ownChange: (act: ActId) => ChannelUpdate | undefined;
  /** Called when watchers have been told of a change. */
  readonly told: (change: StoreChange, timeMs: number | undefined) => void;
  /** Called when a channel cannot be read. */
  readonly warn: (text: string) => void;
}

export class Replicas {
  readonly #options: ReplicaOptions;
  readonly #known = new Map<string, HashedChannel>();
  readonly #stale = new Set<string>();
  readonly #readings = new Map<string, Reading>();
  #isDoubtful = false;
  readonly #turnstile = new Turnstile(STORE_LIMITS.maxReads);

  constructor(options: ReplicaOptions) {
    this.#options = options;
  }

  get(name: string): HashedChannel | undefined {
    return this.#known.get(name);
  }

  names(): readonly string[] {
    return [...this.#known.keys()];
  }

  /** Whether it is as Redis has it, as far as was heard. */
  isFresh(name: string): boolean {
    return this.#known.has(name) && !this.#stale.has(name) && !this.#readings.has(name);
  }

  /**
   * From now on nothing is believed until it has been read again: messages may have been missed. Nor is it that a channel
   * is gone, until `believe`: the store may have lost its data.
   */
  doubtAll(): void {
    this.#isDoubtful = true;
    for (const name of this.#known.keys()) this.#stale.add(name);
  }

  believe(): void {
    this.#isDoubtful = false;
  }

  receive(bytes: Uint8Array): void {
    for (const message of readChanges(bytes)) {
      const name = this.#options.keys.nameOf(message.key);
      if (name !== undefined) this.#take(name, message);
    }
  }

  /**
   * Reads a channel and tells watchers what is new; of a channel that was not known only if that is `isNews`.
   * @throws StoreError
   */
  async read(name: string, isNews = false): Promise<HashedChannel | undefined> {
    await this.#read(name, isNews);
    return this.#known.get(name);
  }

  #take(name: string, message: ChangeMessage): void {
    const reading = this.#readings.get(name);
    if (reading === undefined) return this.#apply(name, message);
    if (message.kind === 'changed' && reading.held.length < STORE_LIMITS.maxHeldChanges)
      return void reading.held.push(message);
    reading.isOutdated = true;
    reading.isNews ||= message.kind === 'defined';
  }

  #read(name: string, isNews: boolean): Promise<void> {
    const underWay = this.#readings.get(name);
    if (underWay !== undefined) {
      underWay.isNews ||= isNews;
      return underWay.done;
    }
    const reading: Reading = { done: Promise.resolve(), held: [], isOutdated: false, isNews };
    this.#readings.set(name, reading);
    reading.done = this.#carryOut(name, reading);
    return reading.done;
  }

  async #carryOut(name: string, reading: Reading): Promise<void> {
    try {
      const fields = await this.#turnstile.pass(() => this.#fetch(name, reading));
      this.#readings.delete(name);
      this.#adopt(name, fields, reading.isNews);
    } catch (thrown) {
      this.#readings.delete(name);
      if (this.#known.has(name)) this.#stale.add(name);
      throw thrown;
    }
    for (const message of reading.held) this.#apply(name, message);
  }

  /** Its fields; undefined if it is as it is known. */
  async #fetch(name: string, reading: Reading): Promise<ReadonlyMap<string, Uint8Array> | undefined> {
    const { client, keys } = this.#options;
    const key = keys.channel(name);
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      reading.held = [];
      reading.isOutdated = false;
      const { digest = '', last = '' } = this.#known.get(name) ?? {};
      const reply = await client.run(readScript, key, [digest, last]).catch(async (thrown: unknown) => {
        throw await errorOf(thrown, client, key);
      });
      if (reading.isOutdated) continue;
      if (!isFieldList(reply)) throw wrongChannel(name, 'its fields cannot be read');
      return reply.length === 1 ? undefined : fieldsIn(reply);
    }
    throw wrongChannel(name, 'it changes faster than it can be read');
  }

  #adopt(name: string, fields: ReadonlyMap<string, Uint8Array> | undefined, isNews: boolean): void {
    const { watchers } = this.#options;
    const before = this.#known.get(name);
    if (fields?.size === 0) return this.#isDoubtful ? undefined : this.#forget(name);
    const now = fields === undefined ? before : readHash(name, fields);
    if (now === undefined) return;
    this.#known.set(name, now);
    this.#stale.delete(name);
    if (before === now) return;
    const isSame = before?.digest === now.digest && before.made === now.made;
    if (isSame) return this.#tell(now, now.state, undefined);
    if (before !== undefined) watchers.tell((watcher) => watcher.destroyed(name));
    if (before !== undefined || isNews) watchers.tell((watcher) => watcher.defined(channelOf(now)));
  }

  #apply(name: string, message: ChangeMessage): void {
    const before = this.#known.get(name);
    if (before === undefined || this.#stale.has(name)) return this.#readLater(name);
    if (message.kind !== 'changed') return message.act === before.last ? undefined : this.#readLater(name);
    if (message.revision <= before.revision) return;
    if (message.revision > before.revision + 1) return this.#readLater(name);
    try {
      const update = this.#updateOf(before, message);
      const state = { changed: before.state.changed.clone().or(update.changed), value: update.value };
      const now = { ...before, revision: message.revision, last: message.act, state };
      this.#known.set(name, now);
      this.#tell(now, update, message.timeMs);
    } catch (thrown) {
      this.#stale.add(name);
      this.#options.warn(reasonOf(thrown));
    }
  }

  /** The leaves that a message changes, in the value that follows. */
  #updateOf({ definition, state }: HashedChannel, { act, leaves }: ChangeMessage & { kind: 'changed' }): ChannelUpdate {
    const own = this.#options.ownChange(act);
    const { name, type } = definition;
    if (own === undefined) return decodeLeaves(name, type, leaves(), state.value);
    const changed = leafMask(type, own.changed);
    return { changed, value: requireStructure(anyCodecOf(type).merge(state.value, own.value, changed)) };
  }

  #tell({ definition, revision }: HashedChannel, update: ChannelUpdate, timeMs: number | undefined): void {
    const change: StoreChange = { name: definition.name, revision, update };
    this.#options.watchers.tell((watcher) => watcher.changed(change));
    this.#options.told(change, timeMs);
  }

  #forget(name: string): void {
    this.#stale.delete(name);
    if (this.#known.delete(name)) this.#options.watchers.tell((watcher) => watcher.destroyed(name));
  }

  /** When the connection is lost meanwhile, everything is read again after it. */
  #readLater(name: string): void {
    this.#read(name, true).catch((thrown: unknown) => this.#options.warn(reasonOf(thrown)));
  }
}

export function channelOf({ definition, revision, state }: HashedChannel): StoredChannel {
  return { definition, revision, state };
}
