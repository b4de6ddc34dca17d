// Where does one message end and the next begin in a stream of bytes?
//
// Spec: Protocol-Messages, "Message Header". Segments are joined here, so that nobody else has to know of them. The
// specification's alignment padding between segments does not exist: no peer sends or expects it.

import { LimitError, PvaError, RemoteProtocolError } from './errors.ts';
import {
  COMMAND_AT,
  HEADER_BYTES,
  isBigEndianHeader,
  plainBodyBytes,
  readHeader,
  requireMagic,
  type Header,
} from './header.ts';
import { DEFAULT_LIMITS, type Limits } from './limits.ts';

/** One whole message, its body not yet understood. */
export interface Frame {
  /** Of a message in segments: that of the first, with the size of the whole and segment `none`. */
  readonly header: Header;
  /** A view that holds only until the function it was given to returns. Empty in control messages. */
  readonly body: Uint8Array;
}

/**
 * Takes whole messages where they lie, before a header, a frame and a view are made for each: requests-in-place.ts of
 * the server.
 */
export interface InPlace {
  /** The body is `bytes` from `start` to `end`. True when that is all; false leaves the message to `accept`. */
  take(command: number, bytes: Uint8Array, start: number, end: number, bigEndian: boolean): boolean;
}

/** Which messages a framer takes. */
export interface FramerOptions {
  /** Whose messages these are: true in a client's link, false in a server's. Others break the rule. */
  readonly expectFromServer: boolean;
  readonly limits?: Limits;
}

/** Up to this size the buffer of joined bytes is kept for the next message; a link that idles holds no more. */
const KEPT_BYTES = 16 * 1024;
const NOTHING = new Uint8Array(0);

/**
 * Cuts one direction of one link into messages. A message that lies whole in a chunk is not copied; others are put
 * together in a buffer that grows with the bytes that came, never with the bytes that a header claims.
 */
export class Framer {
  readonly #expectFromServer: boolean;
  readonly #maxBodyBytes: number;
  /** A header that came in pieces. */
  readonly #headerBytes = new Uint8Array(HEADER_BYTES);
  #headerFilled = 0;
  /** Header of the body that is being put together. */
  #header: Header | undefined;
  /** Bytes of that body that have not come yet. */
  #missing = 0;
  /** Header of the first segment while the last has not come. */
  #firstSegment: Header | undefined;
  /** What was put together: the first `#joinedBytes` bytes count. */
  #joined: Uint8Array = NOTHING;
  #joinedBytes = 0;
  /** Bytes of all chunks before the present one, and those of the present one that are dealt with. */
  #position = 0;
  #at = 0;
  #isStopped = false;

  constructor({ expectFromServer, limits = DEFAULT_LIMITS }: FramerOptions) {
    this.#expectFromServer = expectFromServer;
    this.#maxBodyBytes = limits.maxBodyBytes;
  }

  /** Memory that a message takes which has not come whole; what the buffer keeps for the next one does not count. */
  get pendingBytes(): number {
    return this.#joinedBytes > 0 ? this.#joined.length : 0;
  }

  /** Gives out no more messages, not even those that the present chunk still holds: for a link that is being closed. */
  stop(): void {
    this.#isStopped = true;
  }

