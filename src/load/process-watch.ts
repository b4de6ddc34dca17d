// How much memory and how many handles do processes of this machine hold, and does that grow? Linux tells it in /proc.

import { readdirSync, readFileSync } from 'node:fs';

import type { Clock } from '../transport/clocks.ts';

/** What all the processes hold together, now. */
export interface ProcessReading {
  /** Resident in memory (VmRSS). */
  readonly memoryBytes: number;
  /** Open file descriptors: sockets, files, pipes. */
  readonly handles: number;
}

/** One figure over time. */
export interface Growth {
  readonly first: number;
  readonly last: number;
  readonly max: number;
  /** The slope of the straight line with the least squares. */
  readonly perHour: number;
}

/** What all the processes held together while a load ran. */
export interface ProcessUse {
  readonly samples: number;
  /** Between the first and the last of them. */
  readonly seconds: number;
  readonly memoryBytes: Growth;
  readonly handles: Growth;
}

const BYTES_PER_KIB = 1_024;
const MS_PER_SECOND = 1_000;
const MS_PER_HOUR = 3_600_000;

/** Null where the system does not tell, or a process is gone. */
export function processReading(pids: readonly number[]): ProcessReading | null {
  if (pids.length === 0) return null;
  try {
    return {
      memoryBytes: pids.reduce((sum, pid) => sum + residentBytes(pid), 0),
      handles: pids.reduce((sum, pid) => sum + readdirSync(`/proc/${pid}/fd`).length, 0),
    };
  } catch {
    return null;
  }
}

/** Takes samples, and keeps of them only what the figures take: it may go on for days. */
export class ProcessWatch {
  readonly #pids: readonly number[];
  readonly #clock: Clock;
  #startedAt = 0;
  #memory = new Trend();
  #handles = new Trend();
  latest: ProcessReading | null = null;

  constructor(pids: readonly number[], clock: Clock) {
    this.#pids = pids;
    this.#clock = clock;
    this.restart();
  }

  /** Forgets what was sampled: the time to warm up is over. */
  restart(): void {
    this.#startedAt = this.#clock.now();
    this.#memory = new Trend();
    this.#handles = new Trend();
    this.sample();
  }

  sample(): void {
    this.latest = processReading(this.#pids);
    if (this.latest === null) return;
    const at = this.#clock.now() - this.#startedAt;
    this.#memory.add(at, this.latest.memoryBytes);
    this.#handles.add(at, this.latest.handles);
  }

  /** Null when there was nothing to sample. */
  use(): ProcessUse | null {
    const memoryBytes = this.#memory.growth();
    const handles = this.#handles.growth();
    if (memoryBytes === null || handles === null) return null;
    return { samples: this.#memory.count, seconds: this.#memory.spanMs / MS_PER_SECOND, memoryBytes, handles };
  }
}

/** A straight line through samples, by running means: sums of squares would lose the small slope of a large figure. */
export class Trend {
  count = 0;
  #first = 0;
  #last = 0;
  #max = 0;
  #firstAt = 0;
  #lastAt = 0;
  #meanAt = 0;
  #mean = 0;
  #spread = 0;
  #shared = 0;

  add(atMs: number, value: number): void {
    if (this.count === 0) {
      this.#first = value;
      this.#firstAt = atMs;
      this.#max = value;
    }
    this.count++;
    this.#last = value;
    this.#lastAt = atMs;
    this.#max = Math.max(this.#max, value);
    const fromMean = atMs - this.#meanAt;
    this.#meanAt += fromMean / this.count;
    this.#mean += (value - this.#mean) / this.count;
    this.#spread += fromMean * (atMs - this.#meanAt);
    this.#shared += fromMean * (value - this.#mean);
  }

  get spanMs(): number {
    return this.#lastAt - this.#firstAt;
  }

  growth(): Growth | null {
    if (this.count === 0) return null;
    const slope = this.#spread === 0 ? 0 : this.#shared / this.#spread;
    return { first: this.#first, last: this.#last, max: this.#max, perHour: slope * MS_PER_HOUR };
  }
}

function residentBytes(pid: number): number {
  const [, kib] = /^VmRSS:\s+(\d+) kB$/mu.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  // A process that has ended and was not waited for has no memory any more.
  if (kib === undefined) throw new RangeError(`process ${pid} holds no memory`);
  return Number(kib) * BYTES_PER_KIB;
}
