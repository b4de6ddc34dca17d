// How does a test let processes take one lock in every order of their steps, and kill them between two? On files in memory,
// where each step waits to be let go.

import { WorkspaceLock } from '../../src/server/workspace/workspace-lock.ts';
import type { LockMachine } from '../../src/server/workspace/lock-machine.ts';
import { ManualClock } from '../../src/transport/manual-clock.ts';

export const LOCK = '/lab/lock';

/** What is another one in each world: which file is whose follows from what processes have seen. */
const BY_CHANCE = /"?id\W+[0-9a-f-]+|lock\.[0-9a-f]{16}/gu;

/** What happens next: a process does a step, or is killed. */
export type Move = readonly ['step' | 'kill', number];

interface Process {
  /** Lets it do its next step; undefined where it has none. */
  go: (() => void) | undefined;
  /** All that it has seen: what it does next follows from that. */
  readonly seen: unknown[];
  lock: WorkspaceLock | undefined;
  isKilled: boolean;
  /** Called when it has come to its next step, or to its end. */
  arrived: () => void;
}

export class LockWorld {
  /** By name; two names of one file hold the same text. */
  readonly files = new Map<string, string>();
  readonly #clock = new ManualClock();
  readonly #processes: Process[] = [];

  constructor(stale: string) {
    this.files.set(LOCK, stale);
  }

  /** Begins another process that takes the lock, and lets go of it again if it `releases`. */
  async begin(releases = false): Promise<number> {
    const process: Process = { go: undefined, seen: [], lock: undefined, isKilled: false, arrived: () => {} };
    const number = this.#processes.push(process);
    const arrival = new Promise<void>((resolve) => (process.arrived = resolve));
    const ended = (outcome?: unknown): void => {
      process.seen.push(String(outcome));
      process.arrived();
    };
    this.#run(number, process, releases).then(ended, ended);
    await arrival;
    return number;
  }

  /** What can happen now. */
  moves(mostKills: number): readonly Move[] {
    const running = this.#processes.flatMap(({ go, isKilled }, index) => (go && !isKilled ? [index + 1] : []));
    const kills = this.#processes.filter(({ isKilled }) => isKilled).length < mostKills ? running : [];
    return [...running.map((number): Move => ['step', number]), ...kills.map((number): Move => ['kill', number])];
  }

  async move([what, number]: Move): Promise<void> {
    const process = this.#of(number);
    if (what === 'kill') {
      process.isKilled = true;
      return;
    }
    const arrival = new Promise<void>((resolve) => (process.arrived = resolve));
    const { go } = process;
    process.go = undefined;
    go?.();
    await arrival;
  }

  /** Lets one process come to its end while no other does anything. */
  async finish(number: number): Promise<void> {
    while (this.#of(number).go !== undefined) await this.move(['step', number]);
  }

  /** The processes that live and have the lock. */
  get holders(): readonly number[] {
    return this.#processes.flatMap(({ lock, isKilled }, index) => (lock && !isKilled ? [index + 1] : []));
  }

  /** Alike in two worlds in which the same can happen from now on. */
  get state(): string {
    const files = [...this.files].map((file) => JSON.stringify(file).replaceAll(BY_CHANCE, ''));
    const processes = this.#processes.map(({ seen, isKilled, lock }) => [seen, isKilled, lock !== undefined]);
    return JSON.stringify([files.toSorted(), processes]).replaceAll(BY_CHANCE, '');
  }

  async #run(number: number, process: Process, releases: boolean): Promise<void> {
    process.lock = await WorkspaceLock.take(LOCK, this.#clock, { machine: this.#machine(number, process) });
    if (!releases) return;
    const { lock } = process;
    // From here on nobody relies on it.
    process.lock = undefined;
    await lock.release();
  }

  #machine(pid: number, process: Process): LockMachine {
    const { files } = this;
    const step = async <T>(act: () => T): Promise<T> => {
      await new Promise<void>((resolve) => {
        process.go = resolve;
        process.arrived();
      });
      const result = act();
      process.seen.push(result ?? null);
      return result;
    };
    const isOwn = (path: string): boolean => path.endsWith('.new');
    return {
      self: () => ({ pid, host: 'lab', began: undefined, pidNamespace: undefined, boot: undefined }),
      isRunning: (other) => this.#processes[other - 1]?.isKilled === false,
      // Nobody else knows a file of its own: when it comes and goes makes no difference.
      write: async (path, text) => void files.set(path, text),
      link: (file, path) =>
        step(() => {
          const [text, isFree] = [files.get(file), !files.has(path)];
          if (text === undefined) throw new Error(`${file} is not there`);
          if (isFree) files.set(path, text);
          return isFree;
        }),
      read: (path) => step(() => files.get(path)),
      touch: async () => {},
      touchedMs: async () => undefined,
      remove: async (path) => (isOwn(path) ? files.delete(path) : step(() => files.delete(path))),
    };
  }

  #of(number: number): Process {
    const process = this.#processes[number - 1];
    if (process === undefined) throw new Error(`there is no process ${number}`);
    return process;
  }
}
