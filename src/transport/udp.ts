// How do datagrams run over real sockets?
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { listInterfaces } from './interfaces.ts';
import { endpointText, networkError, networkErrorFrom } from './network-error.ts';
import type { BindUdpOptions, Endpoint, UdpHandlers, UdpSocket } from './network.ts';

/** Past this the kernel has taken nothing for a while; datagrams may be lost anyway, so new ones are. */
const SEND_QUEUE_BYTES = 4 * 1024 * 1024;

export function bindUdp(
  { address, port, shared = false, broadcast = false }: BindUdpOptions,
  handlers: UdpHandlers,
): Promise<UdpSocket> {
  return new Promise((resolve, reject) => {
    const type = isIPv6(address) ? 'udp6' : 'udp4';
    const socket = createSocket({ type, reuseAddr: shared, ipv6Only: type === 'udp6', lookup: keepAddress });
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
    const reportLater = (error: Error | null): void => {
      if (error) process.nextTick(() => this.#report(error, `UDP datagram to ${endpointText(to)}`));
    };
    if (this.#socket.getSendQueueSize() > SEND_QUEUE_BYTES) {
      return reportLater(networkError('ENOBUFS', `${SEND_QUEUE_BYTES} bytes are waiting`));
    }
    try {
      this.#socket.send(bytes, to.port, to.address, reportLater);
    } catch (error) {
      // A port that is none (0, 65536) is thrown; for the caller it is one more datagram that did not go out.
      reportLater(error instanceof Error ? error : new Error(String(error)));
    }
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
    this.#isClosed = true;
    this.#socket.close();
  }

  #configure(act: string, configure: () => void): void {
    try {
      configure();
    } catch (error) {
      throw networkErrorFrom(error, `UDP port ${endpointText(this.local)} cannot ${act}`);
    }
  }

  #report(error: Error, what: string): void {
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

/** node would ask the resolver, a turn later, even for addresses. */
function keepAddress(
  address: string,
  _options: unknown,
  found: (error: NodeJS.ErrnoException | null, address: string, family: number) => void,
): void {
  found(null, address, isIPv6(address) ? 6 : 4);
}
