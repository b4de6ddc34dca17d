// How does a client hear the beacons of servers? On the UDP port that they share with searches.
//
// Whoever binds that port last gets what is sent to this host alone, searches for its servers among it: they are passed on
// to the servers, as pvxs clients do. Spec: Protocol-Messages, "CMD_BEACON", "CMD_ORIGIN_TAG".

import type { PortedAddress } from '../config/address-list.ts';
import { isMulticast } from '../config/ip-text.ts';
import { ANY_IPV4, isAny } from '../protocol/address.ts';
import { PvaFieldReader } from '../protocol/codecs/pva.ts';
import { readDatagram } from '../protocol/datagram.ts';
import type { Frame } from '../protocol/framer.ts';
import { PvaError } from '../protocol/errors.ts';
import { beacon, readBeaconHead, type BeaconHead } from '../protocol/messages/beacon.ts';
import { datagramContext, decodeMessage } from '../protocol/messages/index.ts';
import { DEFAULT_LIMITS } from '../protocol/limits.ts';
import type { DecodeContext } from '../protocol/messages/message-module.ts';
import { originTag } from '../protocol/messages/origin-tag.ts';
import { search, SEARCH_REPLY_TO_SOURCE, SEARCH_UNICAST, type Search } from '../protocol/messages/search.ts';
import { FORWARD_GROUP, FORWARD_INTERFACE, FORWARD_TTL, forwardedSearch } from '../protocol/machines/search-forward.ts';
import { RateBucket } from '../protocol/machines/rate-bucket.ts';
import { Reader } from '../protocol/reader.ts';
import type { Clock } from '../transport/clocks.ts';
import { likelyReceiver } from '../transport/interfaces.ts';
import type { Endpoint, Network, NetworkInterface, UdpSocket } from '../transport/network.ts';
import { firstAddress } from './host-names.ts';
import { interfaceAddressFor, isIpv6 } from './search-targets.ts';

export interface BeaconHandlers {
  /** `version`: of the protocol that the server speaks. */
  beacon(beacon: BeaconHead, from: Endpoint, version: number): void;
  /** A search by anybody; `isForwarded`: another program of this host passed it on. Only who wants them is told. */
  search?(search: Search, from: Endpoint, isForwarded: boolean): void;
  error(error: unknown): void;
}

export class BeaconListener {
  readonly #network: Network;
  readonly #clock: Clock;
  readonly #handlers: BeaconHandlers;
  /** Searches that may be passed on. */
  readonly #forwards: RateBucket;
  readonly #sockets: UdpSocket[] = [];
  /** As they were at the start: asking the system costs more than passing on a search. */
  readonly #interfaces: readonly NetworkInterface[];
  #forwarder: UdpSocket | undefined;
  #isClosed = false;

  constructor(network: Network, clock: Clock, handlers: BeaconHandlers) {
    this.#network = network;
    this.#clock = clock;
    this.#handlers = handlers;
    this.#forwards = new RateBucket(DEFAULT_LIMITS.maxForwardRate, clock.now());
    this.#interfaces = network.interfaces();
  }

