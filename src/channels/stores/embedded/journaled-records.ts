// How do puts get into the database when nobody waits for it? They go into the journal. Now and then a checkpoint brings
// into the database, in one commit, what the older segments of the journal have changed, and drops these; puts go on
// meanwhile. Groups that are too large to be written twice go with a checkpoint of their own.
//
// A commit of the database that fails may be in it all the same. What came from the journal is committed again; a large
// group is nowhere else, and whoever wrote it is told that nobody knows. Its channels are doubtful until a commit has written
// over whatever the database has of them: with all about them, as they were before that group; and groups with one of them
// say all about it until then.

import { reasonOf } from '../../../protocol/errors.ts';
import { Writer } from '../../../protocol/writer.ts';
import type { TimerHandle } from '../../../transport/clocks.ts';
import type { StoredChannel } from '../channel-store.ts';
import { StoreError, storeClosed } from '../store-error.ts';
import { writeDefinitionRecord, writeValueRecord } from './channel-records.ts';
import type { RecordDatabase } from './database.ts';
import type { TableChanges } from './group-commit.ts';
import { Journal, type JournalOptions } from './journal.ts';
import { beginGroup, beginRecord, endRecord, GROUP_HEAD_BYTES, readRecords, writeRemoval } from './journal-format.ts';
import type { JournalPosition, RecordChange, RecordPlace } from './record.ts';
import { SLOW_MS, SlowActs } from './slow-acts.ts';

/** A checkpoint is made when a segment has so many bytes; it is read again after a kill, which takes milliseconds. */
const SEGMENT_BYTES = 4 * 1024 * 1024;
/** Or so many channels: a checkpoint gives them to the database in one go, while puts wait. */
const SEGMENT_CHANNELS = 4_000;
/** Or so long after its first change. */
const CHECKPOINT_MS = 5_000;
/** After one that did not hold. */
const RETRY_MS = 1_000;
/** Groups past it are written to the database alone: beside them its flushes are cheap. */
const BIG_BYTES = 256 * 1024;
/** Doubtful channels whose records are made in one go, while puts wait. */
const SLICE_CHANNELS = 500;
/** How long `close` waits for a disk that hangs; what is in the journal then is read by whoever opens it. */
export const CLOSE_MS = 10_000;

/** What a disk that hangs is shown as. */
const SLOW_TEXT = {
  write: `a write to the journal takes longer than ${SLOW_MS / 1_000} s`,
  flush: `a flush of the journal takes longer than ${SLOW_MS / 1_000} s; a loss of power may cost what was put since`,
  checkpoint: `the journal takes longer than ${SLOW_MS / 1_000} s to get into the database`,
} as const;

type SlowAct = keyof typeof SLOW_TEXT;

export interface JournaledRecordsOptions extends Omit<JournalOptions, 'watchFlush'> {
  readonly database: Pick<RecordDatabase, 'commit' | 'close'>;
  /** Up to where the journal is in it; there is nothing behind that. */
  readonly end: JournalPosition;
  /** What is committed. */
  readonly table: ReadonlyMap<string, StoredChannel>;
  /** Told when `close` has not waited for the disk; `ended` resolves when nothing is under way there any more. */
  readonly onHang?: ((ended: Promise<void>) => void) | undefined;
  /** Aborted when the files are another one's, with the reason. */
  readonly lost?: AbortSignal | undefined;
}

export class JournaledRecords {
  readonly #options: JournaledRecordsOptions;
  readonly #journal: Journal;
  readonly #slowActs: SlowActs<SlowAct>;
  /** The group that is written; its buffer is used again. */
  #group = new Writer(false);
  /**
   * Channels of which the database may have what was never acknowledged, with what they were then: at the end of the
   * segments that go into it next. Until it has taken that, they are written in full.
   */
  readonly #doubtful = new Map<string, StoredChannel | undefined>();
  /** Never rejects. */
  #checkpointing: Promise<void> | undefined;
  #timer: TimerHandle | undefined;
  #writeTimer: TimerHandle | undefined;
  #isClosing = false;
  /** Why nothing is begun any more: somebody else may have the files. */
  #givenUp: StoreError | undefined;
  #writeTrouble: string | undefined;
  #checkpointTrouble: string | undefined;
  #toldTrouble: string | undefined;
  /** Told why something does not hold, and undefined when all is well again. */
  onTrouble: (trouble: string | undefined) => void = () => {};