  /**
   * Takes the next bytes and calls `accept` for each message that they complete and that `inPlace` did not take. Throws
   * `RemoteProtocolError` or `LimitError`, and passes on what either throws; after that the stream is lost and the link
   * has to be closed.
   */
  push(chunk: Uint8Array, accept: (frame: Frame) => void, inPlace?: InPlace): void {
    this.#at = 0;
    // A body of no bytes is complete as soon as its header is, so the end of the chunk ends the loop.
    while (this.#at < chunk.length && !this.#isStopped) {
      if (inPlace !== undefined && this.#tookInPlace(chunk, inPlace)) continue;
      const isFresh = this.#header === undefined;
      const header = this.#header ?? this.#nextHeader(chunk);
      if (header === undefined) break;
      if (header.isControl) {
        accept({ header, body: NOTHING });
      } else if (isFresh && header.segment === 'none' && header.size <= chunk.length - this.#at) {
        const start = this.#at;
        this.#at += header.size;
        accept({ header, body: chunk.subarray(start, this.#at) });
      } else {
        if (isFresh) this.#begin(header);
        this.#join(header, chunk, accept);
      }
    }
    this.#position += chunk.length;
  }

  /** Only what needs no second look: a whole message that lies in the chunk, with nothing of another under way. */
  #tookInPlace(chunk: Uint8Array, inPlace: InPlace): boolean {
    const at = this.#at;
    const start = at + HEADER_BYTES;
    if (start > chunk.length || this.#headerFilled > 0) return false;
    if (this.#header !== undefined || this.#firstSegment !== undefined) return false;
    const size = plainBodyBytes(chunk, at, this.#expectFromServer);
    if (size < 0 || size > chunk.length - start || size > this.#maxBodyBytes) return false;
    const end = start + size;
    if (!inPlace.take(chunk[at + COMMAND_AT] ?? 0, chunk, start, end, isBigEndianHeader(chunk, at))) return false;
    this.#at = end;
    return true;
  }

  /** The next header, checked; undefined if the chunk ends before it does. */
  #nextHeader(chunk: Uint8Array): Header | undefined {
    const position = this.#position + this.#at - this.#headerFilled;
    try {
      if (this.#headerFilled === 0 && chunk.length - this.#at >= HEADER_BYTES) {
        this.#at += HEADER_BYTES;
        return this.#checked(readHeader(chunk, this.#at - HEADER_BYTES));
      }
      const piece = chunk.subarray(this.#at, this.#at + HEADER_BYTES - this.#headerFilled);
      this.#headerBytes.set(piece, this.#headerFilled);
      this.#headerFilled += piece.length;
      this.#at += piece.length;
      // Who does not speak this protocol is told from the first byte, not when eight have come.
      requireMagic(this.#headerBytes[0] ?? 0);
      if (this.#headerFilled < HEADER_BYTES) return undefined;
      this.#headerFilled = 0;
      return this.#checked(readHeader(this.#headerBytes, 0));
    } catch (thrown) {
      if (thrown instanceof PvaError) thrown.message = `header at byte ${position} of the stream: ${thrown.message}`;
      throw thrown;
    }
  }

  /** Refuses what must not come now, before any of its body is waited for. */
  #checked(header: Header): Header {
    if (header.fromServer !== this.#expectFromServer) {
      throw new RemoteProtocolError(
        `direction bit of a ${header.fromServer ? 'server' : 'client'}, that of a ${this.#expectFromServer ? 'server' : 'client'} expected`,
      );
    }
    // The size of a control message is a value, and it may stand between segments.
    if (header.isControl) return header;
    this.#checkSegment(header, this.#firstSegment);
    const bodyBytes = this.#joinedBytes + header.size;
    if (bodyBytes > this.#maxBodyBytes) {
      throw new LimitError('maxBodyBytes', bodyBytes, this.#maxBodyBytes, `body of command 0x${hex(header.command)}`);
    }
    return header;
  }

  #checkSegment({ segment, command, bigEndian }: Header, first: Header | undefined): void {
    const continues = segment === 'middle' || segment === 'last';
    if (first === undefined) {
      if (continues) throw new RemoteProtocolError(`${segment} segment of command 0x${hex(command)} without a first`);
      return;
    }
    if (!continues || command !== first.command) {
      throw new RemoteProtocolError(
        `segment ${segment} of command 0x${hex(command)} amid the segments of command 0x${hex(first.command)}`,
      );
    }
    // One body has one byte order.
    if (bigEndian !== first.bigEndian) throw new RemoteProtocolError(`${segment} segment in another byte order`);
  }

  #begin(header: Header): void {
    this.#header = header;
    this.#missing = header.size;
    if (header.segment === 'first') this.#firstSegment = header;
  }

  /** Adds what the chunk holds of the body under way, and gives the message out if that was the rest of it. */
  #join(header: Header, chunk: Uint8Array, accept: (frame: Frame) => void): void {
    const piece = chunk.subarray(this.#at, this.#at + this.#missing);
    this.#append(piece, header);
    this.#at += piece.length;
    this.#missing -= piece.length;
    if (this.#missing > 0) return;
    this.#header = undefined;
    if (header.segment === 'first' || header.segment === 'middle') return;

    const size = this.#joinedBytes;
    const joined = this.#joined;
    const whole: Header = { ...(this.#firstSegment ?? header), segment: 'none', size };
    this.#firstSegment = undefined;
    this.#joinedBytes = 0;
    if (joined.length > KEPT_BYTES) this.#joined = NOTHING;
    accept({ header: whole, body: joined.subarray(0, size) });
  }

  /** Doubles the buffer when it is full: amortised, and at most twice what has come. */
  #append(piece: Uint8Array, header: Header): void {
    const needed = this.#joinedBytes + piece.length;
    if (needed > this.#joined.length) {
      // More than the body of a message without segments is never needed.
      const most = header.segment === 'none' ? this.#joinedBytes + this.#missing : this.#maxBodyBytes;
      const grown = new Uint8Array(Math.min(Math.max(needed, this.#joined.length * 2), most));
      grown.set(this.#joined.subarray(0, this.#joinedBytes));
      this.#joined = grown;
    }
    this.#joined.set(piece, this.#joinedBytes);
    this.#joinedBytes = needed;
  }
}

function hex(command: number): string {
  return command.toString(16).padStart(2, '0');
}
