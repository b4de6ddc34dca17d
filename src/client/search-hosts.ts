// Which addresses does the list of a client stand for now? Host names are looked up, and again while something is searched
// for: a host may come later than the client, or move.

import type { PortedAddress } from '../config/address-list.ts';
import { reasonOf } from '../protocol/errors.ts';
import type { Clock } from '../transport/clocks.ts';
import type { Network } from '../transport/network.ts';
import { bestAddress } from './host-names.ts';
import { literalAddress, type SearchAddress } from './search-targets.ts';

export interface SearchHostsSurroundings {
  readonly network: Network;
  readonly clock: Clock;
  readonly addresses: readonly PortedAddress[];
  /** A host is there for the first time, or somewhere else than before. */
  found(address: SearchAddress): void;
  /** A host is not known; told once for each reason. */
  failed(error: unknown): void;
}

/** From the end of one look to the next, as for name servers. */
const LOOK_AGAIN_MS = 10_000;

interface Host {
  readonly listed: PortedAddress;
  address: SearchAddress | undefined;
  /** Why it was not found at the last look. */
  failure: string | undefined;
  /** Infinity while it is looked up. */
  dueAt: number;
}

export class SearchHosts {
  readonly #around: SearchHostsSurroundings;
  /** All that is listed, in order; what is no name is known. */
  readonly #hosts: readonly Host[];
  #isClosed = false;

  constructor(around: SearchHostsSurroundings) {
    this.#around = around;
    this.#hosts = around.addresses.map((listed) => {
      const address = literalAddress(listed);
      return { listed, address, failure: undefined, dueAt: address === undefined ? 0 : Number.POSITIVE_INFINITY };
    });
  }

  /** Those that are known. */
  get addresses(): readonly SearchAddress[] {
    return this.#hosts.flatMap(({ address }) => address ?? []);
  }

  /** Why hosts are not known. */
  get failures(): readonly string[] {
    return this.#hosts.flatMap(({ failure }) => failure ?? []);
  }

  /** Begins to look up the names that are due. */
  look(): void {
    const now = this.#around.clock.now();
    for (const host of this.#hosts) {
      if (host.dueAt > now) continue;
      host.dueAt = Number.POSITIVE_INFINITY;
      this.#lookUp(host).catch((error: unknown) => this.#fail(host, error));
    }
  }

  close(): void {
    this.#isClosed = true;
  }

  async #lookUp(host: Host): Promise<void> {
    const { network, clock } = this.#around;
    const { listed, address: before } = host;
    try {
      const address = await bestAddress(listed.host, network, before?.address);
      if (this.#isClosed) return;
      host.failure = undefined;
      if (address === before?.address) return;
      host.address = { address, port: listed.port, ttl: listed.ttl, via: listed.via };
      this.#around.found(host.address);
    } finally {
      host.dueAt = clock.now() + LOOK_AGAIN_MS;
    }
  }

  /** An address that is known stays: it may be the look-up alone that is not possible now. */
  #fail(host: Host, error: unknown): void {
    const reason = reasonOf(error);
    if (this.#isClosed || host.failure === reason) return;
    host.failure = reason;
    this.#around.failed(error);
  }
}
