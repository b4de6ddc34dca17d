// What does the lock of a workspace ask of the machine? A few calls, so that tests can have processes that come to each step
// in any order, and are killed between two.

import { readFileSync, readlinkSync } from 'node:fs';
import { link, readFile, stat, unlink, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';

/** What tells one process from all others. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly host: string;
  /** When the process began, in a unit of its system; tells it from a later one with its number. */
  readonly began: string | undefined;
  /** Whose numbers of processes these are: each container has its own, with the name of its host where it shares the network. */
  readonly pidNamespace: string | undefined;
  /** Which start of the machine it is. */
  readonly boot: string | undefined;
}

export interface LockMachine {
  /** The process that asks. */
  self(): ProcessIdentity;
  /** Whether a process of this machine lives that began then. */
  isRunning(pid: number, began: string | undefined): boolean;
  write(path: string, text: string): Promise<void>;
  /** Whether `path` is a new name of the file now; there may be a file of that name already. */
  link(file: string, path: string): Promise<boolean>;
  /** Undefined where it is not there. */
  read(path: string): Promise<string | undefined>;
  /** Says that it was touched at a time of day; nothing where it is not there. */
  touch(path: string, wallTimeMs: number): Promise<void>;
  /** When it was touched; undefined where it is not there. */
  touchedMs(path: string): Promise<number | undefined>;
  /** Whether it was there. */
  remove(path: string): Promise<boolean>;
}

export const thisMachine: LockMachine = {
  self: () => ({
    pid: process.pid,
    host: hostname(),
    began: beganOf(process.pid),
    pidNamespace: unlessAbsent(() => readlinkSync('/proc/self/ns/pid')),
    boot: unlessAbsent(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()),
  }),
  isRunning(pid, began) {
    try {
      process.kill(pid, 0);
    } catch (thrown) {
      // A process of another user lives all the same.
      if (!hasCode(thrown, 'EPERM')) return false;
    }
    const begins = beganOf(pid);
    return began === undefined || begins === undefined || began === begins;
  },
  write: (path, text) => writeFile(path, text),
  link: (file, path) => unless('EEXIST', link(file, path)),
  read: (path) => readFile(path, 'utf8').catch(undefinedIfMissing),
  async touch(path, wallTimeMs) {
    await unless('ENOENT', utimes(path, wallTimeMs / 1_000, wallTimeMs / 1_000));
  },
  touchedMs: async (path) => (await stat(path).catch(undefinedIfMissing))?.mtimeMs,
  remove: (path) => unless('ENOENT', unlink(path)),
};

/** When a process began, in ticks since the system did; undefined where that cannot be read. */
function beganOf(pid: number): string | undefined {
  const text = unlessAbsent(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  // The name of the program stands in parentheses and may hold anything; the 22nd field is the 20th behind it.
  return text?.slice(text.lastIndexOf(')') + 2).split(' ')[19];
}

/** What a system may not have. */
function unlessAbsent(read: () => string): string | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** False when an act ends with this error, true when it is done. */
async function unless(code: string, act: Promise<void>): Promise<boolean> {
  try {
    await act;
    return true;
  } catch (thrown) {
    if (hasCode(thrown, code)) return false;
    throw thrown;
  }
}

function undefinedIfMissing(thrown: unknown): undefined {
  if (hasCode(thrown, 'ENOENT')) return undefined;
  throw thrown;
}

function hasCode(thrown: unknown, code: string): boolean {
  return thrown instanceof Error && 'code' in thrown && thrown.code === code;
}
