// How does a server answer searches over UDP? With one response for each datagram, to the address that the search names;
// and it passes on what was sent to one address, for the other servers of this host.
//
// The rules about addresses are those of pvxs (udp_collector.cpp), except that Node does not tell to which address a
// datagram was sent: the flag in the search is believed. Unlike pvxs, a search that is passed on is answered at once,
// and our own copy of it ignored, so that answers do not depend on a working multicast.

import type { ListedAddress } from '../config/address-list.ts';
import { isMulticast } from '../config/ip-text.ts';
import { ANY_IPV4, isAny, readAddress } from '../protocol/address.ts';
import { PvaFieldReader } from '../protocol/codecs/pva.ts';
import { readDatagram } from '../protocol/datagram.ts';
import { PvaError } from '../protocol/errors.ts';
import type { Frame } from '../protocol/framer.ts';
import { originTag } from '../protocol/messages/origin-tag.ts';
import {
  readSearchHead,
  search,
  SEARCH_REPLY_TO_SOURCE,
  SEARCH_UNICAST,
  SEARCHED_NAMES,
  type SearchHead,
} from '../protocol/messages/search.ts';
import { FORWARD_GROUP, FORWARD_INTERFACE, FORWARD_TTL, forwardedSearch } from '../protocol/machines/search-forward.ts';
import { Reader } from '../protocol/reader.ts';
import { TypeReceiver } from '../protocol/types/wire.ts';
import { likelyReceiver } from '../transport/interfaces.ts';
import type { Endpoint, Network, NetworkInterface, UdpSocket } from '../transport/network.ts';
import { addressOf } from './interfaces.ts';
import type { LinkHost } from './link-host.ts';
import { SearchAnswers } from './search-answer.ts';
import type { Arrival, Station } from './udp-stations.ts';

const BROADCAST = '255.255.255.255';

/** Senders whose searches are not answered: undefined for any port. */
interface IgnoredSender {
  readonly address: string;
  readonly port: number | undefined;
}

export class SearchResponder {
  readonly #host: LinkHost;
  readonly #network: Network;
  readonly #ignored: readonly IgnoredSender[];
  /** Searches have no types in them, but the budget of objects. */
  readonly #types: TypeReceiver;
  readonly #forwarder: UdpSocket | undefined;
  /** The last address that replies went to: searches come in bursts. */
  #lastOne = '';
  /** By TCP port. */
  readonly #answers = new Map<number, SearchAnswers>();
  /** As they were at the start: asking the system costs more than answering a search. */
  readonly #interfaces: readonly NetworkInterface[];

  private constructor(
    host: LinkHost,
    network: Network,
    ignored: readonly IgnoredSender[],
    forwarder: UdpSocket | undefined,
  ) {
    this.#host = host;
    this.#network = network;
    this.#ignored = ignored;
    this.#types = new TypeReceiver({ limits: host.limits });
    this.#forwarder = forwarder;
    this.#interfaces = network.interfaces();
  }

  /** @throws PvaError when a name among the ignored senders cannot be looked up */
  static async open(
    host: LinkHost,
    network: Network,
    ignoreAddresses: readonly ListedAddress[],
  ): Promise<SearchResponder> {
    const ignored: IgnoredSender[] = [];
    for (const endpoint of ignoreAddresses) {
      ignored.push({ address: await addressOf(network, endpoint), port: endpoint.port });
    }
    return new SearchResponder(host, network, ignored, await openForwarder(host, network));
  }

  close(): void {
    this.#forwarder?.close();
  }

