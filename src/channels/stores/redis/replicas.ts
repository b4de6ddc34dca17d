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
import { StoreError } from '../store-error.ts';
import { decodeLeaves, isSameState } from '../stored-leaves.ts';
import type { Watchers } from '../watchers.ts';
import { readChanges, type ActId, type ChangeMessage } from './change-message.ts';
import { ChannelReads, type FoundChannel } from './channel-reads.ts';
import { readHash, wrongChannel, type HashedChannel } from './channel-hash.ts';
import type { RedisClient } from './redis-client.ts';
import type { RedisKeys } from './redis-keys.ts';
import { textIn } from './redis-reply.ts';

/** A channel that is made and destroyed faster than it can be read is given up for now. */
const MAX_ATTEMPTS = 20;

const NO_PAGE: Promise<ReadonlyMap<string, StoreError>> = Promise.resolve(new Map());
const NOTHING_HELD: readonly ChangeMessage[] = [];

/** A channel that is there and cannot be read. */
type ChannelFault = readonly [name: string, fault: StoreError];

interface Reading {
  /** The page that it is read with: resolves with what is wrong with which channel. */
  page: Promise<ReadonlyMap<string, StoreError>>;
  held: readonly ChangeMessage[];
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
  /** Called when a channel was read and watchers know it as of this revision, whatever they had to be told. */
  readonly caughtUp: (name: string, revision: number) => void;
  /** Asks whether it is the store that it was. Where it is not, everything is doubted before this resolves. */
  readonly checkStore: () => Promise<void>;
  /** Called when a channel cannot be read. */
  readonly warn: (text: string) => void;
}

export class Replicas {
  readonly #options: ReplicaOptions;
  readonly #known = new Map<string, HashedChannel>();
  readonly #stale = new Set<string>();
  readonly #readings = new Map<string, Reading>();
  /**
   * Channels that watchers have not heard of, because somebody here asked for them first: they hear of those whose message
   * comes, and of a single one that was asked for also when its message may have been missed.
   */
  readonly #untold = new Map<string, 'single' | 'scanned'>();
  readonly #reads: ChannelReads;
  #isDoubtful = false;
  /** How often what is known was doubted: what was asked before the last time may have been missed since. */
  #doubts = 0;

  constructor(options: ReplicaOptions) {
    this.#options = options;
    this.#reads = new ChannelReads(options.client, options.keys);
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
   * is gone or was made anew, until `believe`: the store may have lost its data.
   */
  doubtAll(): void {
    this.#isDoubtful = true;
    this.#doubts++;
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
    for (const [, fault] of await this.readAll([name], isNews)) throw fault;
    return this.#known.get(name);
  }

  /** Reads many channels likewise; resolves with what is wrong with those that are damaged. @throws StoreError STORE_AWAY */
  async readAll(names: readonly string[], isNews = false): Promise<readonly ChannelFault[]> {
    const mine = names.filter((name) => !this.#readings.has(name));
    const waits: Promise<readonly ChannelFault[]>[] = [];
    for (const name of names) {
      const reading = this.#readings.get(name);
      if (reading === undefined) continue;
      reading.isNews ||= isNews;
      waits.push(reading.page.then((faults) => [...faults].filter(([at]) => at === name)));
    }
    const { width } = this.#reads;
    for (let at = 0; at < mine.length; at += width) {
      const page = this.#readPage(mine.slice(at, at + width), isNews);
      waits.push(page.then((faults) => [...faults]));
    }
    return (await Promise.all(waits)).flat();
  }

  /** Whoever goes through all channels has these now. */
  scanned(names: readonly string[]): void {
    for (const name of names) if (this.#untold.has(name)) this.#untold.set(name, 'scanned');
  }

  #take(name: string, message: ChangeMessage): void {
    const reading = this.#readings.get(name);
    if (reading === undefined) return this.#apply(name, message);
    if (message.kind === 'changed' && reading.held.length < STORE_LIMITS.maxHeldChanges)
      return void (reading.held = [...reading.held, message]);
    reading.isOutdated = true;
    reading.isNews ||= message.kind === 'defined';
  }

  #readPage(names: readonly string[], isNews: boolean): Promise<ReadonlyMap<string, StoreError>> {
    const readings = names.map((name): Reading => {
      const reading: Reading = { page: NO_PAGE, held: NOTHING_HELD, isOutdated: false, isNews };
      this.#readings.set(name, reading);
      return reading;
    });
    const page = this.#carryOut(names);
    for (const reading of readings) reading.page = page;
    return page;
  }

  async #carryOut(names: readonly string[]): Promise<ReadonlyMap<string, StoreError>> {
    const faults = new Map<string, StoreError>();
    const left = new Set(names);
    try {
      for (let attempt = 0; attempt < MAX_ATTEMPTS && left.size > 0; attempt++) await this.#readOnce(left, faults);
      for (const name of left) faults.set(name, wrongChannel(name, 'it changes faster than it can be read'));
    } finally {
      for (const name of left) {
        this.#readings.delete(name);
        this.#distrust(name);
      }
    }
    return faults;
  }

