// How do searches leave this host, and responses reach it? One UDP socket for each IP version in use.

import { PvaError } from '../protocol/errors.ts';
import { readDatagram } from '../protocol/datagram.ts';
import { datagramContext, decodeServerMessage, encodeMessage } from '../protocol/messages/index.ts';
import { searchResponse, type SearchResponse } from '../protocol/messages/search-response.ts';
import { SEARCH_UNICAST, type Search } from '../protocol/messages/search.ts';
import { Writer } from '../protocol/writer.ts';
import type { Endpoint, Network, UdpSocket } from '../transport/network.ts';
import { isIpv6, type SearchTarget } from './search-targets.ts';

/** What a search says beside where it goes and where the response is to go. */
export type SearchQuestion = Pick<Search, 'sequenceId' | 'flags' | 'protocols' | 'names'>;

export interface SearchSocketHandlers {
  /** `version`: of the protocol that the server speaks. */
  response(response: SearchResponse, from: Endpoint, version: number): void;
  error(error: Error): void;
}

type Family = 'IPv4' | 'IPv6';

export class SearchSockets {
  readonly #network: Network;
  readonly #handlers: SearchSocketHandlers;
  readonly #sockets = new Map<Family, UdpSocket>();
  readonly #opening = new Map<Family, Promise<void>>();
  #isClosed = false;

  constructor(network: Network, handlers: SearchSocketHandlers) {
    this.#network = network;
    this.#handlers = handlers;
  }

  /** Opens the sockets that the targets need. What cannot be opened is told to `error`, and left out. */
  async prepare(targets: readonly SearchTarget[]): Promise<void> {
    const families = new Set(targets.map(({ to }): Family => (isIpv6(to.address) ? 'IPv6' : 'IPv4')));
    await Promise.all([...families].map(async (family) => this.#open(family)));
  }

  /** Sends one question to all targets whose socket is open. */
  send(question: SearchQuestion, targets: readonly SearchTarget[]): void {
    const encoded = new Map<string, Uint8Array>();
    for (const { to, isUnicast, multicast } of targets) {
      const family = isIpv6(to.address) ? 'IPv6' : 'IPv4';
      const socket = this.#sockets.get(family);
      if (socket === undefined) continue;
      const key = `${family} ${isUnicast}`;
      const bytes = encoded.get(key) ?? encode(question, isUnicast, socket.local.port);
      encoded.set(key, bytes);
      try {
        if (multicast !== undefined) socket.setMulticast(multicast.interfaceAddress, multicast.ttl, true);
        socket.send(bytes, to);
      } catch (error) {
        // The interface of a multicast may have gone; the other targets have not.
        if (!(error instanceof PvaError)) throw error;
        this.#handlers.error(error);
      }
    }
  }

  close(): void {
    this.#isClosed = true;
    for (const socket of this.#sockets.values()) socket.close();
    this.#sockets.clear();
  }

  #open(family: Family): Promise<void> {
    const known = this.#opening.get(family);
    if (known !== undefined) return known;
    const opening = this.#bind(family).catch((error: unknown) => {
      // The next search tries again.
      this.#opening.delete(family);
      if (error instanceof Error) this.#handlers.error(error);
    });
    this.#opening.set(family, opening);
    return opening;
  }

  async #bind(family: Family): Promise<void> {
    const address = family === 'IPv6' ? '::' : '0.0.0.0';
    const socket = await this.#network.bindUdp(
      { address, port: 0, broadcast: true },
      {
        message: (bytes, from) => this.#receive(bytes, from),
        error: (error) => this.#handlers.error(error),
      },
    );
    if (this.#isClosed) socket.close();
    else this.#sockets.set(family, socket);
  }

  #receive(bytes: Uint8Array, from: Endpoint): void {
    const context = datagramContext();
    for (const frame of readDatagram(bytes)) {
      try {
        // What is no answer is not read: a datagram of any other messages can be a lot of work.
        const isAnswer = frame.header.command === searchResponse.code;
        const message = isAnswer ? decodeServerMessage(frame, context) : undefined;
        if (message?.command === 'SEARCH_RESPONSE') this.#handlers.response(message, from, frame.header.version);
      } catch (error) {
        // Datagrams come from anyone: what cannot be read is left.
        if (!(error instanceof PvaError)) throw error;
      }
    }
  }
}

/** Big endian, as pvxs and core-pva send it; servers go by each message's own flag. */
function encode(question: SearchQuestion, isUnicast: boolean, responsePort: number): Uint8Array {
  const writer = new Writer(true);
  const flags = isUnicast ? question.flags | SEARCH_UNICAST : question.flags & ~SEARCH_UNICAST;
  encodeMessage(
    writer,
    { command: 'SEARCH', ...question, flags, responseAddress: '::', responsePort },
    { fromServer: false },
  );
  return writer.detach(0);
}
