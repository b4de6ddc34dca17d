// How do channels survive the process that serves them, on one machine? In files of their own, with all of them in memory
// besides: a read costs nothing, and a write is acknowledged once it is in the journal.

import { join } from 'node:path';
import { LimitError } from '../../../protocol/errors.ts';
import { DEFAULT_LIMITS, type Limits } from '../../../protocol/limits.ts';
import { textBytes } from '../../../protocol/text.ts';
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
import type { RecordDatabase } from './database.ts';
import { DEFAULT_FLUSH_MS } from './flush-time.ts';
import { GroupCommit, type TableChanges } from './group-commit.ts';
import { journalFolder, thisBoot, type JournalFolder } from './journal-files.ts';
import type { BootId } from './journal-format.ts';
import { JournaledRecords } from './journaled-records.ts';
import { FILE, openFiles, readFiles } from './stored-files.ts';

export interface EmbeddedStoreOptions {
  readonly limits?: Limits | undefined;
  readonly clock?: Clock | undefined;
  /** Takes what the files hold at this moment, also while another process writes; nothing can be written. */
  readonly readOnly?: boolean | undefined;
  /** How long after a write it is flushed to the disk; 0: before it is acknowledged. Default 100. */
  readonly flushMs?: number | undefined;
  /** Told what an operator should know. */
  readonly onWarning?: ((text: string) => void) | undefined;
  /** Told what explains what is there. */
  readonly onInfo?: ((text: string) => void) | undefined;
  /**
   * Told when `close` did not wait for a disk that hangs: nobody else may open the files before `ended` resolves, since what
   * is under way there may come to its end at any time.
   */
  readonly onHang?: ((ended: Promise<void>) => void) | undefined;
  /** Aborted when somebody else opened the files though nobody let go of them, with the reason: nothing is written any more. */
  readonly lost?: AbortSignal | undefined;
  /** The folder as it is seen by the journal, and which start of the machine this is; for tests. */
  readonly journal?: { readonly folder?: JournalFolder; readonly bootId?: BootId } | undefined;
}

/**
 * The store in a folder that exists; its files are made if they are not there. One process at a time: whoever opens it sees
 * to that. @throws StoreError STORE_FORMAT that says what is wrong with a file, which stays as it is
 */
export async function openEmbeddedStore(path: string, options: EmbeddedStoreOptions = {}): Promise<ChannelStore> {
  const { limits = DEFAULT_LIMITS, clock = systemClock, readOnly = false, flushMs = DEFAULT_FLUSH_MS } = options;
  const { onWarning = () => {}, onInfo = () => {}, onHang: tellHang, lost, journal = {} } = options;
  lost?.throwIfAborted();
  const { folder = journalFolder(path), bootId = await thisBoot() } = journal;
  const onHang = (ended: Promise<void>): void => {
    onWarning(`${path}: the disk hangs, and is not waited for; what is in the journal is read by the next start`);
    tellHang?.(ended);
  };
  const files = { folder, bootId, limits, onWarning, onInfo };
  const { database, channels, end } = await (readOnly ? readFiles(files) : openFiles(files));
  try {
    const records = readOnly
      ? new RecordsToRead(database)
      : await JournaledRecords.open({ folder, bootId, clock, flushMs, database, end, table: channels, onHang, lost });
    return new EmbeddedStore(join(path, FILE), records, channels, limits, clock);
  } catch (thrown) {
    await database.close();
    throw thrown;
  }
}

/** Where changes go. */
interface Records {
  /** Told why something does not hold, and undefined when all is well again. */
  onTrouble: (trouble: string | undefined) => void;
  commit(changes: TableChanges): Promise<void>;
  /** Ends when what was asked for before has, and all is let go. */
  close(idle: Promise<void>): Promise<void>;
}

class RecordsToRead implements Records {
  readonly #database: RecordDatabase;
  onTrouble: Records['onTrouble'] = () => {};

  constructor(database: RecordDatabase) {
    this.#database = database;
  }

  async commit(): Promise<void> {
    throw new StoreError('STORE_AWAY', 'it was opened to be read');
  }

  close(): Promise<void> {
    return this.#database.close();
  }
}

class EmbeddedStore implements ChannelStore {
  readonly kind = 'embedded';
  readonly location: string;
  readonly #records: Records;
  readonly #channels: Map<string, StoredChannel>;
  readonly #limits: Limits;
  readonly #clock: Clock;
  readonly #watchers = new Watchers();
  readonly #commits: GroupCommit;
  #closing: Promise<void> | undefined;
  #latencyMs = 0;
  #revision = 0;
  /** Why something does not hold; undefined when all does. */
  #trouble: string | undefined;

  constructor(path: string, records: Records, channels: Map<string, StoredChannel>, limits: Limits, clock: Clock) {
    this.location = path;
    this.#records = records;
    this.#channels = channels;
    this.#limits = limits;
    this.#clock = clock;
    this.#commits = new GroupCommit({
      clock,
      table: channels,
      commit: (changes) => this.#commit(changes),
      tell: (event) => this.#watchers.tell(event),
    });
    records.onTrouble = (trouble) => {
      this.#trouble = trouble && `${path}: ${trouble}`;
      this.#watchers.health(this.health);
    };
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
    await this.#records.close(this.#commits.idle());
    this.#watchers.health(this.health);
  }

  #requireOpen(): void {
    if (this.#closing !== undefined) throw storeClosed();
  }

  async #commit(changes: TableChanges): Promise<void> {
    const start = this.#clock.now();
    await this.#records.commit(changes);
    this.#latencyMs = this.#clock.now() - start;
  }
}
