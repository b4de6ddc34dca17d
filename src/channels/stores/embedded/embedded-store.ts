// How do channels survive the process that serves them, on one machine? In a file of their own, with all of them in
// memory besides: a read costs nothing, and a write is acknowledged after its commit.

import { join } from 'node:path';
import { LimitError } from '../../../protocol/errors.ts';
import { DEFAULT_LIMITS, type Limits } from '../../../protocol/limits.ts';
import { textBytes } from '../../../protocol/text.ts';
import { Writer } from '../../../protocol/writer.ts';
import { systemClock, type Clock } from '../../../transport/clocks.ts';
import type { ChannelUpdate } from '../../channel.ts';
import { define, destroy, write } from '../channel-operations.ts';
import type {
  ChannelStore,
  DefineOptions,
  StoredChannel,
  StoredDefinition,
  StoreHealth,
  StoreWatcher,
  StoreWriteOptions,
} from '../channel-store.ts';
import { StoreError, storeClosed } from '../store-error.ts';
import { Watchers } from '../watchers.ts';
import {
  decodeDefinitionRecord,
  decodeValueRecord,
  writeDefinitionRecord,
  writeValueRecord,
} from './channel-records.ts';
import { RecordDatabase, type RecordChange, type RecordKind } from './database.ts';
import { GroupCommit, type TableChanges } from './group-commit.ts';

/** The file in the folder that is given. */
const FILE = 'channels.mdb';

/** What the record of a value takes with few fields set; the buffer grows where it takes more. */
const RECORD_BYTES = 128;

export interface EmbeddedStoreOptions {
  readonly limits?: Limits | undefined;
  readonly clock?: Clock | undefined;
  /** Takes what the file holds at this moment, also while another process writes; nothing can be written. */
  readonly readOnly?: boolean | undefined;
}

/**
 * The store in a folder that exists; its file is made if it is not there. One process at a time: whoever opens it sees to
 * that. @throws StoreError STORE_FORMAT that says what is wrong with the file, which stays as it is
 */
export async function openEmbeddedStore(folder: string, options: EmbeddedStoreOptions = {}): Promise<ChannelStore> {
  const { limits = DEFAULT_LIMITS, clock = systemClock, readOnly = false } = options;
  const path = join(folder, FILE);
  const database = await RecordDatabase.open(path, { readOnly });
  try {
    return new EmbeddedStore(path, database, channelsOf(path, database, limits), limits, clock);
  } catch (thrown) {
    await database.close();
    throw thrown;
  }
}

class EmbeddedStore implements ChannelStore {
  readonly kind = 'embedded';
  readonly location: string;
  readonly #database: RecordDatabase;
  readonly #channels: Map<string, StoredChannel>;
  readonly #limits: Limits;
  readonly #clock: Clock;
  readonly #watchers = new Watchers();
  readonly #commits: GroupCommit;
  #closing: Promise<void> | undefined;
  #latencyMs = 0;
  #revision = 0;
  /** Why the last commit did not hold; undefined when it did. */
  #trouble: string | undefined;

