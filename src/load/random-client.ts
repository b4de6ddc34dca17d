// What does a client do that nobody can foresee? It connects, opens channels and operations at random, checks every value,
// and leaves, now and then in the middle of everything.

import type { PvaError } from '../protocol/errors.ts';
import type { ServerMessage } from '../protocol/messages/index.ts';
import { parsePvRequest } from '../protocol/pv-request.ts';
import type { SeededRandom } from '../transport/seeded-random.ts';
import { PUT_REQUEST, putBytes, type Ledger, type LedgerEntry } from './ledger.ts';
import { LoadLink, type LinkHandlers, type LinkSettings } from './link.ts';
import type { Pace } from './pace.ts';
import type { Tally } from './tally.ts';
import { WatchedPv } from './watched-pv.ts';

export interface RandomClientSettings {
  readonly link: LinkSettings;
  readonly ledger: Ledger;
  readonly tally: Tally;
  readonly random: SeededRandom;
  readonly pace: Pace;
  /** Channels at once. */
  readonly depth: number;
  /** A pvRequest of gets and monitors; '' for all fields. */
  readonly request: string;
  readonly isRunning: () => boolean;
}

/** A client opens this many channels one after the other, times its depth; then another comes. */
const MOST_ROUNDS = 8;
const MOST_ACTS = 5;
/** One client in so many leaves without a word. */
const ABRUPT = 1 / 4;
const LEAVES_NOW = 1 / 3;
const GETS = 0.5;
const PUTS = 0.8;

export class RandomClient implements LinkHandlers {
  readonly #settings: RandomClientSettings;
  readonly #link: LoadLink;
  readonly #watched = new Map<number, WatchedPv>();
  readonly #isAbrupt: boolean;
  #hasLeft = false;
  #lastId = 0;

  private constructor(link: LoadLink, settings: RandomClientSettings) {
    this.#link = link;
    this.#settings = settings;
    this.#isAbrupt = settings.random.chance(ABRUPT);
    link.handlers = this;
  }

