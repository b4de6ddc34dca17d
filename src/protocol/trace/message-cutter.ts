// Where do messages begin and end in bytes that somebody else received, holes and all?
//
// The framer of a link gives up at the first broken rule, as it must. This one reads on: it keeps segments apart, says
// what it skipped and why, and finds the next message after bytes that are missing or make no sense.

import { LimitError, PvaError, reasonOf, RemoteProtocolError } from '../errors.ts';
import { HEADER_BYTES, MAGIC, readHeader, type Header } from '../header.ts';
import { DEFAULT_LIMITS, type Limits } from '../limits.ts';
import { CONTROL_CODES } from '../messages/control.ts';
import { MESSAGE_MODULES } from '../messages/index.ts';

/** One message as it stands in the stream; of segmented ones, one segment. */
export interface CutMessage {
  readonly kind: 'message';
  /** Bytes of the stream before it. */
  readonly offset: number;
  readonly header: Header;
  /** Header and body, in memory of their own. */
  readonly bytes: Uint8Array;
}

/** Bytes that are no message. */
export interface SkippedBytes {
  readonly kind: 'skipped';
  readonly offset: number;
  readonly count: number;
  /** The first of them. */
  readonly bytes: Uint8Array;
  readonly reason: string;
}

/** What a cutter gives out. */
export type Piece = CutMessage | SkippedBytes;

/** What is known of the bytes to be cut. */
export interface CutterOptions {
  readonly limits?: Limits;
  /** Whose messages these must be; without it both are taken. */
  readonly fromServer?: boolean;
  /** False if the bytes may begin anywhere in a message. */
  readonly isStart?: boolean;
}

/** Bytes of what was skipped that are kept, to be shown. */
const KEPT_BYTES = 64;
/** Bits of the flags that no version has used. */
const UNUSED_FLAGS = 0x0e;
/** Later versions than peers speak today are possible, but not where a message is guessed. */
const MAX_GUESSED_VERSION = 3;

const COMMANDS: ReadonlySet<number> = new Set(MESSAGE_MODULES.map(({ code }) => code));
const CONTROLS: ReadonlySet<number> = new Set(Object.values(CONTROL_CODES));

const NOTHING = new Uint8Array(0);

/** Cuts one direction of a connection, or a datagram, or a file of messages of both directions. */
export class MessageCutter {
  readonly #limits: Limits;
  readonly #fromServer: boolean | undefined;
  /** What came and is not cut yet: from `#at` to `#end`. */
  #buffer: Uint8Array = NOTHING;
  #at = 0;
  #end = 0;
  /** Position in the stream of the byte at `#at`. */
  #offset = 0;
  /** Why the bytes at `#at` are not known to begin a message; undefined if they are. */
  #lost: { readonly reason: string; readonly offset: number; kept: Uint8Array } | undefined;

  constructor({ limits = DEFAULT_LIMITS, fromServer, isStart = true }: CutterOptions = {}) {
    this.#limits = limits;
    this.#fromServer = fromServer;
    if (!isStart) this.#lose('the capture begins in the middle of the stream');
  }

