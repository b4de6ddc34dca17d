// Where do the records of the embedded store lie? In one LMDB file; this is the only file that names the package.
//
// A commit is visible to whoever opens the file after it, also when the process is killed. Then it is flushed to the disk,
// which is waited for as well: so it is there after a loss of power, too. What was written since the last commit is in the
// journal (journal.ts); each commit says up to where the journal is in it.

import { existsSync } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Database, Transaction } from 'lmdb';
import { reasonOf } from '../../../protocol/errors.ts';
import { decodeText, encodeText } from '../../../protocol/text.ts';
import { StoreError } from '../store-error.ts';
import { requireWholeFile } from './file-check.ts';
import { journalFolder } from './journal-files.ts';
import { KINDS, type ChannelRecord, type JournalPosition, type RecordChange, type RecordKind } from './record.ts';
import { requireUsable } from './trial-use.ts';

/**
 * Moves when the records can no longer be read by those who read the ones before. The first one had no journal: who knows
 * that one only would miss what is in it.
 */
export const STORE_FORMAT = 2;

/** Key of the record that says whose file this is. */
const FORMAT_KEY = encodeText('pvkit');
const FORMAT = `channel store format ${STORE_FORMAT}`;
const FORMAT_TEXT = /^channel store format (\d{1,9})$/u;

/** Key of the record that says what of the journal is in the database. */
const POSITION_KEY = encodeText('journal');
const POSITION_TEXT = /^up to segment (\d{1,15}), group (\d{1,15})$/u;

/** More than a database has that is new. */
const FIRST_BYTES = 64 * 1024;

/** What LMDB adds to the reason of a write that failed. */
const WRITE_DETAILS = /: Attempting to write page .*$/u;

/** An option that its types leave out: `commit` relies on it for speed alone. */
const START_AT_ONCE: object = { txnStartThreshold: 1 };

export class RecordDatabase {
  readonly #path: string;
  readonly #database: Database<Uint8Array, Uint8Array>;
  readonly #close: () => Promise<void>;
  #format = STORE_FORMAT;
  /** Whether the last commit did not hold. */
  #hasFailed = false;

  private constructor(path: string, database: Database<Uint8Array, Uint8Array>, close: () => Promise<void>) {
    this.#path = path;
    this.#database = database;
    this.#close = close;
  }

  /**
   * Opens a file; makes it if it is not there, unless it is only to be read: then another process may have it open. Where
   * the one who wrote it `wasKilled`, it is tried whether it can be written, before it is.
   * @throws StoreError STORE_FORMAT when it is not one of ours, damaged, or of a newer format; STORE_AWAY when it is not there
   */
  static async open(path: string, { readOnly = false, wasKilled = false } = {}): Promise<RecordDatabase> {
    if (existsSync(path)) {
      await requireWholeFile(path);
      await requireUsable(path, wasKilled);
    } else {
      if (readOnly) throw new StoreError('STORE_AWAY', `${path} is not there`);
      await RecordDatabase.#make(path);
    }
    const database = await RecordDatabase.#opened(path, readOnly);
    try {
      database.#format = requireFormat(path, database.#database.get(FORMAT_KEY));
    } catch (thrown) {
      await database.close();
      throw thrown;
    }
    return database;
  }

