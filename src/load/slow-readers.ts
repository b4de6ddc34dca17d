// Do readers that stop hold up the others? The delay from a put to each monitor is measured twice, alone and beside links
// that have stopped reading; these must have the last value once they read on.

import { reasonOf } from '../protocol/errors.ts';
import { Histogram } from './histogram.ts';
import { LoadLink } from './link.ts';
import { MonitorLink } from './monitor-link.ts';
import { waited } from './pace.ts';
import { PacedPuts } from './paced-puts.ts';
import { StoppedReader } from './stopped-reader.ts';
import type { Workload, WorkloadSettings } from './workload.ts';

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
  /** The delays of the phase before the readers stop. */
  readonly #alone = new Histogram();
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
    const [alone, beside] = [this.#alone.summary(), this.#settings.tally.latency.summary()];
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

  /** Rejects never: what goes wrong is counted. */
  async #run(): Promise<void> {
    const { tally, seconds, warmupSeconds, link } = this.#settings;
    const startedAt = link.clock.now();
    this.#puts.start();
    await this.#phase(warmupSeconds);
    tally.latency.clear();
    await this.#phase(seconds);
    this.#alone.copy(tally.latency);
    await this.#stopReaders();
    tally.latency.clear();
    await this.#phase(seconds);
    tally.isCounting = false;
    this.#puts.stop();
    this.#puttingMs = link.clock.now() - startedAt;
    await this.#puts.settled();
    await this.#readOn();
    this.#settings.ended();
  }

  async #phase(seconds: number): Promise<void> {
    const { clock } = this.#settings.link;
    const endsAt = clock.now() + seconds * MS_PER_SECOND;
    while (clock.now() < endsAt && !this.#isOver && !this.isBroken) {
      await waited(Math.min(100, endsAt - clock.now()), clock);
    }
  }

  async #stopReaders(): Promise<void> {
    const { stopped, names, depth, request, link, tally } = this.#settings;
    for (let count = 0; count < stopped && !this.#isOver; count++) {
      try {
        const reader = await StoppedReader.open(link, { names, depth, request });
        this.#stopped.push(reader);
        reader.stop();
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
    this.#caughtUpMs = link.clock.now() - startedAt;
    this.#closedByServer = this.#stopped.filter(({ isLost }) => isLost).length;
    if (left === 0) return;
    tally.wrong += left;
    tally.tell(
      `${left} monitors of stopped readers do not have the last value ${link.timeoutMs / MS_PER_SECOND} s after the last update`,
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