  /** Takes what was read out of `left`. */
  async #readOnce(left: Set<string>, faults: Map<string, StoreError>): Promise<void> {
    const wanted = [...left].map((name) => {
      const reading = this.#readings.get(name);
      if (reading !== undefined) Object.assign(reading, { held: NOTHING_HELD, isOutdated: false });
      const { digest = '', last = '' } = this.#known.get(name) ?? {};
      return { name, digest, last };
    });
    const { client } = this.#options;
    const doubtsBefore = client.isUp ? this.#doubts : undefined;
    const found = await this.#reads.fetch(wanted);
    // Before anything is forgotten: in a store that has lost its data nothing is left, or somebody has begun anew.
    if (wanted.some(({ name }, index) => this.#isEnd(name, found[index]))) await this.#options.checkStore();
    const isHeard = doubtsBefore === this.#doubts;
    // What was published after this answer may have been missed: it is asked for again, now or when that can be heard.
    if (!isHeard && client.isUp) return;
    for (const [index, { name }] of wanted.entries()) {
      const reading = this.#readings.get(name);
      const answer = found[index];
      if (reading === undefined || answer === undefined || reading.isOutdated) continue;
      left.delete(name);
      this.#readings.delete(name);
      const fault = answer instanceof StoreError ? answer : this.#adopted(name, answer, reading.isNews);
      if (fault !== undefined) faults.set(name, fault);
      if (fault !== undefined || !isHeard) this.#distrust(name);
      if (isHeard) for (const message of reading.held) this.#apply(name, message);
    }
  }

  /** Whether it says that the channel that is known is there no more. */
  #isEnd(name: string, answer: FoundChannel | undefined): boolean {
    const before = this.#known.get(name);
    if (before === undefined) return false;
    return answer === 'none' || (answer instanceof Map && textIn(answer.get('made')) !== before.made);
  }

  #distrust(name: string): void {
    if (this.#known.has(name)) this.#stale.add(name);
  }

  /** What is wrong with what was found, if anything. */
  #adopted(name: string, found: Exclude<FoundChannel, StoreError>, isNews: boolean): StoreError | undefined {
    try {
      this.#adopt(name, found, isNews);
      return undefined;
    } catch (thrown) {
      if (thrown instanceof StoreError) return thrown;
      throw thrown;
    }
  }

  #adopt(name: string, found: Exclude<FoundChannel, StoreError>, isNews: boolean): void {
    const before = this.#known.get(name);
    if (this.#isDoubtful && this.#isEnd(name, found)) return;
    if (isNews && before !== undefined && this.#untold.get(name) === 'single') this.#introduce(before);
    if (found === 'none') return this.#forget(name);
    const read = found === 'same' ? before : readHash(name, found);
    if (read === undefined) return;
    // The object that watchers have, so that they and we can compare it at a glance.
    const now = before?.digest === read.digest ? { ...read, definition: before.definition } : read;
    this.#known.set(name, now);
    this.#stale.delete(name);
    if (before !== read) this.#tellOf(now, before, isNews);
    this.#options.caughtUp(name, now.revision);
  }

  /** Tells watchers what is new in a channel that was read. */
  #tellOf(now: HashedChannel, before: HashedChannel | undefined, isNews: boolean): void {
    const { watchers } = this.#options;
    const { name, type } = now.definition;
    if (before === undefined && !isNews) return void this.#untold.set(name, 'single');
    if (before?.digest === now.digest && before.made === now.made) {
      if (now.revision > before.revision) {
        // What was set before and is not in it any more may differ, too.
        const changed = before.state.changed.clone().or(now.state.changed);
        return this.#tell(now, { changed, value: now.state.value }, undefined);
      }
      // It was put back.
      if (now.revision === before.revision && isSameState(type, now.state, before.state)) return;
    }
    // A store that has lost its last moments has gone back in time, and others may have written since: no change says
    // that, so the channel begins anew.
    if (before !== undefined) watchers.tell((watcher) => watcher.destroyed(name));
    this.#introduce(now);
  }

  #introduce(channel: HashedChannel): void {
    this.#untold.delete(channel.definition.name);
    this.#options.watchers.tell((watcher) => watcher.defined(channelOf(channel)));
  }

  #apply(name: string, message: ChangeMessage): void {
    const before = this.#known.get(name);
    if (before === undefined || this.#stale.has(name)) return this.#readLater(name);
    if (message.kind === 'defined' && message.act.startsWith('define:') && this.#untold.has(name))
      this.#introduce(before);
    if (message.kind !== 'changed') return message.act === before.last ? undefined : this.#readLater(name);
    if (message.revision < before.revision) return;
    // Changes were missed, or it is of a channel by that name that was before this one or comes after it, or of one that
    // has gone back in time.
    if (message.revision !== before.revision + 1 || message.follows !== before.last)
      return message.act === before.last ? undefined : this.#readLater(name);
    try {
      const update = this.#updateOf(before, message);
      const { changed } = before.state;
      // After the first few writes nothing is new in it.
      const everSet = changed.includes(update.changed) ? changed : changed.clone().or(update.changed);
      const state = { changed: everSet, value: update.value };
      const now = { ...before, revision: message.revision, last: message.act, state };
      this.#known.set(name, now);
      this.#tell(now, update, message.timeMs);
    } catch {
      // What does not fit what is known is a gap like any other.
      this.#readLater(name);
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
    this.#untold.delete(name);
    if (this.#known.delete(name)) this.#options.watchers.tell((watcher) => watcher.destroyed(name));
  }

  /** When the connection is lost meanwhile, everything is read again after it. */
  #readLater(name: string): void {
    this.read(name, true).catch((thrown: unknown) => this.#options.warn(reasonOf(thrown)));
  }
}

export function channelOf({ definition, revision, state }: HashedChannel): StoredChannel {
  return { definition, revision, state };
}
