// How does a server answer searches over UDP? With one response for each datagram, to the address that the search names;
// and it passes on what was sent to one address, for the other servers of this host.
//
// Where answers go to is said in search-reply.ts, how many there are in search-budget.ts. All else about addresses is as in
// pvxs (udp_collector.cpp), except that Node does not tell to which address a datagram was sent: the flag in the search is
// believed. Unlike pvxs, a search that is passed on is answered at once, and our own copy of it ignored, so that answers do
// not depend on a working multicast.

import type { ServerConfig } from '../config/effective.ts';
import { isMulticast } from '../config/ip-text.ts';
import { ANY_IPV4, isAny, readAddress } from '../protocol/address.ts';
import { PvaFieldReader } from '../protocol/codecs/pva.ts';
import { readDatagram } from '../protocol/datagram.ts';
import { PvaError } from '../protocol/errors.ts';
import type { Frame } from '../protocol/framer.ts';
import { originTag } from '../protocol/messages/origin-tag.ts';
import { readSearchHead, search, SEARCH_UNICAST, SEARCHED_NAMES } from '../protocol/messages/search.ts';
import { FORWARD_GROUP, FORWARD_INTERFACE, FORWARD_TTL, forwardedSearch } from '../protocol/machines/search-forward.ts';
import { Reader } from '../protocol/reader.ts';
import { TypeReceiver } from '../protocol/types/wire.ts';
import type { TimerHandle } from '../transport/clocks.ts';
import { endpointText } from '../transport/network-error.ts';
import { likelyReceiver } from '../transport/interfaces.ts';
import type { Endpoint, Network, NetworkInterface, UdpSocket } from '../transport/network.ts';
import { addressOf } from './interfaces.ts';
import type { LinkHost } from './link-host.ts';
import { CalmNotices } from './calm-notices.ts';
import { SearchAnswers } from './search-answer.ts';
import { SearchBudget } from './search-budget.ts';
import { replyEndpoint, type ReplyRules } from './search-reply.ts';
import type { Arrival, Station } from './udp-stations.ts';

const BROADCAST = '255.255.255.255';
/** How long the addresses of this host are believed to be the same. */
const INTERFACES_MS = 1_000;
/** How often dropped searches that were not told one by one are told of. */
const DROPS_MS = 1_000;

interface KnownSenders {
  readonly ignored: readonly IgnoredSender[];
  readonly relays: readonly string[];
}

