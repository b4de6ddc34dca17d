// What does the journal ask of the disk? A few calls, so that tests can have a disk that is full, fails or hangs. None of
// them holds up the process.

import { constants, write } from 'node:fs';
import { copyFile, link, open, readdir, readFile, unlink, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { reasonOf } from '../../../protocol/errors.ts';
import { StoreError } from '../store-error.ts';
import { BOOT_ID_BYTES, type BootId } from './journal-format.ts';

/** A file that is written. */
export interface JournalFile {
  /** Writes at a place; resolves with how many bytes it took, which may be fewer than given. */
  write(bytes: Uint8Array, at: number): Promise<number>;
  /** Resolves when what was written is on the disk. */
  flush(): Promise<void>;
  /** Makes it this long. */
  cut(length: number): Promise<void>;
  close(): Promise<void>;
}

/** A folder with its files, by their names. */
export interface JournalFolder {
  readonly path: string;
  names(): Promise<readonly string[]>;
  /** A new file in the place of what there is. With `isFlushed` each write is on the disk when it resolves. */
  create(name: string, isFlushed: boolean): Promise<JournalFile>;
  /** All of a file; undefined where it is not there. @throws StoreError STORE_FORMAT past `maxBytes` */
  read(name: string, maxBytes: number): Promise<Uint8Array | undefined>;
  /** Gives a file another name besides, in the place of what has it. Needs no room where the system can do so. */
  keep(name: string, as: string): Promise<void>;
  /** Nothing where it is not there. */
  remove(name: string): Promise<void>;
  /** Resolves when it is on the disk which files there are. */
  flush(): Promise<void>;
}

const { O_CREAT, O_RDWR, O_TRUNC } = constants;
/** Most systems flush with each write if they are asked to; elsewhere that is a call of its own. */
const O_DSYNC = 'O_DSYNC' in constants ? constants.O_DSYNC : 0;
const PERMISSIONS = 0o644;
/** It has no way to open a folder, and keeps its own journal of names. */
const FLUSHES_NO_FOLDERS = process.platform === 'win32';

const SEGMENT_NAME = /^channels\.(?<number>[1-9]\d{0,14})\.journal$/u;

export function segmentName(number: number): string {
  return `channels.${number}.journal`;
}

/** The numbers of the segments among some files, in order. */
export function segmentNumbers(names: readonly string[]): readonly number[] {
  const numbers = names.flatMap((name) => SEGMENT_NAME.exec(name)?.groups?.['number'] ?? []).map(Number);
  return numbers.toSorted((one, other) => one - other);
}

export function journalFolder(path: string): JournalFolder {
  return {
    path,
    names: () => readdir(path),
    async create(name, isFlushed) {
      const flags = O_CREAT | O_RDWR | O_TRUNC | (isFlushed ? O_DSYNC : 0);
      return new NodeFile(await open(join(path, name), flags, PERMISSIONS), isFlushed && O_DSYNC === 0);
    },
    read: (name, maxBytes) => readWhole(join(path, name), maxBytes),
    async keep(name, as) {
      const [from, to] = [join(path, name), join(path, as)];
      await unlink(to).catch(unlessMissing);
      await link(from, to).catch(() => copyFile(from, to));
    },
    async remove(name) {
      await unlink(join(path, name)).catch(unlessMissing);
    },
    async flush() {
      if (FLUSHES_NO_FOLDERS) return;
      const folder = await open(path, 'r');
      try {
        await folder.sync();
      } finally {
        await folder.close();
      }
    },
  };
}

/** Which start of this machine it is: Linux tells. */
export async function thisBoot(): Promise<BootId> {
  const text = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '');
  const bytes = Buffer.from(text.replaceAll(/[^0-9a-f]/gu, ''), 'hex');
  return bytes.length === BOOT_ID_BYTES ? new Uint8Array(bytes) : new Uint8Array(BOOT_ID_BYTES);
}

class NodeFile implements JournalFile {
  readonly #handle: FileHandle;
  readonly #flushesItself: boolean;

  constructor(handle: FileHandle, flushesItself: boolean) {
    this.#handle = handle;
    this.#flushesItself = flushesItself;
  }

  async write(bytes: Uint8Array, at: number): Promise<number> {
    // Not the method of the handle: it takes three times the processor time, and this is on the way of each put.
    const count = await new Promise<number>((resolve, reject) => {
      write(this.#handle.fd, bytes, 0, bytes.length, at, (error, written) => {
        if (error === null) resolve(written);
        else reject(error);
      });
    });
    if (this.#flushesItself) await this.#handle.datasync();
    return count;
  }

  flush(): Promise<void> {
    return this.#handle.datasync();
  }

  cut(length: number): Promise<void> {
    return this.#handle.truncate(length);
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

async function readWhole(path: string, maxBytes: number): Promise<Uint8Array | undefined> {
  const file = await open(path, 'r').catch(unlessMissing);
  if (file === undefined) return undefined;
  try {
    const { size } = await file.stat();
    if (size > maxBytes)
      throw new StoreError('STORE_FORMAT', `${path} has ${size} bytes, no journal has more than ${maxBytes}`);
    const bytes = new Uint8Array(size);
    let length = 0;
    while (length < size) {
      const { bytesRead } = await file.read(bytes, length, size - length, length);
      // Cut meanwhile, by its owner.
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    return bytes.subarray(0, length);
  } catch (thrown) {
    if (thrown instanceof StoreError) throw thrown;
    throw new StoreError('STORE_AWAY', `${path} cannot be read: ${reasonOf(thrown)}`, { cause: thrown });
  } finally {
    await file.close();
  }
}

function unlessMissing(thrown: unknown): undefined {
  if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return undefined;
  throw thrown;
}
