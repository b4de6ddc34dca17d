// Who holds a workspace? One process at a time, which a file names: what it says is checked before it is believed, since
// a process that was killed cannot take it away.
//
// A stale file is taken away by one process alone, the one whose file has the name that follows from what the stale file is
// called and says: `lock.5f1d...`. Others may have read the same stale file long ago, and there may be a new one by now. Who
// is killed meanwhile leaves that name behind, which is a stale file like any other.

import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { PvaError } from '../../protocol/errors.ts';
import type { Clock, TimerHandle } from '../../transport/clocks.ts';
import { holderIn, holderText, isElsewhere, lockText, type LockHolder } from './lock-holder.ts';
import { thisMachine, type LockMachine } from './lock-machine.ts';

/** How often the file is touched, for others that cannot see whether its process lives; and looked at. */
const BEAT_MS = 10_000;
/** A file from elsewhere that was not touched for so long is nobody's. */
const SILENCE_MS = 60_000;
/** How often one is looked at by who waits for that. */
const LOOK_MS = 1_000;
/** Several may find the same stale lock; after so many tries somebody else has it. */
const MAX_TRIES = 5;
const HASH_CHARACTERS = 16;

/** Files that this process has made: its own number says nothing of them. */
const living = new Set<string>();

/** The workspace is held by a process that lives, or was taken over by one. */
export class WorkspaceLockedError extends PvaError {
  constructor(message: string) {
    super('WORKSPACE_LOCKED', message);
  }
}

export interface LockOptions {
  /** Told whose lock was left behind, if there was one. */
  readonly onStale?: ((text: string) => void) | undefined;
  /**
   * Told that a process elsewhere, of which nobody here can see whether it lives, touched the lock within the last minute.
   * Then it is waited for: until it touches it again, or the minute is over. Without this it is refused at once.
   */
  readonly onWait?: ((text: string) => void) | undefined;
  /** Ends such a wait. */
  readonly signal?: AbortSignal | undefined;
  readonly machine?: LockMachine | undefined;
}

export class WorkspaceLock {
  readonly #path: string;
  readonly #text: string;
  readonly #clock: Clock;
  readonly #machine: LockMachine;
  readonly #beat: TimerHandle;
  readonly #lost = new AbortController();
  #isReleased = false;

  private constructor(path: string, text: string, clock: Clock, machine: LockMachine) {
    this.#path = path;
    this.#text = text;
    this.#clock = clock;
    this.#machine = machine;
    this.#beat = clock.every(BEAT_MS, () => {
      // A disk that fails for a moment gives it to nobody.
      this.#look().catch(() => {});
    });
  }

  /** @throws WorkspaceLockedError that names the process that holds it */
  static async take(path: string, clock: Clock, options: LockOptions = {}): Promise<WorkspaceLock> {
    const { machine = thisMachine } = options;
    const text = lockText(machine.self(), clock.wallTime());
    const own = `${path}.${hashOf(text)}.new`;
    living.add(text);
    try {
      await machine.write(own, text);
      await new Claim(path, own, clock, machine, options).take(path);
      return new WorkspaceLock(path, text, clock, machine);
    } catch (thrown) {
      living.delete(text);
      throw thrown;
    } finally {
      await machine.remove(own);
    }
  }

  /** Aborted when the lock is another one's, or gone: this process was still for too long, or somebody took the file away. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** Lets go of it. */
  async release(): Promise<void> {
    this.#isReleased = true;
    this.#beat.cancel();
    const found = await this.#machine.read(this.#path).catch(() => undefined);
    if (found === this.#text) await this.#machine.remove(this.#path);
    living.delete(this.#text);
  }

  async #look(): Promise<void> {
    const found = await this.#machine.read(this.#path);
    if (this.#isReleased) return;
    if (found === this.#text) return this.#machine.touch(this.#path, this.#clock.wallTime());
    this.#beat.cancel();
    living.delete(this.#text);
    const what = found === undefined ? 'is gone' : `was taken over by ${holderText(holderIn(found))}`;
    this.#lost.abort(new WorkspaceLockedError(`${this.#path} ${what}, while this process held it`));
  }
}

/** What one process does to take a lock. */
class Claim {
  readonly #path: string;
  readonly #own: string;
  readonly #clock: Clock;
  readonly #machine: LockMachine;
  readonly #options: LockOptions;

  constructor(path: string, own: string, clock: Clock, machine: LockMachine, options: LockOptions) {
    this.#path = path;
    this.#own = own;
    this.#clock = clock;
    this.#machine = machine;
    this.#options = options;
  }

  /** Gives the own file this name, too; a stale file that has it is taken away. */
  async take(path: string): Promise<void> {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      if (await this.#machine.link(this.#own, path)) return;
      const found = await this.#machine.read(path);
      if (found === undefined) continue;
      const holder = holderIn(found);
      if (holder !== undefined && (await this.#lives(path, found, holder))) throw this.#locked(holder);
      if ((await this.#remove(path, found)) && path === this.#path)
        this.#options.onStale?.(`${path} was left behind by ${holderText(holder)}`);
    }
    throw new WorkspaceLockedError(`${this.#path} is taken by others again and again`);
  }

  /** Whether it was this process that took the stale file away. */
  async #remove(path: string, stale: string): Promise<boolean> {
    const right = `${this.#path}.${hashOf(`${basename(path)}\n${stale}`)}`;
    await this.take(right);
    try {
      return (await this.#machine.read(path)) === stale && (await this.#machine.remove(path));
    } finally {
      await this.#machine.remove(right);
    }
  }

  async #lives(path: string, text: string, holder: LockHolder): Promise<boolean> {
    const self = this.#machine.self();
    if (isElsewhere(holder, self)) return this.#showsLife(path, holder);
    // A container begins with the same number each time: that is no sign of another process.
    return holder.pid === self.pid ? living.has(text) : this.#machine.isRunning(holder.pid, holder.began);
  }

  async #showsLife(path: string, holder: LockHolder): Promise<boolean> {
    const { onWait, signal } = this.#options;
    const touchedMs = await this.#machine.touchedMs(path);
    if (touchedMs === undefined) return false;
    const silentMs = this.#clock.wallTime() - touchedMs;
    if (silentMs >= SILENCE_MS) return false;
    if (onWait === undefined) return true;
    onWait(`${this.#locked(holder).message}; waiting for one of both`);
    // Of a clock that was set nothing more is expected than that time goes on.
    const end = this.#clock.now() + SILENCE_MS - Math.max(silentMs, 0);
    while (this.#clock.now() < end) {
      await this.#pause();
      const isTouched = (await this.#machine.touchedMs(path)) !== touchedMs;
      if (isTouched || signal?.aborted === true) return isTouched ? this.#isThere(path) : true;
    }
    // The file that is to get the name shows life, too.
    await this.#machine.touch(this.#own, this.#clock.wallTime());
    return false;
  }

  async #isThere(path: string): Promise<boolean> {
    return (await this.#machine.touchedMs(path)) !== undefined;
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      this.#clock.after(LOOK_MS, resolve);
    });
  }

  #locked(holder: LockHolder): WorkspaceLockedError {
    const held = `${this.#path} is held by ${holderText(holder)}`;
    if (!isElsewhere(holder, this.#machine.self())) return new WorkspaceLockedError(held);
    const why = 'on another host, in another container or before a restart of this machine';
    return new WorkspaceLockedError(
      `${held}, ${why}: it lives as long as it touches that file, and is gone after ${SILENCE_MS / 1_000} s without`,
    );
  }
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, HASH_CHARACTERS);
}
