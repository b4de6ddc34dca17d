// Which replies are exactly the ones that are expected? Found by comparing bytes, without decoding or allocating anything.
//
// The load generator has to be faster than any server. Most replies are equal to the one before to the same request, so
// their bodies are compared where they lie, also across chunks. All others go to the framer, as every message of an
// ordinary client does. test/load/reply-scanner.test.ts holds this against its plain twin.

import { Framer, type Frame } from '../protocol/framer.ts';
import { HEADER_BYTES } from '../protocol/header.ts';
import type { Limits } from '../protocol/limits.ts';
import { NO_ID, u32At, type BodyForm } from './body-form.ts';

/** What the owner of a scanner is told, in the order of the stream. */
export interface ScannerHandlers {
  /** The reply to this request is what was expected. */
  matched(ioid: number): void;
  /**
   * Any other message that lies whole in a chunk, with its header at `at`. True when it was understood from its bytes;
   * otherwise it comes again as a frame. Called for messages of one piece whose body begins with an id.
   */
  raw?(command: number, id: number, bytes: Buffer, at: number, size: number): boolean;
  /** Any other message; its body is valid until this returns. What it throws is passed on by `push`. */
  frame(frame: Frame): void;
}

const MAGIC = 0xca;
const FLAGS_AT = 2;
const COMMAND_AT = 3;
const SIZE_AT = 4;
/** Flags without the byte order: an application message of a server, in one piece. */
const PLAIN_FLAGS = 0x40;
const BIG_ENDIAN = 0x80;
const CONTROL = 0x01;
/** Past this the call of the native comparison costs less than the loop. */
const LOOP_BYTES = 256;

export class ReplyScanner {
  readonly #command: number;
  readonly #form: BodyForm;
  readonly #handlers: ScannerHandlers;
  readonly #framer: Framer;
  /** By request id. */
  readonly #bodies: (Buffer | undefined)[] = [];
  /** A header that came in pieces. */
  readonly #head = Buffer.alloc(HEADER_BYTES);
  #headBytes = 0;
  /** Bytes that the framer still has to get before its message is whole. */
  #owedBytes = 0;
  /** The body that the message under way has matched so far, and how much of it. */
  #expected: Buffer | undefined;
  #matchedBytes = 0;
  #ioid = 0;

  /** `command` is the one whose replies have expected bodies, of the form `form`. */
  constructor(command: number, form: BodyForm, limits: Limits, handlers: ScannerHandlers) {
    this.#command = command;
    this.#form = form;
    this.#handlers = handlers;
    this.#framer = new Framer({ expectFromServer: true, limits });
  }

  /** From now on replies to this request are expected to have this body; it is not copied. Small ids only. */
  expect(ioid: number, body: Buffer | undefined): void {
    this.#bodies[ioid] = body;
  }

  expected(ioid: number): Buffer | undefined {
    return this.#bodies[ioid];
  }

  /** Takes the next bytes. Throws what the framer throws: then the stream is lost. */
  push(chunk: Buffer): void {
    const end = chunk.length;
    let at = this.#continue(chunk);
    while (end - at >= HEADER_BYTES) {
      const size = sizeAt(chunk, at);
      const next = at + HEADER_BYTES + size;
      const start = at + HEADER_BYTES;
      const ioid = isPlain(chunk, at)
        ? this.#form.idAt(chunk, start, next < end ? next : end, isBigEndian(chunk, at))
        : NO_ID;
      if (ioid !== NO_ID) {
        const command = chunk[at + COMMAND_AT] ?? 0;
        const body = command === this.#command ? this.#bodies[ioid] : undefined;
        if (body?.length === size) {
          if (next <= end && isEqual(body, 0, chunk, start, size)) {
            this.#handlers.matched(ioid);
            at = next;
            continue;
          }
          if (next > end && isEqual(body, 0, chunk, start, end - start)) {
            this.#head.set(chunk.subarray(at, start));
            this.#expected = body;
            this.#ioid = ioid;
            this.#matchedBytes = end - start;
            return;
          }
        } else if (next <= end && this.#handlers.raw?.(command, ioid, chunk, at, size) === true) {
          at = next;
          continue;
        }
      }
      at = this.#toFramer(chunk, at);
    }
    if (at < end) {
      this.#head.set(chunk.subarray(at));
      this.#headBytes = end - at;
    }
  }

