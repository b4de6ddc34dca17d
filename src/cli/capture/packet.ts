// What is one packet of a capture file?

/** The kinds of links whose frames are understood, by the numbers of https://www.tcpdump.org/linktypes.html. */
export const LINK_NULL = 0;
export const LINK_ETHERNET = 1;
export const LINK_RAW_BSD = 12;
export const LINK_RAW_OPENBSD = 14;
export const LINK_RAW = 101;
export const LINK_LOOP = 108;
export const LINK_LINUX_SLL = 113;
export const LINK_IPV4 = 228;
export const LINK_IPV6 = 229;
export const LINK_LINUX_SLL2 = 276;

export interface Packet {
  /** Counted from 1, as tools show it. */
  readonly number: number;
  readonly linkType: number;
  /** Nanoseconds since 1970. */
  readonly timeNs: bigint;
  /** A view into the file. */
  readonly bytes: Uint8Array;
  /** Bytes at its end that were not captured. */
  readonly cutBytes: number;
}

/** Packets that are left out, by reason: how many, and the first of them. */
export class LeftOut {
  readonly #counts = new Map<string, { count: number; readonly first: number | undefined }>();

  add(reason: string, packetNumber?: number): void {
    const known = this.#counts.get(reason);
    if (known === undefined) this.#counts.set(reason, { count: 1, first: packetNumber });
    else known.count++;
  }

  get reasons(): readonly { readonly reason: string; readonly count: number; readonly first: number | undefined }[] {
    return [...this.#counts].map(([reason, { count, first }]) => ({ reason, count, first }));
  }
}
