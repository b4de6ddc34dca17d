// How do messages get from a link to its socket? Into one buffer, and from there with one write: the answers to the
// requests of one read at the end of that read, all else at the end of the turn of the event loop. And how does the link
// know that its client does not keep up?

import { BitSet } from '../protocol/bit-set.ts';
import type { Codec } from '../protocol/codecs/codec.ts';
import { pva } from '../protocol/codecs/pva.ts';
import { HEADER_BYTES } from '../protocol/header.ts';
import { mostSentBytes, type Limits } from '../protocol/limits.ts';
import type { EncodedUpdate } from '../protocol/messages/data.ts';
import { encodeMessage, type ServerMessageToSend } from '../protocol/messages/index.ts';
import { writeGetHead, writeMonitorHead, writePutDone } from '../protocol/messages/quick-replies.ts';
import { OK } from '../protocol/status.ts';
import { Segmenter } from '../protocol/segments.ts';
import { weightOf } from '../protocol/values/weight.ts';
import { Writer } from '../protocol/writer.ts';
import type { Clock } from '../transport/clocks.ts';
import type { TcpConnection } from '../transport/network.ts';
import type { Outlet, Sender } from './link.ts';
import { LARGE_BYTES, type UnsentAccount } from './unsent-ledger.ts';

export interface LinkOutputOptions {
  readonly connection: TcpConnection;
  readonly clock: Clock;
  readonly limits: Limits;
  /** Where it tells what its client has not taken, and which says how much that may be. */
  readonly unsent: UnsentAccount;
  /** pvAccess by default. */
  readonly codec?: Codec;
  readonly bigEndian: boolean;
  /** Called whenever there is room for answers to more requests. */
  readonly readable: () => void;
}

/** What a buffer begins with after the last one was given away: little, because an idle link keeps it. */
const INITIAL_BYTES = 1_024;
/** From this size on encoded updates go to the connection as they are; an 8 MB array is copied once less. */
const UNCOPIED_BYTES = 64 * 1_024;
const OVERRUN_BYTES = 16;
/** Who has taken nothing for so long takes nothing, as far as the memory goes. */
const TAKES_MS = 1_000;
const NO_BYTES = new Uint8Array(0);
/** The BitSet that is empty. */
const NO_OVERRUN = Uint8Array.of(0);
/** Up to this size a buffer is used again. */
const KEPT_BYTES = 16 * 1_024;

