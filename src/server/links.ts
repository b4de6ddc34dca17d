// Which links does a server have, how many may there be, and how do they all end?

import type { Codec } from '../protocol/codecs/codec.ts';
import { pva } from '../protocol/codecs/pva.ts';
import type { TimerHandle } from '../transport/clocks.ts';
import type { TcpConnection } from '../transport/network.ts';
import { reviseRights } from './access-changes.ts';
import type { LinkHost } from './link-host.ts';
import type { ServedPorts } from './search-answer.ts';
import { ServerLink } from './server-link.ts';

/** How often links are looked at for silence and stalls, at most. */
const CHECK_MS = 1_000;

/** The links of one process. */
export class Links {
  readonly #host: LinkHost;
  readonly #links = new Set<ServerLink>();
  readonly #gone: () => void;
  #checkTimer: TimerHandle | undefined;
  #isClosed = false;
  /** Told when the last link is gone. */
  #whenNone: (() => void) | undefined;

  /** `gone` is called whenever a link is gone. */
  constructor(host: LinkHost, gone: () => void = ignore) {
    this.#host = host;
    this.#gone = gone;
  }

  get count(): number {
    return this.#links.size;
  }

  /** Begins to look at the links every now and then; `close` ends that. */
  watch(): void {
    const { clock, connectionTimeoutMs } = this.#host;
    this.#checkTimer = clock.every(Math.min(CHECK_MS, connectionTimeoutMs / 4), () => this.#check());
  }

  /** Greets the client of a connection that came to a port; or refuses it, where there are too many. */
  accept(connection: TcpConnection, ports: ServedPorts, codec: Codec = pva): void {
    const host = this.#host;
    const { remote } = connection;
    if (this.#links.size >= host.limits.maxLinks || this.#isClosed) {
      host.counters.linksRefused++;
      host.notices.ofLink('linkRefused', 'warning', remote, `refused, ${this.#links.size} links are open`);
      return connection.destroy();
    }
    const link = new ServerLink({
      host,
      connection,
      ports,
      codec,
      closed: (gone) => this.#forget(gone),
    });
    this.#links.add(link);
    host.counters.linksOpened++;
    host.notices.ofLink('linkOpened', 'info', remote, 'connected');
    link.open();
  }

  /** Ends all channels to a name that the server has no more. */
  endChannelsNamed(pvName: string): void {
    for (const link of this.#links) link.endChannelsNamed(pvName);
  }

  /** Holds every channel against the rules as they are now. */
  reviseRights(): void {
    for (const link of this.#links) reviseRights(link);
  }

  /** Sends what is under way and ends every link; resolves when all are gone. Nothing is accepted any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#checkTimer?.cancel();
    const allGone = new Promise<void>((resolve) => (this.#whenNone = resolve));
    for (const link of this.#links) link.end();
    if (this.#links.size > 0) await allGone;
  }

  #forget(link: ServerLink): void {
    this.#links.delete(link);
    this.#host.counters.linksClosed++;
    this.#gone();
    if (this.#links.size === 0) this.#whenNone?.();
  }

  #check(): void {
    const now = this.#host.clock.now();
    for (const link of this.#links) link.check(now);
  }
}

function ignore(): void {
  // Nobody has to know.
}
