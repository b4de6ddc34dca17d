// Which bytes did one side of a TCP connection send, in order, however the segments came?
//
// Sequence numbers go round after four thousand million, so they are compared by their distance.

import { DEFAULT_LIMITS, type Limits } from '../../protocol/index.ts';

export interface StreamSegment {
  /** Number of the first byte of `bytes`. */
  readonly sequence: number;
  readonly bytes: Uint8Array;
  /** Bytes behind `bytes` that were sent but not captured. */
  readonly cutBytes: number;
  /** The side sends nothing behind this. */
  readonly isFin: boolean;
  readonly timeNs: bigint;
}

export type StreamPart =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  /** Sent, and not in the capture. */
  | { readonly kind: 'missing'; readonly count: number }
  | { readonly kind: 'end' };

/** A segment that was lost is sent again after a second at most, or a few; later it is not in the capture. */
const MAX_WAIT_NS = 3_000_000_000n;

export class TcpStream {
  readonly #limits: Limits;
  /** Number of the next byte; undefined before the first segment. */
  #next: number | undefined;
  /** Segments behind a hole, by their sequence. */
  readonly #waiting: StreamSegment[] = [];
  #waitingBytes = 0;
  /** When the oldest of them came. */
  #waitingSinceNs = 0n;
  #isEnded = false;

  constructor(limits: Limits = DEFAULT_LIMITS) {
    this.#limits = limits;
  }

  /** Whether the beginning is known, or the first segment was taken for it. */
  get isBegun(): boolean {
    return this.#next !== undefined;
  }

  /** The connection begins: the first byte has the number behind that of SYN. */
  begin(synSequence: number): void {
    this.#next ??= (synSequence + 1) >>> 0;
  }

  /** Takes a segment and gives out what is next, if it is there. */
  push(segment: StreamSegment): StreamPart[] {
    this.#next ??= segment.sequence;
    const parts: StreamPart[] = [];
    if (this.#distance(segment) > 0) this.#wait(segment);
    else this.#give(segment, parts);
    this.#giveWaiting(parts);
    while (this.#isOverdue(segment.timeNs)) this.#jump(parts);
    return parts;
  }

  /** No more segments will come: what still waits is given out, with the holes before it. */
  flush(): StreamPart[] {
    const parts: StreamPart[] = [];
    while (this.#waiting.length > 0) this.#jump(parts);
    return parts;
  }

  /** Bytes from the next one expected to the first of the segment; negative if that was there already. */
  #distance({ sequence }: StreamSegment): number {
    return (sequence - (this.#next ?? sequence)) | 0;
  }

  #wait(segment: StreamSegment): void {
    if (segment.bytes.length + segment.cutBytes === 0 && !segment.isFin) return;
    if (this.#waiting.length === 0) this.#waitingSinceNs = segment.timeNs;
    const distance = this.#distance(segment);
    const at = this.#waiting.findLastIndex((earlier) => this.#distance(earlier) <= distance) + 1;
    this.#waiting.splice(at, 0, segment);
    this.#waitingBytes += segment.bytes.length;
  }

  /** Gives out what is new of a segment that begins at the next byte or before it. */
  #give(segment: StreamSegment, parts: StreamPart[]): void {
    const { bytes, cutBytes, isFin } = segment;
    const known = -this.#distance(segment);
    const length = bytes.length + cutBytes;
    // A retransmission ends before the next byte; its FIN was seen, or will be again.
    if (known > length) return;
    const fresh = bytes.subarray(known);
    if (fresh.length > 0) parts.push({ kind: 'bytes', bytes: fresh });
    const missing = length - Math.max(known, bytes.length);
    if (missing > 0) parts.push({ kind: 'missing', count: missing });
    this.#next = (segment.sequence + length) >>> 0;
    if (!isFin || this.#isEnded) return;
    this.#isEnded = true;
    parts.push({ kind: 'end' });
  }

  #giveWaiting(parts: StreamPart[]): void {
    for (;;) {
      const [first] = this.#waiting;
      if (first === undefined || this.#distance(first) > 0) return;
      this.#waiting.shift();
      this.#waitingBytes -= first.bytes.length;
      this.#give(first, parts);
      // The others came later, but not much: the wait is for the next hole.
      this.#waitingSinceNs = first.timeNs;
    }
  }

  #isOverdue(nowNs: bigint): boolean {
    if (this.#waiting.length === 0) return false;
    return (
      this.#waiting.length > this.#limits.maxReorderSegments ||
      this.#waitingBytes > this.#limits.maxReorderBytes ||
      nowNs - this.#waitingSinceNs > MAX_WAIT_NS
    );
  }

  /** Gives up the hole before the first segment that waits. */
  #jump(parts: StreamPart[]): void {
    const [first] = this.#waiting;
    if (first === undefined) return;
    parts.push({ kind: 'missing', count: this.#distance(first) });
    this.#next = first.sequence;
    this.#giveWaiting(parts);
  }
}
