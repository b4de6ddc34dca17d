// Whose messages go on to come, where all that have begun take more memory than there is for them? Those of the others wait in
// the network: one comes to its end after the other, and whoever sends is not closed, however large what he sends.

import type { Limits } from '../protocol/limits.ts';

export type ArrivalLimits = Pick<Limits, 'maxReceivingBytes' | 'maxBodyBytes' | 'crowdedStallMs'>;

/** What this needs of a link. */
export interface ArrivalLink {
  /** How long nothing came of it although it was read from. */
  silentMs(): number;
  /** Has nothing read of it until `goOn`. */
  holdBack(): void;
  goOn(): void;
  shed(reason: string): void;
}

/** Links are closed until so much of what is allowed is held. */
const GOAL = 0.9;
/** Past this many times what is allowed, and one message, the worst link is closed whatever it does: there are thousands. */
const UTMOST = 2;
/** What is read of a link at once. */
const READ_BYTES = 64 * 1_024;

/** Of one link: what has come of a message that is not whole. */
export class Arrival {
  readonly link: ArrivalLink;
  bytes = 0;

  constructor(link: ArrivalLink) {
    this.link = link;
  }
}

export class Arrivals {
  readonly #limits: ArrivalLimits;
  /** What takes of the same room. */
  readonly #otherBytes: () => number;
  /** In the order of their turns. */
  readonly #arriving = new Set<Arrival>();
  readonly #heldBack = new Set<Arrival>();
  /** Whose turn it was at the last look. */
  #firstBefore: Arrival | undefined;
  #bytes = 0;

  constructor(limits: ArrivalLimits, otherBytes: () => number) {
    this.#limits = limits;
    this.#otherBytes = otherBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Called after each read, where it is another number than before. */
  changed(arrival: Arrival, bytes: number): void {
    const isMore = bytes > arrival.bytes;
    this.#bytes += bytes - arrival.bytes;
    arrival.bytes = bytes;
    if (bytes > 0) this.#arriving.add(arrival);
    else this.#forget(arrival);
    if (!this.#isOver) return this.#letGoOn();
    const { maxReceivingBytes, maxBodyBytes } = this.#limits;
    if (isMore && this.#totalBytes > maxReceivingBytes * UTMOST + maxBodyBytes) {
      return this.#shed([...this.#arriving], this.#totalBytes - 1);
    }
    if (isMore && arrival !== this.#first) {
      this.#heldBack.add(arrival);
      arrival.link.holdBack();
    }
    this.#letFirstGoOn();
  }

  /** Called every now and then: closes those that send nothing while others wait, and gives the next its turn. */
  look(): void {
    if (!this.#isOver) return this.#letGoOn();
    const { maxReceivingBytes, crowdedStallMs } = this.#limits;
    const silent = [...this.#arriving].filter(
      (arrival) => !this.#heldBack.has(arrival) && arrival.link.silentMs() >= crowdedStallMs,
    );
    this.#shed(silent, maxReceivingBytes * GOAL);
    const first = this.#first;
    if (first !== undefined && first === this.#firstBefore) {
      // It needs long: nobody waits for one that sends a byte now and then.
      this.#arriving.delete(first);
      this.#arriving.add(first);
    }
    this.#firstBefore = this.#first;
    this.#letFirstGoOn();
  }

  get #totalBytes(): number {
    return this.#bytes + this.#otherBytes();
  }

  get #isOver(): boolean {
    return this.#totalBytes > this.#limits.maxReceivingBytes;
  }

  get #first(): Arrival | undefined {
    for (const arrival of this.#arriving) return arrival;
    return undefined;
  }

  #forget(arrival: Arrival): void {
    this.#arriving.delete(arrival);
    if (this.#heldBack.delete(arrival)) arrival.link.goOn();
    if (this.#firstBefore === arrival) this.#firstBefore = undefined;
  }

  #letFirstGoOn(): void {
    const first = this.#first;
    if (first !== undefined && this.#heldBack.delete(first)) first.link.goOn();
  }

  /** As many as there is room for what will be read of them. */
  #letGoOn(): void {
    if (this.#heldBack.size === 0) return;
    let roomBytes = this.#limits.maxReceivingBytes - this.#totalBytes;
    for (const arrival of this.#heldBack) {
      if (roomBytes <= 0) return;
      roomBytes -= READ_BYTES;
      this.#heldBack.delete(arrival);
      arrival.link.goOn();
    }
  }

  /** The worst first, until so many bytes are left. */
  #shed(arrivals: readonly Arrival[], mostBytes: number): void {
    const said = `all links hold ${this.#totalBytes} bytes of what their clients sent, ${this.#limits.maxReceivingBytes} are allowed`;
    for (const { link } of arrivals.toSorted((a, b) => b.bytes - a.bytes)) {
      if (this.#totalBytes <= mostBytes) return;
      link.shed(`${said}, and this one has most of them`);
    }
  }
}