  receive(bytes: Uint8Array, from: Endpoint, arrival: Arrival, station: Station): void {
    const { counters, limits } = this.#host;
    counters.datagramsReceived++;
    if (this.#isOwn(from) || this.#isIgnored(from)) return void counters.datagramsIgnored++;
    let isForwarded = false;
    let isUseful = false;
    let searchCount = 0;
    try {
      for (const frame of readDatagram(bytes, { limits })) {
        const { header } = frame;
        if (header.isControl) continue;
        if (header.command === originTag.code) {
          // Only this host may speak for others: nobody outside is to make us answer to where he likes.
          if (!this.#isLocal(from.address) || !this.#isMeant(forwarderOf(frame), station)) break;
          isForwarded = true;
        }
        if (header.command !== search.code || header.fromServer) continue;
        isUseful = this.#answer(frame, from, isForwarded, arrival, station) || isUseful;
        searchCount++;
        if (searchCount >= limits.maxSearchesPerDatagram) break;
      }
    } catch (thrown) {
      if (!(thrown instanceof PvaError)) throw thrown;
    }
    if (!isUseful) counters.datagramsIgnored++;
  }

  /** Whether the search was one that could be answered, found or not. */
  #answer(frame: Frame, from: Endpoint, isForwarded: boolean, arrival: Arrival, station: Station): boolean {
    const { directory, access, spread, limits, counters } = this.#host;
    const reader = new Reader(frame.body, frame.header.bigEndian);
    const fields = new PvaFieldReader(reader, this.#types);
    this.#types.beginMessage();
    const head = readSearchHead(fields);
    const count = Math.min(fields.count(SEARCHED_NAMES), limits.maxSearchNames);
    // The sender of a forwarded search is another server: without an address of the client there is nobody to answer.
    if (isForwarded && isAny(head.responseAddress)) return false;
    const replyTo = replyAddress(head, from, isForwarded);
    if (replyTo.port === 0 || this.#isMany(replyTo.address) || this.#isIgnored(replyTo)) return false;
    // Where the client is: of a search that another server passed on, the sender is that server.
    const has = (pvName: string): boolean =>
      directory.has(pvName) &&
      access.mayFind(replyTo.address, pvName) &&
      (spread === undefined || spread.mayAnswer(pvName, replyTo));
    const answer = this.#answersOf(station).answer(head, count, reader, has);
    const isUnicast = arrival === 'unicast' || (arrival === 'unknown' && (head.flags & SEARCH_UNICAST) !== 0);
    if (isUnicast && !isForwarded) this.#forward(frame, from, replyTo, station);
    if (answer === undefined) return true;
    station.socket.send(answer, replyTo);
    counters.searchesAnswered++;
    return true;
  }

  #answersOf({ tcpPort, msgpackPort }: Station): SearchAnswers {
    const known = this.#answers.get(tcpPort);
    if (known !== undefined) return known;
    const answers = new SearchAnswers({ guid: this.#host.guid, tcpPort, msgpackPort }, this.#host.names);
    this.#answers.set(tcpPort, answers);
    return answers;
  }

  #forward(frame: Frame, from: Endpoint, replyTo: Endpoint, station: Station): void {
    if (this.#forwarder === undefined || replyTo.address.includes(':')) return;
    // A server on one interface alone takes the search only if it was sent to that one.
    const bound = station.served.isWildcard ? ANY_IPV4 : station.served.address;
    const receivedAt = likelyReceiver(bound, from.address, this.#interfaces);
    const group: Endpoint = { address: FORWARD_GROUP, port: station.socket.local.port };
    this.#forwarder.send(forwardedSearch(frame, replyTo, receivedAt), group);
    this.#host.counters.searchesForwarded++;
  }

  /** Whether replies to the address would go to more than one: nobody is to make us call out on their behalf. */
  #isMany(address: string): boolean {
    if (address === this.#lastOne) return false;
    if (this.#isOfMany(address)) return true;
    this.#lastOne = address;
    return false;
  }

  #isOfMany(address: string): boolean {
    return (
      isMulticast(address) || address === BROADCAST || this.#interfaces.some(({ broadcast }) => broadcast === address)
    );
  }

  /** What we passed on ourselves comes back to us. */
  #isOwn(from: Endpoint): boolean {
    return from.port === this.#forwarder?.local.port && this.#isLocal(from.address);
  }

  #isIgnored(from: Endpoint): boolean {
    return this.#ignored.some(
      ({ address, port }) => address === from.address && (port === undefined || port === from.port),
    );
  }

  #isLocal(address: string): boolean {
    return address.startsWith('127.') || this.#network.interfaces().some((each) => each.address === address);
  }

  /** A server of one address does not answer what was sent to another address of its host. */
  #isMeant(receivedAt: string, { served }: Station): boolean {
    return isAny(receivedAt) || served.isWildcard || served.address === receivedAt;
  }
}

/** Of an ORIGIN_TAG. */
function forwarderOf({ header, body }: Frame): string {
  return readAddress(new Reader(body, header.bigEndian));
}

function replyAddress(search: SearchHead, from: Endpoint, isForwarded: boolean): Endpoint {
  const address = isAny(search.responseAddress) ? from.address : search.responseAddress;
  const toSource = !isForwarded && (search.flags & SEARCH_REPLY_TO_SOURCE) !== 0;
  return { address, port: toSource ? from.port : search.responsePort };
}

async function openForwarder({ notices }: LinkHost, network: Network): Promise<UdpSocket | undefined> {
  let socket: UdpSocket | undefined;
  try {
    socket = await network.bindUdp(
      { address: FORWARD_INTERFACE, port: 0 },
      {
        message: () => {
          // Nobody has a reason to send here.
        },
        error: (error) => notices.publish({ kind: 'udpFailed', level: 'warning', text: error.message }),
      },
    );
    socket.setMulticast(FORWARD_INTERFACE, FORWARD_TTL, true);
    return socket;
  } catch (thrown) {
    if (!(thrown instanceof PvaError)) throw thrown;
    socket?.close();
    const text = `searches cannot be passed on to other servers of this host: ${thrown.message}`;
    notices.publish({ kind: 'udpFailed', level: 'warning', text });
    return undefined;
  }
}
