// How do many writers share the cost of a commit? What comes while one commit is under way waits and goes with the next.
//
// Nothing changes in memory before its commit: a batch works on a view of the table, and the table follows when the
// commit holds. A commit that does not leaves everything as it was, and all of its batch is refused. Where the disk takes
// longer than anybody waits, what is not begun is refused and never done; of what is under way nobody can know.

import { PvaError } from '../../../protocol/errors.ts';
import type { ChannelTable, Effect } from '../channel-operations.ts';
import type { StoredChannel, StoreWatcher } from '../channel-store.ts';
import type { Clock, TimerHandle } from '../../../transport/clocks.ts';
import { isStoreAway, StoreError } from '../store-error.ts';

/** What becomes of channels: their new state, undefined for those that are destroyed. */
export type TableChanges = ReadonlyMap<string, StoredChannel | undefined>;

/** Whoever writes is answered by then: clients of a server wait for 5 s. */
const ANSWER_MS = 2_000;

interface Waiting {
  readonly since: number;
  readonly act: (table: ChannelTable) => Effect<unknown>;
  readonly signal: AbortSignal | undefined;
  readonly resolve: (result: unknown) => void;
  readonly reject: (why: unknown) => void;
}

/** What a batch came to; both are called in one go, so that nobody reads what watchers have not been told. */
interface Outcome {
  /** Brings it into the table, for the next batch. */
  readonly apply: () => void;
  /** Tells watchers and those who wait. */
  readonly answer: () => void;
}

export interface GroupCommitOptions {
  readonly clock: Clock;
  readonly table: ChannelTable;
  /** Makes changes durable; when it rejects, none of them is. */
  readonly commit: (changes: TableChanges) => Promise<void>;
  readonly tell: (event: (watcher: StoreWatcher) => void) => void;
}

export class GroupCommit {
  readonly #options: GroupCommitOptions;
  #waiting: Waiting[] = [];
  #underWay: readonly Waiting[] = [];
  #running: Promise<void> | undefined;
  #patience: TimerHandle | undefined;

  constructor(options: GroupCommitOptions) {
    this.#options = options;
  }

  /** Operations that are not acknowledged yet. */
  get count(): number {
    return this.#waiting.length + this.#underWay.length;
  }

  /** Carries an operation out; resolves when it is committed and told. What is aborted before its batch is not done. */
  take<R>(act: (table: ChannelTable) => Effect<R>, signal?: AbortSignal): Promise<R> {
    const since = this.#options.clock.now();
    return new Promise<R>((resolve, reject) => {
      // The queue holds operations of all results; each resolve gets what its own act gave.
      this.#waiting.push({ since, act, signal, reject, resolve: resolve as (result: unknown) => void });
      this.#running ??= this.#run();
      this.#patience ??= this.#options.clock.after(ANSWER_MS, () => this.#answerLate());
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
      let done = await this.#next();
      done.apply();
      // The disk has the next batch before those of this one are told: they cost as much time as a commit does.
      while (this.#waiting.length > 0) {
        const next = this.#next();
        done.answer();
        done = await next;
        done.apply();
      }
      done.answer();
      this.#underWay = [];
    }
    this.#running = undefined;
    this.#patience?.cancel();
    this.#patience = undefined;
  }

  #next(): Promise<Outcome> {
    const batch = this.#waiting;
    this.#waiting = [];
    this.#underWay = batch;
    return this.#commit(batch);
  }

  /** Answers those that have waited too long, if there are any, and looks again as long as somebody waits. */
  #answerLate(): void {
    const { clock } = this.#options;
    const isLate = ({ since }: Waiting): boolean => clock.now() - since >= ANSWER_MS;
    const why = `it was not written within ${ANSWER_MS / 1_000} s`;
    for (const { reject } of this.#waiting.filter(isLate))
      reject(new StoreError('STORE_AWAY', `${why}, and will not be`));
    this.#waiting = this.#waiting.filter((waiting) => !isLate(waiting));
    // Its commit may hold yet; then watchers hear of it.
    for (const { reject } of this.#underWay.filter(isLate))
      reject(new StoreError('STORE_UNCERTAIN', `${why}; whether it will be is not known`));
    const oldest = [...this.#underWay, ...this.#waiting].find((waiting) => !isLate(waiting));
    const leftMs = oldest === undefined ? ANSWER_MS : oldest.since + ANSWER_MS - clock.now();
    this.#patience = this.#running && clock.after(leftMs, () => this.#answerLate());
  }

  async #commit(batch: readonly Waiting[]): Promise<Outcome> {
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
      const isOfOne = thrown instanceof PvaError && !isStoreAway(thrown);
      if (isOfOne && done.length > 1) return this.#oneByOne(done.map(({ waiting }) => waiting));
      const refused = isOfOne ? thrown : refusalOf(thrown);
      return {
        apply: () => {},
        answer: () => {
          for (const { waiting } of done) waiting.reject(refused);
        },
      };
    }
    return {
      apply: () => view.apply(),
      answer: () => {
        for (const { waiting, effect } of done) {
          tell(effect.tell);
          waiting.resolve(effect.result);
        }
      },
    };
  }

  /** What one of them wants cannot be kept, a value that is not of its type perhaps: the others have nothing to do with it. */
  async #oneByOne(batch: readonly Waiting[]): Promise<Outcome> {
    for (const waiting of batch) {
      const { apply, answer } = await this.#commit([waiting]);
      apply();
      answer();
    }
    return NOTHING_LEFT;
  }
}

const NOTHING_LEFT: Outcome = { apply: () => {}, answer: () => {} };

/** What writers are told of a commit that did not hold. */
function refusalOf(thrown: unknown): StoreError {
  const isUncertain = thrown instanceof StoreError && thrown.reason === 'STORE_UNCERTAIN';
  return isUncertain
    ? new StoreError('STORE_UNCERTAIN', `it is not known whether it was written: ${thrown.message}`, { cause: thrown })
    : new StoreError('STORE_AWAY', `not written: ${String(thrown)}`, { cause: thrown });
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