  /** One client from its connection to its end. Rejects when the server refuses, breaks a rule, or does not answer. */
  static async live(settings: RandomClientSettings): Promise<void> {
    const client = new RandomClient(await LoadLink.open(settings.link, 'GET'), settings);
    try {
      await Promise.all(Array.from({ length: settings.depth }, () => client.#lane()));
    } catch (thrown) {
      // What was under way when we left has no answer, and that is right.
      if (!client.#hasLeft) throw thrown;
    } finally {
      client.#leave();
    }
  }

  reply(message: ServerMessage): void {
    const { tally } = this.#settings;
    if (message.command === 'DESTROY_CHANNEL') return;
    if (message.command === 'MONITOR' && message.phase === 'update') {
      this.#watched.get(message.ioid)?.heard(message);
      if (tally.isCounting) tally.operations++;
      return;
    }
    if ('phase' in message && message.phase === 'outOfScope') return;
    tally.wrong++;
    tally.tell(`${this.#link.serverText}: ${message.command} came, and nobody had asked for it`);
  }

  lost(_reason: PvaError): void {
    // Who waits for an answer is told, and this client ends with it.
    this.#endWatching();
  }

  // -------------------------------------------------------------------------------------------------------------

  /** Channels one after the other. */
  async #lane(): Promise<void> {
    const { random, ledger, isRunning } = this.#settings;
    for (let rounds = random.size(1, MOST_ROUNDS); rounds > 0 && isRunning() && !this.#hasLeft; rounds--) {
      const entry = ledger.entries[Math.floor(random.next() * ledger.entries.length)];
      if (entry === undefined) return;
      const cid = ++this.#lastId;
      const sid = await this.#link.createChannel(cid, entry.pvName);
      for (let acts = random.size(1, MOST_ACTS); acts > 0 && isRunning(); acts--) await this.#act(entry, sid);
      this.#link.send({ command: 'DESTROY_CHANNEL', sid, cid });
    }
  }

  async #act(entry: LedgerEntry, sid: number): Promise<void> {
    const { random, pace } = this.#settings;
    await pace.turn();
    const chance = random.next();
    if (chance < GETS) await this.#get(entry, sid);
    else if (chance < PUTS) await this.#put(entry, sid);
    else await this.#watch(entry, sid);
  }

  async #get(entry: LedgerEntry, sid: number): Promise<void> {
    const { ledger, random, request } = this.#settings;
    const ioid = ++this.#lastId;
    await this.#link.init('GET', sid, ioid, parsePvRequest(request), entry.pvName);
    const least = entry.acknowledged;
    const answer = this.#timed(() => this.#link.get(sid, ioid, entry.pvName));
    if (this.#isAbrupt && random.chance(LEAVES_NOW)) this.#leave();
    ledger.checkRead(entry, least, await answer);
    this.#link.destroyOperation(sid, ioid);
  }

  /** A client that leaves without a word puts nothing: nobody would know what became of it. */
  async #put(entry: LedgerEntry, sid: number): Promise<void> {
    if (this.#isAbrupt || entry.form === undefined) return this.#get(entry, sid);
    const ioid = ++this.#lastId;
    const type = await this.#link.init('PUT', sid, ioid, PUT_REQUEST, entry.pvName);
    await this.#putNext(entry, async (value, form) => {
      await this.#timed(() =>
        this.#link.put(ioid, entry.pvName, putBytes(this.#link, { sid, ioid, type, form, value })),
      );
    });
    this.#link.destroyOperation(sid, ioid);
  }

  /** A monitor for a while; when the PV can be put, until a value that was put meanwhile has come. */
  async #watch(entry: LedgerEntry, sid: number): Promise<void> {
    const { ledger, link: settings, random, request } = this.#settings;
    const ioid = ++this.#lastId;
    const watched = new WatchedPv(ledger, entry, settings.clock);
    this.#watched.set(ioid, watched);
    await this.#link.init('MONITOR', sid, ioid, parsePvRequest(request), entry.pvName);
    this.#link.startMonitor(sid, ioid);
    await this.#require(watched, watched.last);
    if (random.chance(1 / 2)) await this.#get(entry, sid);
    if (!this.#isAbrupt && entry.form !== undefined) {
      const putIoid = ++this.#lastId;
      const type = await this.#link.init('PUT', sid, putIoid, PUT_REQUEST, entry.pvName);
      await this.#putNext(entry, async (value, form) => {
        await this.#link.put(putIoid, entry.pvName, putBytes(this.#link, { sid, ioid: putIoid, type, form, value }));
        await this.#require(watched, value);
      });
      this.#link.destroyOperation(sid, putIoid);
    }
    this.#watched.delete(ioid);
    this.#link.destroyOperation(sid, ioid);
  }

  /** Puts, unless another does so just now; nobody else does until `act` is over. */
  async #putNext(
    entry: LedgerEntry,
    act: (value: number, form: NonNullable<LedgerEntry['form']>) => Promise<void>,
  ): Promise<void> {
    const { ledger } = this.#settings;
    const value = ledger.beginPut(entry);
    if (value === undefined || entry.form === undefined) return;
    let isDone = false;
    try {
      await act(value, entry.form);
      isDone = true;
    } finally {
      ledger.endPut(entry, isDone);
    }
  }

  async #require(watched: WatchedPv, least: number): Promise<void> {
    const { tally, link } = this.#settings;
    if ((await watched.until(least, link.timeoutMs)) || this.#hasLeft || !this.#link.isOpen) return;
    tally.lost++;
    tally.tell(`${watched.entry.pvName}: no update with ${least} within ${link.timeoutMs / 1000} s`);
  }

  async #timed<R>(act: () => Promise<R>): Promise<R> {
    const { tally, link } = this.#settings;
    const startedAt = link.clock.now();
    const result = await act();
    if (tally.isCounting) {
      tally.operations++;
      tally.latency.add(link.clock.now() - startedAt);
    }
    return result;
  }

  #leave(): void {
    this.#hasLeft = true;
    this.#endWatching();
    this.#link.close();
  }

  #endWatching(): void {
    for (const watched of this.#watched.values()) watched.end();
    this.#watched.clear();
  }
}
