// How much memory do all links take together for what their clients have begun to send, for what is kept as long as they
// like, and for updates they have not taken? A limit for each link alone bounds nothing: there are thousands of links.

import type { Limits } from '../protocol/limits.ts';
import type { SharedRoom } from '../protocol/machines/monitor-queue.ts';
import { Arrival, Arrivals, type ArrivalLimits, type ArrivalLink } from './arrivals.ts';

type LedgerLimits = ArrivalLimits & Pick<Limits, 'maxOpenBytes' | 'maxQueuedBytesPerLink' | 'maxQueuedBytes'>;

/** What a channel and an operation take, with what leads to them; measured. */
const CHANNEL_BYTES = 700;
const OPERATION_BYTES = 1_000;
/** Of types that have an id: those of most clients are the same, and exist once. */
const COMMON_TYPE_BYTES = 128 * 1_024;

/** The sums of one process. */
export class LinkLedger {
  readonly limits: LedgerLimits;
  readonly arrivals: Arrivals;
  /** Of what their clients sent: messages that wait, large pvRequests, types. */
  readonly kept: KeptSum;
  /** Of channels and operations. */
  readonly opened: KeptSum;
  /** What waits in the queues of all monitors. */
  queuedBytes = 0;

  constructor(limits: LedgerLimits) {
    this.limits = limits;
    this.kept = new KeptSum('of what their clients sent', limits.maxReceivingBytes);
    this.opened = new KeptSum('of channels and operations', limits.maxOpenBytes);
    this.arrivals = new Arrivals(limits, () => this.kept.bytes);
  }

  /** What all links hold of messages that are not carried out yet, and of what they keep of others. */
  get receivingBytes(): number {
    return this.arrivals.bytes + this.kept.bytes;
  }

  /** A new link. */
  open(link: ArrivalLink): LinkAccount {
    return new LinkAccount(this, link);
  }
}

/** What all links keep of one kind. It does not pass by itself: past the limit the one that keeps most is closed. */
class KeptSum {
  bytes = 0;
  readonly #what: string;
  readonly #mostBytes: number;
  /** Those that keep any. */
  readonly #shares = new Set<KeptShare>();

  constructor(what: string, mostBytes: number) {
    this.#what = what;
    this.#mostBytes = mostBytes;
  }

  /** Called by shares. */
  changed(share: KeptShare, before: number): void {
    this.bytes += share.bytes - before;
    if (share.bytes === 0) this.#shares.delete(share);
    else this.#shares.add(share);
    if (share.bytes <= before || this.bytes <= this.#mostBytes) return;
    let worst = share;
    for (const each of this.#shares) if (each.bytes > worst.bytes) worst = each;
    const said = `all links hold ${this.bytes} bytes ${this.#what}, ${this.#mostBytes} are allowed`;
    worst.link.shed(`${said}, and this one has most of them`);
  }
}

/** Of one link. */
class KeptShare {
  readonly link: ArrivalLink;
  readonly #sum: KeptSum;
  bytes = 0;

  constructor(sum: KeptSum, link: ArrivalLink) {
    this.#sum = sum;
    this.link = link;
  }

  /** What has not changed costs a comparison. */
  tell(bytes: number): void {
    if (bytes === this.bytes) return;
    const before = this.bytes;
    this.bytes = bytes;
    this.#sum.changed(this, before);
  }
}

/** What one link takes. */
export class LinkAccount implements SharedRoom {
  readonly #ledger: LinkLedger;
  readonly #arrival: Arrival;
  readonly #kept: KeptShare;
  readonly #opened: KeptShare;
  #queuedBytes = 0;
  /** What operations keep of their pvRequests. */
  #requestBytes = 0;
  #isClosed = false;

  constructor(ledger: LinkLedger, link: ArrivalLink) {
    this.#ledger = ledger;
    this.#arrival = new Arrival(link);
    this.#kept = new KeptShare(ledger.kept, link);
    this.#opened = new KeptShare(ledger.opened, link);
  }

  /** Of the queues of its monitors, beside the oldest entry of each. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** All that goes free when the link is closed. */
  get heldBytes(): number {
    return this.#queuedBytes + this.#arrival.bytes + this.#kept.bytes + this.#opened.bytes;
  }

  has(bytes: number): boolean {
    const { limits, queuedBytes } = this.#ledger;
    return this.#queuedBytes + bytes <= limits.maxQueuedBytesPerLink && queuedBytes + bytes <= limits.maxQueuedBytes;
  }

  add(bytes: number): void {
    if (this.#isClosed) return;
    this.#queuedBytes += bytes;
    this.#ledger.queuedBytes += bytes;
  }

  /** Called after each read with what has come of a message that is not whole; what has not changed costs a comparison. */
  arrived(bytes: number): void {
    if (bytes !== this.#arrival.bytes) this.#ledger.arrivals.changed(this.#arrival, bytes);
  }

  /** Likewise with messages that wait and with types, */
  keeps(heldBytes: number, typeBytes: number): void {
    if (this.#isClosed) return;
    this.#kept.tell(heldBytes + this.#requestBytes + Math.max(typeBytes - COMMON_TYPE_BYTES, 0));
  }

  /** and with how much is open. */
  opens(channelCount: number, operationCount: number): void {
    if (!this.#isClosed) this.#opened.tell(channelCount * CHANNEL_BYTES + operationCount * OPERATION_BYTES);
  }

  /** An operation keeps so much of its pvRequest: told with the rest after the read that it came with. */
  begun(keptBytes: number): void {
    this.#requestBytes += keptBytes;
  }

  /** At once: operations end without a read as well. */
  ended(keptBytes: number): void {
    this.#requestBytes -= keptBytes;
    if (!this.#isClosed) this.#kept.tell(this.#kept.bytes - keptBytes);
  }

  /** The link is closed: nothing counts any more, whatever is still told. */
  close(): void {
    this.arrived(0);
    this.#kept.tell(0);
    this.#opened.tell(0);
    this.add(-this.#queuedBytes);
    this.#isClosed = true;
  }
}
