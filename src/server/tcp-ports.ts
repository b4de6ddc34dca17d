// On which TCP ports does a server take connections? On one for each served address, and on one beside it for MessagePack if
// that is asked for.

import type { ServerConfig } from '../config/effective.ts';
import { msgpack } from '../protocol/codecs/msgpack.ts';
import type { Endpoint, Network, TcpListener } from '../transport/network.ts';
import type { ServedAddress } from './interfaces.ts';
import type { Links } from './links.ts';
import type { NoticeBoard } from './notices.ts';
import type { ServedPorts } from './search-answer.ts';
import type { Crew } from './workers/crew.ts';
import { listenNear } from './tcp-listeners.ts';

export interface TcpPortsOptions {
  readonly config: Pick<ServerConfig, 'tcpPort' | 'msgpackPort' | 'busyPoll'>;
  readonly network: Network;
  /** Takes the connections of pvAccess, where other processes are to have them. */
  readonly crew: Pick<Crew, 'listening'> | undefined;
  readonly notices: NoticeBoard;
  readonly links: Links;
}

interface ListeningAddress extends ServedPorts {
  readonly served: ServedAddress;
}

export class TcpPorts {
  readonly #options: TcpPortsOptions;
  readonly #listeners: TcpListener[] = [];
  readonly #msgpackListeners: TcpListener[] = [];
  #opened: Promise<unknown> = Promise.resolve();

  constructor(options: TcpPortsOptions) {
    this.#options = options;
  }

  /** Where clients connect to. */
  get endpoints(): readonly Endpoint[] {
    return this.#listeners.map(({ local }) => local);
  }

  /** Where they may speak MessagePack. */
  get msgpackEndpoints(): readonly Endpoint[] {
    return this.#msgpackListeners.map(({ local }) => local);
  }

  /** Opens the ports of all addresses, one after the other; what was opened is open also when one cannot be. */
  open(addresses: readonly ServedAddress[]): Promise<readonly ListeningAddress[]> {
    const opened = this.#open(addresses);
    this.#opened = opened;
    return opened;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#listeners, ...this.#msgpackListeners].map((listener) => listener.close()));
  }

  async #open(addresses: readonly ServedAddress[]): Promise<readonly ListeningAddress[]> {
    const { config, network, crew, notices, links } = this.#options;
    const listening: ListeningAddress[] = [];
    for (const served of addresses) {
      // Whole only once both listeners are there; links look when they are searched over, and workers are told then.
      const ports: { tcpPort: number; msgpackPort: number | undefined } = { tcpPort: 0, msgpackPort: undefined };
      const listener: TcpListener = await listenNear({
        network: crew?.listening(() => this.#opened.then(() => ports)) ?? network,
        notices,
        served,
        // All interfaces on one port, as far as it is free.
        tcpPort: this.#listeners[0]?.local.port ?? config.tcpPort,
        isBusyPolled: config.busyPoll,
        accept: (connection) => links.accept(connection, ports),
      });
      this.#listeners.push(listener);
      ports.tcpPort = listener.local.port;
      ports.msgpackPort = await this.#openMsgpack(served, ports);
      listening.push({ served, ...ports });
    }
    return listening;
  }

  /** Opens the port of MessagePack beside a listener, if one is asked for. Its links are held by this process, always. */
  async #openMsgpack(served: ServedAddress, ports: ServedPorts): Promise<number | undefined> {
    const { config, network, notices, links } = this.#options;
    if (config.msgpackPort === undefined) return undefined;
    const listener: TcpListener = await listenNear({
      network,
      notices,
      served: { ...served, tcpPort: undefined },
      tcpPort: this.#msgpackListeners[0]?.local.port ?? config.msgpackPort,
      isBusyPolled: config.busyPoll,
      accept: (connection) => links.accept(connection, ports, msgpack),
    });
    this.#msgpackListeners.push(listener);
    return listener.local.port;
  }
}
