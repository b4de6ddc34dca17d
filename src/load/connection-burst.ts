// How fast does a server take many connections that come at once? Each counts when its channel is created.

import { reasonOf } from '../protocol/errors.ts';
import { LoadLink } from './link.ts';
import type { Workload, WorkloadSettings } from './workload.ts';

export class ConnectionBurst implements Workload {
  readonly timesItself = true;
  readonly #settings: WorkloadSettings;
  readonly #links: LoadLink[] = [];
  #served = Promise.resolve();
  /** All have been served, or never will be. */
  isOver = false;

  constructor(settings: WorkloadSettings) {
    this.#settings = settings;
  }

  get isBroken(): boolean {
    return this.isOver;
  }

  async open(): Promise<void> {
    // Connecting is what is measured.
  }

  start(): void {
    const { clients, names } = this.#settings;
    const burst = Array.from({ length: clients }, (_, client) => this.#connect(names[client % names.length] ?? ''));
    this.#served = this.#finish(burst);
  }

  async stop(): Promise<void> {
    await this.#served;
  }

  close(): void {
    for (const link of this.#links) link.close();
  }

  async #finish(burst: readonly Promise<void>[]): Promise<void> {
    await Promise.all(burst);
    this.isOver = true;
    this.#settings.ended();
  }

  async #connect(pvName: string): Promise<void> {
    const { tally, link: settings } = this.#settings;
    const startedAt = settings.clock.now();
    try {
      const link = await LoadLink.open(settings, 'GET');
      this.#links.push(link);
      await link.createChannel(1, pvName);
      tally.latency.add(settings.clock.now() - startedAt);
      tally.operations++;
    } catch (thrown) {
      tally.lost++;
      tally.tell(reasonOf(thrown));
    }
  }
}