/** How a search came. */
interface Received {
  readonly from: Endpoint;
  /** The same as text. */
  readonly sender: string;
  readonly now: number;
  readonly isForwarded: boolean;
  readonly arrival: Arrival;
  readonly station: Station;
}

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
  readonly #budget: SearchBudget;
  readonly #drops: CalmNotices;
  /** So that the end of a flood is told of, too. */
  readonly #dropsTimer: TimerHandle;
  readonly #rules: ReplyRules;
  readonly #forwarder: UdpSocket | undefined;
  /** The last address that replies went to: searches come in bursts. */
  #lastOne = '';
  /** Each tells the ports of its own interface: those for MessagePack may differ where those for pvAccess do not. */
  readonly #answers = new WeakMap<Station, SearchAnswers>();
  /** As they were a moment ago: asking the system costs more than answering a search. */
  #interfaces: readonly NetworkInterface[];
  #interfacesAt: number;

  private constructor(
    host: LinkHost,
    network: Network,
    { ignored, relays }: KnownSenders,
    forwarder: UdpSocket | undefined,
  ) {
    this.#host = host;
    this.#network = network;
    this.#ignored = ignored;
    this.#types = new TypeReceiver({ limits: host.limits });
    this.#forwarder = forwarder;
    this.#interfaces = network.interfaces();
    this.#interfacesAt = host.clock.now();
    this.#budget = new SearchBudget(host.limits, this.#interfacesAt);
    this.#drops = dropsOf(host);
    this.#dropsTimer = host.clock.every(DROPS_MS, () => this.#drops.look(host.clock.now()));
    const isAnyRelay = relays.some(isAny);
    this.#rules = {
      isLocal: (address) => this.#isLocal(address),
      isRelay: (address) => isAnyRelay || relays.includes(address),
    };
  }

  /** @throws PvaError when the name of an ignored sender or a relay cannot be looked up */
  static async open(
    host: LinkHost,
    network: Network,
    { ignoreAddresses, searchRelays }: Pick<ServerConfig, 'ignoreAddresses' | 'searchRelays'>,
  ): Promise<SearchResponder> {
    const ignored: IgnoredSender[] = [];
    for (const endpoint of ignoreAddresses) {
      ignored.push({ address: await addressOf(network, endpoint), port: endpoint.port });
    }
    const relays: string[] = [];
    for (const relay of searchRelays) relays.push(await addressOf(network, relay));
    return new SearchResponder(host, network, { ignored, relays }, await openForwarder(host, network));
  }

  close(): void {
    this.#dropsTimer.cancel();
    this.#drops.look(Number.POSITIVE_INFINITY);
    this.#forwarder?.close();
  }

  receive(bytes: Uint8Array, from: Endpoint, arrival: Arrival, station: Station): void {
    const { counters, limits } = this.#host;
    counters.datagramsReceived++;
    if (this.#isOwn(from) || this.#isIgnored(from)) return void counters.datagramsIgnored++;
    const now = this.#host.clock.now();
    const sender = `${from.address} ${from.port}`;
    if (!this.#budget.admits(sender, now)) return this.#drop(from, now);
    let isForwarded = false;
    let isUseful = false;
    let searchCount = 0;
    try {
      for (const frame of readDatagram(bytes, { limits })) {
        const { header } = frame;
        if (header.isControl) continue;
        if (header.command === originTag.code) {
          // Only this host may speak for others: nobody outside is to make us answer to where he likes.
          if (arrival === 'unicast' || !this.#isLocal(from.address) || !this.#isMeant(forwarderOf(frame), station))
            break;
          isForwarded = true;
        }
        if (header.command !== search.code || header.fromServer) continue;
        isUseful = this.#answer(frame, { from, sender, now, isForwarded, arrival, station }) || isUseful;
        searchCount++;
        if (searchCount >= limits.maxSearchesPerDatagram) break;
      }
    } catch (thrown) {
      if (!(thrown instanceof PvaError)) throw thrown;
    }
    if (!isUseful) counters.datagramsIgnored++;
  }

  /** Whether the search was one that could be answered, found or not. */
  #answer(frame: Frame, { from, sender, now, isForwarded, arrival, station }: Received): boolean {
    const { directory, access, spread, limits, counters } = this.#host;
    const reader = new Reader(frame.body, frame.header.bigEndian);
    const fields = new PvaFieldReader(reader, this.#types);
    this.#types.beginMessage(frame.body.length);
    const head = readSearchHead(fields);
    const count = Math.min(fields.count(SEARCHED_NAMES), limits.maxSearchNames);
    // The sender of a forwarded search is another server: without an address of the client there is nobody to answer.
    if (isForwarded && isAny(head.responseAddress)) return false;
    this.#budget.spend(sender, count);
    if (!isAny(head.responseAddress) && this.#isMany(head.responseAddress)) return false;
    const replyTo = replyEndpoint(head, from, isForwarded, this.#rules);
    if (replyTo.port === 0 || this.#isIgnored(replyTo)) return false;
    // Where the client is: of a search that another server passed on, the sender is that server.
    const has = (pvName: string): boolean =>
      directory.has(pvName) &&
      access.mayFind(replyTo.address, pvName) &&
      (spread === undefined || spread.mayAnswer(pvName, replyTo));
    const answer = this.#answersOf(station).answer(head, count, reader, has);
    const isUnicast = arrival === 'unicast' || (arrival === 'unknown' && (head.flags & SEARCH_UNICAST) !== 0);
    if (isUnicast && !isForwarded && this.#budget.mayForward(now)) this.#forward(frame, from, replyTo, station);
    if (answer === undefined) return true;
    station.socket.send(answer, replyTo);
    counters.searchesAnswered++;
    return true;
  }

  /** What was dropped is not read: that is what it is dropped for. */
  #drop(from: Endpoint, now: number): void {
    const { notices, limits, counters } = this.#host;
    counters.searchesDropped++;
    if (!this.#drops.take(now)) return;
    const { maxSearchRatePerSender, maxSearchRate } = limits;
    const text = `searches from ${endpointText(from)} are dropped: at most ${maxSearchRatePerSender} names a second are looked up for one sender, ${maxSearchRate} for all`;
    notices.publish({ kind: 'searchesDropped', level: 'warning', text });
  }

  #answersOf(station: Station): SearchAnswers {
    const known = this.#answers.get(station);
    if (known !== undefined) return known;
    const { tcpPort, msgpackPort } = station;
    const answers = new SearchAnswers({ guid: this.#host.guid, tcpPort, msgpackPort }, this.#host.names);
    this.#answers.set(station, answers);
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
    if (address.startsWith('127.')) return true;
    const now = this.#host.clock.now();
    if (now - this.#interfacesAt > INTERFACES_MS) {
      this.#interfaces = this.#network.interfaces();
      this.#interfacesAt = now;
    }
    return this.#interfaces.some((each) => each.address === address);
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

/** At most one a second, however many are dropped. */
function dropsOf({ notices }: LinkHost): CalmNotices {
  const tell = (text: string): void => notices.publish({ kind: 'searchesDropped', level: 'warning', text });
  return new CalmNotices(tell, (count) => `${count} more datagrams of searches were dropped`);
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