  private constructor(options: JournaledRecordsOptions, journal: Journal, slowActs: SlowActs<SlowAct>) {
    this.#options = options;
    this.#journal = journal;
    this.#slowActs = slowActs;
    slowActs.onChange = () => this.#tell();
    journal.onFlushFailure = () => {
      this.#tell();
      this.#schedule();
    };
    const { lost } = options;
    if (lost?.aborted === true) this.#lose(lost);
    else lost?.addEventListener('abort', () => this.#lose(lost), { once: true });
  }

  static async open(options: JournaledRecordsOptions): Promise<JournaledRecords> {
    const slowActs = new SlowActs<SlowAct>(options.clock);
    const watchFlush = (flush: Promise<void>): Promise<void> => slowActs.watch('flush', flush);
    return new JournaledRecords(options, await Journal.open({ ...options, watchFlush }, options.end), slowActs);
  }

  /**
   * One at a time. Resolves when it will survive the process; when it rejects, nothing is changed, or (STORE_UNCERTAIN)
   * it may be there after a kill: all of it, but for what was put to its channels since.
   */
  async commit(changes: TableChanges): Promise<void> {
    const { table } = this.#options;
    // What a large group took is not kept.
    if (this.#group.buffer.length > BIG_BYTES) this.#group = new Writer(false);
    const group = this.#group;
    group.truncate(0);
    beginGroup(group);
    const places: RecordPlace[] = [];
    for (const [name, channel] of changes) {
      const isKnown = channel !== undefined && !this.#doubtful.has(name);
      const isSame = isKnown && table.get(name)?.definition === channel.definition;
      writeChannel(group, places, name, channel, !isSame);
    }
    try {
      if (group.length > BIG_BYTES) await this.#commitBig(changes.keys(), group.view().subarray(GROUP_HEAD_BYTES));
      else await this.#append(group, places);
    } finally {
      this.#tell();
      this.#schedule();
    }
  }

  /**
   * Brings all into the database and lets go of the files, once what was asked for before is done. A disk that hangs is not
   * waited for: what is under way there may come to its end at any time, and nothing is begun after it.
   */
  async close(idle: Promise<void> = Promise.resolve()): Promise<void> {
    const { clock, onHang } = this.#options;
    const ending = this.#end(idle);
    let patience: TimerHandle | undefined;
    const isLate = new Promise<boolean>((resolve) => {
      patience = clock.after(CLOSE_MS, () => resolve(true));
    });
    try {
      if (!(await Promise.race([ending.then(() => false), isLate]))) return;
      this.#giveUp(storeClosed());
      onHang?.(ending.catch(() => {}));
    } finally {
      patience?.cancel();
      this.#slowActs.close();
    }
  }

  async #end(idle: Promise<void>): Promise<void> {
    await idle;
    this.#isClosing = true;
    this.#timer?.cancel();
    this.#writeTimer?.cancel();
    await this.#checkpointing;
    const journal = this.#journal;
    await this.#attempt(async () => {
      const isAllIn = this.#isAllIn;
      await journal.end();
      // A server that took no puts leaves the database as it was.
      await (isAllIn ? journal.drop() : this.#intoDatabase());
    });
    await journal.close();
    await this.#options.database.close();
  }

  /** @throws StoreError when the files may be those of another one by now */
  #requireOwned(): void {
    if (this.#givenUp !== undefined) throw this.#givenUp;
  }