  /** Listens where it can; what cannot be bound is told to `error`: clients live without beacons. */
  async open(interfaces: readonly PortedAddress[]): Promise<void> {
    // First: from the moment that the port is ours, searches may come to us alone.
    await this.#attempt(async () => {
      this.#forwarder = await this.#bind({ address: FORWARD_INTERFACE, port: 0 }, () => {});
      this.#forwarder.setMulticast(FORWARD_INTERFACE, FORWARD_TTL, true);
    });
    for (const each of interfaces) await this.#attempt(async () => this.#listen(each));
  }

  /** Whether any port could be opened. */
  get isListening(): boolean {
    return this.#sockets.some((socket) => socket !== this.#forwarder);
  }

  close(): void {
    this.#isClosed = true;
    for (const socket of this.#sockets) socket.close();
  }

  async #listen({ host, family, port, via }: PortedAddress): Promise<void> {
    const address = family === 'name' ? await firstAddress(host, this.#network) : host;
    const isGroup = isMulticast(address);
    const wildcard = isIpv6(address) ? '::' : '0.0.0.0';
    const bound = { address: isGroup ? wildcard : address, port, shared: true };
    const socket = await this.#bind(bound, (bytes, from) => this.#receive(bytes, from, socket.local));
    // What servers pass on to each other is heard by the members of a group.
    if (address === ANY_IPV4 && this.#handlers.search !== undefined) socket.joinGroup(FORWARD_GROUP, FORWARD_INTERFACE);
    if (!isGroup) return;
    const interfaceAddress = interfaceAddressFor(address, via, this.#network.interfaces());
    if (interfaceAddress !== undefined) socket.joinGroup(address, interfaceAddress);
  }

  async #bind(
    options: Endpoint & { readonly shared?: boolean },
    message: (bytes: Uint8Array, from: Endpoint) => void,
  ): Promise<UdpSocket> {
    const socket = await this.#network.bindUdp(options, { message, error: (error) => this.#handlers.error(error) });
    if (this.#isClosed) socket.close();
    else this.#sockets.push(socket);
    return socket;
  }

  async #attempt(act: () => Promise<void>): Promise<void> {
    try {
      if (!this.#isClosed) await act();
    } catch (error) {
      this.#handlers.error(error);
    }
  }

  /** Reads what is meant for here, and nothing else: a datagram of any other messages can be a lot of work. */
  #receive(bytes: Uint8Array, from: Endpoint, local: Endpoint): void {
    const context = datagramContext();
    let isForwarded = false;
    let searchCount = 0;
    try {
      for (const frame of readDatagram(bytes)) {
        const { command, fromServer, isControl } = frame.header;
        if (isControl) continue;
        if (command === originTag.code) {
          decodeMessage(frame, context);
          // What we have passed on ourselves is known.
          if (from.port === this.#forwarder?.local.port && from.address === FORWARD_INTERFACE) return;
          isForwarded = true;
        }
        if (command === search.code && searchCount++ < DEFAULT_LIMITS.maxSearchesPerDatagram) {
          this.#hearSearch(frame, context, from, isForwarded, local);
        }
        if (command === beacon.code && fromServer && !isForwarded) this.#hearBeacon(frame, context, from);
      }
    } catch (error) {
      // Datagrams come from anyone: what cannot be read is left.
      if (!(error instanceof PvaError)) throw error;
    }
  }

  #hearBeacon({ header, body }: Frame, { types }: DecodeContext, from: Endpoint): void {
    const head = readBeaconHead(new PvaFieldReader(new Reader(body, header.bigEndian), types));
    this.#handlers.beacon(head, from, header.version);
  }

  #hearSearch(frame: Frame, context: DecodeContext, from: Endpoint, isForwarded: boolean, local: Endpoint): void {
    const message = decodeMessage(frame, context);
    if (message?.command !== 'SEARCH') return;
    this.#handlers.search?.(message, from, isForwarded);
    // What somebody has passed on reaches the servers without us.
    if (!isForwarded) this.#forward(frame, message, from, local);
  }

  #forward(frame: Frame, asked: Search, from: Endpoint, local: Endpoint): void {
    const address = isAny(asked.responseAddress) ? from.address : asked.responseAddress;
    const port = (asked.flags & SEARCH_REPLY_TO_SOURCE) === 0 ? asked.responsePort : from.port;
    const isForUsAlone = (asked.flags & SEARCH_UNICAST) !== 0;
    if (!isForUsAlone || port === 0 || isIpv6(address) || isMulticast(address)) return;
    if (!this.#forwards.hasSome(this.#clock.now())) return;
    this.#forwards.take(1);
    // A server on one interface alone takes the search only if it was sent to that one.
    const bound = isIpv6(local.address) ? ANY_IPV4 : local.address;
    const receivedAt = likelyReceiver(bound, from.address, this.#interfaces);
    const group = { address: FORWARD_GROUP, port: local.port };
    this.#forwarder?.send(forwardedSearch(frame, { address, port }, receivedAt), group);
  }
}
