// A server that does what a test tells it, message by message, for tests of the client.
//
//   const server = await FakeServer.start(network.host('server'));
//   server.pvNames.add('x');                          searches for x are answered
//   server.on((message, link) => { ... });            the first handler that returns true has dealt with the message
//
// Without handlers it validates everybody, creates every channel in `pvNames`, and says nothing else.

import type { Codec } from '../../src/protocol/codecs/codec.ts';
import { pva } from '../../src/protocol/codecs/pva.ts';
import { readDatagram } from '../../src/protocol/datagram.ts';
import { error, OK } from '../../src/protocol/status.ts';
import { Framer } from '../../src/protocol/framer.ts';
import { isAny } from '../../src/protocol/address.ts';
import {
  datagramContext,
  decodeClientMessage,
  encodeMessage,
  type ClientMessage,
  type ServerMessageToSend,
} from '../../src/protocol/messages/index.ts';
import type { Search } from '../../src/protocol/messages/search.ts';
import type { StructureType } from '../../src/protocol/types/type-desc.ts';
import type { Update } from '../../src/protocol/values/update.ts';
import { Writer } from '../../src/protocol/writer.ts';
import type { Endpoint, TcpConnection, TcpListener, UdpSocket } from '../../src/transport/network.ts';
import type { MemoryHost } from '../../src/transport/memory-network.ts';
import { LinkDecoder } from './transcript.ts';
import { fromHex } from './vectors.ts';

export type FakeHandler = (message: ClientMessage, link: FakeLink) => boolean | void;

export interface FakeServerOptions {
  readonly tcpPort?: number;
  readonly udpPort?: number;
  readonly guid?: string;
  readonly bigEndian?: boolean;
  /** Of its TCP port; pvAccess by default. */
  readonly codec?: Codec;
  readonly methods?: readonly string[];
}

/** One client's connection. */
export class FakeLink {
  readonly server: FakeServer;
  readonly tcp: TcpConnection;
  /** Everything that the client sent. */
  readonly received: ClientMessage[] = [];
  readonly pvNameBySid = new Map<number, string>();
  readonly decoder: LinkDecoder;
  isClosed = false;

  constructor(server: FakeServer, tcp: TcpConnection) {
    this.server = server;
    this.tcp = tcp;
    this.decoder = new LinkDecoder(undefined, server.codec);
    const framer = new Framer({ expectFromServer: false });
    tcp.listen({
      data: (chunk) =>
        framer.push(chunk, (frame) => {
          const message = this.decoder.decodeClient(frame);
          if (message === undefined) return;
          this.received.push(message);
          server.handle(message, this);
        }),
      drain: () => {},
      close: () => (this.isClosed = true),
    });
  }

  /** Messages in one write. */
  send(...messages: ServerMessageToSend[]): void {
    const { codec, bigEndian } = this.server;
    const writer = new Writer(bigEndian);
    for (const message of messages) {
      if ('phase' in message && message.phase === 'init' && 'type' in message) {
        this.decoder.operations.set(message.ioid, { command: message.command, type: message.type });
      }
      if (message.command === 'PUT_GET' && message.phase === 'init') {
        const { command, ioid, getType, putType } = message;
        this.decoder.operations.set(ioid, { command, type: getType, putType });
      }
      encodeMessage(writer, message, { fromServer: true, codec });
    }
    this.tcp.write(writer.detach(0));
  }

  sendHex(hex: string): void {
    this.tcp.write(fromHex(hex.replaceAll(' ', '')));
  }

  /** The commands of what the client sent, for a look at the order. */
  get commands(): readonly string[] {
    return this.received.map((message) =>
      'phase' in message ? `${message.command} ${message.phase}` : message.command,
    );
  }
}

export class FakeServer {
  readonly host: MemoryHost;
  readonly pvNames = new Set<string>();
  readonly links: FakeLink[] = [];
  readonly searches: { readonly search: Search; readonly from: Endpoint }[] = [];
  readonly bigEndian: boolean;
  readonly codec: Codec;
  readonly methods: readonly string[];
  guid: string;
  /** False: connections are accepted and nothing is said. */
  greets = true;
  #nextSid = 100;
  readonly #handlers: FakeHandler[] = [];
  #listener: TcpListener | undefined;
  #udp: UdpSocket | undefined;

  private constructor(host: MemoryHost, options: FakeServerOptions) {
    this.host = host;
    this.guid = options.guid ?? '0102030405060708090a0b0c';
    this.codec = options.codec ?? pva;
    this.bigEndian = this.codec.orderOf(options.bigEndian ?? false);
    this.methods = options.methods ?? ['anonymous', 'ca'];
  }

