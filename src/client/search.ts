// How does a client find the servers of its channels? Searches by UDP and by TCP name servers, on the schedule of
// machines/search-schedule.ts.

import type { ClientSettings } from '../config/effective.ts';
import { isAny } from '../protocol/address.ts';
import type { ProtocolName } from '../protocol/codecs/codec.ts';
import { counted } from '../protocol/counted.ts';
import { CLIENT_LIMITS } from '../protocol/limits.ts';
import { packSearches } from '../protocol/machines/search-packing.ts';
import { FAR_BUCKET, LATER_BUCKET, SearchSchedule } from '../protocol/machines/search-schedule.ts';
import { SEARCH_MUST_REPLY, SEARCH_UNICAST } from '../protocol/messages/search.ts';
import type { SearchResponse } from '../protocol/messages/search-response.ts';
import { reasonOf } from '../protocol/errors.ts';
import type { Clock, TimerHandle } from '../transport/clocks.ts';
import type { Endpoint, Network } from '../transport/network.ts';
import type { Channel, Seeker } from './channel.ts';
import { NameServers } from './name-servers.ts';
import type { NoticeBoard } from './notices.ts';
import { SearchHosts } from './search-hosts.ts';
import { SearchSockets, type SearchQuestion } from './search-sockets.ts';
import { searchTargets, type SearchAddress, type SearchTarget } from './search-targets.ts';
import type { ServerLink } from './server-link.ts';
import type { Servers } from './servers.ts';

export interface SearchSurroundings {
  readonly network: Network;
  readonly clock: Clock;
  readonly random: () => number;
  readonly config: ClientSettings;
  readonly servers: Servers;
  /** What is searched for speaks it. */
  readonly protocol: ProtocolName;
  readonly notices: NoticeBoard;
  /** A search has gone unanswered for a while: from now on beacons matter. */
  waiting(): Promise<void>;
  /** A server answered a discovery ping. */
  pong(response: SearchResponse, server: Endpoint, from: Endpoint, version: number): void;
}

/** Searches for one channel after which beacons are listened to. */
const TRIES_BEFORE_BEACONS = 3;

export class Search implements Seeker {
  /** Marks our discovery pings. */
  readonly sequenceId: number;
  readonly #around: SearchSurroundings;
  readonly #schedule: SearchSchedule;
  readonly #sockets: SearchSockets;
  readonly #hosts: SearchHosts;
  readonly #nameServers: NameServers;
  readonly #channels = new Map<number, Channel>();
  /** Every channel of the context by cid: responses to searches of a moment ago tell of duplicates. */
  readonly #channelOf: (cid: number) => Channel | undefined;
  #starting: Promise<void> | undefined;
  #isReady = false;
  #isClosed = false;
  #timer: TimerHandle | undefined;
  #timerAt = Number.POSITIVE_INFINITY;
  /** What went wrong with the last search. */
  #lastError: string | undefined;

