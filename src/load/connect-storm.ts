// Does a server serve clients that all come anew? Each link is validated, gets a channel and a value, all at once or at a
// rate; it ends with that, or stays open with a monitor.

import { counted } from '../protocol/counted.ts';
import { DisconnectedError, type PvaError, reasonOf, TimeoutError } from '../protocol/errors.ts';
import type { ServerMessage } from '../protocol/messages/index.ts';
import { parsePvRequest, type PvRequest } from '../protocol/pv-request.ts';
import type { TimerHandle } from '../transport/clocks.ts';
import { Ledger, type LedgerEntry } from './ledger.ts';
import { endsSubscription, LoadLink, type LinkHandlers } from './link.ts';
import type { Workload, WorkloadSettings } from './workload.ts';

const PACE_MS = 1;
const MS_PER_SECOND = 1_000;
/** With a rate that the server cannot serve, links that wait for it would pile up without end. */
const MOST_UNDER_WAY = 10_000;

export class ConnectStorm implements Workload {
  readonly timesItself = true;
  readonly isBroken = false;
  readonly #settings: WorkloadSettings;
  readonly #pvRequest: PvRequest;
  readonly #ledger: Ledger;
  readonly #held: HeldLink[] = [];
  #timer: TimerHandle | undefined;
  #begun = 0;
  #underWay = 0;
  #refused = 0;
  #timedOut = 0;
  #isClosed = false;
  #startedAt = 0;
  servingMs: number | undefined;

  constructor(settings: WorkloadSettings) {
    this.#settings = settings;
    this.#pvRequest = parsePvRequest(settings.request);
    this.#ledger = Ledger.ofReadOnly(settings.names, settings.tally);
  }

  async open(): Promise<void> {
    // Connecting is what is measured.
  }

