// What do `get`, `put` and `array` ask for, and which replies are right?

import { counted } from '../protocol/counted.ts';
import { parsePvRequest } from '../protocol/pv-request.ts';
import type { TimerHandle } from '../transport/clocks.ts';
import { ExchangeLink, type LoadRequest } from './exchange-link.ts';
import { GetReplies } from './get-replies.ts';
import { LoadLink } from './link.ts';
import { PutReplies, readBack } from './put-replies.ts';
import { plannedRequests } from './request-plan.ts';
import type { Workload, WorkloadSettings } from './workload.ts';

/** Requests are released this often when there is a rate. */
const PACE_MS = 1;
const MS_PER_SECOND = 1_000;

export class Exchange implements Workload {
  readonly #settings: WorkloadSettings;
  readonly #command: 'GET' | 'PUT';
  /** Of all connections together: no two puts carry the same value. */
  readonly #values = { next: 0 };
  readonly #links: LoadLink[] = [];
  readonly #loops: ExchangeLink[] = [];
  readonly #puts: PutReplies[] = [];
  #pace: TimerHandle | undefined;

  constructor(settings: WorkloadSettings, command: 'GET' | 'PUT') {
    this.#settings = settings;
    this.#command = command;
    // Values of an earlier load must not pass for ours.
    this.#values.next = Math.floor(settings.link.clock.wallTime());
  }

  get isBroken(): boolean {
    return this.#loops.length > 0 && this.#loops.every(({ lostReason }) => lostReason !== undefined);
  }

  async open(): Promise<void> {
    const { clients, link } = this.#settings;
    await LoadLink.openMany(clients, link, this.#command, this.#links);
    const loops = await Promise.all(this.#links.map((each, client) => this.#prepare(each, client)));
    this.#loops.push(...loops);
  }

  start(): void {
    const { rate, link } = this.#settings;
    for (const loop of this.#loops) loop.run(rate !== undefined);
    if (rate === undefined) return;
    const startedAt = link.clock.now();
    let sentCount = 0;
    let turn = 0;
    this.#pace = link.clock.every(PACE_MS, () => {
      const due = Math.floor(((link.clock.now() - startedAt) * rate) / MS_PER_SECOND) - sentCount;
      for (let left = due, idle = 0; left > 0 && idle < this.#loops.length; turn++) {
        const released = this.#loops[turn % this.#loops.length]?.release(Math.ceil(left / this.#loops.length)) ?? 0;
        idle = released === 0 ? idle + 1 : 0;
        left -= released;
        sentCount += released;
      }
    });
  }

  async stop(): Promise<void> {
    const { link, tally } = this.#settings;
    this.#pace?.cancel();
    for (const loop of this.#loops) loop.stop();
    const lost = await this.#settings.drained(() => this.#underWayCount());
    if (lost > 0) {
      tally.lost += lost;
      tally.tell(`${counted(lost, 'request has', 'requests have')} no reply after ${link.timeoutMs / 1000} s`);
    }
    if (this.#puts.length > 0 && lost === 0 && !this.isBroken) await readBack(this.#settings, this.#puts);
  }

  close(): void {
    for (const link of this.#links) link.close();
  }

  // -------------------------------------------------------------------------------------------------------------

  /** Channels and operations of one connection. */
  async #prepare(link: LoadLink, client: number): Promise<ExchangeLink> {
    const { names, clients, depth, tally } = this.#settings;
    const { clock } = this.#settings.link;
    const isPut = this.#command === 'PUT';
    const pvRequest = parsePvRequest(isPut ? 'field(value)' : this.#settings.request);
    const puts = new PutReplies(tally, this.#values, link);
    const channels = new Map<string, Promise<number>>();
    const channelOf = (pvName: string): Promise<number> => {
      const sid = channels.get(pvName) ?? link.createChannel(channels.size + 1, pvName);
      channels.set(pvName, sid);
      return sid;
    };
    const requests = await Promise.all(
      plannedRequests(names, clients, depth, client).map(async ({ pvName, slot }, index): Promise<LoadRequest> => {
        const ioid = index + 1;
        const sid = await channelOf(pvName);
        const type = await link.init(this.#command, sid, ioid, pvRequest, pvName);
        const message = isPut
          ? puts.message(pvName, sid, ioid, type)
          : ({ command: 'GET', phase: 'exec', sid, ioid, subcommand: 0 } as const);
        return { pvName, ioid, slot, bytes: link.encode(message) };
      }),
    );
    if (isPut) this.#puts.push(puts);
    return new ExchangeLink(link, requests, { scenario: isPut ? puts : new GetReplies(tally), tally, clock });
  }

  #underWayCount(): number {
    return this.#loops.reduce((sum, { underWayCount }) => sum + underWayCount, 0);
  }
}
