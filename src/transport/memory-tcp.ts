// How do the hosts of a memory network find each other's TCP ports?
import { TimeoutError } from '../protocol/errors.ts';
import type { HostAddresses } from './memory-addresses.ts';
import { hears } from './memory-addresses.ts';
import { MemoryConnection } from './memory-connection.ts';
import type { Wire } from './memory-wire.ts';
import { endpointText, networkError } from './network-error.ts';
import { CONNECT_TIMEOUT_MS } from './network.ts';
import type { ConnectTcpOptions, Endpoint, ListenTcpOptions, TcpConnection, TcpListener } from './network.ts';

interface Listener {
  readonly local: Endpoint;
  readonly accept: (connection: TcpConnection) => void;
}

/** What the TCP of all hosts share. */
export interface TcpNeighbourhood {
  readonly stacks: Set<MemoryTcp>;
  /** Both sides of every stream that is not closed. */
  readonly connections: Set<MemoryConnection>;
}

/** The TCP of one host. */
export class MemoryTcp {
  readonly #addresses: HostAddresses;
  readonly #wire: Wire;
  readonly #neighbourhood: TcpNeighbourhood;
  readonly #listeners = new Set<Listener>();

  constructor(addresses: HostAddresses, wire: Wire, neighbourhood: TcpNeighbourhood) {
    this.#addresses = addresses;
    this.#wire = wire;
    this.#neighbourhood = neighbourhood;
    neighbourhood.stacks.add(this);
  }

  async listen(options: ListenTcpOptions, accept: (connection: TcpConnection) => void): Promise<TcpListener> {
    const taken = [...this.#listeners].map(({ local }) => local);
    const listener: Listener = { local: this.#addresses.claim('TCP', options, taken), accept };
    this.#listeners.add(listener);
    return { local: listener.local, errorCount: 0, close: async () => void this.#listeners.delete(listener) };
  }

  async connect(
    to: Endpoint,
    { signal, timeoutMs = CONNECT_TIMEOUT_MS }: ConnectTcpOptions = {},
  ): Promise<TcpConnection> {
    signal?.throwIfAborted();
    const what = `no connection to ${endpointText(to)}`;
    const address = this.#addresses.sourceTowards(to.address);
    if (address === undefined) throw networkError('ENETUNREACH', what);
    const local = { address, port: this.#addresses.takePort() };
    return new Promise((resolve, reject) => {
      const stopWaiting = (): void => {
        timer.cancel();
        signal?.removeEventListener('abort', onAbort);
      };
      const attempt = this.#attempt(local, to, (outcome) => {
        stopWaiting();
        if (outcome === 'refused') reject(networkError('ECONNREFUSED', what));
        else resolve(outcome);
      });
      const giveUp = (reason: unknown): void => {
        stopWaiting();
        attempt.abandon();
        reject(reason);
      };
      const onAbort = (): void => giveUp(signal?.reason);
      const timer = this.#wire.clock.after(timeoutMs, () =>
        giveUp(new TimeoutError(`${what}: no answer within ${timeoutMs} ms`)),
      );
      signal?.addEventListener('abort', onAbort);
    });
  }

  /** Knocks at a port; a host that is off or out of reach says nothing at all. */
  #attempt(
    local: Endpoint,
    to: Endpoint,
    onOutcome: (outcome: MemoryConnection | 'refused') => void,
  ): { abandon(): void } {
    let isAbandoned = false;
    let accepted: MemoryConnection | undefined;
    const answer = (outcome: MemoryConnection | 'refused'): void => {
      this.#wire.later(this.#wire.randomDelayMs(), () => {
        if (!isAbandoned) onOutcome(outcome);
      });
    };
    this.#wire.later(this.#wire.randomDelayMs(), () => {
      const host = this.#ownerOf(to.address);
      if (isAbandoned || host === undefined) return;
      const hostName = host.#addresses.hostName;
      if (this.#wire.isPartitioned(this.#addresses.hostName, hostName)) return;
      const listener = [...host.#listeners].find((each) => hears(each.local, to));
      if (listener === undefined) return answer('refused');
      const { connections } = this.#neighbourhood;
      const [near, far] = MemoryConnection.pair(
        this.#wire,
        { host: this.#addresses.hostName, endpoint: local },
        { host: hostName, endpoint: to },
        (closed) => connections.delete(closed),
      );
      connections.add(near).add(far);
      accepted = near;
      listener.accept(far);
      answer(near);
    });
    return {
      abandon: () => {
        isAbandoned = true;
        accepted?.destroy();
      },
    };
  }

  #ownerOf(address: string): MemoryTcp | undefined {
    if (this.#addresses.owns(address)) return this;
    return [...this.#neighbourhood.stacks].find((stack) =>
      stack.#addresses.outward.some((each) => each.address === address),
    );
  }
}
