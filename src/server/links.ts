// Which links does a server have, which connections become one, and how do they all end?

import type { Codec } from '../protocol/codecs/codec.ts';
import { pva } from '../protocol/codecs/pva.ts';
import type { TimerHandle } from '../transport/clocks.ts';
import type { TcpConnection } from '../transport/network.ts';
import { reviseRights } from './access-changes.ts';
import { Admission, ENDING } from './admission.ts';
import { CalmNotices } from './calm-notices.ts';
import type { LinkHost } from './link-host.ts';
import type { ServedPorts } from './search-answer.ts';
import { ServerLink } from './server-link.ts';
import { Wakefulness } from './wakefulness.ts';

/** How often links are looked at for silence and stalls, at most. */
const CHECK_MS = 1_000;
/** How often links that are to end are asked whether they are through with their work. */
const DRAIN_LOOK_MS = 20;
/** How long requests are waited for that may be on their way: a put follows the answer to its INIT at once. */
const AWAIT_MS = 100;

/** The links of one process. */
export class Links {
  readonly admission: Admission;
  readonly #host: LinkHost;
  readonly #links = new Set<ServerLink>();
  readonly #gone: (address: string) => void;
  readonly #refusals: CalmNotices;
  #checkTimer: TimerHandle | undefined;
  #drainTimer: TimerHandle | undefined;
  /** Told when the last link is gone. */
  #whenNone: (() => void) | undefined;

  /** `gone` is called whenever a link is gone, with the address of its client; `possible` as of `Admission`. */
  constructor(host: LinkHost, gone: (address: string) => void = ignore, possible?: () => number | undefined) {
    this.#host = host;
    this.#gone = gone;
    this.admission = new Admission(host.limits, possible);
    this.#refusals = refusalsOf(host);
  }

  get count(): number {
    return this.#links.size;
  }

  /** Begins to look at the links every now and then; `close` ends that. */
  watch(): void {
    const { clock, connectionTimeoutMs } = this.#host;
    const periodMs = Math.min(CHECK_MS, connectionTimeoutMs / 4);
    const wakefulness = new Wakefulness(periodMs, clock.now());
    this.#checkTimer = clock.every(periodMs, () => this.#check(wakefulness));
  }

  /** Greets the client of a connection that came to a port; or refuses it, where there are too many. */
  accept(connection: TcpConnection, ports: ServedPorts, codec: Codec = pva): void {
    const host = this.#host;
    const { remote } = connection;
    const refusal = this.admission.admit(remote.address);
    if (refusal !== undefined) {
      host.counters.linksRefused++;
      if (this.#refusals.take(host.clock.now())) {
        host.notices.ofLink('linkRefused', 'warning', remote, `refused, ${refusal}`);
      }
      this.#gone(remote.address);
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

  [Symbol.iterator](): IterableIterator<ServerLink> {
    return this.#links.values();
  }

  /**
   * Begins nothing new, has requests under way answered and queued updates taken, and ends each link that is through with
   * that; resolves when all are, or `ms` later. Links that are through later end then: nothing is begun on them any more, and
   * their clients are to look elsewhere.
   */
  drain(ms: number): Promise<void> {
    this.admission.close(ENDING);
    this.#host.isDraining = true;
    const { clock } = this.#host;
    const start = clock.now();
    return new Promise((resolve) => {
      const look = (): boolean => {
        let isThrough = true;
        const passedMs = clock.now() - start;
        for (const link of this.#links) isThrough = link.endWhenIdle(passedMs < AWAIT_MS) && isThrough;
        if (isThrough) this.#drainTimer?.cancel();
        if (isThrough || passedMs >= ms) resolve();
        return isThrough;
      };
      if (!look()) this.#drainTimer = clock.every(DRAIN_LOOK_MS, look);
    });
  }

  /** Sends what is under way and ends every link; resolves when all are gone. Nothing is accepted any more. */
  async close(): Promise<void> {
    this.admission.close(ENDING);
    this.#checkTimer?.cancel();
    this.#drainTimer?.cancel();
    const allGone = new Promise<void>((resolve) => (this.#whenNone = resolve));
    for (const link of this.#links) link.end();
    if (this.#links.size > 0) await allGone;
  }

  #forget(link: ServerLink): void {
    const { address } = link.remote;
    this.#links.delete(link);
    this.admission.release(address);
    this.#host.counters.linksClosed++;
    this.#gone(address);
    if (this.#links.size === 0) this.#whenNone?.();
  }

  #check(wakefulness: Wakefulness): void {
    const now = this.#host.clock.now();
    const sleptMs = wakefulness.sleptMs(now);
    for (const link of this.#links) {
      if (sleptMs > 0) link.forgive(sleptMs);
      link.check(now);
    }
    this.#host.unsent.look();
    this.#host.ledger.arrivals.look();
    this.#refusals.look(now);
  }
}

/** How refused connections are told of. */
export function refusalsOf({ notices }: Pick<LinkHost, 'notices'>): CalmNotices {
  return new CalmNotices(
    (text) => notices.publish({ kind: 'linksRefused', level: 'warning', text }),
    (count) => `${count} more connections were refused`,
  );
}

function ignore(): void {
  // Nobody has to know.
}
