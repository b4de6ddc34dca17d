// What is a workspace? A folder that keeps one server apart from all others: its configuration, `.env`, logs and state.
//
//   DIR/pvkit.toml  .env  .env.example   what it is configured with, where no other file is given
//   DIR/state/                           the channels of the embedded store
//   DIR/logs/                            pvkit.log, and the put log where one is asked for
//   DIR/lock                             the process that holds it

import { mkdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { ChannelStore } from '../../channels/stores/channel-store.ts';
import { PvaError, reasonOf } from '../../protocol/errors.ts';
import type { Limits } from '../../protocol/limits.ts';
import { systemClock, type Clock } from '../../transport/clocks.ts';
import { WorkspaceLock } from './workspace-lock.ts';

const STATE_FOLDER = 'state';

/** Whom a workspace tells. */
export interface WorkspaceOptions {
  readonly clock?: Clock;
  /** Told when the lock of a process that is gone was taken over. */
  readonly onStale?: (text: string) => void;
  /**
   * Told that a process elsewhere held the folder a moment ago, on another host, in another container or before a restart of
   * this machine, and that `open` waits to see whether it lives; a minute at most. Without this it is refused at once.
   */
  readonly onWait?: (text: string) => void;
  /** Ends such a wait. */
  readonly signal?: AbortSignal;
}

/** How the store of a workspace is opened. */
export interface WorkspaceStoreOptions {
  /**
   * How long after a write it is flushed to the disk: what a loss of power may cost. 0: before it is acknowledged. Default
   * 100.
   */
  readonly flushMs?: number | undefined;
  /** Told what an operator should know. */
  readonly onWarning?: ((text: string) => void) | undefined;
  /** Told what explains what is there, such as that a group of puts was not written whole when the process was killed. */
  readonly onInfo?: ((text: string) => void) | undefined;
}

/** A folder that this process holds, from `open` to `close`. */
export class Workspace {
  /** Absolute. */
  readonly folder: string;
  readonly #lock: WorkspaceLock;
  readonly #clock: Clock;
  /** What goes on in the folder though it was closed: the disk hangs. */
  readonly #hanging: Promise<void>[] = [];

  private constructor(folder: string, lock: WorkspaceLock, clock: Clock) {
    this.folder = folder;
    this.#lock = lock;
    this.#clock = clock;
  }

  /**
   * Takes a folder, which is made if it is not there.
   * @throws WorkspaceLockedError that names the process that holds it; PvaError when it cannot be used
   */
  static async open(path: string, { clock = systemClock, ...options }: WorkspaceOptions = {}) {
    const folder = resolve(path);
    try {
      for (const part of [STATE_FOLDER, 'logs']) await makeFolder(join(folder, part));
      return new Workspace(folder, await WorkspaceLock.take(join(folder, 'lock'), clock, options), clock);
    } catch (thrown) {
      if (thrown instanceof PvaError) throw thrown;
      throw new PvaError('WORKSPACE', `the workspace ${folder} cannot be used: ${reasonOf(thrown)}`, { cause: thrown });
    }
  }

  /**
   * The embedded store of a folder as it is at this moment, to read: another process may hold the folder meanwhile.
   * @throws StoreError STORE_AWAY when there is none, STORE_FORMAT when its files cannot be read
   */
  static async readStore(
    path: string,
    limits?: Limits,
    { onWarning }: Pick<WorkspaceStoreOptions, 'onWarning'> = {},
  ): Promise<ChannelStore> {
    const { openEmbeddedStore } = await import('../../channels/stores/embedded/embedded-store.ts');
    return openEmbeddedStore(join(resolve(path), STATE_FOLDER), { limits, readOnly: true, onWarning });
  }

  /**
   * Aborted when another process has the folder though this one did not let go of it, with the reason: it was still for a
   * minute, or somebody took the lock away. Nothing is written to its store from then on.
   */
  get lost(): AbortSignal {
    return this.#lock.lost;
  }

  /** Where logs go. */
  get logFolder(): string {
    return join(this.folder, 'logs');
  }

  /** The embedded store in this folder. @throws StoreError STORE_FORMAT when its files cannot be read */
  async openStore(limits?: Limits, options: WorkspaceStoreOptions = {}): Promise<ChannelStore> {
    // Loaded late: it is native code.
    const { openEmbeddedStore } = await import('../../channels/stores/embedded/embedded-store.ts');
    return openEmbeddedStore(join(this.folder, STATE_FOLDER), {
      ...options,
      limits,
      clock: this.#clock,
      lost: this.#lock.lost,
      onHang: (ended) => this.#hanging.push(ended),
    });
  }

  /**
   * Lets go of the folder; what was opened in it is closed before. Where a disk hangs that its store did not wait for, the
   * folder stays this process's until that has ended: what is written there late must not be over what another one wrote.
   */
  async close(): Promise<void> {
    if (this.#hanging.length === 0) return this.#lock.release();
    void Promise.all(this.#hanging)
      .then(() => this.#lock.release())
      .catch(() => {});
  }
}

/**
 * With the folders above it. `recursive` of node tries for ever where nothing can be made though all above is there, as
 * under /proc and in mount points of autofs.
 */
async function makeFolder(path: string): Promise<void> {
  const above = dirname(path);
  if (above !== path && !(await isFolder(above))) await makeFolder(above);
  // Another process may make it, too.
  await mkdir(path).catch(async (thrown: unknown) => {
    if (!(await isFolder(path))) throw thrown;
  });
}

function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
