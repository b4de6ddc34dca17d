// Which servers are there, judged by their beacons, and which of them is new or was started anew?

import { CLIENT_LIMITS } from '../limits.ts';

export interface SeenServer {
  /** GUID as hexadecimal text: new at each start of a server. */
  readonly guid: string;
  /** Address and port that clients connect to. */
  readonly server: string;
  readonly protocol: string;
  readonly version: number;
  /** Who sent the beacon. */
  readonly via: string;
}

/** `changed`: its names are others than before; `ignored`: too many servers are tracked already. */
export type BeaconVerdict = 'new' | 'restarted' | 'changed' | 'known' | 'ignored';

/** Beacons come every 180 s from a server that has been up for a while; after two missed ones it counts as gone. */
export const FORGET_AFTER_MS = 360_000;

interface Tracked {
  server: SeenServer;
  seenAt: number;
  changeCount: number | undefined;
}

export class BeaconTracker {
  readonly #limit: number;
  /** By server and protocol, the one seen longest ago first. */
  readonly #tracked = new Map<string, Tracked>();

  constructor(limit: number = CLIENT_LIMITS.maxTrackedServers) {
    this.#limit = limit;
  }

  /**
   * Takes a beacon in. A server behind two networks sends the same beacon from two addresses: `via` decides nothing.
   * `before` is what was known under that address until now. `changeCount` is what beacons count, the moves of names;
   * undefined for what is no beacon.
   */
  see(
    server: SeenServer,
    now: number,
    changeCount?: number,
  ): { readonly verdict: BeaconVerdict; readonly before?: SeenServer } {
    const key = `${server.server} ${server.protocol}`;
    const known = this.#tracked.get(key);
    if (known === undefined && this.#tracked.size >= this.#limit) return { verdict: 'ignored' };
    this.#tracked.delete(key);
    this.#tracked.set(key, { server, seenAt: now, changeCount: changeCount ?? known?.changeCount });
    if (known === undefined) return { verdict: 'new' };
    const isSame = known.server.guid === server.guid && known.server.version === server.version;
    if (!isSame) return { verdict: 'restarted', before: known.server };
    const hasMoved = changeCount !== undefined && known.changeCount !== undefined && changeCount !== known.changeCount;
    return { verdict: hasMoved ? 'changed' : 'known', before: known.server };
  }

  /** Drops, and returns, the servers that have been silent for too long. */
  forget(now: number): readonly SeenServer[] {
    const gone: SeenServer[] = [];
    for (const [key, { server, seenAt }] of this.#tracked) {
      if (now - seenAt <= FORGET_AFTER_MS) break;
      this.#tracked.delete(key);
      gone.push(server);
    }
    return gone;
  }

  servers(): readonly SeenServer[] {
    return [...this.#tracked.values()].map(({ server }) => server);
  }
}