  #giveUp(why: StoreError): void {
    this.#givenUp = why;
    this.#journal.abandon(why);
  }

  #lose({ reason }: AbortSignal): void {
    this.#giveUp(new StoreError('STORE_AWAY', reasonOf(reason)));
    this.#tell();
  }

  /** Whether the database has all that the table has, and nothing else. */
  get #isAllIn(): boolean {
    return this.#journal.isEmpty && this.#doubtful.size === 0;
  }

  /** Begins a checkpoint if it is time for one, or sees to it that it will be begun. */
  #schedule(): void {
    const { clock } = this.#options;
    const journal = this.#journal;
    if (this.#isClosing || this.#checkpointing !== undefined || this.#isAllIn) return;
    const isTroubled = this.#checkpointTrouble !== undefined;
    const isDue = journal.currentBytes >= SEGMENT_BYTES || journal.changedCount >= SEGMENT_CHANNELS;
    if (!isTroubled && (isDue || journal.flushFailure !== undefined)) this.#checkpoint();
    else this.#timer ??= clock.after(isTroubled ? RETRY_MS : CHECKPOINT_MS, () => this.#checkpoint());
  }

  #checkpoint(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#isClosing || this.#checkpointing !== undefined || this.#isAllIn) return;
    const checkpoint = this.#attempt(async () => {
      await this.#setAside();
      await this.#intoDatabase();
    });
    this.#run(checkpoint);
  }

  /**
   * Begins a new segment, so that what was appended can go into the database. What an attempt left that did not hold goes
   * first: so there are two files at most, however long the database takes nothing, and none is made before there is room.
   */
  async #setAside(): Promise<void> {
    const journal = this.#journal;
    if (journal.currentBytes === 0) return;
    if (journal.hasOlder) await this.#intoDatabase();
    this.#requireOwned();
    await journal.rotate();
  }

  /** Keeps others from beginning one meanwhile. */
  #run(checkpoint: Promise<void>): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#checkpointing = checkpoint.finally(() => {
      this.#checkpointing = undefined;
      this.#schedule();
    });
  }

  /** Never rejects: what goes wrong is shown, and tried again. */
  async #attempt(act: () => Promise<void>): Promise<void> {
    try {
      await this.#slowActs.watch('checkpoint', act());
      this.#checkpointTrouble = undefined;
    } catch (thrown) {
      this.#checkpointTrouble = reasonOf(thrown);
    }
    this.#tell();
  }

  async #append(group: Writer, places: readonly RecordPlace[]): Promise<void> {
    const journal = this.#journal;
    try {
      // A database that takes its time is waited for; one that takes nothing is not.
      while (this.#checkpointing !== undefined && !journal.takes(group)) await this.#checkpointing;
      this.#requireOwned();
      // What is not on the disk yet does not grow without end.
      if (this.#slowActs.slow.includes('flush')) throw new StoreError('STORE_AWAY', SLOW_TEXT.flush);
      await this.#slowActs.watch('write', journal.append(group, places));
      this.#writeTrouble = undefined;
    } catch (thrown) {
      this.#writeTrouble = String(thrown);
      if (!this.#isClosing) this.#writeTimer ??= this.#options.clock.after(RETRY_MS, () => void this.#tryToWrite());
      throw thrown;
    }
  }

  /** Those who write may wait until they hear that writes are taken again: a group with nothing in it finds out. */
  async #tryToWrite(): Promise<void> {
    this.#writeTimer = undefined;
    if (this.#writeTrouble === undefined) return;
    const group = new Writer(false, GROUP_HEAD_BYTES);
    beginGroup(group);
    await this.#append(group, []).catch(() => {});
    this.#tell();
    this.#schedule();
  }

  async #commitBig(names: Iterable<string>, records: Uint8Array): Promise<void> {
    while (this.#checkpointing !== undefined) await this.#checkpointing;
    const commit = async (): Promise<void> => {
      // The commit says up to which segment the journal is in it: what is appended later is in another one.
      await this.#setAside();
      await this.#intoDatabase(names, readRecords(records));
      this.#checkpointTrouble = undefined;
    };
    const done = this.#slowActs.watch('checkpoint', commit());
    this.#run(
      done.catch((thrown: unknown) => {
        // It is tried again, without this group.
        this.#checkpointTrouble = reasonOf(thrown);
      }),
    );
    await done;
  }

  /** All that the older segments hold, and what comes after them: records of channels that the table does not have so yet. */
  async #intoDatabase(names: Iterable<string> = [], after: readonly RecordChange[] = []): Promise<void> {
    const { database, table } = this.#options;
    const pending = this.#journal.pending();
    // What is in the segments goes over it.
    const before = await this.#recordsOf(this.#doubtful);
    this.#requireOwned();
    for (const name of names) if (!this.#doubtful.has(name)) this.#doubtful.set(name, table.get(name));
    try {
      await database.commit([...before, ...pending.records, ...after], pending.end);
    } catch (thrown) {
      if (after.length === 0) throw thrown;
      throw new StoreError('STORE_UNCERTAIN', reasonOf(thrown), { cause: thrown });
    }
    this.#doubtful.clear();
    this.#requireOwned();
    await this.#journal.drop(pending.end.segment);
  }

  /** All about some channels. */
  async #recordsOf(channels: TableChanges): Promise<readonly RecordChange[]> {
    const { clock } = this.#options;
    const writer = new Writer(false);
    let count = 0;
    for (const [name, channel] of channels) {
      if (++count % SLICE_CHANNELS === 0) await new Promise<void>((resolve) => clock.soon(resolve));
      writeChannel(writer, [], name, channel, true);
    }
    return readRecords(writer.view());
  }

  #tell(): void {
    const { flushFailure } = this.#journal;
    const [slow] = this.#slowActs.slow;
    const trouble =
      this.#givenUp?.message ??
      (slow && SLOW_TEXT[slow]) ??
      this.#writeTrouble ??
      (flushFailure && `${flushFailure}; a loss of power may cost what was put since`) ??
      (this.#checkpointTrouble && `the journal does not get into the database: ${this.#checkpointTrouble}`);
    if (trouble === this.#toldTrouble) return;
    this.#toldTrouble = trouble;
    this.onTrouble(trouble);
  }
}

/** What makes a channel what it is, or that it is no more; `places` is given where that is. */
function writeChannel(
  writer: Writer,
  places: RecordPlace[],
  name: string,
  channel: StoredChannel | undefined,
  isRedefined: boolean,
): void {
  if (channel === undefined) {
    for (const kind of ['definition', 'value'] as const) {
      writeRemoval(writer, kind, name);
      places.push({ kind, name });
    }
    return;
  }
  if (isRedefined) {
    const place = beginRecord(writer, 'definition', name);
    const start = writer.length;
    writeDefinitionRecord(writer, channel.definition);
    endRecord(writer, place);
    places.push({ kind: 'definition', name, start, end: writer.length });
  }
  const place = beginRecord(writer, 'value', name);
  const start = writer.length;
  writeValueRecord(writer, channel);
  endRecord(writer, place);
  places.push({ kind: 'value', name, start, end: writer.length });
}
