// How are the items of MessagePack written? Each in its shortest form, into a writer that is big endian, as MessagePack is.

import { LocalProtocolError } from '../errors.ts';
import { encodeAscii, encodeText } from '../text.ts';
import type { Writer } from '../writer.ts';
import * as f from './msgpack-format.ts';

export function writeNil(out: Writer): void {
  out.u8(f.NIL);
}

export function writeBoolean(out: Writer, value: boolean): void {
  out.u8(value ? f.TRUE : f.FALSE);
}

/** A whole number of 32 bits, with or without a sign. */
export function writeInteger(out: Writer, value: number): void {
  if (value >= 0) {
    if (value <= f.FIXINT_MAX) return out.u8(value);
    return writeSized(out, value, f.UINT8, f.UINT16, f.UINT32);
  }
  if (value >= -0x20) return out.i8(value);
  if (value >= -0x80) {
    out.u8(f.INT8);
    return out.i8(value);
  }
  if (value >= -0x8000) {
    out.u8(f.INT16);
    return out.i16(value);
  }
  out.u8(f.INT32);
  out.i32(value);
}

/** A whole number of 64 bits, with or without a sign. */
export function writeLong(out: Writer, value: bigint): void {
  if (value >= -0x8000_0000n && value <= 0xffff_ffffn) return writeInteger(out, Number(value));
  if (value < 0n) {
    out.u8(f.INT64);
    return out.i64(value);
  }
  out.u8(f.UINT64);
  out.u64(value);
}

export function writeFloat(out: Writer, value: number): void {
  out.u8(f.FLOAT32);
  out.f32(value);
}

export function writeDouble(out: Writer, value: number): void {
  out.u8(f.FLOAT64);
  out.f64(value);
}

export function writeText(out: Writer, text: string): void {
  if (text.length <= f.FIXSTR_BYTES) {
    const at = out.reserve(1 + text.length);
    if (encodeAscii(text, out.buffer, at + 1)) {
      out.buffer[at] = f.FIXSTR | text.length;
      return;
    }
    out.truncate(at);
  }
  const bytes = encodeText(text);
  if (bytes.length <= f.FIXSTR_BYTES) out.u8(f.FIXSTR | bytes.length);
  else writeSized(out, bytes.length, f.STR8, f.STR16, f.STR32);
  out.bytes(bytes);
}

export function writeBytes(out: Writer, bytes: Uint8Array): void {
  writeSized(out, bytes.length, f.BIN8, f.BIN16, f.BIN32);
  out.bytes(bytes);
}

/** The elements follow. */
export function writeArrayHead(out: Writer, count: number): void {
  if (count <= f.FIX_COUNT) return out.u8(f.FIXARRAY | count);
  writeSized(out, count, undefined, f.ARRAY16, f.ARRAY32);
}

/** The pairs of key and value follow. */
export function writeMapHead(out: Writer, count: number): void {
  if (count <= f.FIX_COUNT) return out.u8(f.FIXMAP | count);
  writeSized(out, count, undefined, f.MAP16, f.MAP32);
}

/** The bytes follow. */
export function writeExtensionHead(out: Writer, type: number, length: number): void {
  const fixed = FIXED_EXTENSIONS.get(length);
  if (fixed === undefined) writeSized(out, length, f.EXT8, f.EXT16, f.EXT32);
  else out.u8(fixed);
  out.u8(type);
}

const FIXED_EXTENSIONS: ReadonlyMap<number, number> = new Map([
  [1, f.FIXEXT1],
  [2, f.FIXEXT2],
  [4, f.FIXEXT4],
  [8, f.FIXEXT8],
  [16, f.FIXEXT16],
]);

/** A first byte that says how wide the number behind it is. */
function writeSized(out: Writer, value: number, first8: number | undefined, first16: number, first32: number): void {
  if (first8 !== undefined && value <= f.MAX_U8) {
    out.u8(first8);
    return out.u8(value);
  }
  if (value <= f.MAX_U16) {
    out.u8(first16);
    return out.u16(value);
  }
  if (value > f.MAX_U32) throw new LocalProtocolError(`${value} does not fit MessagePack, at most ${f.MAX_U32} does`);
  out.u8(first32);
  out.u32(value);
}
