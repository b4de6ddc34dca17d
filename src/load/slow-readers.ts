// Do readers that stop hold up the others? The delay from a put to each monitor is measured alone and beside links that
// have stopped reading; these must have the last value once they read on.

import { counted } from '../protocol/counted.ts';
import { reasonOf } from '../protocol/errors.ts';
import { Histogram } from './histogram.ts';
import { LoadLink } from './link.ts';
import { MonitorLink } from './monitor-link.ts';
import { waited } from './pace.ts';
import { PacedPuts } from './paced-puts.ts';
import { StoppedReader } from './stopped-reader.ts';
import type { Workload, WorkloadSettings } from './workload.ts';

const ROUNDS = 2;
const DEFAULT_RATE = 1_000;
const MS_PER_SECOND = 1_000;
const LOOK_MS = 5;
/** Nearest thousandth. */
const RATIO_PARTS = 1_000;

export class SlowReaders implements Workload {
  readonly timesItself = true;
  readonly #settings: WorkloadSettings;
  readonly #puts: PacedPuts;
  readonly #links: LoadLink[] = [];
  readonly #fast: MonitorLink[] = [];
  readonly #stopped: StoppedReader[] = [];
  /** The delays while all read, and while some have stopped. */
  readonly #alone = new Histogram();
  readonly #beside = new Histogram();
  #course = Promise.resolve();
  #isOver = false;
  #closedByServer = 0;
  #caughtUpMs = 0;
  #puttingMs = 0;

  constructor(settings: WorkloadSettings) {
    this.#settings = settings;
    this.#puts = new PacedPuts(settings, settings.rate ?? DEFAULT_RATE);
  }

  get isBroken(): boolean {
    return this.#puts.isLost || (this.#fast.length > 0 && this.#fast.every(({ isLost }) => isLost));
  }

  async open(): Promise<void> {
    const { clients, link } = this.#settings;
    await this.#puts.open();
    await LoadLink.openMany(clients, link, 'MONITOR', this.#links);
    const settings = {
      ...this.#settings,
      latencyOf: (pvName: string, counter: number, now: number) => now - this.#puts.sentAt(pvName, counter),
    };
    this.#fast.push(...(await Promise.all(this.#links.map((each) => MonitorLink.subscribe(each, settings)))));
  }

  start(): void {
    for (const fast of this.#fast) fast.start();
    this.#course = this.#run();
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#course;
  }

  close(): void {
    this.#isOver = true;
    this.#puts.close();
    for (const link of this.#links) link.close();
    for (const reader of this.#stopped) reader.close();
  }

  figures(): Readonly<Record<string, number>> {
    const [alone, beside] = [this.#alone.summary(), this.#beside.summary()];
    return {
      aloneP50Us: alone.p50,
      aloneP99Us: alone.p99,
      besideP50Us: beside.p50,
      besideP99Us: beside.p99,
      ratioP99: alone.p99 === 0 ? 0 : Math.round((beside.p99 / alone.p99) * RATIO_PARTS) / RATIO_PARTS,
      putsPerSecond: Math.round((this.#puts.sentCount * MS_PER_SECOND) / Math.max(1, this.#puttingMs)),
      stoppedReaders: this.#stopped.length,
      stoppedClosedByServer: this.#closedByServer,
      caughtUpMs: Math.round(this.#caughtUpMs),
    };
  }

  // -------------------------------------------------------------------------------------------------------------

  /** Alone and beside in turn, so that a machine that grows slower or faster meanwhile tells nothing of the readers. */
  async #run(): Promise<void> {
    const { tally, seconds, warmupSeconds } = this.#settings;
    this.#beginPuts();
    await this.#phase(warmupSeconds);
    for (let round = 0; round < ROUNDS && !this.#isOver; round++) {
      if (round > 0) this.#beginPuts();
      await this.#measured(seconds / ROUNDS, this.#alone);
      if (round === 0) await this.#openReaders();
      for (const reader of this.#stopped) reader.stop();
      await this.#measured(seconds / ROUNDS, this.#beside);
      await this.#endPuts();
      await this.#readOn();
    }
    tally.latency.clear();
    tally.latency.addAll(this.#beside);
    this.#settings.ended();
  }

  #beginPuts(): void {
    this.#puttingMs -= this.#settings.link.clock.now();
    this.#puts.start();
  }

  async #endPuts(): Promise<void> {
    this.#puts.stop();
    this.#puttingMs += this.#settings.link.clock.now();
    await this.#puts.settled();
  }

  async #measured(seconds: number, histogram: Histogram): Promise<void> {
    const { latency } = this.#settings.tally;
    latency.clear();
    await this.#phase(seconds);
    histogram.addAll(latency);
  }

  async #phase(seconds: number): Promise<void> {
    const { clock } = this.#settings.link;
    const endsAt = clock.now() + seconds * MS_PER_SECOND;
    while (clock.now() < endsAt && !this.#isOver && !this.isBroken) {
      await waited(Math.min(100, endsAt - clock.now()), clock);
    }
  }

  async #openReaders(): Promise<void> {
    const { stopped, tally } = this.#settings;
    for (let count = 0; count < stopped && !this.#isOver; count++) {
      try {
        this.#stopped.push(await StoppedReader.open(this.#settings));
      } catch (thrown) {
        tally.errors++;
        tally.tell(reasonOf(thrown));
      }
    }
  }

  /** The stopped ones read again: each has to have the last value of each PV. */
  async #readOn(): Promise<void> {
    const { tally, link } = this.#settings;
    const startedAt = link.clock.now();
    for (const reader of this.#stopped) reader.readOn();
    const missing = (): number =>
      this.#stopped.reduce((sum, reader) => sum + (reader.isLost ? 0 : reader.missingCount(this.#puts)), 0);
    const left = await this.#caughtUp(missing);
    this.#caughtUpMs = Math.max(this.#caughtUpMs, link.clock.now() - startedAt);
    this.#closedByServer = this.#stopped.filter(({ isLost }) => isLost).length;
    if (left === 0) return;
    tally.wrong += left;
    tally.tell(
      `${counted(left, 'monitor of a stopped reader does', 'monitors of stopped readers do')} not have the last value ${link.timeoutMs / MS_PER_SECOND} s after the last update`,
    );
  }

  /** Waits as long as something comes: what piled up may be more than one timeout's worth. Gives what is missing then. */
  async #caughtUp(missing: () => number): Promise<number> {
    const { clock, timeoutMs } = this.#settings.link;
    const heard = (): number => this.#stopped.reduce((sum, { heardCount }) => sum + heardCount, 0);
    let [before, cameAt] = [heard(), clock.now()];
    while (!this.#isOver && missing() > 0 && clock.now() - cameAt < timeoutMs) {
      await waited(LOOK_MS, clock);
      if (heard() === before) continue;
      before = heard();
      cameAt = clock.now();
    }
    return this.#isOver ? 0 : missing();
  }
}
