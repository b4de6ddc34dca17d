// Where do the records of the embedded store lie? In one LMDB file; this is the only file that names the package.
//
// A commit is visible to whoever opens the file after it, also when the process is killed. Then it is flushed to the disk,
// which is waited for as well: so it is there after a loss of power, too. LMDB does not begin the next commit before that,
// so it costs one writer a little and many writers nothing.

import { existsSync } from 'node:fs';
import type { Database } from 'lmdb';
import { reasonOf } from '../../../protocol/errors.ts';
import { decodeText, encodeText } from '../../../protocol/text.ts';
import { StoreError } from '../store-error.ts';
import { requireWholeFile } from './file-check.ts';
import { requireReadable } from './trial-read.ts';

/** Moves when the records can no longer be read by those who read the ones before. */
export const STORE_FORMAT = 1;

/** Key of the record that says whose file this is. */
const FORMAT_KEY = encodeText('pvkit');
const FORMAT_TEXT = /^channel store format (\d{1,9})$/u;

/** An option that its types leave out: `commit` relies on it for speed alone. */
const START_AT_ONCE: object = { txnStartThreshold: 1 };

/** First byte of a key; the name follows. */
const KINDS = { definition: 0x64, value: 0x76 } as const;
export type RecordKind = keyof typeof KINDS;

export interface DatabaseRecord {
  readonly kind: RecordKind;
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Puts a record, or removes it where there are no bytes. */
export type RecordChange = readonly [kind: RecordKind, name: string, bytes: Uint8Array | undefined];

export class RecordDatabase {
  readonly #database: Database<Uint8Array, Uint8Array>;
  readonly #close: () => Promise<void>;

  private constructor(database: Database<Uint8Array, Uint8Array>, close: () => Promise<void>) {
    this.#database = database;
    this.#close = close;
  }

  /**
   * Opens a file; makes it if it is not there, unless it is only to be read: then another process may have it open.
   * @throws StoreError STORE_FORMAT when it is not one of ours, damaged, or of a newer format; STORE_AWAY when it is not there
   */
  static async open(path: string, { readOnly = false } = {}): Promise<RecordDatabase> {
    const isNew = !existsSync(path);
    if (isNew && readOnly) throw new StoreError('STORE_AWAY', `${path} is not there`);
    if (!isNew) {
      await requireWholeFile(path);
      await requireReadable(path);
    }
    const { open } = await import('lmdb');
    let root: ReturnType<typeof open<Uint8Array, Uint8Array>>;
    try {
      root = open<Uint8Array, Uint8Array>({
        path,
        encoding: 'binary',
        keyEncoding: 'binary',
        eventTurnBatching: false,
        readOnly,
        ...START_AT_ONCE,
      });
    } catch (thrown) {
      throw new StoreError('STORE_FORMAT', `${path} cannot be opened: ${reasonOf(thrown)}`, { cause: thrown });
    }
    const database = new RecordDatabase(root, () => root.close());
    try {
      if (isNew) await root.put(FORMAT_KEY, encodeText(`channel store format ${STORE_FORMAT}`));
      else requireFormat(path, root.get(FORMAT_KEY));
    } catch (thrown) {
      await database.close();
      throw thrown;
    }
    return database;
  }

  /** All records, those of one channel not together. */
  *records(): Iterable<DatabaseRecord> {
    for (const kind of ['definition', 'value'] as const) {
      const start = Uint8Array.of(KINDS[kind]);
      for (const { key, value } of this.#database.getRange({ start, end: Uint8Array.of(KINDS[kind] + 1) }))
        yield { kind, name: textOf(key.subarray(1)), bytes: value };
    }
  }

  /** All of it or nothing; resolves when it is on the disk. */
  async commit(changes: readonly RecordChange[]): Promise<void> {
    const database = this.#database;
    const parts: Promise<boolean>[] = [];
    const whole = database.batch(() => {
      for (const [kind, name, bytes] of changes) {
        const key = keyOf(kind, name);
        parts.push(bytes === undefined ? database.remove(key) : database.put(key, bytes));
      }
    });
    // Past `txnStartThreshold` the writing starts at once, not after all else that this turn of the event loop brings.
    const start = database.batch(() => {});
    await Promise.all([whole, start, ...parts]);
    await database.flushed;
  }

  close(): Promise<void> {
    return this.#close();
  }
}

function keyOf(kind: RecordKind, name: string): Uint8Array {
  const text = encodeText(name);
  const key = new Uint8Array(1 + text.length);
  key[0] = KINDS[kind];
  key.set(text, 1);
  return key;
}

function requireFormat(path: string, record: Uint8Array | undefined): void {
  const format = FORMAT_TEXT.exec(record === undefined ? '' : textOf(record))?.[1];
  if (format === undefined) throw new StoreError('STORE_FORMAT', `${path} is a database, but not one of pvkit`);
  if (Number(format) <= STORE_FORMAT) return;
  const newest = `this version of pvkit reads up to ${STORE_FORMAT}`;
  throw new StoreError('STORE_FORMAT', `${path} is of format ${format}; ${newest}`);
}

function textOf(bytes: Uint8Array): string {
  return decodeText(bytes, 0, bytes.length);
}