  constructor(
    path: string,
    database: RecordDatabase,
    channels: Map<string, StoredChannel>,
    limits: Limits,
    clock: Clock,
  ) {
    this.location = path;
    this.#database = database;
    this.#channels = channels;
    this.#limits = limits;
    this.#clock = clock;
    this.#commits = new GroupCommit({
      clock,
      table: channels,
      commit: (changes) => this.#commit(changes),
      tell: (event) => this.#watchers.tell(event),
    });
  }

  get health(): StoreHealth {
    const reason = this.#closing === undefined ? this.#trouble : storeClosed().message;
    return {
      isConnected: reason === undefined,
      latencyMs: this.#latencyMs,
      queuedCount: this.#commits.count,
      revision: this.#revision,
      lagMs: 0,
      reason,
    };
  }

  async define(definition: StoredDefinition, initial?: ChannelUpdate, options?: DefineOptions) {
    this.#requireOpen();
    const { maxNameBytes } = this.#limits;
    const nameBytes = textBytes(definition.name);
    if (nameBytes > maxNameBytes) throw new LimitError('maxNameBytes', nameBytes, maxNameBytes, 'name of a channel');
    return this.#commits.take((table) => define(table, definition, initial, options));
  }

  async destroy(name: string): Promise<boolean> {
    this.#requireOpen();
    return this.#commits.take((table) => destroy(table, name));
  }

  async read(name: string): Promise<StoredChannel | undefined> {
    this.#requireOpen();
    return this.#channels.get(name);
  }

  async *scan(): AsyncIterable<StoredChannel> {
    this.#requireOpen();
    // As it is now: whoever scans may define and destroy meanwhile.
    const channels = [...this.#channels.values()];
    yield* channels;
  }

  async write(name: string, change: ChannelUpdate, { signal, definition }: StoreWriteOptions = {}): Promise<number> {
    this.#requireOpen();
    const revision = await this.#commits.take((table) => write(table, name, change, definition), signal);
    this.#revision++;
    return revision;
  }

  watch(watcher: StoreWatcher): () => void {
    return this.#watchers.add(watcher);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#commits.idle();
    await this.#database.close();
    this.#watchers.health(this.health);
  }

  #requireOpen(): void {
    if (this.#closing !== undefined) throw storeClosed();
  }

  async #commit(changes: TableChanges): Promise<void> {
    const start = this.#clock.now();
    // What cannot be kept is no trouble of the file.
    const records = this.#recordsOf(changes);
    try {
      await this.#database.commit(records);
    } catch (thrown) {
      this.#hold(`${this.location}: ${String(thrown)}`);
      throw thrown;
    }
    this.#latencyMs = this.#clock.now() - start;
    this.#hold(undefined);
  }

  #hold(trouble: string | undefined): void {
    if (this.#trouble === trouble) return;
    this.#trouble = trouble;
    this.#watchers.health(this.health);
  }

  #recordsOf(changes: TableChanges): readonly RecordChange[] {
    const records: [kind: RecordKind, name: string, bytes: readonly [start: number, end: number] | undefined][] = [];
    // All in one buffer: LMDB asks where each buffer lies, which takes longer than to fill it.
    const writer = new Writer(false, changes.size * RECORD_BYTES);
    for (const [name, channel] of changes) {
      const isSame = channel !== undefined && this.#channels.get(name)?.definition === channel.definition;
      let start = writer.length;
      if (!isSame) {
        if (channel !== undefined) writeDefinitionRecord(writer, channel.definition);
        records.push(['definition', name, channel && [start, writer.length]]);
        start = writer.length;
      }
      if (channel !== undefined) writeValueRecord(writer, channel);
      records.push(['value', name, channel && [start, writer.length]]);
    }
    const written = writer.view();
    return records.map(([kind, name, bytes]) => [kind, name, bytes && written.subarray(...bytes)]);
  }
}

/** All channels of a file. @throws StoreError STORE_FORMAT that names the first one that cannot be read */
function channelsOf(path: string, database: RecordDatabase, limits: Limits): Map<string, StoredChannel> {
  const definitions = new Map<string, StoredDefinition>();
  const channels = new Map<string, StoredChannel>();
  for (const { kind, name, bytes } of database.records()) {
    const definition = definitions.get(name);
    try {
      if (kind === 'definition') definitions.set(name, decodeDefinitionRecord(name, bytes, limits));
      else if (definition !== undefined) channels.set(name, decodeValueRecord(definition, bytes, limits));
      else throw new StoreError('STORE_FORMAT', `channel '${name}' has a value, but no definition`);
    } catch (thrown) {
      if (!(thrown instanceof StoreError)) throw thrown;
      throw new StoreError('STORE_FORMAT', `${path}: ${thrown.message}`, { cause: thrown });
    }
  }
  for (const name of definitions.keys()) {
    if (!channels.has(name)) throw new StoreError('STORE_FORMAT', `${path}: channel '${name}' has no value`);
  }
  return channels;
}
