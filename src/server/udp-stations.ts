// Which UDP sockets does a server need to hear every search, and from which does it send?
//
// A wildcard socket hears everything. A socket bound to one address hears only what is sent to exactly that address, so
// a server of one address has further sockets: on its network's broadcast address, and on the groups it listens to.

import { isAny } from '../protocol/address.ts';
import { PvaError } from '../protocol/errors.ts';
import { FORWARD_GROUP, FORWARD_INTERFACE } from '../protocol/machines/search-forward.ts';
import type { Endpoint, Network, UdpSocket } from '../transport/network.ts';
import { broadcastsOf, type ServedAddress, type ServedGroup } from './interfaces.ts';
import type { NoticeBoard } from './notices.ts';
import type { ServedPorts } from './search-answer.ts';

/** A served address with the UDP socket that speaks for it. */
export interface Station {
  readonly served: ServedAddress;
  /** Replies and beacons leave here, so that they come from the address that clients connect to. */
  readonly socket: UdpSocket;
  /** Port of the TCP listener of this address. */
  readonly tcpPort: number;
  /** Port of the one that speaks MessagePack. */
  readonly msgpackPort?: number | undefined;
}

/** How a datagram came, as far as the socket tells. */
export type Arrival = 'unicast' | 'toMany' | 'unknown';

export type Receive = (bytes: Uint8Array, from: Endpoint, arrival: Arrival, station: Station) => void;

export interface StationsOptions {
  readonly network: Network;
  readonly notices: NoticeBoard;
  readonly groups: readonly ServedGroup[];
  /** Served addresses with the ports of their TCP listeners. */
  readonly listening: readonly ({ readonly served: ServedAddress } & ServedPorts)[];
  /** 0: any free port. */
  readonly udpPort: number;
  readonly receive: Receive;
}

export class UdpStations {
  readonly stations: readonly Station[];
  readonly #ears: readonly UdpSocket[];

  private constructor(stations: readonly Station[], ears: readonly UdpSocket[]) {
    this.stations = stations;
    this.#ears = ears;
  }

  /** @throws PvaError when a served address cannot be bound */
  static async open(options: StationsOptions): Promise<UdpStations> {
    const opened: UdpSocket[] = [];
    try {
      const stations: Station[] = [];
      let port = options.udpPort;
      for (const { served, ...ports } of options.listening) {
        const station = await openStation(options, served, ports, port);
        opened.push(station.socket);
        stations.push(station);
        port = station.socket.local.port;
      }
      const ears: UdpSocket[] = [];
      await openEars(options, stations, port, (ear) => {
        opened.push(ear);
        ears.push(ear);
      });
      return new UdpStations(stations, ears);
    } catch (thrown) {
      for (const socket of opened) socket.close();
      throw thrown;
    }
  }

  close(): void {
    for (const { socket } of this.stations) socket.close();
    for (const ear of this.#ears) ear.close();
  }
}

async function openStation(
  { network, notices, receive }: StationsOptions,
  served: ServedAddress,
  ports: ServedPorts,
  port: number,
): Promise<Station> {
  const arrival = served.isWildcard ? 'unknown' : 'unicast';
  const socket = await network.bindUdp(
    { address: served.address, port, shared: true, broadcast: true },
    {
      message: (bytes, from) => receive(bytes, from, arrival, station),
      error: (error) => tellFailure(notices, error),
    },
  );
  const station: Station = { served, socket, ...ports };
  return station;
}

/** Sockets that only hear: broadcasts of served networks, the forwarding group, configured groups. */
async function openEars(
  options: StationsOptions,
  stations: readonly Station[],
  port: number,
  opened: (ear: UdpSocket) => void,
): Promise<void> {
  const { network, notices, groups } = options;
  const wanted: readonly ServedGroup[] = [{ group: FORWARD_GROUP, via: FORWARD_INTERFACE }, ...groups];
  const wildcard = stations.find(({ served }) => served.isWildcard && !served.address.includes(':'));
  for (const { group, via } of wanted) {
    await attempt(notices, async () => {
      if (wildcard !== undefined && !group.includes(':')) return wildcard.socket.joinGroup(group, via);
      const [station] = stations;
      if (station === undefined) return;
      const ear = await openEar(options, group, port, station);
      opened(ear);
      ear.joinGroup(group, via);
    });
  }
  for (const station of stations) {
    if (isAny(station.served.address)) continue;
    for (const broadcast of broadcastsOf(network, station.served)) {
      await attempt(notices, async () => opened(await openEar(options, broadcast, port, station)));
    }
  }
}

function openEar(
  { network, notices, receive }: StationsOptions,
  address: string,
  port: number,
  station: Station,
): Promise<UdpSocket> {
  return network.bindUdp(
    { address, port, shared: true },
    {
      message: (bytes, from) => receive(bytes, from, 'toMany', station),
      error: (error) => tellFailure(notices, error),
    },
  );
}

/** Without one of these the server is found in fewer ways, and serves all the same. */
async function attempt(notices: NoticeBoard, act: () => void | Promise<void>): Promise<void> {
  try {
    await act();
  } catch (thrown) {
    if (!(thrown instanceof PvaError)) throw thrown;
    tellFailure(notices, thrown);
  }
}

function tellFailure(notices: NoticeBoard, failure: Error): void {
  notices.publish({ kind: 'udpFailed', level: 'warning', text: failure.message });
}
