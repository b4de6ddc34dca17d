// How do tests get a network without sockets? Hosts, streams and datagrams in memory, shaken by a seed.
//
// The same seed and the same calls give the same delays, cuts, losses: print the seed with the test. It keeps the
// contracts of network.ts, and is stricter where real sockets let a mistake pass: bytes kept too long are overwritten.
import { LocalProtocolError } from '../protocol/errors.ts';
import { HostAddresses } from './memory-addresses.ts';
import { MemoryConnection } from './memory-connection.ts';
import { MemoryTcp, type TcpNeighbourhood } from './memory-tcp.ts';
import { MemoryUdp } from './memory-udp.ts';
import { Wire, type MemoryNetworkOptions } from './memory-wire.ts';
import { networkError } from './network-error.ts';
import type { Network, TcpConnection } from './network.ts';

export type { MemoryNetworkOptions } from './memory-wire.ts';

/** One host's view of a memory network. */
export interface MemoryHost extends Network {
  readonly name: string;
}

/** A network of hosts that exists in memory alone. Delays and losses follow from its seed. */
export class MemoryNetwork {
  readonly #wire: Wire;
  readonly #hosts = new Map<string, { readonly network: MemoryHost; readonly addresses: HostAddresses }>();
  readonly #tcp: TcpNeighbourhood = { stacks: new Set(), connections: new Set() };
  readonly #udpStacks = new Set<MemoryUdp>();

  constructor(options: MemoryNetworkOptions = {}) {
    this.#wire = new Wire(options);
  }

  /** Both sides of every stream that is not closed. */
  get connections(): ReadonlySet<TcpConnection> {
    return this.#tcp.connections;
  }

  /**
   * Adds a host; others can resolve its name. Hosts of one prefix hear each other's broadcasts.
   * @param addresses IPv4 with prefix, one interface each: `10.0.0.5/24`. Default: the next of 10.0.0.0/24
   */
  host(name: string, ...addresses: string[]): MemoryHost {
    if (this.#hosts.has(name)) throw new LocalProtocolError(`the memory network has a host ${name} already`);
    const given = addresses.length > 0 ? addresses : [`10.0.0.${this.#hosts.size + 1}/24`];
    const mine = new HostAddresses(name, given);
    const tcp = new MemoryTcp(mine, this.#wire, this.#tcp);
    const udp = new MemoryUdp(mine, this.#wire, this.#udpStacks);
    const network: MemoryHost = {
      name,
      interfaces: () => mine.interfaces,
      listenTcp: (options, accept) => tcp.listen(options, accept),
      connectTcp: (to, options) => tcp.connect(to, options),
      bindUdp: (options, handlers) => udp.bind(options, handlers),
      resolve: async (hostName) => this.#resolve(hostName),
    };
    this.#hosts.set(name, { network, addresses: mine });
    return network;
  }

  /** Breaks a stream: both sides close with ECONNRESET, what was under way is lost. */
  cut(connection: TcpConnection): void {
    if (!(connection instanceof MemoryConnection)) {
      throw new LocalProtocolError('only a stream of this memory network can be cut');
    }
    connection.cut();
  }

  /** From now on nothing passes between two hosts: streams stall, datagrams are lost, connecting times out. */
  partition(hostA: MemoryHost, hostB: MemoryHost): void {
    this.#wire.partition(hostA.name, hostB.name);
  }

  /** Undoes `partition`: streams go on where they stalled. */
  heal(hostA: MemoryHost, hostB: MemoryHost): void {
    this.#wire.heal(hostA.name, hostB.name);
  }

  #resolve(hostName: string): readonly string[] {
    if (/^[\d.]+$|:/.test(hostName)) return [hostName];
    if (hostName === 'localhost') return ['127.0.0.1', '::1'];
    const host = this.#hosts.get(hostName);
    if (host === undefined) throw networkError('ENOTFOUND', `host name ${hostName} cannot be resolved`);
    return host.addresses.outward.map(({ address }) => address);
  }
}
