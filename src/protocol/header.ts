// What do the eight bytes in front of every message say?
//
// Spec: Protocol-Messages, "Message Header".

import { RemoteProtocolError } from './errors.ts';
import type { Writer } from './writer.ts';

export const MAGIC = 0xca;
/** What we send. Any version but 0 is accepted: peers of later versions have to speak ours too. */
export const PROTOCOL_VERSION = 2;
/** Bytes in front of each message. Spec: Protocol-Messages, "Message Header". */
export const HEADER_BYTES = 8;

const FLAGS_AT = 2;
/** Where a header has the number of its command. */
export const COMMAND_AT = 3;
const SIZE_AT = 4;
const FLAG_CONTROL = 0x01;
const FLAG_SERVER = 0x40;
const FLAG_BIG_ENDIAN = 0x80;
const SEGMENT_SHIFT = 4;
const SEGMENT_BITS = 0x30;

/** Which part of a segmented message a message is; 'none' for one that is whole. */
export type Segment = 'none' | 'first' | 'last' | 'middle';

/** By the two segment bits of the flags. */
const SEGMENTS: readonly [Segment, Segment, Segment, Segment] = ['none', 'first', 'last', 'middle'];

/** What stands in front of a message. Spec: Protocol-Messages, "Message Header". */
export interface Header {
  readonly version: number;
  /** The flags as they came; what they say is in the members below. */
  readonly flags: number;
  /** Number of the command: of an application message, or of a control message if `isControl`. */
  readonly command: number;
  readonly isControl: boolean;
  readonly segment: Segment;
  readonly fromServer: boolean;
  readonly bigEndian: boolean;
  /** Bytes of the body that follows; in a control message a value, and nothing follows. */
  readonly size: number;
}

/** Reads the header at `offset`; the caller has made sure that eight bytes are there. */
export function readHeader(bytes: Uint8Array, offset: number): Header {
  const at = (index: number): number => bytes[offset + index] ?? 0;
  requireMagic(at(0));
  const version = at(1);
  // No peer ever spoke version 0; pvxs and core-pva close the connection too.
  if (version === 0) throw new RemoteProtocolError('header with protocol version 0, 1 or later expected');
  const flags = at(2);
  const bigEndian = (flags & FLAG_BIG_ENDIAN) !== 0;
  return {
    version,
    flags,
    command: at(3),
    isControl: (flags & FLAG_CONTROL) !== 0,
    segment: SEGMENTS[(flags & SEGMENT_BITS) >>> SEGMENT_SHIFT] ?? 'none',
    fromServer: (flags & FLAG_SERVER) !== 0,
    bigEndian,
    size: readU32(bytes, offset + SIZE_AT, bigEndian),
  };
}

/**
 * The size of the body behind the header at `offset`, where that is the header of a whole application message of that
 * side; -1 for any other, and for one that is wrong. The caller has made sure that eight bytes are there.
 */
export function plainBodyBytes(bytes: Uint8Array, offset: number, fromServer: boolean): number {
  const flags = bytes[offset + FLAGS_AT] ?? 0;
  if (bytes[offset] !== MAGIC || bytes[offset + 1] === 0) return -1;
  if ((flags & (FLAG_CONTROL | SEGMENT_BITS | FLAG_SERVER)) !== (fromServer ? FLAG_SERVER : 0)) return -1;
  return readU32(bytes, offset + SIZE_AT, (flags & FLAG_BIG_ENDIAN) !== 0);
}

/** Whether the header at `offset` says that its message is big endian. */
export function isBigEndianHeader(bytes: Uint8Array, offset: number): boolean {
  return ((bytes[offset + FLAGS_AT] ?? 0) & FLAG_BIG_ENDIAN) !== 0;
}

/** The 32 bits at `offset`; the caller has made sure that they are there. */
export function readU32(bytes: Uint8Array, offset: number, bigEndian: boolean): number {
  const [a, b, c, d] = [bytes[offset] ?? 0, bytes[offset + 1] ?? 0, bytes[offset + 2] ?? 0, bytes[offset + 3] ?? 0];
  return bigEndian ? u32(a, b, c, d) : u32(d, c, b, a);
}

export function requireMagic(first: number): void {
  if (first === MAGIC) return;
  throw new RemoteProtocolError(`message starts with 0x${first.toString(16).padStart(2, '0')}, 0xca expected`);
}

/** A header to be written; version and byte order are those of the writer's side. */
export interface HeaderToSend {
  readonly command: number;
  readonly fromServer: boolean;
  readonly isControl?: boolean;
  readonly segment?: Segment;
  /** Bytes of the body, or the value of a control message. */
  readonly size: number;
}

/** Writes a header in the writer's byte order; its size stands at `writer.length - 4` afterwards. */
export function writeHeader(writer: Writer, header: HeaderToSend): void {
  let flags = SEGMENTS.indexOf(header.segment ?? 'none') << SEGMENT_SHIFT;
  if (header.isControl === true) flags |= FLAG_CONTROL;
  if (header.fromServer) flags |= FLAG_SERVER;
  if (writer.bigEndian) flags |= FLAG_BIG_ENDIAN;
  writer.u8(MAGIC);
  writer.u8(PROTOCOL_VERSION);
  writer.u8(flags);
  writer.u8(header.command);
  writer.u32(header.size);
}

/** Sets the eight bytes at `offset` to the header of a whole application message of a server. */
export function placeHeader(
  bytes: Uint8Array,
  offset: number,
  command: number,
  size: number,
  bigEndian: boolean,
): void {
  bytes[offset] = MAGIC;
  bytes[offset + 1] = PROTOCOL_VERSION;
  bytes[offset + FLAGS_AT] = bigEndian ? FLAG_SERVER | FLAG_BIG_ENDIAN : FLAG_SERVER;
  bytes[offset + COMMAND_AT] = command;
  placeU32(bytes, offset + SIZE_AT, size, bigEndian);
}

/** Sets 32 bits at `offset`; the caller has made sure that there is room. */
export function placeU32(bytes: Uint8Array, offset: number, value: number, bigEndian: boolean): void {
  bytes[offset] = bigEndian ? value >>> 24 : value;
  bytes[offset + 1] = bigEndian ? value >>> 16 : value >>> 8;
  bytes[offset + 2] = bigEndian ? value >>> 8 : value >>> 16;
  bytes[offset + 3] = bigEndian ? value : value >>> 24;
}

/** Makes the header of a whole message that of one of its segments, in place; `size` is that of the segment's body. */
export function asSegment(header: Uint8Array, segment: Segment, size: number): Uint8Array {
  const flags = (header[FLAGS_AT] ?? 0) & ~SEGMENT_BITS;
  header[FLAGS_AT] = flags | (SEGMENTS.indexOf(segment) << SEGMENT_SHIFT);
  const view = new DataView(header.buffer, header.byteOffset, HEADER_BYTES);
  view.setUint32(SIZE_AT, size, (flags & FLAG_BIG_ENDIAN) === 0);
  return header;
}

function u32(first: number, second: number, third: number, fourth: number): number {
  return ((first << 24) | (second << 16) | (third << 8) | fourth) >>> 0;
}
