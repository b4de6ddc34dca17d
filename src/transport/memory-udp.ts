// Where do datagrams of a memory network go, and which sockets hear them? As on Linux.
import type { HostAddresses } from './memory-addresses.ts';
import { hears, isIPv6, isMulticast, isWildcard } from './memory-addresses.ts';
import { DelayLine, showOnce, type Wire } from './memory-wire.ts';
import { endpointText, networkError, networkErrorFrom } from './network-error.ts';
import type { BindUdpOptions, Endpoint, NetworkInterface, UdpHandlers, UdpSocket } from './network.ts';

/** What IPv4 carries. */
const LARGEST_DATAGRAM_BYTES = 65_507;
const LAST_PORT = 65_535;

/** A datagram on its way to one host. */
interface Datagram {
  readonly bytes: Uint8Array;
  readonly from: Endpoint;
  readonly to: Endpoint;
  /** The group's members on this interface are meant; or every socket; or the one that fits best. */
  readonly audience: { readonly groupInterface: string } | 'all' | 'one';
}

/** The UDP of one host. */
export class MemoryUdp {
  readonly addresses: HostAddresses;
  readonly wire: Wire;
  readonly #stacks: Set<MemoryUdp>;
  /** In the order in which they were bound. */
  readonly #sockets = new Set<MemoryUdpSocket>();
  readonly #lines = new Map<MemoryUdp, DelayLine<Datagram>>();

  /** `stacks` are those of all hosts. */
  constructor(addresses: HostAddresses, wire: Wire, stacks: Set<MemoryUdp>) {
    this.addresses = addresses;
    this.wire = wire;
    this.#stacks = stacks;
    stacks.add(this);
  }

  async bind(options: BindUdpOptions, handlers: UdpHandlers): Promise<UdpSocket> {
    const others = [...this.#sockets].filter(
      ({ options: { shared } }) => !(shared === true && options.shared === true),
    );
    const taken = others.map(({ local }) => local);
    const socket = new MemoryUdpSocket(this, this.addresses.claim('UDP', options, taken), options, handlers);
    this.#sockets.add(socket);
    return socket;
  }

  release(socket: MemoryUdpSocket): void {
    this.#sockets.delete(socket);
  }

  /** @throws PvaError when the datagram cannot go out */
  send(socket: MemoryUdpSocket, bytes: Uint8Array, to: Endpoint): void {
    const what = `UDP datagram to ${endpointText(to)}`;
    if (to.port < 1 || to.port > LAST_PORT || isIPv6(to.address) !== isIPv6(socket.local.address)) {
      throw networkError('EINVAL', what);
    }
    if (bytes.length > LARGEST_DATAGRAM_BYTES) throw networkError('EMSGSIZE', what);
    if (isMulticast(to.address)) return this.#sendToGroup(socket, bytes, to);
    const broadcastVia = this.addresses.broadcastInterface(to.address);
    if (broadcastVia === undefined) return this.#sendToOne(socket, bytes, to);
    if (socket.options.broadcast !== true) throw networkError('EACCES', what);
    const from = sourceOf(socket, broadcastVia.address);
    for (const stack of this.#stacksOn(broadcastVia)) this.#carry(stack, { bytes, from, to, audience: 'all' });
  }

  #sendToGroup(socket: MemoryUdpSocket, bytes: Uint8Array, to: Endpoint): void {
    const { interfaceAddress, ttl, loopback } = socket.multicastRoute;
    const fallback = this.addresses.outward[0]?.address ?? '127.0.0.1';
    // As Linux, whose loopback has no route for IPv6 groups.
    if (isIPv6(to.address)) throw networkError('ENETUNREACH', `UDP datagram to ${endpointText(to)}`);
    const via = this.addresses.interfaceWith(interfaceAddress ?? fallback);
    const from = sourceOf(socket, via.address);
    for (const stack of this.#stacksOn(via)) {
      // A loopback interface brings everything back, whatever the socket asks for.
      const isWanted = stack === this ? loopback || via.isLoopback : ttl > 0;
      const arrival = stack.#interfaceOn(via);
      if (!isWanted || arrival === undefined) continue;
      this.#carry(stack, { bytes, from, to, audience: { groupInterface: arrival.address } });
    }
  }

  #sendToOne(socket: MemoryUdpSocket, bytes: Uint8Array, to: Endpoint): void {
    const source = this.addresses.sourceTowards(to.address);
    if (source === undefined) throw networkError('ENETUNREACH', `UDP datagram to ${endpointText(to)}`);
    const isHere = this.addresses.owns(to.address);
    const stack = isHere ? this : [...this.#stacks].find(({ addresses }) => addresses.owns(to.address));
    if (stack === undefined) return;
    this.#carry(stack, { bytes, from: sourceOf(socket, source), to, audience: 'one' });
  }

