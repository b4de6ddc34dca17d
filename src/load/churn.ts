// Does a server stay right while clients come and go? Random clients, one after the other in each of `clients` places.

import { reasonOf } from '../protocol/errors.ts';
import { SeededRandom } from '../transport/seeded-random.ts';
import { Ledger } from './ledger.ts';
import { Pace, waited } from './pace.ts';
import { RandomClient } from './random-client.ts';
import type { Workload, WorkloadSettings } from './workload.ts';

/** After a failure, so that a server that is gone is not asked thousands of times a second. */
const PAUSE_MS = 100;
/** So many failures in a row, for each place, and the server is taken for dead. */
const FAILURES_TO_GIVE_UP = 20;
/** Seeds of neighbouring places have nothing in common. */
const SEED_STEP = 0x9e37_79b9;

export class Churn implements Workload {
  readonly #settings: WorkloadSettings;
  #ledger: Ledger | undefined;
  #pace: Pace | undefined;
  #isRunning = false;
  #ends: readonly Promise<void>[] = [];
  #failuresInRow = 0;
  #livingCount = 0;
  #lives = 0;

  constructor(settings: WorkloadSettings) {
    this.#settings = settings;
  }

  get isBroken(): boolean {
    return this.#failuresInRow >= FAILURES_TO_GIVE_UP * this.#settings.clients;
  }

  /** What is known of the PVs; there once `open` has resolved. */
  get ledger(): Ledger | undefined {
    return this.#ledger;
  }

  async open(): Promise<void> {
    const { link, tally } = this.#settings;
    this.#ledger = await Ledger.open(this.#settings, link, tally);
  }

  start(): void {
    const { clients, rate, link, seed } = this.#settings;
    const pace = new Pace(link.clock, rate);
    this.#pace = pace;
    this.#isRunning = true;
    this.#ends = Array.from({ length: clients }, (_, place) =>
      this.#place(new SeededRandom(seed + place * SEED_STEP), pace),
    );
  }

  async stop(): Promise<void> {
    this.#isRunning = false;
    this.#pace?.end();
    const left = await this.#settings.drained(() => this.#livingCount);
    if (left === 0) return void (await Promise.all(this.#ends));
    this.#settings.tally.lost += left;
    this.#settings.tally.tell(`${left} of the clients did not come to their end`);
  }

  close(): void {
    this.#isRunning = false;
    this.#pace?.end();
  }

  figures(): Readonly<Record<string, number>> {
    return { seed: this.#settings.seed, clientsServed: this.#lives };
  }

  async #place(random: SeededRandom, pace: Pace): Promise<void> {
    const { link, tally, depth, request } = this.#settings;
    const ledger = this.#ledger;
    if (ledger === undefined) return;
    const isRunning = (): boolean => this.#isRunning;
    while (this.#isRunning && !this.isBroken) {
      this.#livingCount++;
      try {
        await RandomClient.live({ link, ledger, tally, random, pace, depth, request, isRunning });
        this.#failuresInRow = 0;
        this.#lives++;
      } catch (thrown) {
        this.#failuresInRow++;
        tally.errors++;
        tally.tell(reasonOf(thrown));
        await waited(PAUSE_MS, link.clock);
      } finally {
        this.#livingCount--;
      }
    }
  }
}
