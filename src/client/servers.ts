// Which servers does a client have a link to? One link each, and a pause before the next try after one was lost.

import type { Codec } from '../protocol/codecs/codec.ts';
import { DisconnectedError } from '../protocol/errors.ts';
import { CLIENT_LIMITS } from '../protocol/limits.ts';
import type { SearchResponse } from '../protocol/messages/search-response.ts';
import { endpointText } from '../transport/network-error.ts';
import type { Endpoint } from '../transport/network.ts';
import type { ConnectionSettings } from './connection.ts';
import type { NoticeBoard } from './notices.ts';
import { ServerLink } from './server-link.ts';

/** A server that was lost is left alone for so long, whoever wants it. */
export const HOLD_OFF_MS = 2_000;

export interface ServersHandlers {
  searchResponse(response: SearchResponse, link: ServerLink): void;
  validated(link: ServerLink): void;
}

export class Servers {
  readonly #settings: ConnectionSettings;
  readonly #notices: NoticeBoard;
  readonly #handlers: ServersHandlers;
  readonly #links = new Map<string, ServerLink>();
  /** When each was lost, the oldest first. */
  readonly #lostAt = new Map<string, number>();

  constructor(settings: ConnectionSettings, notices: NoticeBoard, handlers: ServersHandlers) {
    this.#settings = settings;
    this.#notices = notices;
    this.#handlers = handlers;
  }

  /** The link to a server, connected or on its way. A new one speaks `codec`: a port speaks one. */
  link(server: Endpoint, codec: Codec | undefined = this.#settings.codec): ServerLink {
    const key = endpointText(server);
    const known = this.#links.get(key);
    if (known !== undefined) return known;
    const link = new ServerLink(server, { ...this.#settings, codec }, this.#notices, {
      validated: (validated) => this.#handlers.validated(validated),
      searchResponse: (response, from) => this.#handlers.searchResponse(response, from),
      closed: (closed, wasLost) => this.#closed(closed, wasLost),
    });
    this.#links.set(key, link);
    link.connection.open(this.#holdOffMs(key));
    return link;
  }

  close(): void {
    const reason = new DisconnectedError('the context is closed');
    for (const link of this.#links.values()) link.close(reason);
  }

  #holdOffMs(key: string): number {
    const lostAt = this.#lostAt.get(key);
    return lostAt === undefined ? 0 : Math.max(0, lostAt + HOLD_OFF_MS - this.#settings.clock.now());
  }

  #closed(link: ServerLink, wasLost: boolean): void {
    this.#links.delete(link.server);
    if (!wasLost) return;
    this.#lostAt.delete(link.server);
    this.#lostAt.set(link.server, this.#settings.clock.now());
    if (this.#lostAt.size <= CLIENT_LIMITS.maxLostServers) return;
    const [oldest] = this.#lostAt.keys();
    if (oldest !== undefined) this.#lostAt.delete(oldest);
  }
}
