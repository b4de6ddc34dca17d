// How do tests move time by hand? Nothing happens until `advance`, and then everything in its order.
import { LocalProtocolError, TimeoutError } from '../protocol/errors.ts';
import type { Clock, TimerHandle } from './clocks.ts';

/** Rounds of `soon` without time moving: past this two acts call each other for ever. */
const ROUND_LIMIT = 100_000;
const DEFAULT_WALL_TIME = Date.UTC(2026, 0, 1);

interface Timer {
  at: number;
  readonly act: () => void;
  /** Set for timers that come again. */
  readonly everyMs?: number;
}

/** Starts at 0 ms, by default on 2026-01-01T00:00Z. */
export class ManualClock implements Clock {
  readonly #wallOrigin: number;
  /** By time; timers of the same time in the order in which they were set. */
  readonly #timers: Timer[] = [];
  #now = 0;
  #soon: (() => void)[] = [];

  constructor(wallTime: number = DEFAULT_WALL_TIME) {
    this.#wallOrigin = wallTime;
  }

  /** Timers that are set: zero after everything is closed, or somebody forgot one. */
  get timerCount(): number {
    return this.#timers.length;
  }

  now(): number {
    return this.#now;
  }

  wallTime(): number {
    return this.#wallOrigin + this.#now;
  }

  after(ms: number, act: () => void): TimerHandle {
    return this.#set({ at: this.#now + Math.max(ms, 0), act });
  }

  every(ms: number, act: () => void): TimerHandle {
    if (!(ms > 0)) throw new LocalProtocolError(`a timer that fires each ${ms} ms would stop time`);
    return this.#set({ at: this.#now + ms, act, everyMs: ms });
  }

  soon(act: () => void): void {
    this.#soon.push(act);
  }

  /** Moves time, calling what falls due, each at its time. Promises do not settle in between. */
  advance(ms: number): void {
    const end = this.#now + ms;
    do this.#runSoon();
    while (this.#runNext(end));
    this.#now = end;
  }

  /** As for a process that is stopped: time passes, and what falls due meanwhile is called once, and late, by `advance`. */
  sleep(ms: number): void {
    this.#now += ms;
    for (const timer of this.#timers) timer.at = Math.max(timer.at, this.#now);
  }

  /** As `advance`, but after each timer every promise that can settle without I/O does. */
  async advanceAsync(ms: number): Promise<void> {
    const end = this.#now + ms;
    do await this.settle();
    while (this.#runNext(end));
    this.#now = end;
  }

  /** Lets everything happen that needs no time: `soon` acts and promises, and what these bring about. */
  async settle(): Promise<void> {
    do {
      this.#runSoon();
      await new Promise(setImmediate);
    } while (this.#soon.length > 0);
  }

  /**
   * Moves time from timer to timer until the promise settles, and gives its outcome.
   * @throws TimeoutError when `limitMs` pass before that, or when no timer is left to wait for
   */
  async until<T>(promise: Promise<T>, limitMs = 60_000): Promise<T> {
    const end = this.#now + limitMs;
    const seen = { isSettled: false };
    const note = (): void => void (seen.isSettled = true);
    promise.then(note, note);
    do await this.settle();
    while (!seen.isSettled && this.#runNext(end));
    if (!seen.isSettled) throw new TimeoutError(`at ${this.#now} ms no timer is left that could settle the promise`);
    return promise;
  }

  #runSoon(): void {
    for (let round = 0; this.#soon.length > 0; round++) {
      if (round === ROUND_LIMIT) throw new LocalProtocolError('`soon` acts call each other without end');
      const acts = this.#soon;
      this.#soon = [];
      for (const act of acts) act();
    }
  }

  /** Moves time to the first timer and runs it, unless that is after `end`. */
  #runNext(end: number): boolean {
    const [first] = this.#timers;
    if (first === undefined || first.at > end) return false;
    this.#timers.shift();
    this.#now = first.at;
    if (first.everyMs !== undefined) {
      first.at += first.everyMs;
      this.#insert(first);
    }
    first.act();
    return true;
  }

  #set(timer: Timer): TimerHandle {
    this.#insert(timer);
    return {
      cancel: () => {
        const index = this.#timers.indexOf(timer);
        if (index !== -1) this.#timers.splice(index, 1);
      },
    };
  }

  #insert(timer: Timer): void {
    const index = this.#timers.findLastIndex(({ at }) => at <= timer.at);
    this.#timers.splice(index + 1, 0, timer);
  }
}