  start(): void {
    const { rate, clients, seconds, isHeld, link } = this.#settings;
    this.#startedAt = link.clock.now();
    const count = rate === undefined || isHeld ? clients : Math.max(clients, Math.ceil(rate * seconds));
    if (rate === undefined) {
      for (let index = 0; index < count; index++) this.#begin();
      return this.#finish();
    }
    this.#timer = link.clock.every(PACE_MS, () => {
      const due = Math.min(count, Math.ceil(((link.clock.now() - this.#startedAt) * rate) / MS_PER_SECOND));
      while (this.#begun < due && this.#underWay < MOST_UNDER_WAY) this.#begin();
      if (this.#begun < count) return;
      this.#timer?.cancel();
      this.#finish();
    });
  }

  async stop(): Promise<void> {
    this.#timer?.cancel();
    const { tally } = this.#settings;
    const left = await this.#settings.drained(() => this.#underWay);
    if (left > 0) {
      tally.lost += left;
      tally.tell(`${counted(left, 'link was', 'links were')} not served`);
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    for (const { link } of this.#held) link.close();
  }

  figures(): Readonly<Record<string, number>> {
    const held = this.#held.filter(({ link }) => link.isOpen).length;
    return { links: this.#begun, refused: this.#refused, timedOut: this.#timedOut, held };
  }

  // -------------------------------------------------------------------------------------------------------------

  /** Waits until all are served or never will be, and holds those that stay. */
  #finish(): void {
    const { seconds, isHeld, link } = this.#settings;
    const over = (): void => this.#settings.ended();
    this.#timer = link.clock.every(PACE_MS, () => {
      if (this.#underWay > 0) return;
      this.#timer?.cancel();
      this.servingMs = link.clock.now() - this.#startedAt;
      if (!isHeld) return over();
      this.#timer = link.clock.after(seconds * MS_PER_SECOND, over);
    });
  }

  #begin(): void {
    const { entries } = this.#ledger;
    const entry = entries[this.#begun % entries.length];
    if (entry === undefined) return;
    this.#begun++;
    this.#underWay++;
    this.#serve(entry).catch((thrown: unknown) => this.#failed(thrown));
  }

  /** What the server does wrong is counted. */
  async #serve(entry: LedgerEntry): Promise<void> {
    const { tally, link: settings, isHeld } = this.#settings;
    const startedAt = settings.clock.now();
    try {
      const link = await LoadLink.open(settings, isHeld ? 'MONITOR' : 'GET');
      try {
        await (isHeld ? this.#watch(link, entry) : this.#get(link, entry));
      } catch (thrown) {
        link.close();
        throw thrown;
      }
      if (!isHeld) link.close();
      if (!tally.isCounting) return;
      tally.latency.add(settings.clock.now() - startedAt);
      tally.operations++;
    } catch (thrown) {
      this.#failed(thrown);
    } finally {
      this.#underWay--;
    }
  }

  async #get(link: LoadLink, entry: LedgerEntry): Promise<void> {
    const sid = await link.createChannel(1, entry.pvName);
    await link.init('GET', sid, 1, this.#pvRequest, entry.pvName);
    this.#ledger.checkRead(entry, 0, await link.get(sid, 1, entry.pvName));
  }

  async #watch(link: LoadLink, entry: LedgerEntry): Promise<void> {
    const held = new HeldLink(link, this.#settings, (update) => this.#ledger.checkRead(entry, 0, update));
    this.#held.push(held);
    const sid = await link.createChannel(1, entry.pvName);
    await link.init('MONITOR', sid, 1, this.#pvRequest, entry.pvName);
    link.startMonitor(sid, 1);
    await held.first();
  }

  #failed(thrown: unknown): void {
    const { tally } = this.#settings;
    if (this.#isClosed && thrown instanceof DisconnectedError) return;
    tally.tell(reasonOf(thrown));
    if (thrown instanceof TimeoutError) {
      this.#timedOut++;
      tally.lost++;
    } else {
      this.#refused++;
      tally.errors++;
    }
  }
}

/** A link that stays open and hears the updates of one PV. */
class HeldLink implements LinkHandlers {
  readonly link: LoadLink;
  readonly #settings: WorkloadSettings;
  readonly #check: (update: Parameters<Ledger['checkRead']>[2]) => boolean;
  #isServed = false;
  #tell: { readonly come: () => void; readonly gone: (reason: PvaError) => void } | undefined;

  constructor(
    link: LoadLink,
    settings: WorkloadSettings,
    check: (update: Parameters<Ledger['checkRead']>[2]) => boolean,
  ) {
    this.link = link;
    this.#settings = settings;
    this.#check = check;
    link.handlers = this;
  }

  /** Resolves with the first update. @throws TimeoutError, DisconnectedError */
  first(): Promise<void> {
    const { clock, timeoutMs } = this.#settings.link;
    if (this.#isServed) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const timer = clock.after(timeoutMs, () =>
        reject(new TimeoutError(`${this.link.serverText}: no update within ${timeoutMs / MS_PER_SECOND} s`)),
      );
      this.#tell = {
        come: () => {
          timer.cancel();
          resolve();
        },
        gone: (reason) => {
          timer.cancel();
          reject(reason);
        },
      };
      if (!this.link.isOpen) this.lost(new DisconnectedError(`connection to ${this.link.serverText} lost`));
    });
  }

  reply(message: ServerMessage): void {
    const { tally } = this.#settings;
    if (endsSubscription(message)) {
      tally.errors++;
      return tally.tell(`${this.link.serverText}: the server ended a subscription`);
    }
    if (message.command !== 'MONITOR' || message.phase !== 'update') return;
    // Only the first update is whole.
    if (!this.#isServed) this.#check(message.update);
    this.#isServed = true;
    this.#tell?.come();
  }

  lost(reason: PvaError): void {
    const { tally } = this.#settings;
    if (this.#tell !== undefined && !this.#isServed) return this.#tell.gone(reason);
    if (!this.#isServed) return;
    tally.errors++;
    tally.tell(reason.message);
  }
}
