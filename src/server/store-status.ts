// How does a server show how its store is? As a PV that any tool can watch, with an alarm while the store is away.

import { SharedPV } from '../channels/shared-pv.ts';
import type { ChannelStore } from '../channels/stores/channel-store.ts';
import { alarm, NO_ALARM } from '../protocol/normative/alarm.ts';
import { alarmType, timeStampType } from '../protocol/normative/substructures.ts';
import { boolean, double, int, long, string, structure } from '../protocol/types/type-desc.ts';
import { systemClock, type Clock } from '../transport/clocks.ts';

/** How often it is looked at; that the store is away or back is told at once. */
const PERIOD_MS = 1_000;

const STORE_STATUS = structure('pvkit:store/1.0', {
  /** Whether the store is connected. */
  value: boolean,
  kind: string,
  location: string,
  /** How long the last write took. */
  latencyMs: double,
  queued: int,
  revision: long,
  lagMs: double,
  /** Why it is not connected. */
  reason: string,
  alarm: alarmType,
  timeStamp: timeStampType,
});

/** A PV that shows the health of a store, until it is closed. */
export class StoreStatusPV extends SharedPV<typeof STORE_STATUS> {
  readonly #store: ChannelStore;
  readonly #stop: () => void;
  #shown = '';

  constructor(store: ChannelStore, clock: Clock = systemClock) {
    super(STORE_STATUS, { timeStamps: 'auto', clock, initial: { kind: store.kind, location: store.location } });
    this.#store = store;
    const timer = clock.every(PERIOD_MS, () => this.#show());
    const unwatch = store.watch({ defined() {}, destroyed() {}, changed() {}, health: () => this.#show() });
    this.#stop = () => {
      timer.cancel();
      unwatch();
    };
    this.#show();
  }

  override close(): void {
    this.#stop();
    super.close();
  }

  #show(): void {
    const { isConnected, latencyMs, queuedCount, revision, lagMs, reason = '' } = this.#store.health;
    const shown = { value: isConnected, latencyMs, queued: queuedCount, revision: BigInt(revision), lagMs, reason };
    const text = Object.values(shown).join(' ');
    if (text === this.#shown || this.isClosed) return;
    this.#shown = text;
    this.post({ ...shown, alarm: isConnected ? NO_ALARM : alarm('MAJOR', 'DB', reason) });
  }
}