  /** Loses, doubles, delays and reorders, as the network's options say. */
  #carry(stack: MemoryUdp, datagram: Datagram): void {
    const { random, options } = this.wire;
    if (this.wire.isPartitioned(this.addresses.hostName, stack.addresses.hostName)) return;
    if (random.chance(options.datagramLoss)) return;
    const copies = random.chance(options.datagramDuplication) ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      if (random.chance(options.datagramReorder)) {
        this.wire.later(this.wire.randomDelayMs(), () => stack.#receive(datagram));
      } else {
        this.#lineTo(stack).push(datagram);
      }
    }
  }

  #lineTo(stack: MemoryUdp): DelayLine<Datagram> {
    const known = this.#lines.get(stack);
    if (known !== undefined) return known;
    const line = new DelayLine<Datagram>(this.wire, this.addresses.hostName, stack.addresses.hostName, (datagrams) => {
      for (const datagram of datagrams) stack.#receive(datagram);
    });
    this.#lines.set(stack, line);
    return line;
  }

  #receive({ bytes, from, to, audience }: Datagram): void {
    for (const socket of this.#audience(to, audience)) {
      showOnce(Uint8Array.from(bytes), (copy) => socket.receive(copy, from));
    }
  }

  #audience(to: Endpoint, audience: Datagram['audience']): readonly MemoryUdpSocket[] {
    const hearing = [...this.#sockets].filter(({ local }) => hears(local, to));
    if (audience === 'all') return hearing;
    if (audience === 'one') {
      const exact = hearing.filter(({ local }) => !isWildcard(local.address));
      return (exact.length > 0 ? exact : hearing).slice(-1);
    }
    // Linux by default: one member on the host, and all sockets of the port hear the group.
    const hasMember = [...this.#sockets].some((socket) => socket.isMember(to.address, audience.groupInterface));
    return hasMember ? hearing : [];
  }

  #stacksOn(via: NetworkInterface): readonly MemoryUdp[] {
    if (via.isLoopback) return [this];
    return [...this.#stacks].filter((stack) => stack.#interfaceOn(via) !== undefined);
  }

  /** This host's interface on the same network. */
  #interfaceOn(via: NetworkInterface): NetworkInterface | undefined {
    const { interfaces } = this.addresses;
    return interfaces.find((each) =>
      via.isLoopback ? each.address === via.address : each.broadcast !== undefined && each.broadcast === via.broadcast,
    );
  }
}

class MemoryUdpSocket implements UdpSocket {
  readonly local: Endpoint;
  readonly options: BindUdpOptions;
  /** The system's defaults until `setMulticast`. */
  multicastRoute: { readonly interfaceAddress?: string; readonly ttl: number; readonly loopback: boolean } = {
    ttl: 1,
    loopback: true,
  };
  readonly #stack: MemoryUdp;
  readonly #handlers: UdpHandlers;
  readonly #memberships = new Set<string>();
  #isClosed = false;
  #errorCount = 0;

  constructor(stack: MemoryUdp, local: Endpoint, options: BindUdpOptions, handlers: UdpHandlers) {
    this.#stack = stack;
    this.local = local;
    this.options = options;
    this.#handlers = handlers;
  }

  get errorCount(): number {
    return this.#errorCount;
  }

  send(bytes: Uint8Array, to: Endpoint): void {
    if (this.#isClosed) return;
    try {
      this.#stack.send(this, bytes, to);
    } catch (error) {
      this.#stack.wire.clock.soon(() => this.#report(networkErrorFrom(error, 'UDP datagram')));
    }
  }

  joinGroup(group: string, interfaceAddress: string): void {
    this.#memberships.add(`${group} ${this.#stack.addresses.interfaceWith(interfaceAddress).address}`);
  }

  setMulticast(interfaceAddress: string, ttl: number, loopback: boolean): void {
    this.#stack.addresses.interfaceWith(interfaceAddress);
    this.multicastRoute = { interfaceAddress, ttl, loopback };
  }

  close(): void {
    this.#isClosed = true;
    this.#stack.release(this);
  }

  isMember(group: string, interfaceAddress: string): boolean {
    return this.#memberships.has(`${group} ${interfaceAddress}`);
  }

  receive(bytes: Uint8Array, from: Endpoint): void {
    if (!this.#isClosed) this.#handlers.message(bytes, from);
  }

  #report(error: Error): void {
    if (this.#isClosed) return;
    this.#errorCount++;
    this.#handlers.error(error);
  }
}

/** A socket bound to an address speaks from it; a wildcard socket from the interface it goes out through. */
function sourceOf({ local }: MemoryUdpSocket, interfaceAddress: string): Endpoint {
  return isWildcard(local.address) ? { address: interfaceAddress, port: local.port } : local;
}
