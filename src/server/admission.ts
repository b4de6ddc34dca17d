// Which new connections does a server take? As many as it may hold, and from one host no more than its share.

import { counted } from '../protocol/counted.ts';
import { DEFAULT_LIMITS } from '../protocol/limits.ts';

/** Why no connection is taken any more. */
export const ENDING = 'this server is ending';

/** A quarter is left to the others. */
const PART_OF_HOST = DEFAULT_LIMITS.maxLinksPerHost / DEFAULT_LIMITS.maxLinks;

export interface AdmissionLimits {
  readonly maxLinks: number;
  readonly maxLinksPerHost: number;
}

/** Counts links by host; knows no connection. */
export class Admission {
  readonly #limits: AdmissionLimits;
  readonly #byHost = new Map<string, number>();
  readonly #possible: () => number | undefined;
  /** Known once somebody asks. */
  #most: number | undefined;
  #count = 0;
  #closedReason: string | undefined;
  #pauseReason: string | undefined;

  /** `possible` tells what the system allows, if it says so; it is asked when that is first of interest. */
  constructor(limits: AdmissionLimits, possible: () => number | undefined = () => undefined) {
    this.#limits = limits;
    this.#possible = possible;
  }

  /** Links that are open. */
  get count(): number {
    return this.#count;
  }

  /** Links that may be open. */
  get most(): number {
    const { maxLinks } = this.#limits;
    this.#most ??= Math.min(maxLinks, Math.max(this.#possible() ?? maxLinks, 1));
    return this.#most;
  }

  /** Links that one host may have: never all of them, unless somebody has said so. */
  get mostOfHost(): number {
    const { maxLinksPerHost } = this.#limits;
    if (maxLinksPerHost !== DEFAULT_LIMITS.maxLinksPerHost) return maxLinksPerHost;
    return Math.min(maxLinksPerHost, Math.ceil(this.most * PART_OF_HOST));
  }

  /** Takes none for this reason, until it is undefined. */
  pauseFor(reason: string | undefined): void {
    this.#pauseReason = reason;
  }

  get isPaused(): boolean {
    return this.#pauseReason !== undefined;
  }

  /** Takes none any more. */
  close(reason: string): void {
    this.#closedReason ??= reason;
  }

  /** Counts a link from the address in, for `release` to count out; or says why it is to be refused. */
  admit(address: string): string | undefined {
    const reason = this.#closedReason ?? this.#pauseReason;
    if (reason !== undefined) return reason;
    if (this.#count >= this.most) return counted(this.#count, 'link is open', 'links are open');
    const ofHost = this.#byHost.get(address) ?? 0;
    if (ofHost >= this.mostOfHost) return counted(ofHost, 'link of this host is open', 'links of this host are open');
    this.#byHost.set(address, ofHost + 1);
    this.#count++;
    return undefined;
  }

  release(address: string): void {
    const ofHost = this.#byHost.get(address) ?? 0;
    if (ofHost === 0) return;
    this.#count--;
    if (ofHost === 1) this.#byHost.delete(address);
    else this.#byHost.set(address, ofHost - 1);
  }
}
