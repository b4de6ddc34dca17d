// Where does the body of a server's message say which request or channel it is about? In pvAccess and in MessagePack, so
// that the load generator finds out without decoding anything.

import { msgpack } from '../protocol/codecs/msgpack.ts';
import {
  FIXARRAY,
  FIXINT_MAX,
  FIXSTR,
  MAX_U32,
  UINT16,
  UINT32,
  UINT64,
  UINT8,
} from '../protocol/codecs/msgpack-format.ts';
import { PackReader } from '../protocol/codecs/msgpack-reader.ts';
import type { Codec } from '../protocol/codecs/codec.ts';
import { PvaError } from '../protocol/errors.ts';
import type { Frame } from '../protocol/framer.ts';

/** What the bodies of replies have in common: they begin with an id. */
export interface BodyForm {
  /** The id of the body at `at`; `NO_ID` when it is not whole before `end`, or in a form that only `idIn` reads. */
  idAt(bytes: Buffer, at: number, end: number, bigEndian: boolean): number;
  /** The id of a whole message, in every form that it may have; `NO_ID` when it has none. */
  idIn(frame: Frame): number;
  /** Where four bytes of a body stand for its first id when that is `WIDEST_ID`. */
  readonly wideIdAt: number;
}

export const NO_ID = -1;
/** Takes as many bytes as an id may. */
export const WIDEST_ID = 0xffff_ffff;
const ID_BYTES = 4;

export function bodyFormOf(codec: Codec): BodyForm {
  return codec === msgpack ? PACKED : PLAIN;
}

/** Bytes behind the first one of a whole number that has no sign; NaN for anything else. */
export function packedWidth(first: number): number {
  if (first <= FIXINT_MAX) return 0;
  return first >= UINT8 && first <= UINT64 ? 2 ** (first - UINT8) : Number.NaN;
}

const PLAIN: BodyForm = {
  wideIdAt: 0,
  idAt: (bytes, at, end, bigEndian) => (at + ID_BYTES > end ? NO_ID : u32At(bytes, at, bigEndian)),
  idIn: ({ header, body }) =>
    body.length < ID_BYTES ? NO_ID : new DataView(body.buffer, body.byteOffset).getUint32(0, !header.bigEndian),
};

const PACKED: BodyForm = {
  // Behind the head of the array and the byte that says how wide the id is.
  wideIdAt: 2,
  idAt(bytes, at, end) {
    const [head = 0, first = 0] = [bytes[at], bytes[at + 1]];
    if (at + 2 > end || head < FIXARRAY || head >= FIXSTR) return NO_ID;
    const next = at + 2;
    switch (first) {
      case UINT8:
        return next + 1 > end ? NO_ID : (bytes[next] ?? 0);
      case UINT16:
        return next + 2 > end ? NO_ID : ((bytes[next] ?? 0) << 8) | (bytes[next + 1] ?? 0);
      case UINT32:
        return next + ID_BYTES > end ? NO_ID : u32At(bytes, next, true);
      default:
        return first <= FIXINT_MAX ? first : NO_ID;
    }
  },
  idIn({ body }) {
    const input = new PackReader(body);
    try {
      input.arrayHead();
      return input.integer(0, MAX_U32);
    } catch (thrown) {
      if (thrown instanceof PvaError) return NO_ID;
      throw thrown;
    }
  },
};

/** `Buffer.readUInt32LE` checks its arguments, which takes longer. */
export function u32At(bytes: Buffer, at: number, bigEndian: boolean): number {
  const first = bytes[at] ?? 0;
  const second = bytes[at + 1] ?? 0;
  const third = bytes[at + 2] ?? 0;
  const fourth = bytes[at + 3] ?? 0;
  return bigEndian
    ? ((first << 24) | (second << 16) | (third << 8) | fourth) >>> 0
    : (first | (second << 8) | (third << 16) | (fourth << 24)) >>> 0;
}
