// How do datagrams run over real sockets?
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { listInterfaces } from './interfaces.ts';
import { endpointText, networkError, networkErrorFrom } from './network-error.ts';
import type { BindUdpOptions, Endpoint, UdpHandlers, UdpSocket } from './network.ts';

/** Past this the kernel has taken nothing for a while; datagrams may be lost anyway, so new ones are. */
const SEND_QUEUE_BYTES = 4 * 1024 * 1024;
/**
 * What the system keeps of datagrams while the process is at something else; it may allow less (net.core.rmem_max). Some 700
 * searches: what clients send at once is not lost so soon, and a slow core reads them all in 50 ms. More would have every
 * search wait as long as a flood lasts.
 */
const RECEIVE_BUFFER_BYTES = 256 * 1024;
/** Datagrams that wait for the end of a turn; libuv reads at most as many in one. */
const MOST_WAITING = 32;

export async function bindUdp(options: BindUdpOptions, handlers: UdpHandlers): Promise<UdpSocket> {
  const { address, port, shared } = options;
  if (port !== 0 || shared !== true) return bindPort(options, handlers);
  // The system takes a port for free that somebody shares already: whoever asks for any wants one that nobody has.
  const found = await bindPort({ address, port: 0 }, DEAF);
  found.close();
  return bindPort({ ...options, port: found.local.port }, handlers);
}

const DEAF: UdpHandlers = { message: () => {}, error: () => {} };

function bindPort(
  { address, port, shared = false, broadcast = false }: BindUdpOptions,
  handlers: UdpHandlers,
): Promise<UdpSocket> {
  return new Promise((resolve, reject) => {
    const type = isIPv6(address) ? 'udp6' : 'udp4';
    const lookup = type === 'udp6' ? keepIpv6 : keepIpv4;
    const socket = createSocket({
      type,
      reuseAddr: shared,
      ipv6Only: type === 'udp6',
      lookup,
      recvBufferSize: RECEIVE_BUFFER_BYTES,
    });
    const refuse = (error: Error): void => {
      socket.close();
      reject(networkErrorFrom(error, `UDP port ${endpointText({ address, port })} cannot be opened`));
    };
    socket.once('error', refuse);
    socket.bind({ address, port, exclusive: true }, () => {
      socket.removeListener('error', refuse);
      if (broadcast && type === 'udp4') socket.setBroadcast(true);
      resolve(new DatagramSocket(socket, { address, port: socket.address().port }, handlers));
    });
  });
}

class DatagramSocket implements UdpSocket {
  readonly local: Endpoint;
  readonly #socket: Socket;
  readonly #handlers: UdpHandlers;
  /** `group interface` of every membership: the system refuses a second join. */
  readonly #memberships = new Set<string>();
  /**
   * What goes out at the end of this turn. Sent from within the handler of each datagram, the answers to a burst took a
   * fifth longer: node runs its tick queue after every one.
   */
  readonly #waiting: { readonly bytes: Uint8Array; readonly to: Endpoint }[] = [];
  #isClosed = false;
  #errorCount = 0;

  constructor(socket: Socket, local: Endpoint, handlers: UdpHandlers) {
    this.local = local;
    this.#socket = socket;
    this.#handlers = handlers;
    socket.on('message', (bytes: Uint8Array, from: RemoteInfo) => {
      handlers.message(bytes, { address: from.address, port: from.port });
    });
    // With a listener an error of one datagram (an ICMP refusal, say) does not end the process.
    socket.on('error', (error) => this.#report(error, `UDP port ${endpointText(local)}`));
  }

  get errorCount(): number {
    return this.#errorCount;
  }

  send(bytes: Uint8Array, to: Endpoint): void {
    if (this.#isClosed) return;
    if (this.#waiting.length === 0) setImmediate(this.#flush);
    this.#waiting.push({ bytes, to });
    if (this.#waiting.length >= MOST_WAITING) this.#flush();
  }

  joinGroup(group: string, interfaceAddress: string): void {
    const membership = `${group} ${interfaceAddress}`;
    if (this.#isClosed || this.#memberships.has(membership)) return;
    this.#configure(`join ${group} on ${interfaceAddress}`, () =>
      this.#socket.addMembership(group, interfaceName(interfaceAddress)),
    );
    this.#memberships.add(membership);
  }

  setMulticast(interfaceAddress: string, ttl: number, loopback: boolean): void {
    if (this.#isClosed) return;
    this.#configure(`send multicasts through ${interfaceAddress}`, () => {
      this.#socket.setMulticastInterface(interfaceName(interfaceAddress));
      this.#socket.setMulticastTTL(ttl);
      this.#socket.setMulticastLoopback(loopback);
    });
  }

  close(): void {
    if (this.#isClosed) return;
    this.#flush();
    this.#isClosed = true;
    this.#socket.close();
  }

  readonly #flush = (): void => {
    const isStuck = this.#waiting.length > 0 && this.#socket.getSendQueueSize() > SEND_QUEUE_BYTES;
    for (const { bytes, to } of this.#waiting) {
      if (isStuck) this.#failSend(networkError('ENOBUFS', `${SEND_QUEUE_BYTES} bytes are waiting`), to);
      else this.#hand(bytes, to);
    }
    this.#waiting.length = 0;
  };

  #hand(bytes: Uint8Array, to: Endpoint): void {
    try {
      this.#socket.send(bytes, to.port, to.address, this.#sent);
    } catch (error) {
      // A port that is none (0, 65536) is thrown; for the caller it is one more datagram that did not go out.
      this.#failSend(error, to);
    }
  }

  /** One for all datagrams: node's error knows where its datagram was to go. */
  readonly #sent = (error: (Error & Partial<Endpoint>) | null): void => {
    if (error === null) return;
    const { address = '', port = 0 } = error;
    this.#failSend(error, { address, port });
  };

  /** Later, because whoever sends is not to be called from within. */
  #failSend(error: unknown, to: Endpoint): void {
    process.nextTick(() => this.#report(error, `UDP datagram to ${endpointText(to)}`));
  }

  #configure(act: string, configure: () => void): void {
    try {
      configure();
    } catch (error) {
      throw networkErrorFrom(error, `UDP port ${endpointText(this.local)} cannot ${act}`);
    }
  }

  #report(error: unknown, what: string): void {
    if (this.#isClosed) return;
    this.#errorCount++;
    this.#handlers.error(networkErrorFrom(error, what));
  }
}

/** The system names IPv4 interfaces by address, but IPv6 interfaces by zone: `::%eth0`. */
function interfaceName(address: string): string {
  if (!isIPv6(address)) return address;
  const zone = address.split('%')[1] ?? listInterfaces().find((each) => each.address === address)?.name;
  if (zone === undefined) throw networkError('EADDRNOTAVAIL', `no interface has ${address}`);
  return `::%${zone}`;
}

// node would ask the resolver, a turn later, even for addresses.

type Found = (error: NodeJS.ErrnoException | null, address: string, family: number) => void;

function keepIpv4(address: string, _options: unknown, found: Found): void {
  found(null, address, 4);
}

function keepIpv6(address: string, _options: unknown, found: Found): void {
  found(null, address, 6);
}
