// How do many writers share the cost of a commit? What comes while one commit is under way waits and goes with the next.
//
// Nothing changes in memory before its commit: a batch works on a view of the table, and the table follows when the
// commit holds. A commit that does not leaves everything as it was, and all of its batch is refused.

import type { ChannelTable, Effect } from '../channel-operations.ts';
import type { StoredChannel, StoreWatcher } from '../channel-store.ts';
import { StoreError } from '../store-error.ts';

/** What becomes of channels: their new state, undefined for those that are destroyed. */
export type TableChanges = ReadonlyMap<string, StoredChannel | undefined>;

interface Waiting {
  readonly act: (table: ChannelTable) => Effect<unknown>;
  readonly signal: AbortSignal | undefined;
  readonly resolve: (result: unknown) => void;
  readonly reject: (why: unknown) => void;
}

export interface GroupCommitOptions {
  readonly table: ChannelTable;
  /** Makes changes durable; when it rejects, none of them is. */
  readonly commit: (changes: TableChanges) => Promise<void>;
  readonly tell: (event: (watcher: StoreWatcher) => void) => void;
}

export class GroupCommit {
  readonly #options: GroupCommitOptions;
  #waiting: Waiting[] = [];
  #running: Promise<void> | undefined;
  #underWay = 0;

  constructor(options: GroupCommitOptions) {
    this.#options = options;
  }

  /** Operations that are not acknowledged yet. */
  get count(): number {
    return this.#waiting.length + this.#underWay;
  }

  /** Carries an operation out; resolves when it is committed and told. What is aborted before its batch is not done. */
  take<R>(act: (table: ChannelTable) => Effect<R>, signal?: AbortSignal): Promise<R> {
    return new Promise<R>((resolve, reject) => {
      // The queue holds operations of all results; each resolve gets what its own act gave.
      this.#waiting.push({ act, signal, reject, resolve: resolve as (result: unknown) => void });
      this.#running ??= this.#run();
    });
  }

  /** Resolves when nothing is under way any more. */
  async idle(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    // What else comes in this turn goes with the first batch.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      this.#underWay = batch.length;
      await this.#commit(batch);
      this.#underWay = 0;
    }
    this.#running = undefined;
  }

  async #commit(batch: readonly Waiting[]): Promise<void> {
    const { table, commit, tell } = this.#options;
    const view = new TableView(table);
    const done: { readonly waiting: Waiting; readonly effect: Effect<unknown> }[] = [];
    for (const waiting of batch) {
      try {
        waiting.signal?.throwIfAborted();
        done.push({ waiting, effect: waiting.act(view) });
      } catch (thrown) {
        waiting.reject(thrown);
      }
    }
    try {
      if (view.changes.size > 0) await commit(view.changes);
    } catch (thrown) {
      const refused = new StoreError('STORE_AWAY', `not written: ${String(thrown)}`, { cause: thrown });
      for (const { waiting } of done) waiting.reject(refused);
      return;
    }
    view.apply();
    for (const { waiting, effect } of done) {
      tell(effect.tell);
      waiting.resolve(effect.result);
    }
  }
}

/** A table as it is to become, over one that stays as it is. */
class TableView implements ChannelTable {
  readonly changes = new Map<string, StoredChannel | undefined>();
  readonly #table: ChannelTable;

  constructor(table: ChannelTable) {
    this.#table = table;
  }

  get(name: string): StoredChannel | undefined {
    return this.changes.has(name) ? this.changes.get(name) : this.#table.get(name);
  }

  set(name: string, channel: StoredChannel): void {
    this.changes.set(name, channel);
  }

  delete(name: string): void {
    this.changes.set(name, undefined);
  }

  apply(): void {
    for (const [name, channel] of this.changes) {
      if (channel === undefined) this.#table.delete(name);
      else this.#table.set(name, channel);
    }
  }
}
