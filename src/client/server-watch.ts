// Which servers are there? Beacons and answers to discovery pings, told to whoever wants to know.

import type { PortedAddress } from '../config/address-list.ts';
import { isAny } from '../protocol/address.ts';
import { reasonOf } from '../protocol/errors.ts';
import { BeaconTracker, type SeenServer } from '../protocol/machines/beacon-tracker.ts';
import type { Clock, TimerHandle } from '../transport/clocks.ts';
import { endpointText } from '../transport/network-error.ts';
import type { Endpoint, Network } from '../transport/network.ts';
import { BeaconListener } from './beacon-listener.ts';
import type { NoticeBoard } from './notices.ts';

export interface ServerWatchSurroundings {
  readonly network: Network;
  readonly clock: Clock;
  readonly notices: NoticeBoard;
  readonly interfaces: readonly PortedAddress[];
  /** A server is new or was restarted: what is searched for may be there now. */
  appeared(): void;
  /** A server has other PVs than before. */
  changed(): void;
}

/** A server came, or has not been heard of for a while. */
export interface ServerEvent {
  readonly kind: 'online' | 'offline';
  readonly server: SeenServer;
}

/** How often servers that fell silent are looked for. */
const FORGET_PERIOD_MS = 60_000;

export class ServerWatch {
  readonly #around: ServerWatchSurroundings;
  readonly #tracker = new BeaconTracker();
  readonly #listener: BeaconListener;
  readonly #watchers = new Set<(event: ServerEvent) => void>();
  #timer: TimerHandle | undefined;
  #opening: Promise<void> | undefined;
  #isClosed = false;

  constructor(around: ServerWatchSurroundings) {
    this.#around = around;
    this.#listener = new BeaconListener(around.network, around.clock, {
      beacon: ({ guid, serverAddress, serverPort, protocol, changeCount }, from, version) => {
        const address = isAny(serverAddress) ? from.address : serverAddress;
        this.seen(guid, { address, port: serverPort }, protocol, from, version, changeCount);
      },
      error: (error) => this.#noticeError(error),
    });
  }

  /** Begins to hear beacons. */
  open(): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    this.#opening ??= this.#listener.open(this.#around.interfaces);
    this.#timer ??= this.#around.clock.every(FORGET_PERIOD_MS, () => this.#forget());
    return this.#opening;
  }

  /** A server was heard of. */
  seen(guid: string, server: Endpoint, protocol: string, from: Endpoint, version: number, changeCount?: number): void {
    if (server.port === 0) return;
    const seen: SeenServer = { guid, server: endpointText(server), protocol, version, via: endpointText(from) };
    const { verdict, before } = this.#tracker.see(seen, this.#around.clock.now(), changeCount);
    if (verdict === 'changed') this.#around.changed();
    if (verdict !== 'new' && verdict !== 'restarted') return;
    if (before !== undefined) this.#tell('offline', before);
    this.#tell('online', seen);
    this.#around.appeared();
  }

  servers(): readonly SeenServer[] {
    return this.#tracker.servers();
  }

  /** Tells `watcher` of servers that come and go, until the returned function is called. */
  watch(watcher: (event: ServerEvent) => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#listener.close();
    this.#watchers.clear();
  }

  #forget(): void {
    for (const gone of this.#tracker.forget(this.#around.clock.now())) this.#tell('offline', gone);
  }

  #tell(kind: ServerEvent['kind'], server: SeenServer): void {
    const isOnline = kind === 'online';
    this.#around.notices.publish({
      kind: isOnline ? 'serverFound' : 'serverLost',
      level: 'debug',
      server: server.server,
      text: `${server.server}: ${isOnline ? 'is there' : 'is gone'}, guid 0x${server.guid}`,
    });
    for (const watcher of this.#watchers) watcher({ kind, server });
  }

  #noticeError(error: unknown): void {
    if (this.#isClosed) return;
    const text = `beacons: ${reasonOf(error)}`;
    this.#around.notices.publish({ kind: 'searchFailed', level: 'warning', text });
  }
}
