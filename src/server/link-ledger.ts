// How much memory do all links take together for what their clients have begun to send, and for updates they have not
// taken? A limit for each link alone bounds nothing: there are thousands of links.

import type { Limits } from '../protocol/limits.ts';
import type { SharedRoom } from '../protocol/machines/monitor-queue.ts';
import { Arrival, Arrivals, type ArrivalLimits, type ArrivalLink } from './arrivals.ts';

type LedgerLimits = ArrivalLimits & Pick<Limits, 'maxQueuedBytesPerLink' | 'maxQueuedBytes'>;

/** The sums of one process. */
export class LinkLedger {
  readonly limits: LedgerLimits;
  readonly arrivals: Arrivals;
  /** What waits in the queues of all monitors. */
  queuedBytes = 0;
  #keptBytes = 0;
  /** Links that hold any. */
  readonly #keeping = new Set<LinkAccount>();

  constructor(limits: LedgerLimits) {
    this.limits = limits;
    this.arrivals = new Arrivals(limits, () => this.#keptBytes);
  }

  /** What all links hold of messages that are not carried out yet, and of those that operations keep. */
  get receivingBytes(): number {
    return this.arrivals.bytes + this.#keptBytes;
  }

  /** A new link. */
  open(link: ArrivalLink): LinkAccount {
    return new LinkAccount(this, link);
  }

  /** Called by accounts. The link that keeps most is closed where the sum is past its limit: it does not pass by itself. */
  kept(account: LinkAccount, before: number): void {
    const { keptBytes } = account;
    this.#keptBytes += keptBytes - before;
    if (keptBytes === 0) this.#keeping.delete(account);
    else this.#keeping.add(account);
    const { maxReceivingBytes } = this.limits;
    if (keptBytes <= before || this.#keptBytes <= maxReceivingBytes) return;
    let worst = account;
    for (const each of this.#keeping) if (each.keptBytes > worst.keptBytes) worst = each;
    worst.link.shed(
      `all links hold ${this.#keptBytes} bytes of what their clients sent, ${maxReceivingBytes} are allowed, and this one has most of them`,
    );
  }
}

/** What one link takes. */
export class LinkAccount implements SharedRoom {
  readonly link: ArrivalLink;
  readonly #ledger: LinkLedger;
  readonly #arrival: Arrival;
  #queuedBytes = 0;
  #keptBytes = 0;

  constructor(ledger: LinkLedger, link: ArrivalLink) {
    this.#ledger = ledger;
    this.#arrival = new Arrival(link);
    this.link = link;
  }

  /** Of the queues of its monitors, beside the oldest entry of each. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** Of messages that wait, or that operations keep. */
  get keptBytes(): number {
    return this.#keptBytes;
  }

  /** The same, and of a message that has not come whole. */
  get receivingBytes(): number {
    return this.#keptBytes + this.#arrival.bytes;
  }

  has(bytes: number): boolean {
    const { limits, queuedBytes } = this.#ledger;
    return this.#queuedBytes + bytes <= limits.maxQueuedBytesPerLink && queuedBytes + bytes <= limits.maxQueuedBytes;
  }

  add(bytes: number): void {
    this.#queuedBytes += bytes;
    this.#ledger.queuedBytes += bytes;
  }

  /** Called after each read with what has come of a message that is not whole; what has not changed costs a comparison. */
  arrived(bytes: number): void {
    if (bytes !== this.#arrival.bytes) this.#ledger.arrivals.changed(this.#arrival, bytes);
  }

  /** Likewise with what waits or is kept. */
  keeps(bytes: number): void {
    if (bytes === this.#keptBytes) return;
    const before = this.#keptBytes;
    this.#keptBytes = bytes;
    this.#ledger.kept(this, before);
  }
}