export class LinkOutput implements Outlet {
  /** Where messages are encoded to. */
  readonly #writer: Writer;
  readonly #codec: Codec;
  readonly #encoding: { readonly fromServer: true; readonly codec: Codec };
  readonly #segmenter: Segmenter;
  readonly #connection: TcpConnection;
  readonly #clock: Clock;
  readonly #limits: Limits;
  /** Of one body. */
  readonly #mostBytes: number;
  readonly #unsent: UnsentAccount;
  readonly #readable: () => void;
  readonly #waiting = new Set<Sender>();
  /** Those that have something large to send. */
  readonly #waitingLarge = new Set<Sender>();
  /** What goes out before the buffer. */
  #sealed: Uint8Array[] = [];
  #sealedBytes = 0;
  readonly #flushDue = (): void => {
    this.#isFlushDue = false;
    this.flush();
  };
  #isFlushDue = false;
  /** What is to be flushed waits for `release`. */
  #isHeld = false;
  #isFlushWanted = false;
  #isClosed = false;
  #sentBytes = 0;
  #progressAt: number;
  #progressBytes = 0;

  constructor(options: LinkOutputOptions) {
    this.#connection = options.connection;
    this.#codec = options.codec ?? pva;
    this.#encoding = { fromServer: true, codec: this.#codec };
    this.#clock = options.clock;
    this.#limits = options.limits;
    this.#mostBytes = mostSentBytes(options.limits);
    this.#unsent = options.unsent;
    this.#readable = options.readable;
    this.#writer = new Writer(options.bigEndian, INITIAL_BYTES);
    this.#segmenter = new Segmenter(options.limits.maxSegmentBytes);
    this.#progressAt = options.clock.now();
  }

  /** Bytes that the client has not been given yet, as far as anybody here can know. */
  get unsentBytes(): number {
    return this.#writer.length + this.#sealedBytes + this.#connection.bufferedBytes;
  }

  /** Whether monitors are to hold their updates back; they squash them meanwhile. */
  get isCongested(): boolean {
    return this.unsentBytes >= this.#unsent.ledger.monitorPauseBytes;
  }

  /** Whether this value may be sent now: what is large waits while clients have too much of it to take. */
  hasRoomFor(value: unknown): boolean {
    return this.#unsent.hasRoom || weightOf(value) < LARGE_BYTES;
  }

  /** Whether requests are to wait, because their answers would only pile up. */
  get isFull(): boolean {
    return this.unsentBytes >= this.#unsent.ledger.readPauseBytes;
  }

  /**
   * Writes the message at the end of this turn.
   * @throws LocalProtocolError when it cannot be encoded, LimitError when no peer would read it; nothing of it is written then
   */
  send(message: ServerMessageToSend): void {
    const writer = this.#writer;
    const start = writer.length;
    writer.growUpTo(start + HEADER_BYTES + this.#mostBytes);
    try {
      encodeMessage(writer, message, this.#encoding);
    } finally {
      writer.growUpTo(Number.POSITIVE_INFINITY);
    }
    this.#segmenter.encoded(start, writer.length);
    this.flushSoon();
  }

  sendGot(ioid: number, subcommand: number, update: EncodedUpdate): void {
    if (this.#isClosed) return;
    if (this.#codec !== pva) {
      return this.send({ command: 'GET', phase: 'exec', ioid, subcommand, status: OK, update });
    }
    const { bytes } = update;
    const start = this.#writer.length;
    writeGetHead(this.#writer, ioid, subcommand, bytes.length);
    this.#addData(start, bytes, NO_BYTES);
  }

  sendUpdate(ioid: number, update: EncodedUpdate, overrun: BitSet | undefined): void {
    if (this.#isClosed) return;
    if (this.#codec !== pva) {
      const message = { command: 'MONITOR', phase: 'update', ioid, subcommand: 0 } as const;
      return this.send({ ...message, update, overrun: overrun ?? BitSet.empty() });
    }
    const { bytes } = update;
    const behind = overrun === undefined ? NO_OVERRUN : this.#encoded(overrun);
    const start = this.#writer.length;
    writeMonitorHead(this.#writer, ioid, bytes.length + behind.length);
    this.#addData(start, bytes, behind);
  }

  sendPutDone(ioid: number, subcommand: number): void {
    if (this.#isClosed) return;
    if (this.#codec !== pva) return this.send({ command: 'PUT', phase: 'exec', ioid, subcommand, status: OK });
    const start = this.#writer.length;
    writePutDone(this.#writer, ioid, subcommand);
    this.#addData(start, NO_BYTES, NO_BYTES);
  }

  /** What follows the head that was written from `start` on. */
  #addData(start: number, bytes: Uint8Array, behind: Uint8Array): void {
    const writer = this.#writer;
    if (bytes.length >= UNCOPIED_BYTES && bytes.length + UNCOPIED_BYTES <= this.#limits.maxSegmentBytes) {
      this.#seal();
      this.#sealed.push(bytes);
      this.#sealedBytes += bytes.length;
      this.#unsent.lend(bytes, this.#sentBytes + this.#sealedBytes);
      writer.bytes(behind);
    } else {
      if (bytes.length > 0) writer.bytes(bytes);
      if (behind.length > 0) writer.bytes(behind);
      this.#segmenter.encoded(start, writer.length);
    }
    this.flushSoon();
  }

  #encoded(overrun: BitSet): Uint8Array {
    const writer = new Writer(this.#writer.bigEndian, OVERRUN_BYTES);
    overrun.encode(writer);
    return writer.view();
  }

  whenRoom(sender: Sender): void {
    this.#waiting.add(sender);
    this.flushSoon();
  }

  whenRoomForLarge(sender: Sender): void {
    this.#waitingLarge.add(sender);
    this.#unsent.wait();
  }

  forget(sender: Sender): void {
    this.#waiting.delete(sender);
    this.#waitingLarge.delete(sender);
  }

  /** Writes what is in the buffer at the end of this turn, or at `release`. */
  flushSoon(): void {
    if (this.#isHeld) {
      this.#isFlushWanted = true;
      return;
    }
    if (this.#isFlushDue || this.#isClosed) return;
    this.#isFlushDue = true;
    this.#clock.soon(this.#flushDue);
  }

  /** From now on what is sent waits for `release`, which comes in the same turn. */
  hold(): void {
    this.#isHeld = true;
  }

  /** Writes what was sent since `hold`. */
  release(): void {
    this.#isHeld = false;
    if (!this.#isFlushWanted) return;
    this.#isFlushWanted = false;
    this.flush();
  }

  flush(): void {
    if (this.#isClosed) return;
    this.#write();
    this.look();
  }

  /** Called when the connection has taken everything; and now and then, for what others have left room for since. */
  look(): void {
    this.tellUnsent();
    this.#makeUse();
  }

  /** Tells what the client has not taken; all links of it may be too much. */
  tellUnsent(): void {
    if (this.#isClosed) return;
    this.#unsent.holds(this.unsentBytes, this.#sentBytes - this.#connection.bufferedBytes);
  }

  /** Hands the rest to the connection; nothing is sent afterwards. */
  close(): void {
    if (this.#isClosed) return;
    this.#write();
    this.#isClosed = true;
    this.#unsent.close(this.#sentBytes);
    this.#waiting.clear();
    this.#waitingLarge.clear();
  }

  /** How long the client has taken nothing although there is something to take; 0 if there is not. */
  stalledMs(now: number): number {
    const unsent = this.#connection.bufferedBytes;
    const takenBytes = this.#sentBytes - unsent;
    if (unsent === 0 || takenBytes > this.#progressBytes) {
      this.#progressBytes = takenBytes;
      this.#progressAt = now;
    }
    return now - this.#progressAt;
  }

  /** Memory that it holds for a client that takes nothing: what is being taken goes free by itself, and is bounded. */
  stuckBytes(now: number): number {
    return this.stalledMs(now) < TAKES_MS ? 0 : this.#unsent.heldBytes;
  }

  /** The process was asleep: what the client did not take meanwhile is not held against it. */
  forgive(sleptMs: number): void {
    this.#progressAt += sleptMs;
  }

  #write(): void {
    if (this.#writer.length + this.#sealedBytes === 0) return;
    if (this.#connection.bufferedBytes === 0) this.#progressAt = this.#clock.now();
    if (this.#sealedBytes === 0 && this.#segmenter.isIdle) return this.#writeBuffer();
    this.#seal();
    const pieces = this.#sealed;
    this.#sealed = [];
    this.#sealedBytes = 0;
    for (const piece of pieces) {
      this.#sentBytes += piece.length;
      this.#connection.write(piece);
    }
  }

  #writeBuffer(): void {
    const bytes = this.#writer.view();
    this.#sentBytes += bytes.length;
    this.#connection.write(bytes);
    // Nobody holds bytes that the kernel has taken: the next answers go into the same buffer.
    if (this.#connection.bufferedBytes === 0 && bytes.length <= KEPT_BYTES) this.#writer.truncate(0);
    else this.#writer.detach(INITIAL_BYTES);
  }

  /** Gives the buffer away, to go out before what comes next. */
  #seal(): void {
    if (this.#writer.length === 0) return;
    for (const piece of this.#segmenter.pieces(this.#writer.detach(INITIAL_BYTES))) {
      this.#sealed.push(piece);
      this.#sealedBytes += piece.length;
    }
  }

  #makeUse(): void {
    // Before requests: one that was held back may be answered with so much that nothing else has room behind it.
    // Whoever stops again, because the link is congested again, goes to the end: every monitor gets its turn.
    for (const sender of this.#waiting) {
      if (this.isCongested) break;
      this.#waiting.delete(sender);
      sender.resume();
    }
    if (!this.isFull) this.#readable();
    if (this.#waitingLarge.size > 0) this.#resumeLarge();
  }

  /** One after the other as long as there is room; who finds none waits again, behind the others. */
  #resumeLarge(): void {
    const waiting = Array.from(this.#waitingLarge);
    for (const sender of waiting) {
      if (!this.#unsent.hasRoom) return this.#unsent.wait();
      this.#waitingLarge.delete(sender);
      sender.resume();
    }
  }
}