  /** Takes the next bytes and gives out what they complete. */
  push(chunk: Uint8Array): Piece[] {
    this.#append(chunk);
    const pieces: Piece[] = [];
    for (;;) {
      if (this.#lost !== undefined && !this.#findMessage(pieces)) return pieces;
      const header = this.#nextHeader();
      if (header === undefined) return pieces;
      if (header === 'broken') continue;
      const length = HEADER_BYTES + (header.isControl ? 0 : header.size);
      if (length > this.#end - this.#at) return pieces;
      pieces.push({ kind: 'message', offset: this.#offset, header, bytes: this.#take(length) });
    }
  }

  /** `count` bytes that should come next never will: they are skipped, with what they were part of. */
  skip(count: number, reason: string): Piece[] {
    const pieces = this.end();
    pieces.push({ kind: 'skipped', offset: this.#offset, count, bytes: NOTHING, reason });
    this.#offset += count;
    this.#lose('looking for the next message');
    return pieces;
  }

  /** No more bytes will come: what is left is no message. */
  end(): Piece[] {
    const pieces: Piece[] = [];
    if (this.#lost === undefined && this.#end > this.#at) this.#lose('the bytes end within a message');
    this.#pass(this.#end - this.#at);
    this.#report(pieces);
    return pieces;
  }

  #append(chunk: Uint8Array): void {
    const waiting = this.#end - this.#at;
    if (this.#end + chunk.length > this.#buffer.length) {
      // Grows with what came, never with what a header claims; doubling keeps the copying linear.
      const needed = waiting + chunk.length;
      const room = needed > this.#buffer.length / 2 ? new Uint8Array(needed * 2) : this.#buffer;
      room.set(this.#buffer.subarray(this.#at, this.#end));
      this.#buffer = room;
      this.#at = 0;
      this.#end = waiting;
    }
    this.#buffer.set(chunk, this.#end);
    this.#end += chunk.length;
  }

  /** A copy of the next bytes, which are dealt with. */
  #take(length: number): Uint8Array {
    const bytes = this.#buffer.slice(this.#at, this.#at + length);
    this.#at += length;
    this.#offset += length;
    return bytes;
  }

  #nextHeader(): Header | 'broken' | undefined {
    if (this.#end === this.#at) return undefined;
    try {
      if (this.#buffer[this.#at] === MAGIC && this.#end - this.#at < HEADER_BYTES) return undefined;
      const header = readHeader(this.#buffer, this.#at);
      this.#check(header);
      return header;
    } catch (thrown) {
      if (!(thrown instanceof PvaError)) throw thrown;
      this.#lose(reasonOf(thrown));
      return 'broken';
    }
  }

  #check({ fromServer, isControl, size }: Header): void {
    if (this.#fromServer !== undefined && fromServer !== this.#fromServer) {
      throw new RemoteProtocolError(`direction bit of a ${fromServer ? 'server' : 'client'} from the other side`);
    }
    if (!isControl && size > this.#limits.maxBodyBytes) {
      throw new LimitError('maxBodyBytes', size, this.#limits.maxBodyBytes, 'body of a message');
    }
  }

  #lose(reason: string): void {
    this.#lost = { reason, offset: this.#offset, kept: NOTHING };
    // The byte where a message should begin and does not.
    if (this.#end > this.#at) this.#pass(1);
  }

  /** Counts bytes as skipped. */
  #pass(count: number): void {
    const lost = this.#lost;
    if (lost !== undefined && lost.kept.length < KEPT_BYTES && count > 0) {
      const more = this.#buffer.subarray(this.#at, this.#at + Math.min(count, KEPT_BYTES - lost.kept.length));
      lost.kept = Uint8Array.from([...lost.kept, ...more]);
    }
    this.#at += count;
    this.#offset += count;
  }

  /** Skips bytes up to what looks like a message; false if there is none yet. */
  #findMessage(pieces: Piece[]): boolean {
    const last = this.#end - HEADER_BYTES;
    let at = this.#at;
    while (at <= last && !this.#looksLikeMessage(at)) at++;
    this.#pass(at - this.#at);
    if (at > last) return false;
    this.#report(pieces);
    return true;
  }

  #report(pieces: Piece[]): void {
    if (this.#lost === undefined) return;
    const { reason, offset, kept } = this.#lost;
    this.#lost = undefined;
    const count = this.#offset - offset;
    if (count > 0) pieces.push({ kind: 'skipped', offset, count, bytes: kept, reason });
  }

  /** Stricter than reading a header: this one is guessed. */
  #looksLikeMessage(at: number): boolean {
    const buffer = this.#buffer;
    const version = buffer[at + 1] ?? 0;
    if (buffer[at] !== MAGIC || version === 0 || version > MAX_GUESSED_VERSION) return false;
    const header = readHeader(buffer, at);
    if ((header.flags & UNUSED_FLAGS) !== 0) return false;
    if (this.#fromServer !== undefined && header.fromServer !== this.#fromServer) return false;
    if (header.isControl) return CONTROLS.has(header.command);
    if (!COMMANDS.has(header.command) || header.size > this.#limits.maxBodyBytes) return false;
    const next = at + HEADER_BYTES + header.size;
    return next >= this.#end || buffer[next] === MAGIC;
  }
}
