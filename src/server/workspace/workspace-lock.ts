// Who holds a workspace? One process at a time, which a file names: what it says is checked before it is believed, since
// a process that was killed cannot take it away.

import { readFileSync } from 'node:fs';
import { link, readFile, rename, stat, unlink, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { PvaError, reasonOf } from '../../protocol/errors.ts';
import { isoTime, type Clock, type TimerHandle } from '../../transport/clocks.ts';

/** How often the file is touched, for other hosts that cannot see whether its process lives. */
const BEAT_MS = 10_000;
/** A file of another host that was not touched for so long is nobody's. */
const SILENCE_MS = 60_000;
/** Several may find the same stale lock; after so many tries somebody else has it. */
const MAX_TRIES = 5;

/** What the file says. */
interface Holder {
  readonly pid: number;
  readonly host: string;
  readonly since: string;
  /** When the process began, in a unit of its system; tells it from a later one with its number. */
  readonly began: string | undefined;
}

/** Workspaces that this process holds: its own number says nothing of them. */
const held = new Set<string>();

/** The workspace is held by a process that lives. */
export class WorkspaceLockedError extends PvaError {
  constructor(message: string) {
    super('WORKSPACE_LOCKED', message);
  }
}

export class WorkspaceLock {
  readonly #path: string;
  readonly #text: string;
  readonly #beat: TimerHandle;

  private constructor(path: string, text: string, clock: Clock) {
    this.#path = path;
    this.#text = text;
    this.#beat = clock.every(BEAT_MS, () => {
      const now = clock.wallTime() / 1_000;
      // Gone with its folder, perhaps: whoever writes there will notice.
      utimes(path, now, now).catch(() => {});
    });
  }

  /**
   * Takes the lock; `onStale` is told whose lock was left behind, if there was one.
   * @throws WorkspaceLockedError that names the process that holds it
   */
  static async take(path: string, clock: Clock, onStale: (text: string) => void): Promise<WorkspaceLock> {
    const holder = {
      pid: process.pid,
      host: hostname(),
      since: isoTime(clock.wallTime()),
      began: beganOf(process.pid),
    };
    const text = `${JSON.stringify(holder)}\n`;
    const own = `${path}.${process.pid}`;
    await writeFile(own, text);
    try {
      for (let tries = 0; tries < MAX_TRIES; tries++) {
        if (await linked(own, path)) {
          held.add(path);
          return new WorkspaceLock(path, text, clock);
        }
        const found = await readFile(path, 'utf8').catch(() => undefined);
        if (found === undefined) continue;
        const silentMs = clock.wallTime() - (await touchedMs(path));
        const before = holderIn(found);
        if (before !== undefined && isAlive(path, before, silentMs))
          throw new WorkspaceLockedError(`${path} is held by ${textOf(before)}`);
        if (await removed(path, found, own)) onStale(`${path} was left behind by ${textOf(before)}`);
      }
      throw new WorkspaceLockedError(`${path} is taken by others again and again`);
    } finally {
      await unlink(own);
    }
  }

  /** Lets go of it. */
  async release(): Promise<void> {
    this.#beat.cancel();
    held.delete(this.#path);
    const found = await readFile(this.#path, 'utf8').catch(() => undefined);
    if (found === this.#text) await unlink(this.#path);
  }
}

/** Whether `path` is a new name of the file now; there may be a file of that name already. */
async function linked(file: string, path: string): Promise<boolean> {
  try {
    await link(file, path);
    return true;
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'EEXIST') return false;
    throw thrown;
  }
}

/** Takes a stale file away; another may have done so meanwhile, and put its own there, which stays. */
async function removed(path: string, stale: string, own: string): Promise<boolean> {
  const aside = `${own}.stale`;
  try {
    await rename(path, aside);
    const isStale = (await readFile(aside, 'utf8')) === stale;
    if (!isStale) await linked(aside, path);
    await unlink(aside);
    return isStale;
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return false;
    throw thrown;
  }
}

async function touchedMs(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.mtimeMs ?? 0;
}

function isAlive(path: string, { pid, host, began }: Holder, silentMs: number): boolean {
  if (host !== hostname()) return silentMs < SILENCE_MS;
  // A container begins with the same number each time: that is no sign of another process.
  if (pid === process.pid) return held.has(path);
  try {
    process.kill(pid, 0);
  } catch (thrown) {
    // A process of another user lives all the same.
    if (!(thrown instanceof Error && 'code' in thrown && thrown.code === 'EPERM')) return false;
  }
  const begins = beganOf(pid);
  return began === undefined || begins === undefined || began === begins;
}

/** When a process began, in ticks since the system did; undefined where that cannot be read. */
function beganOf(pid: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name of the program stands in parentheses and may hold anything; the 22nd field is the 20th behind it.
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}

/** What a file says; undefined where it is not what we write. */
function holderIn(text: string): Holder | undefined {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return undefined;
    throw new PvaError('WORKSPACE', reasonOf(thrown), { cause: thrown });
  }
  if (typeof found !== 'object' || found === null) return undefined;
  if (!('pid' in found && 'host' in found && 'since' in found)) return undefined;
  const { pid, host, since } = found;
  const began = 'began' in found && typeof found.began === 'string' ? found.began : undefined;
  if (typeof pid !== 'number' || !Number.isInteger(pid) || pid < 1) return undefined;
  return typeof host === 'string' && typeof since === 'string' ? { pid, host, since, began } : undefined;
}

function textOf(holder: Holder | undefined): string {
  return holder === undefined
    ? 'somebody who left no name'
    : `process ${holder.pid} on ${holder.host} since ${holder.since}`;
}
