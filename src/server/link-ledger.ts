// How much memory do all links take together for what their clients have begun to send, and for updates they have not
// taken? A limit for each link alone bounds nothing: there are thousands of links.

import type { Limits } from '../protocol/limits.ts';
import type { SharedRoom } from '../protocol/machines/monitor-queue.ts';

type LedgerLimits = Pick<Limits, 'maxReceivingBytes' | 'maxQueuedBytesPerLink' | 'maxQueuedBytes'>;

/** The sums of one process. */
export class LinkLedger {
  readonly limits: LedgerLimits;
  /** What waits in the queues of all monitors. */
  queuedBytes = 0;
  #receivingBytes = 0;
  /** Links that hold any. */
  readonly #receiving = new Set<LinkAccount>();

  constructor(limits: LedgerLimits) {
    this.limits = limits;
  }

  /** What all links hold of messages that are not carried out yet, and of those that operations keep. */
  get receivingBytes(): number {
    return this.#receivingBytes;
  }

  /** A new link; `shed` closes it, with the reason. */
  open(shed: (reason: string) => void): LinkAccount {
    return new LinkAccount(this, shed);
  }

  /** Called by accounts. The link that holds most is closed where the sum is past its limit. */
  received(account: LinkAccount, before: number): void {
    const { receivingBytes } = account;
    this.#receivingBytes += receivingBytes - before;
    if (receivingBytes === 0) this.#receiving.delete(account);
    else this.#receiving.add(account);
    const { maxReceivingBytes } = this.limits;
    if (receivingBytes <= before || this.#receivingBytes <= maxReceivingBytes) return;
    let worst = account;
    for (const each of this.#receiving) if (each.receivingBytes > worst.receivingBytes) worst = each;
    worst.shed(
      `all links hold ${this.#receivingBytes} bytes of what their clients sent, ${maxReceivingBytes} are allowed, and this one has most of them`,
    );
  }
}

/** What one link takes. */
export class LinkAccount implements SharedRoom {
  readonly shed: (reason: string) => void;
  readonly #ledger: LinkLedger;
  #queuedBytes = 0;
  #receivingBytes = 0;

  constructor(ledger: LinkLedger, shed: (reason: string) => void) {
    this.#ledger = ledger;
    this.shed = shed;
  }

  /** Of the queues of its monitors, beside the oldest entry of each. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** Of messages that have not come whole, that wait, or that operations keep. */
  get receivingBytes(): number {
    return this.#receivingBytes;
  }

  has(bytes: number): boolean {
    const { limits, queuedBytes } = this.#ledger;
    return this.#queuedBytes + bytes <= limits.maxQueuedBytesPerLink && queuedBytes + bytes <= limits.maxQueuedBytes;
  }

  add(bytes: number): void {
    this.#queuedBytes += bytes;
    this.#ledger.queuedBytes += bytes;
  }

  /** Called after each read; what has not changed costs a comparison. */
  holds(receivingBytes: number): void {
    if (receivingBytes === this.#receivingBytes) return;
    const before = this.#receivingBytes;
    this.#receivingBytes = receivingBytes;
    this.#ledger.received(this, before);
  }
}
