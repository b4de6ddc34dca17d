// How does a server say that it is there? Ten beacons quickly, then one every three minutes.
//
// A client that knows the server by its beacons searches anew when another GUID comes from its address.
// Spec: Protocol-Messages, "CMD_BEACON"; periods as pvxs has them.

import type { ListedAddress } from '../config/address-list.ts';
import { isMulticast } from '../config/ip-text.ts';
import { ANY_IPV4 } from '../protocol/address.ts';
import type { ProtocolName } from '../protocol/codecs/codec.ts';
import { PvaError } from '../protocol/errors.ts';
import { encodeMessage } from '../protocol/messages/index.ts';
import { Writer } from '../protocol/writer.ts';
import type { TimerHandle } from '../transport/clocks.ts';
import { endpointText } from '../transport/network-error.ts';
import type { Endpoint, Network, UdpSocket } from '../transport/network.ts';
import { addressOf, broadcastsOf, viaAddress } from './interfaces.ts';
import type { LinkHost } from './link-host.ts';
import type { Station } from './udp-stations.ts';

const QUICK_BEACONS = 10;
/** Quick beacons come every 15 s by default; the later ones twelve times as slowly: 180 s. */
const SLOW_FACTOR = 12;
/** A beacon that tells of new names waits for others to come: they are often made one after the other. */
const HURRY_MS = 10;
/** Beacons are at least so far apart, however fast names come and go. */
const HURRY_GAP_MS = 1_000;
const MAX_SEQUENCE = 0xff;
const MAX_CHANGE_COUNT = 0xffff;

export interface BeaconOptions {
  readonly host: LinkHost;
  readonly network: Network;
  readonly stations: readonly Station[];
  readonly addresses: readonly ListedAddress[];
  /** Send to the broadcast address of every served network as well. */
  readonly auto: boolean;
  /** Time between the first beacons. */
  readonly periodMs: number;
}

/** A place that beacons go to, through the station whose TCP port they tell. */
interface Destination {
  readonly to: Endpoint;
  readonly station: Station;
  readonly socket: UdpSocket;
}

export class BeaconEmitter {
  readonly #host: LinkHost;
  readonly #destinations: readonly Destination[];
  readonly #groupSockets: readonly UdpSocket[];
  readonly #periodMs: number;
  #timer: TimerHandle | undefined;
  #hurried: TimerHandle | undefined;
  #isClosed = false;
  #sentAt = Number.NEGATIVE_INFINITY;
  #sentCount = 0;
  #beatCount = 0;

  private constructor(
    options: BeaconOptions,
    destinations: readonly Destination[],
    groupSockets: readonly UdpSocket[],
  ) {
    this.#host = options.host;
    this.#periodMs = options.periodMs;
    this.#destinations = destinations;
    this.#groupSockets = groupSockets;
  }

  /** Sends the first beacon at once. @throws PvaError when a name among the addresses cannot be looked up */
  static async start(options: BeaconOptions): Promise<BeaconEmitter> {
    const destinations = options.auto ? broadcastDestinations(options) : [];
    const groupSockets: UdpSocket[] = [];
    try {
      for (const endpoint of options.addresses) {
        const destination = await configuredDestination(options, endpoint, groupSockets);
        if (destination !== undefined) destinations.push(destination);
      }
    } catch (thrown) {
      for (const socket of groupSockets) socket.close();
      throw thrown;
    }
    const emitter = new BeaconEmitter(options, destinations, groupSockets);
    emitter.#beat();
    return emitter;
  }

  /** Where beacons go, for people. */
  get destinations(): readonly string[] {
    return this.#destinations.map(({ to }) => endpointText(to));
  }