  constructor(around: SearchSurroundings, channelOf: (cid: number) => Channel | undefined) {
    this.#around = around;
    this.#channelOf = channelOf;
    this.sequenceId = Math.floor(around.random() * 0x1_0000_0000);
    this.#schedule = new SearchSchedule(around.random);
    this.#nameServers = new NameServers({ ...around, ready: (link) => this.#askAll(link) });
    this.#hosts = new SearchHosts({
      network: around.network,
      clock: around.clock,
      addresses: around.config.addresses,
      found: (address) => {
        this.#askAt(address).catch((error: unknown) => this.#noticeError(error));
      },
      failed: (error) => this.#publish(reasonOf(error)),
    });
    this.#sockets = new SearchSockets(around.network, {
      response: (response, from, version) => this.#response(response, from, version, false),
      error: (error) => this.#noticeError(error),
    });
  }

  // --- channels ------------------------------------------------------------------------------------------------

  add(channel: Channel): void {
    this.#channels.set(channel.cid, channel);
    this.#schedule.add(channel.cid, this.#around.clock.now());
    this.#go();
  }

  addAgain(channel: Channel, why: 'lost' | 'unreachable' | 'refused'): void {
    const bucketsAhead = { lost: 0, unreachable: LATER_BUCKET, refused: FAR_BUCKET }[why];
    this.#channels.set(channel.cid, channel);
    this.#schedule.addLater(channel.cid, this.#around.clock.now(), bucketsAhead);
    this.#go();
  }

  remove(channel: Channel): void {
    this.#channels.delete(channel.cid);
    this.#schedule.remove(channel.cid);
    if (this.#schedule.size === 0) this.#disarm();
  }

  describe(channel: Channel): string {
    const tryCount = this.#schedule.tryCount(channel.cid);
    const times =
      tryCount === 0 ? 'waiting to search again' : `searched ${counted(tryCount, 'time')}, no server answered`;
    const problems = [
      ...(this.#nameServers.isEmpty && this.#targets().length === 0
        ? ['there is nowhere to search: no address, no name server, no network with broadcasts']
        : []),
      ...(this.#nameServers.isEmpty || this.#nameServers.isAnyReady ? [] : ['no name server is connected']),
      ...(this.#around.protocol === 'tcp' ? [] : ['only servers that speak MessagePack were asked']),
      ...this.#hosts.failures,
      ...(this.#lastError === undefined ? [] : [this.#lastError]),
    ];
    return [times, ...problems].join('; ');
  }

  /** A server is new or was restarted: search soon for all that is not found. */
  hurry(): void {
    if (this.#schedule.hurry(this.#around.clock.now())) this.#arm();
  }

  /** A server has other names than before: likewise, and at any time. */
  revolve(): void {
    this.#schedule.revolve(this.#around.clock.now());
    this.#arm();
  }

  // --- discovery -----------------------------------------------------------------------------------------------

  /** Asks every server in reach to say that it is there. */
  async ping(): Promise<void> {
    await this.#start();
    if (this.#isClosed) return;
    this.#hosts.look();
    const question = { sequenceId: this.sequenceId, flags: SEARCH_MUST_REPLY, protocols: [], names: [] };
    this.#sockets.send(question, this.#targets());
  }

  /** A response that came over TCP. */
  tcpResponse(response: SearchResponse, link: ServerLink): void {
    this.#response(response, link.connection.server, 0, true);
  }

  /** A link can be used; it may lead to a name server. */
  validated(link: ServerLink): void {
    this.#nameServers.validated(link);
  }

  close(): void {
    this.#isClosed = true;
    this.#disarm();
    this.#nameServers.close();
    this.#hosts.close();
    this.#sockets.close();
    this.#channels.clear();
  }

  // -------------------------------------------------------------------------------------------------------------

  #go(): void {
    if (this.#isReady) return this.#arm();
    this.#start().catch((error: unknown) => this.#noticeError(error));
  }

  #start(): Promise<void> {
    this.#starting ??= this.#prepare();
    return this.#starting;
  }

  async #prepare(): Promise<void> {
    this.#nameServers.start();
    this.#hosts.look();
    await this.#sockets.prepare(this.#targets());
    this.#isReady = true;
    this.#arm();
  }

  /**
   * Tells a name server that has just connected of everything that is searched for, as far as it reads that; it is asked for
   * the rest when that is due.
   */
  #askAll(link: ServerLink): void {
    for (const question of this.#questions(this.#channels.keys())) {
      if (link.connection.unsentBytes > CLIENT_LIMITS.nameServerPauseBytes) return;
      sendTo(link, question);
    }
  }

  /** A host has been found: what is searched for is asked there at once. */
  async #askAt(address: SearchAddress): Promise<void> {
    const { config, network } = this.#around;
    const targets = searchTargets({ ...config, addresses: [address], autoAddresses: false }, network.interfaces());
    await this.#sockets.prepare(targets);
    if (this.#isClosed) return;
    for (const question of this.#questions(this.#channels.keys())) this.#sockets.send(question, targets);
  }

  /** Looked at anew each time: networks come and go. */
  #targets(): readonly SearchTarget[] {
    const { config, network } = this.#around;
    return searchTargets({ ...config, addresses: this.#hosts.addresses }, network.interfaces());
  }

  #arm(): void {
    const dueAt = this.#schedule.nextDueAt();
    if (this.#isClosed || !this.#isReady || dueAt === this.#timerAt) return;
    this.#timer?.cancel();
    this.#timerAt = dueAt;
    this.#timer = this.#around.clock.after(dueAt - this.#around.clock.now(), () => {
      this.#timerAt = Number.POSITIVE_INFINITY;
      this.#search();
      this.#arm();
    });
  }

  #disarm(): void {
    this.#timer?.cancel();
    this.#timerAt = Number.POSITIVE_INFINITY;
  }

  #search(): void {
    const cids = this.#schedule.due(this.#around.clock.now());
    if (cids.length === 0) return;
    this.#lastError = undefined;
    this.#hosts.look();
    const targets = this.#targets();
    if (this.#isLong(cids)) this.#around.waiting().catch((error: unknown) => this.#noticeError(error));
    for (const question of this.#questions(cids)) {
      this.#sockets.send(question, targets);
      for (const link of this.#nameServers.readyLinks()) sendTo(link, question);
    }
    // A network that was not there at the start may need another socket.
    this.#sockets.prepare(targets).catch((error: unknown) => this.#noticeError(error));
  }

  /** The port for beacons is shared with servers: who finds everything at once need not take part in that. */
  #isLong(cids: readonly number[]): boolean {
    return cids.some((cid) => this.#schedule.tryCount(cid) >= TRIES_BEFORE_BEACONS);
  }

  *#questions(cids: Iterable<number>): Generator<SearchQuestion> {
    const names = [...cids].flatMap((cid) => {
      const channel = this.#channels.get(cid);
      return channel === undefined ? [] : [{ cid, pvName: channel.pvName }];
    });
    for (const batch of packSearches(names)) {
      yield {
        sequenceId: this.sequenceId,
        flags: 0,
        protocols: [this.#around.protocol],
        names: batch.map(({ cid, pvName }) => ({ instanceId: cid, pvName })),
      };
    }
  }

  #response(response: SearchResponse, from: Endpoint, version: number, isTcp: boolean): void {
    const { found, instanceIds, protocol, guid } = response;
    const server = {
      address: isAny(response.serverAddress) ? from.address : response.serverAddress,
      port: isTcp && response.serverPort === 0 ? from.port : response.serverPort,
    };
    if (server.port === 0) return;
    // Ids beside "not found" mean nothing; pvAccessCPP sends some.
    if (!found) {
      // core-pva answers pings with the id 0.
      const isPong = response.sequenceId === this.sequenceId || response.sequenceId === 0;
      if (!isTcp && isPong) this.#around.pong(response, server, from, version);
      return;
    }
    if (protocol !== this.#around.protocol) return;
    for (const cid of instanceIds) this.#channelOf(cid)?.found(server, guid);
  }

  #noticeError(error: unknown): void {
    if (this.#isClosed) return;
    this.#lastError = reasonOf(error);
    this.#publish(this.#lastError);
  }

  #publish(reason: string): void {
    this.#around.notices.publish({ kind: 'searchFailed', level: 'warning', text: `search: ${reason}` });
  }
}

/** Over TCP the response comes back on the same connection: no address, no port. */
function sendTo(link: ServerLink, question: SearchQuestion): void {
  link.send({
    command: 'SEARCH',
    ...question,
    flags: question.flags | SEARCH_UNICAST,
    responseAddress: '::',
    responsePort: 0,
  });
}
