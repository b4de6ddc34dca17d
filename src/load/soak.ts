// Does a server stay as it is for hours? Random clients that come and go, monitors that stay all the time, links that bring
// garbage, searches; every value is checked, and memory and handles of the server are watched beside it.

import type { PvaError } from '../protocol/errors.ts';
import { reasonOf } from '../protocol/errors.ts';
import type { ServerMessage } from '../protocol/messages/index.ts';
import { parsePvRequest } from '../protocol/pv-request.ts';
import type { TimerHandle } from '../transport/clocks.ts';
import { SeededRandom } from '../transport/seeded-random.ts';
import { Churn } from './churn.ts';
import { GarbageLinks } from './garbage-links.ts';
import type { Ledger } from './ledger.ts';
import { endsSubscription, LoadLink, type LinkHandlers } from './link.ts';
import { Searches } from './searches.ts';
import { Tally } from './tally.ts';
import { WatchedPv } from './watched-pv.ts';
import type { Workload, WorkloadSettings } from './workload.ts';

/** Steps of the random clients a second: load enough to matter, for a machine that does other work beside it. */
const DEFAULT_RATE = 200;
const SEARCHES_PER_SECOND = 10;
/** More of the searches than this without an answer are not the network's fault any more. */
const MOST_UNANSWERED = 0.02;
/** Twice a second something comes that is no client. */
const GARBAGE_MS = 500;
/** So many of the clients stay from the beginning to the end. */
const STAYING = 1 / 4;
/** More names than this are not watched all the time. */
const MOST_WATCHED = 100;

export class Soak implements Workload {
  readonly #settings: WorkloadSettings;
  readonly #churn: Churn;
  readonly #searches: Searches | undefined;
  /** UDP may lose a search, and clients ask again: that alone is no fault. */
  readonly #searched = new Tally();
  readonly #garbage: GarbageLinks;
  readonly #links: LoadLink[] = [];
  readonly #stayers: Stayer[] = [];
  #timer: TimerHandle | undefined;

  constructor(settings: WorkloadSettings) {
    const { udpPort, link, rate = DEFAULT_RATE } = settings;
    this.#settings = settings;
    this.#churn = new Churn({ ...settings, rate });
    this.#garbage = new GarbageLinks(link, new SeededRandom(settings.seed));
    if (udpPort === undefined) return;
    const server = { ...link.server, port: udpPort };
    this.#searches = new Searches({
      ...settings,
      rate: SEARCHES_PER_SECOND,
      clients: 1,
      depth: 1,
      tally: this.#searched,
      link: { ...link, server },
    });
  }

  get isBroken(): boolean {
    return this.#churn.isBroken || (this.#stayers.length > 0 && this.#stayers.every(({ isLost }) => isLost));
  }

  async open(): Promise<void> {
    const { clients, link, request } = this.#settings;
    await this.#churn.open();
    const { ledger } = this.#churn;
    if (ledger === undefined) return;
    await LoadLink.openMany(Math.max(1, Math.floor(clients * STAYING)), link, 'MONITOR', this.#links);
    for (const each of this.#links) {
      this.#stayers.push(await Stayer.subscribe(each, ledger, { request, settings: this.#settings }));
    }
    await this.#searches?.open();
  }

  start(): void {
    const { link, names, tally } = this.#settings;
    this.#churn.start();
    this.#searches?.start();
    this.#timer = link.clock.every(GARBAGE_MS, () => {
      this.#garbage.next(names[this.#garbage.count % names.length] ?? '').catch((thrown: unknown) => {
        tally.errors++;
        tally.tell(reasonOf(thrown));
      });
    });
  }

  async stop(): Promise<void> {
    this.#timer?.cancel();
    await this.#churn.stop();
    await this.#searches?.stop();
    this.#judgeSearches();
    await Promise.all(this.#stayers.map((stayer) => stayer.settle()));
  }

  close(): void {
    this.#timer?.cancel();
    this.#churn.close();
    this.#searches?.close();
    this.#garbage.close();
    for (const link of this.#links) link.close();
  }

  figures(): Readonly<Record<string, number>> {
    const { operations, lost, latency } = this.#searched;
    return {
      ...this.#churn.figures(),
      garbageLinks: this.#garbage.count,
      stayingLinks: this.#stayers.length,
      ...(this.#searches === undefined
        ? {}
        : { searches: operations + lost, searchesUnanswered: lost, searchP99Us: latency.summary().p99 }),
    };
  }

  #judgeSearches(): void {
    const { tally } = this.#settings;
    const { operations, lost, wrong, errors, problems } = this.#searched;
    tally.wrong += wrong;
    tally.errors += errors;
    if (lost > (operations + lost) * MOST_UNANSWERED) tally.lost += lost;
    else if (wrong + errors === 0) return;
    for (const problem of problems) tally.tell(problem);
  }
}

/** A link that watches all PVs from the beginning to the end. */
class Stayer implements LinkHandlers {
  readonly #settings: WorkloadSettings;
  readonly #watched = new Map<number, WatchedPv>();
  isLost = false;

  private constructor(settings: WorkloadSettings) {
    this.#settings = settings;
  }

  static async subscribe(
    link: LoadLink,
    ledger: Ledger,
    { request, settings }: { readonly request: string; readonly settings: WorkloadSettings },
  ): Promise<Stayer> {
    const stayer = new Stayer(settings);
    link.handlers = stayer;
    for (const [index, entry] of ledger.entries.slice(0, MOST_WATCHED).entries()) {
      const ioid = index + 1;
      const sid = await link.createChannel(ioid, entry.pvName);
      stayer.#watched.set(ioid, new WatchedPv(ledger, entry, settings.link.clock));
      await link.init('MONITOR', sid, ioid, parsePvRequest(request), entry.pvName);
      link.startMonitor(sid, ioid);
    }
    return stayer;
  }

  /** Nobody puts any more: the last values come within the time of one reply, or are lost. */
  async settle(): Promise<void> {
    if (this.isLost) return;
    await Promise.all([...this.#watched.values()].map((watched) => this.#requireLast(watched)));
  }

  async #requireLast(watched: WatchedPv): Promise<void> {
    const { tally, link } = this.#settings;
    const { pvName, acknowledged } = watched.entry;
    if (await watched.until(acknowledged, link.timeoutMs)) return;
    tally.lost++;
    tally.tell(`${pvName}: the last value ${acknowledged} did not come, but ${watched.last}`);
  }

  reply(message: ServerMessage): void {
    const { tally } = this.#settings;
    if (endsSubscription(message)) {
      tally.errors++;
      return tally.tell('the server ended a subscription');
    }
    if (message.command !== 'MONITOR' || message.phase !== 'update') return;
    this.#watched.get(message.ioid)?.heard(message);
    if (tally.isCounting) tally.operations++;
  }

  lost(reason: PvaError): void {
    this.isLost = true;
    for (const watched of this.#watched.values()) watched.end();
    this.#settings.tally.errors++;
    this.#settings.tally.tell(reason.message);
  }
}