  /** Names came or went: clients that search again when the change count moves are told soon. */
  hurry(): void {
    if (this.#hurried !== undefined || this.#isClosed) return;
    const { clock } = this.#host;
    const waitMs = Math.max(HURRY_MS, this.#sentAt + HURRY_GAP_MS - clock.now());
    this.#hurried = clock.after(waitMs, () => {
      this.#hurried = undefined;
      this.#send();
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#hurried?.cancel();
    for (const socket of this.#groupSockets) socket.close();
  }

  #beat(): void {
    this.#send();
    this.#beatCount++;
    const delayMs = this.#beatCount < QUICK_BEACONS ? this.#periodMs : this.#periodMs * SLOW_FACTOR;
    this.#timer = this.#host.clock.after(delayMs, () => this.#beat());
  }

  #send(): void {
    for (const { to, station, socket } of this.#destinations) socket.send(this.#beacon(station), to);
    this.#host.counters.beaconsSent += this.#destinations.length;
    this.#sentCount++;
    this.#sentAt = this.#host.clock.now();
  }

  /** MessagePack is told of behind pvAccess, in the same datagram: old clients read the first beacon alone, or skip it. */
  #beacon({ tcpPort, msgpackPort }: Station): Uint8Array {
    const writer = new Writer(true);
    this.#write(writer, 'tcp', tcpPort);
    if (msgpackPort !== undefined) this.#write(writer, 'msgpack', msgpackPort);
    return writer.detach(0);
  }

  #write(writer: Writer, protocol: ProtocolName, serverPort: number): void {
    const { guid, directory } = this.#host;
    encodeMessage(
      writer,
      {
        command: 'BEACON',
        guid,
        flags: 0,
        sequence: this.#sentCount & MAX_SEQUENCE,
        changeCount: directory.revision & MAX_CHANGE_COUNT,
        serverAddress: ANY_IPV4,
        serverPort,
        protocol,
        serverStatus: null,
      },
      { fromServer: true },
    );
  }
}

function broadcastDestinations({ network, stations }: BeaconOptions): Destination[] {
  return stations.flatMap((station) =>
    broadcastsOf(network, station.served).map((address) => ({
      to: { address, port: station.socket.local.port },
      station,
      socket: station.socket,
    })),
  );
}

async function configuredDestination(
  { host, network, stations }: BeaconOptions,
  endpoint: ListedAddress,
  groupSockets: UdpSocket[],
): Promise<Destination | undefined> {
  const address = await addressOf(network, endpoint);
  const isIpv6 = address.includes(':');
  const station = stations.find(({ served }) => served.address.includes(':') === isIpv6);
  if (station === undefined) {
    const text = `no beacons to ${address}: the server has no ${isIpv6 ? 'IPv6' : 'IPv4'} address`;
    host.notices.publish({ kind: 'beaconFailed', level: 'warning', text });
    return undefined;
  }
  const to: Endpoint = { address, port: endpoint.port ?? station.socket.local.port };
  if (!isMulticast(address)) return { to, station, socket: station.socket };
  try {
    const socket = await groupSocket(host, network, station, endpoint);
    groupSockets.push(socket);
    return { to, station, socket };
  } catch (thrown) {
    if (!(thrown instanceof PvaError)) throw thrown;
    host.notices.publish({
      kind: 'beaconFailed',
      level: 'warning',
      text: `no beacons to ${address}: ${thrown.message}`,
    });
    return undefined;
  }
}

/** Each group has a socket of its own: interface and time to live are properties of the socket. */
async function groupSocket(
  { notices }: LinkHost,
  network: Network,
  station: Station,
  endpoint: ListedAddress,
): Promise<UdpSocket> {
  const socket = await network.bindUdp(
    { address: station.served.address, port: 0 },
    {
      message: () => {
        // Nobody has a reason to send here.
      },
      error: (error) => notices.publish({ kind: 'beaconFailed', level: 'warning', text: error.message }),
    },
  );
  try {
    socket.setMulticast(viaAddress(network, endpoint), endpoint.ttl ?? 1, true);
    return socket;
  } catch (thrown) {
    socket.close();
    throw thrown;
  }
}