  /**
   * Makes a file under another name, which it loses when it is whole and on the disk: who is killed before that leaves nothing
   * that the next start would have to tell from a damaged store.
   */
  static async #make(path: string): Promise<void> {
    const unfinished = `${path}.new`;
    const remove = async (): Promise<void> => {
      for (const name of [unfinished, `${unfinished}-lock`]) await rm(name, { force: true });
    };
    try {
      await remove();
      // LMDB ends the process where it finds no room for its first pages.
      await writeFile(unfinished, new Uint8Array(FIRST_BYTES));
      await remove();
      const database = await RecordDatabase.#opened(unfinished, false);
      try {
        await database.#held([database.#database.put(FORMAT_KEY, encodeText(FORMAT))]);
        await database.#database.flushed;
      } finally {
        await database.close();
      }
      await rename(unfinished, path);
      await remove();
      await journalFolder(dirname(path)).flush();
    } catch (thrown) {
      throw new StoreError('STORE_AWAY', `${path} cannot be made: ${reasonOf(thrown)}`, { cause: thrown });
    }
  }

  static async #opened(path: string, readOnly: boolean): Promise<RecordDatabase> {
    const { open } = await import('lmdb');
    try {
      const root = open<Uint8Array, Uint8Array>({
        path,
        encoding: 'binary',
        keyEncoding: 'binary',
        eventTurnBatching: false,
        readOnly,
        ...START_AT_ONCE,
      });
      return new RecordDatabase(path, root, () => root.close());
    } catch (thrown) {
      throw new StoreError('STORE_FORMAT', `${path} cannot be opened: ${reasonOf(thrown)}`, { cause: thrown });
    }
  }

  /** Whether it is of an older format; the next commit makes it one of this. */
  get isOld(): boolean {
    return this.#format < STORE_FORMAT;
  }

  /** What of the journal is in it. */
  get position(): JournalPosition {
    return this.read((_, position) => position);
  }

  /** Reads what is there now: records of a kind, those of one channel not together, and what of the journal is in them. */
  read<T>(act: (records: (kind: RecordKind) => Iterable<ChannelRecord>, position: JournalPosition) => T): T {
    this.#database.resetReadTxn();
    const transaction = this.#database.useReadTransaction();
    try {
      return act((kind) => this.#records(kind, transaction), this.#position(transaction));
    } finally {
      transaction.done();
    }
  }

  *#records(kind: RecordKind, transaction: Transaction): Iterable<ChannelRecord> {
    const [start, end] = [Uint8Array.of(KINDS[kind]), Uint8Array.of(KINDS[kind] + 1)];
    for (const { key, value } of this.#database.getRange({ start, end, transaction }))
      yield { kind, name: textOf(key.subarray(1)), bytes: value };
  }

  #position(transaction: Transaction): JournalPosition {
    const record = this.#database.get(POSITION_KEY, { transaction });
    if (record === undefined) return { segment: 0, group: 0 };
    const [, segment, group] = POSITION_TEXT.exec(textOf(record)) ?? [];
    if (segment !== undefined && group !== undefined) return { segment: Number(segment), group: Number(group) };
    throw new StoreError('STORE_FORMAT', `${this.#path} is damaged: it does not say what of the journal is in it`);
  }

  /**
   * Changes all of it at once, and that the journal is in it up to a place; resolves when it is on the disk. When it
   * rejects, all of it may be there or nothing: it is visible before it is flushed, and stays so where the flush fails.
   */
  async commit(changes: readonly RecordChange[], { segment, group }: JournalPosition): Promise<void> {
    const database = this.#database;
    const parts: Promise<boolean>[] = [];
    const whole = database.batch(() => {
      for (const [kind, name, bytes] of changes) {
        const key = keyOf(kind, name);
        parts.push(bytes === undefined ? database.remove(key) : database.put(key, bytes));
      }
      if (this.isOld) parts.push(database.put(FORMAT_KEY, encodeText(FORMAT)));
      parts.push(database.put(POSITION_KEY, encodeText(`up to segment ${segment}, group ${group}`)));
    });
    // Past `txnStartThreshold` the writing starts at once, not after all else that this turn of the event loop brings.
    const start = database.batch(() => {});
    await this.#held([whole, start, ...parts]);
    await database.flushed;
    this.#format = STORE_FORMAT;
  }

  async close(): Promise<void> {
    // LMDB's own close waits for the flush of the last commit, also where that failed and none will come. One that changes
    // nothing needs no disk, and takes its place.
    if (this.#hasFailed) await this.#held([this.#database.remove(Uint8Array.of(0))]).catch(() => {});
    await this.#close();
  }

  /** All parts of a commit. @throws Error that says why it did not hold */
  async #held(parts: readonly Promise<boolean>[]): Promise<void> {
    const results = await Promise.allSettled(new Set(parts));
    const failures = results.filter((result) => result.status === 'rejected');
    const reasons = await Promise.all(failures.map(({ reason }) => commitErrorOf(reason)));
    this.#hasFailed = reasons.length > 0;
    if (this.#hasFailed) throw reasons[0];
  }
}

/** Why a commit failed. LMDB keeps that in a promise of its own, which is a fault of the program where nobody hears it. */
async function commitErrorOf(thrown: unknown): Promise<unknown> {
  if (!(thrown instanceof Error) || !('commitError' in thrown)) return thrown;
  return Promise.resolve(thrown.commitError).then(
    () => thrown,
    // Without the addresses in it: what fails for the same reason again is no news.
    (cause: unknown) => new Error(reasonOf(cause).replace(WRITE_DETAILS, ''), { cause }),
  );
}

/** The kind is the first byte; the name follows. */
function keyOf(kind: RecordKind, name: string): Uint8Array {
  const text = encodeText(name);
  const key = new Uint8Array(1 + text.length);
  key[0] = KINDS[kind];
  key.set(text, 1);
  return key;
}

function requireFormat(path: string, record: Uint8Array | undefined): number {
  const format = FORMAT_TEXT.exec(record === undefined ? '' : textOf(record))?.[1];
  if (format === undefined) throw new StoreError('STORE_FORMAT', `${path} is a database, but not one of pvkit`);
  if (Number(format) <= STORE_FORMAT) return Number(format);
  const newest = `this version of pvkit reads up to ${STORE_FORMAT}`;
  throw new StoreError('STORE_FORMAT', `${path} is of format ${format}; ${newest}`);
}

function textOf(bytes: Uint8Array): string {
  return decodeText(bytes, 0, bytes.length);
}
