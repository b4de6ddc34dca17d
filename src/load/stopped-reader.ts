// What does a client look like that subscribes and then stops reading? When it reads on, it has to get the last values.

import type { PvaError } from '../protocol/errors.ts';
import type { ServerMessage } from '../protocol/messages/index.ts';
import { parsePvRequest } from '../protocol/pv-request.ts';
import { valueOf } from './ledger.ts';
import { endsSubscription, LoadLink, type LinkHandlers } from './link.ts';
import type { PacedPuts } from './paced-puts.ts';
import type { Tally } from './tally.ts';
import type { WorkloadSettings } from './workload.ts';

interface Subscription {
  readonly pvName: string;
  last: number;
}

export class StoppedReader implements LinkHandlers {
  readonly #link: LoadLink;
  readonly #tally: Tally;
  readonly #subscriptions = new Map<number, Subscription>();
  isLost = false;
  heardCount = 0;

  private constructor(link: LoadLink, tally: Tally) {
    this.#link = link;
    this.#tally = tally;
    link.handlers = this;
  }

  /** Subscribes to each of the names `depth` times. */
  static async open({ link, names, depth, request, tally }: WorkloadSettings): Promise<StoppedReader> {
    const reader = new StoppedReader(await LoadLink.open(link, 'MONITOR'), tally);
    const pvRequest = parsePvRequest(request);
    try {
      for (const [index, pvName] of names.entries()) {
        const sid = await reader.#link.createChannel(index + 1, pvName);
        for (let copy = 0; copy < depth; copy++) {
          const ioid = index * depth + copy + 1;
          reader.#subscriptions.set(ioid, { pvName, last: Number.NaN });
          await reader.#link.init('MONITOR', sid, ioid, pvRequest, pvName);
          reader.#link.startMonitor(sid, ioid);
        }
      }
    } catch (thrown) {
      reader.close();
      throw thrown;
    }
    return reader;
  }

  stop(): void {
    this.#link.pause();
  }

  readOn(): void {
    this.#link.resume();
  }

  close(): void {
    this.#link.close();
  }

  /** Monitors that do not have the value that was put last. */
  missingCount(puts: PacedPuts): number {
    let count = 0;
    for (const { pvName, last } of this.#subscriptions.values()) if (!puts.isLast(pvName, last)) count++;
    return count;
  }

  reply(message: ServerMessage): void {
    if (endsSubscription(message)) {
      this.#tally.errors++;
      return this.#tally.tell(`${this.#link.serverText}: the server ended a subscription`);
    }
    if (message.command !== 'MONITOR' || message.phase !== 'update') return;
    this.heardCount++;
    const subscription = this.#subscriptions.get(message.ioid);
    const value = valueOf(message.update);
    if (subscription !== undefined && value !== undefined) subscription.last = Number(value);
  }

  /** The server may close a link that takes nothing for long: that is told, and no fault. */
  lost(_reason: PvaError): void {
    this.isLost = true;
  }
}
