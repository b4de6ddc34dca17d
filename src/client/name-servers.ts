// How does a client stay connected to the TCP name servers of its configuration?

import type { PortedAddress } from '../config/address-list.ts';
import type { ClientSettings } from '../config/effective.ts';
import { pva } from '../protocol/codecs/pva.ts';
import { reasonOf } from '../protocol/errors.ts';
import { CLIENT_LIMITS } from '../protocol/limits.ts';
import type { Clock, TimerHandle } from '../transport/clocks.ts';
import type { Network } from '../transport/network.ts';
import { firstAddress } from './host-names.ts';
import type { NoticeBoard } from './notices.ts';
import type { ServerLink } from './server-link.ts';
import type { Servers } from './servers.ts';

export interface NameServersSurroundings {
  readonly network: Network;
  readonly clock: Clock;
  readonly config: ClientSettings;
  readonly servers: Servers;
  readonly notices: NoticeBoard;
  /** A name server can be asked from now on. */
  ready(link: ServerLink): void;
}

/** A name server that was lost is tried again at this pace, for ever: tunnels come and go. */
export const RECONNECT_MS = 10_000;

export class NameServers {
  readonly #around: NameServersSurroundings;
  readonly #links = new Map<PortedAddress, ServerLink>();
  #timer: TimerHandle | undefined;
  #isClosed = false;

  constructor(around: NameServersSurroundings) {
    this.#around = around;
  }

  get isEmpty(): boolean {
    return this.#around.config.nameServers.length === 0;
  }

  get isAnyReady(): boolean {
    return this.readyLinks().length > 0;
  }

  /** Those that can be asked now. */
  readyLinks(): readonly ServerLink[] {
    return [...this.#links.values()].filter(
      (link) => link.isValidated && link.connection.unsentBytes <= CLIENT_LIMITS.nameServerPauseBytes,
    );
  }

  /** Connects, and connects again whenever a connection is lost. */
  start(): void {
    if (this.isEmpty) return;
    this.#connectAll();
    this.#timer = this.#around.clock.every(RECONNECT_MS, () => this.#connectAll());
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#links.clear();
  }

  #has(link: ServerLink): boolean {
    return [...this.#links.values()].includes(link);
  }

  #connectAll(): void {
    for (const nameServer of this.#around.config.nameServers) {
      if (isAlive(this.#links.get(nameServer))) continue;
      this.#connect(nameServer).catch((error: unknown) => {
        const text = `name server ${nameServer.host}: ${reasonOf(error)}`;
        this.#around.notices.publish({ kind: 'searchFailed', level: 'warning', text });
      });
    }
  }

  async #connect(nameServer: PortedAddress): Promise<void> {
    const { host, family, port } = nameServer;
    const address = family === 'name' ? await firstAddress(host, this.#around.network) : host;
    if (this.#isClosed || isAlive(this.#links.get(nameServer))) return;
    const link = this.#around.servers.link({ address, port }, pva);
    link.pin();
    this.#links.set(nameServer, link);
    // A channel may have connected to it before us; whoever is not validated yet says so later.
    if (link.isValidated) this.#around.ready(link);
  }

  /** A link is validated, whomever it leads to. */
  validated(link: ServerLink): void {
    if (this.#has(link)) this.#around.ready(link);
  }
}

function isAlive(link: ServerLink | undefined): boolean {
  return link !== undefined && link.connection.state !== 'closed';
}
