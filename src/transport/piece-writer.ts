// How do bytes get to a socket? In pieces: node tells of a write when all of it is out, and whether a peer takes what it is
// sent has to be seen while it takes an image. And whoever waits for room is told when all is out, however little it was.

import type { Socket } from 'node:net';

/**
 * So much is with node at once, so that what a slow peer takes is seen several times a second. One that takes it quickly is
 * given twice as much the next time: an array of 8 MB in pieces of 64 KiB took a quarter longer, in pieces of 1 MiB a tenth.
 * Nothing of a piece is seen before all of it is out, and the peer may have become slow: `crowdedStallMs` leaves time for one.
 */
const LEAST_BYTES = 64 * 1024;
const MOST_BYTES = 2 * 1024 * 1024;
/** A piece that was taken within this is one of a quick peer, and of a slow one past the other. */
const QUICK_MS = 10;
const SLOW_MS = 100;
/** Where something always waits, the places of so many that wait no more are given back together. */
const PLACES_COUNT = 1_000;
const NOTHING = new Uint8Array(0);

export class PieceWriter {
  readonly #socket: Socket;
  readonly #allOut: () => void;
  /** What node does not have yet, from `#first` on; the first of it may be partly gone. */
  #waiting: Uint8Array[] = [];
  #first = 0;
  #waitingBytes = 0;
  #isLastAwaited = false;
  #pieceBytes = LEAST_BYTES;
  /** When node was given the piece that is on its way: the first of it, as more may follow. */
  #givenAt = 0;

  /** `allOut` is called when everything is out, after some of it had to wait. */
  constructor(socket: Socket, allOut: () => void) {
    this.#socket = socket;
    this.#allOut = allOut;
    socket.on('drain', () => this.#goOn());
    // Before node's own listener, which ends our side: what was written before goes out all the same.
    socket.prependListener('end', () => this.handOver());
  }

  /** Bytes that the kernel has not accepted, as far as is known. */
  get bufferedBytes(): number {
    return this.#socket.writableLength + this.#waitingBytes;
  }

  write(bytes: Uint8Array): boolean {
    const socket = this.#socket;
    if (!socket.writable) return false;
    if (this.#waitingBytes === 0 && socket.writableLength + bytes.length <= this.#pieceBytes) {
      const wasIdle = socket.writableLength === 0;
      const isBelow = socket.write(bytes);
      if (socket.writableLength === 0) return isBelow;
      if (wasIdle) this.#givenAt = performance.now();
      this.#awaitLast();
      return isBelow;
    }
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    this.#feed();
    return this.bufferedBytes < socket.writableHighWaterMark && !socket.writableNeedDrain;
  }

  /** Gives node all that waits: nothing is written any more. */
  handOver(): void {
    const waiting = this.#waiting.slice(this.#first);
    this.#forget();
    for (const bytes of waiting) this.#socket.write(bytes);
  }

  #feed(): void {
    const socket = this.#socket;
    while (this.#waitingBytes > 0 && socket.writableLength < this.#pieceBytes) {
      const wasIdle = socket.writableLength === 0;
      // What is small goes out with one call of the system.
      socket.cork();
      let room = this.#pieceBytes - socket.writableLength;
      while (room > 0 && this.#waitingBytes > 0) room -= this.#feedOne(room);
      socket.uncork();
      if (socket.writableLength === 0) this.#grow();
      else if (wasIdle) this.#givenAt = performance.now();
    }
    if (this.#waitingBytes === 0) this.#forget();
    if (socket.writableLength > 0) this.#awaitLast();
  }

  /** At most `room` bytes; gives how many. */
  #feedOne(room: number): number {
    const bytes = this.#waiting[this.#first] ?? NOTHING;
    const piece = bytes.length <= room ? bytes : bytes.subarray(0, room);
    this.#waiting[this.#first] = piece === bytes ? NOTHING : bytes.subarray(room);
    if (piece === bytes && ++this.#first === PLACES_COUNT) {
      this.#waiting.splice(0, PLACES_COUNT);
      this.#first = 0;
    }
    this.#waitingBytes -= piece.length;
    this.#socket.write(piece);
    return piece.length;
  }

  /** node tells that all is out only after much: an empty write behind little is told of as well. */
  #awaitLast(): void {
    if (this.#isLastAwaited || this.#socket.writableNeedDrain) return;
    this.#isLastAwaited = true;
    this.#socket.write(NOTHING, () => {
      this.#isLastAwaited = false;
      this.#goOn();
    });
  }

  #goOn(): void {
    const socket = this.#socket;
    if (socket.destroyed) return this.#forget();
    if (this.#waitingBytes > 0) {
      const tookMs = performance.now() - this.#givenAt;
      if (tookMs < QUICK_MS) this.#grow();
      else if (tookMs > SLOW_MS) this.#pieceBytes = LEAST_BYTES;
      this.#feed();
    }
    if (this.bufferedBytes === 0) this.#allOut();
    else this.#awaitLast();
  }

  #grow(): void {
    this.#pieceBytes = Math.min(this.#pieceBytes * 2, MOST_BYTES);
  }

  #forget(): void {
    this.#waiting = [];
    this.#first = 0;
    this.#waitingBytes = 0;
  }
}
