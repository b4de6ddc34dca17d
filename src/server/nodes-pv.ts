// How does a server show which servers share its store? As a table that any tool can watch.

import { SharedPV } from '../channels/shared-pv.ts';
import type { StoreNodes } from '../channels/stores/store-nodes.ts';
import { ntTable } from '../protocol/normative/nt-table.ts';
import { int, string } from '../protocol/types/type-desc.ts';
import { isoTime, systemClock, type Clock } from '../transport/clocks.ts';

/** How often it is looked at. */
const PERIOD_MS = 1_000;

const NODES = ntTable({ node: string, address: string, since: string, channels: int, links: int });

/** A PV that shows the servers of a store that are alive, until it is closed. */
export class NodesPV extends SharedPV<typeof NODES> {
  readonly #nodes: StoreNodes;
  readonly #stop: () => void;
  #shown = '';

  constructor(nodes: StoreNodes, clock: Clock = systemClock) {
    super(NODES, { timeStamps: 'auto', clock, initial: { labels: ['node', 'address', 'since', 'channels', 'links'] } });
    this.#nodes = nodes;
    const timer = clock.every(PERIOD_MS, () => this.#show());
    const unfollow = nodes.onChange(() => this.#show());
    this.#stop = () => {
      timer.cancel();
      unfollow();
    };
    this.#show();
  }

  override close(): void {
    this.#stop();
    super.close();
  }

  #show(): void {
    const { alive } = this.#nodes;
    const text = JSON.stringify(alive);
    if (text === this.#shown || this.isClosed) return;
    this.#shown = text;
    this.post({
      value: {
        node: alive.map(({ id }) => id),
        address: alive.map(({ address }) => address),
        since: alive.map(({ sinceMs }) => isoTime(sinceMs)),
        channels: Int32Array.from(alive, ({ channelCount }) => channelCount),
        links: Int32Array.from(alive, ({ linkCount }) => linkCount),
      },
    });
  }
}