  /** Goes on with the message that the chunk before left unfinished; returns where the next begins. */
  #continue(chunk: Buffer): number {
    if (this.#expected !== undefined) return this.#continueMatch(chunk, this.#expected);
    if (this.#headBytes > 0) return this.#continueHead(chunk);
    if (this.#owedBytes === 0) return 0;
    const piece = Math.min(this.#owedBytes, chunk.length);
    this.#owedBytes -= piece;
    this.#framer.push(chunk.subarray(0, piece), this.#accept);
    return piece;
  }

  #continueMatch(chunk: Buffer, body: Buffer): number {
    const piece = Math.min(body.length - this.#matchedBytes, chunk.length);
    if (isEqual(body, this.#matchedBytes, chunk, 0, piece)) {
      this.#matchedBytes += piece;
      if (this.#matchedBytes < body.length) return piece;
      this.#expected = undefined;
      this.#handlers.matched(this.#ioid);
      return piece;
    }
    // What has matched is known, so nothing of it had to be kept.
    this.#expected = undefined;
    this.#framer.push(this.#head, this.#accept);
    this.#framer.push(body.subarray(0, this.#matchedBytes), this.#accept);
    this.#owedBytes = body.length - this.#matchedBytes - piece;
    this.#framer.push(chunk.subarray(0, piece), this.#accept);
    return piece;
  }

  #continueHead(chunk: Buffer): number {
    const piece = chunk.subarray(0, HEADER_BYTES - this.#headBytes);
    this.#head.set(piece, this.#headBytes);
    this.#headBytes += piece.length;
    if (this.#headBytes < HEADER_BYTES) return piece.length;
    this.#headBytes = 0;
    const bodyBytes = isControl(this.#head, 0) ? 0 : sizeAt(this.#head, 0);
    const bodyPiece = Math.min(bodyBytes, chunk.length - piece.length);
    this.#owedBytes = bodyBytes - bodyPiece;
    this.#framer.push(this.#head, this.#accept);
    this.#framer.push(chunk.subarray(piece.length, piece.length + bodyPiece), this.#accept);
    return piece.length + bodyPiece;
  }

  #toFramer(chunk: Buffer, at: number): number {
    const bodyBytes = isControl(chunk, at) ? 0 : sizeAt(chunk, at);
    const whole = at + HEADER_BYTES + bodyBytes;
    const next = Math.min(whole, chunk.length);
    this.#owedBytes = whole - next;
    this.#framer.push(chunk.subarray(at, next), this.#accept);
    return next;
  }

  /** A message that was cut, or is not what was expected. */
  readonly #accept = (frame: Frame): void => {
    const ioid = frame.header.command === this.#command ? this.#form.idIn(frame) : NO_ID;
    if (this.#bodies[ioid]?.equals(frame.body) === true) this.#handlers.matched(ioid);
    else this.#handlers.frame(frame);
  };
}

function isPlain(bytes: Buffer, at: number): boolean {
  // Version 0 does not exist; the framer says so.
  return bytes[at] === MAGIC && bytes[at + 1] !== 0 && ((bytes[at + FLAGS_AT] ?? 0) & ~BIG_ENDIAN) === PLAIN_FLAGS;
}

function isControl(bytes: Buffer, at: number): boolean {
  return ((bytes[at + FLAGS_AT] ?? 0) & CONTROL) !== 0;
}

function isBigEndian(bytes: Buffer, at: number): boolean {
  return ((bytes[at + FLAGS_AT] ?? 0) & BIG_ENDIAN) !== 0;
}

/** Of the body; in a control message a value. */
function sizeAt(bytes: Buffer, at: number): number {
  return u32At(bytes, at + SIZE_AT, isBigEndian(bytes, at));
}

function isEqual(expected: Buffer, expectedAt: number, bytes: Buffer, at: number, count: number): boolean {
  if (count > LOOP_BYTES) return expected.compare(bytes, at, at + count, expectedAt, expectedAt + count) === 0;
  for (let index = 0; index < count; index++) {
    if (expected[expectedAt + index] !== bytes[at + index]) return false;
  }
  return true;
}
