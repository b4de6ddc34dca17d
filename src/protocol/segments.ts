// How does a message go out that is larger than one piece is to be? In segments, each behind a header of its own.
//
// Spec: Protocol-Messages, "Message Header", flags 4 and 5. The body is not copied: the pieces are views of the bytes that
// were encoded. The specification's padding to 64 bits is left out, as by all peers (framer.ts).

import { LocalProtocolError } from './errors.ts';
import { asSegment, HEADER_BYTES } from './header.ts';

/** A message among the encoded bytes. */
interface Cut {
  /** Where its header starts. */
  readonly start: number;
  readonly end: number;
}

/**
 * ACL_CHANGE has to stay whole: of a message that it does not read, pvAccessCPP skips the first segment alone, and takes
 * the next for a violation of the protocol.
 */
export const MIN_SEGMENT_BYTES = 16;

/** @throws LocalProtocolError when messages are not to be cut into pieces of that size */
export function requireSegmentBytes(maxSegmentBytes: number): void {
  if (Number.isInteger(maxSegmentBytes) && maxSegmentBytes >= MIN_SEGMENT_BYTES) return;
  const expected = `a whole number of ${MIN_SEGMENT_BYTES} or more expected`;
  throw new LocalProtocolError(`maxSegmentBytes is ${maxSegmentBytes}, ${expected}`);
}

/** Remembers which of the messages in a buffer are too large, and cuts them when the buffer is sent. */
export class Segmenter {
  readonly #maxSegmentBytes: number;
  readonly #cuts: Cut[] = [];

  /** From 1 on; see `requireSegmentBytes` for what peers need. */
  constructor(maxSegmentBytes: number) {
    this.#maxSegmentBytes = maxSegmentBytes;
  }

  /** Whether nothing is to be cut: then the buffer may go as it is, and be used again. */
  get isIdle(): boolean {
    return this.#cuts.length === 0;
  }

  /** A whole message was encoded from `start` to `end` of the buffer. */
  encoded(start: number, end: number): void {
    if (end - start - HEADER_BYTES > this.#maxSegmentBytes) this.#cuts.push({ start, end });
  }

  /** What to write instead of the buffer, one piece after the other. The buffer must not be used for anything else. */
  pieces(buffer: Uint8Array): readonly Uint8Array[] {
    if (this.#cuts.length === 0) return [buffer];
    const pieces: Uint8Array[] = [];
    let at = 0;
    for (const cut of this.#cuts.splice(0)) at = this.#cutInto(pieces, buffer, at, cut);
    if (at < buffer.length) pieces.push(buffer.subarray(at));
    return pieces;
  }

  /** Adds all from `from` to the end of the message, and returns where that is. */
  #cutInto(pieces: Uint8Array[], buffer: Uint8Array, from: number, { start, end }: Cut): number {
    const size = this.#maxSegmentBytes;
    const body = start + HEADER_BYTES;
    const header = buffer.subarray(start, body);
    const count = Math.ceil((end - body) / size);
    // Before the first is changed in place.
    const headers = Array.from({ length: count - 1 }, (_, index) => {
      const isLast = index === count - 2;
      return asSegment(header.slice(), isLast ? 'last' : 'middle', isLast ? end - body - size * (count - 1) : size);
    });
    asSegment(header, 'first', size);
    pieces.push(buffer.subarray(from, body + size));
    for (const [index, next] of headers.entries()) {
      const at = body + size * (index + 1);
      pieces.push(next, buffer.subarray(at, Math.min(at + size, end)));
    }
    return end;
  }
}