  static async start(host: MemoryHost, options: FakeServerOptions = {}): Promise<FakeServer> {
    const server = new FakeServer(host, options);
    server.#listener = await host.listenTcp({ address: '0.0.0.0', port: options.tcpPort ?? 5075 }, (tcp) =>
      server.#accept(tcp),
    );
    server.#udp = await host.bindUdp(
      { address: '0.0.0.0', port: options.udpPort ?? 5076, shared: true, broadcast: true },
      { message: (bytes, from) => server.#datagram(bytes, from), error: () => {} },
    );
    return server;
  }

  get tcpPort(): number {
    return this.#listener?.local.port ?? 0;
  }

  get udp(): UdpSocket {
    if (this.#udp === undefined) throw new Error('the fake server is stopped');
    return this.#udp;
  }

  /** The newest connection that is open. */
  get link(): FakeLink {
    const link = this.links.findLast(({ isClosed }) => !isClosed);
    if (link === undefined) throw new Error('no client is connected');
    return link;
  }

  /** The newest handler is asked first. */
  on(handler: FakeHandler): void {
    this.#handlers.unshift(handler);
  }

  /** Serves one PV whose value is always the same. */
  serve(pvName: string, type: StructureType, value: () => Update): void {
    this.pvNames.add(pvName);
    this.on((message, link) => {
      if (message.command !== 'GET' || link.pvNameBySid.get(message.sid) !== pvName) return false;
      const { ioid, subcommand } = message;
      if (message.phase === 'init') link.send({ command: 'GET', phase: 'init', ioid, subcommand, status: OK, type });
      else link.send({ command: 'GET', phase: 'exec', ioid, subcommand, status: OK, update: { type, ...value() } });
      return true;
    });
  }

  handle(message: ClientMessage, link: FakeLink): void {
    for (const handler of this.#handlers) if (handler(message, link) === true) return;
    switch (message.command) {
      case 'CONNECTION_VALIDATION':
        return link.send({ command: 'CONNECTION_VALIDATED', status: OK });
      case 'CREATE_CHANNEL':
        for (const { cid, pvName } of message.channels) this.createChannel(link, cid, pvName);
        return;
      case 'ECHO':
        return link.send({ command: 'ECHO', payload: message.payload });
      case 'SEARCH':
        return this.#answerOverTcp(message, link);
      default:
    }
  }

  createChannel(link: FakeLink, cid: number, pvName: string): void {
    if (!this.pvNames.has(pvName)) {
      return link.send({ command: 'CREATE_CHANNEL', cid, sid: 0, status: error(`no such PV ${pvName}`) });
    }
    const sid = this.#nextSid++;
    link.pvNameBySid.set(sid, pvName);
    link.send({ command: 'CREATE_CHANNEL', cid, sid, status: OK });
  }

  /** One datagram, with these messages. */
  sendDatagram(to: Endpoint, ...messages: ServerMessageToSend[]): void {
    const writer = new Writer(this.bigEndian);
    for (const message of messages) encodeMessage(writer, message, { fromServer: true });
    this.udp.send(writer.detach(0), to);
  }

  sendBeacon(to: Endpoint, guid: string = this.guid): void {
    this.sendDatagram(to, {
      command: 'BEACON',
      guid,
      flags: 0,
      sequence: 0,
      changeCount: 0,
      serverAddress: '0.0.0.0',
      serverPort: this.tcpPort,
      protocol: 'tcp',
      serverStatus: null,
    });
  }

  /** Ends as a process that is killed: connections break, ports are free. */
  async stop(): Promise<void> {
    for (const { tcp } of this.links) tcp.destroy();
    this.#udp?.close();
    this.#udp = undefined;
    await this.#listener?.close();
  }

  #accept(tcp: TcpConnection): void {
    const link = new FakeLink(this, tcp);
    this.links.push(link);
    if (!this.greets) return;
    link.send(
      { command: 'SET_BYTE_ORDER', bigEndian: this.bigEndian, value: 0 },
      { command: 'CONNECTION_VALIDATION', receiveBufferBytes: 0x10000, registrySize: 0x7fff, methods: this.methods },
    );
  }

  #datagram(bytes: Uint8Array, from: Endpoint): void {
    for (const frame of readDatagram(bytes)) {
      const message = decodeClientMessage(frame, datagramContext());
      if (message?.command !== 'SEARCH') continue;
      this.searches.push({ search: message, from });
      const to = {
        address: isAny(message.responseAddress) ? from.address : message.responseAddress,
        port: message.responsePort,
      };
      this.answer(message, to);
    }
  }

  /** What a server answers; overwrite it to lie. */
  answer(search: Search, to: Endpoint): void {
    const instanceIds = this.#found(search);
    if (instanceIds.length === 0 && (search.flags & 0x01) === 0) return;
    this.sendDatagram(to, this.response(search, instanceIds, this.tcpPort));
  }

  response(search: Search, instanceIds: readonly number[], serverPort: number): ServerMessageToSend {
    return {
      command: 'SEARCH_RESPONSE',
      guid: this.guid,
      sequenceId: search.sequenceId,
      serverAddress: '0.0.0.0',
      serverPort,
      protocol: 'tcp',
      found: instanceIds.length > 0,
      instanceIds,
    };
  }

  #answerOverTcp(search: Search, link: FakeLink): void {
    const instanceIds = this.#found(search);
    if (instanceIds.length > 0) link.send(this.response(search, instanceIds, 0));
  }

  #found(search: Search): readonly number[] {
    return search.names.filter(({ pvName }) => this.pvNames.has(pvName)).map(({ instanceId }) => instanceId);
  }
}
