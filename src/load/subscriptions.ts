// Do the updates of a monitor all arrive? Each connection watches all PVs.

import { LoadLink } from './link.ts';
import { MonitorLink } from './monitor-link.ts';
import type { Workload, WorkloadSettings } from './workload.ts';

export class Subscriptions implements Workload {
  readonly #settings: WorkloadSettings;
  readonly #links: LoadLink[] = [];
  readonly #loops: MonitorLink[] = [];

  constructor(settings: WorkloadSettings) {
    this.#settings = settings;
  }

  get isBroken(): boolean {
    return this.#loops.length > 0 && this.#loops.every(({ isLost }) => isLost);
  }

  async open(): Promise<void> {
    const { clients, link } = this.#settings;
    await LoadLink.openMany(clients, link, 'MONITOR', this.#links);
    this.#loops.push(...(await Promise.all(this.#links.map((each) => MonitorLink.subscribe(each, this.#settings)))));
  }

  start(): void {
    for (const loop of this.#loops) loop.start();
  }

  async stop(): Promise<void> {
    const others = new Set(this.#loops.flatMap((loop) => loop.namesWithoutCounter()));
    if (others.size > 0) {
      this.#settings.tally.tell(`${others.size} of the PVs do not count up: their updates are counted, not checked`);
    }
  }

  close(): void {
    for (const link of this.#links) link.close();
  }
}
