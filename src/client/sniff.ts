// Who searches for what, and which servers say that they are there? What comes to the UDP port of searches, as it comes.

import { resolveClientConfig } from '../config/effective.ts';
import { isAny } from '../protocol/address.ts';
import { BeaconTracker } from '../protocol/machines/beacon-tracker.ts';
import type { BeaconHead } from '../protocol/messages/beacon.ts';
import { SEARCH_REPLY_TO_SOURCE, SEARCH_UNICAST, type Search } from '../protocol/messages/search.ts';
import { systemClock, type Clock } from '../transport/clocks.ts';
import { endpointText } from '../transport/network-error.ts';
import { nodeNetwork } from '../transport/node-network.ts';
import type { Endpoint } from '../transport/network.ts';
import { BeaconListener } from './beacon-listener.ts';
import { Call, type CallOptions } from './call.ts';
import type { ContextOptions } from './context-options.ts';

/** A search that somebody sent. */
export interface SniffedSearch {
  readonly kind: 'search';
  /** `host:port` that answers go to. */
  readonly client: string;
  /** Empty: it asks every server to say that it is there. */
  readonly pvNames: readonly string[];
  readonly protocols: readonly string[];
  /** Sent to this host alone. */
  readonly isUnicast: boolean;
  /** Another program of this host passed it on. */
  readonly isForwarded: boolean;
}

/** A beacon of a server. */
export interface SniffedBeacon {
  readonly kind: 'beacon';
  /** 24 hexadecimal digits, new at each start of the server. */
  readonly guid: string;
  /** `host:port` to connect to. */
  readonly server: string;
  readonly protocol: string;
  /** Version of the protocol that the server speaks. */
  readonly version: number;
  /** `host:port` that it came from. */
  readonly via: string;
  /** Counts the server's beacons, from 255 back to 0. */
  readonly sequence: number;
  /** `new`: the first that is heard of it. `restarted`: another GUID at the same address. */
  readonly change: 'new' | 'restarted' | 'known';
}

/** One thing that was heard. */
export type Sniffed = SniffedSearch | SniffedBeacon;

/** `timeoutMs`: stop after so long; default: never. */
export type SniffOptions = Pick<ContextOptions, 'config' | 'network' | 'clock'> & CallOptions;

/** What waits for a slow reader; the oldest is dropped. */
const MAX_WAITING = 10_000;

/**
 * Hears searches and beacons until the loop is left, `signal` aborts or time is up. Sends nothing but what it has to pass
 * on: whoever opens the port last gets what is sent to this host alone.
 * @throws PvaError when the port cannot be opened on any interface
 */
export async function* sniff(options: SniffOptions = {}): AsyncGenerator<Sniffed, void, void> {
  const { network = nodeNetwork, clock = systemClock, timeoutMs = Number.POSITIVE_INFINITY } = options;
  const { interfaces } = options.config ?? resolveClientConfig({ processEnvironment: process.env });
  const call = new Call(clock, 'sniffing');
  const ear = new Ear(clock);
  const listener = new BeaconListener(network, clock, ear);
  const timer = clock.after(timeoutMs, () => ear.end());
  call.follow(options.signal);
  try {
    await call.until(listener.open(interfaces));
    if (!listener.isListening) throw ear.problem;
    for (;;) {
      const heard = ear.shift();
      if (heard !== undefined) yield heard;
      else if (ear.isOver) return;
      else await call.wait<void>((resolve) => ear.whenHeard(resolve));
      call.throwIfEnded();
    }
  } finally {
    timer.cancel();
    listener.close();
    call.finish();
  }
}

/** What was heard and not read yet. */
class Ear {
  isOver = false;
  /** Why a port could not be opened; the first one. */
  problem: unknown;
  readonly #clock: Clock;
  readonly #tracker = new BeaconTracker();
  readonly #waiting: Sniffed[] = [];
  #wake: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  shift(): Sniffed | undefined {
    return this.#waiting.shift();
  }

  whenHeard(wake: () => void): () => void {
    this.#wake = wake;
    return () => (this.#wake = undefined);
  }

  end(): void {
    this.isOver = true;
    this.#wake?.();
  }

  error(error: unknown): void {
    this.problem ??= error;
  }

  search(
    { flags, responseAddress, responsePort, protocols, names }: Search,
    from: Endpoint,
    isForwarded: boolean,
  ): void {
    const repliesToSource = (flags & SEARCH_REPLY_TO_SOURCE) !== 0 && !isForwarded;
    const address = isAny(responseAddress) ? from.address : responseAddress;
    this.#push({
      kind: 'search',
      client: endpointText({ address, port: repliesToSource ? from.port : responsePort }),
      pvNames: names.map(({ pvName }) => pvName),
      protocols,
      isUnicast: (flags & SEARCH_UNICAST) !== 0,
      isForwarded,
    });
  }

  beacon({ guid, serverAddress, serverPort, protocol, sequence }: BeaconHead, from: Endpoint, version: number): void {
    const address = isAny(serverAddress) ? from.address : serverAddress;
    const server = {
      guid,
      server: endpointText({ address, port: serverPort }),
      protocol,
      version,
      via: endpointText(from),
    };
    const { verdict } = this.#tracker.see(server, this.#clock.now());
    // Where too many are tracked already, one more is nothing special; nor are other names.
    const change = verdict === 'new' || verdict === 'restarted' ? verdict : 'known';
    this.#push({ kind: 'beacon', ...server, sequence, change });
  }

  #push(heard: Sniffed): void {
    this.#waiting.push(heard);
    if (this.#waiting.length > MAX_WAITING) this.#waiting.shift();
    this.#wake?.();
  }
}
