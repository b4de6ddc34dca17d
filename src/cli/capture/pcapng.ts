// Which packets are in a pcapng file?
//
// Format: https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng-02.html. A file is a row of blocks; a section header
// says the byte order of what follows it, an interface block the kind of link and how times count.

import { Reader } from '../../protocol/index.ts';
import { brokenAt } from './capture-error.ts';
import type { Packet } from './packet.ts';
import { MAX_PACKET_BYTES } from './pcap.ts';

const SECTION_HEADER = 0x0a0d0d0a;
const INTERFACE = 1;
const OLD_PACKET = 2;
const SIMPLE_PACKET = 3;
const ENHANCED_PACKET = 6;

const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
/** Type, length, and the length once more at the end. */
const BLOCK_BYTES = 12;
const MAX_BLOCK_BYTES = 16 * 1024 * 1024;
const MAX_INTERFACES = 4_096;

const OPTION_END = 0;
const OPTION_TIME_RESOLUTION = 9;
const OPTION_TIME_OFFSET = 14;
/** Of the time resolution: the power is one of two, not of ten. */
const POWER_OF_TWO = 0x80;
/** More digits than nanoseconds have are cut off; a power past this one is a mistake. */
const MAX_POWER = 63;
const DEFAULT_POWER = 6;
const NS_PER_SECOND = 1_000_000_000n;

interface Interface {
  readonly linkType: number;
  /** Bytes of a packet that were kept; 0 for all. */
  readonly keptBytes: number;
  readonly ticksPerSecond: bigint;
  readonly offsetSeconds: bigint;
}

/** Throws `CaptureError` where the file breaks off or makes no sense; the packets before are given out. */
export function* packetsOfPcapng(file: Uint8Array): Generator<Packet, void> {
  let bigEndian = false;
  let interfaces: Interface[] = [];
  let number = 0;
  for (let at = 0; at < file.length;) {
    const isSection = file.length - at >= BLOCK_BYTES && new Reader(file.subarray(at), true).u32() === SECTION_HEADER;
    if (isSection) {
      bigEndian = orderOf(file, at);
      interfaces = [];
    }
    const { type, body, length } = readBlock(file, at, bigEndian);
    const where = at;
    at += length;
    if (type === INTERFACE) {
      if (interfaces.length >= MAX_INTERFACES) throw brokenAt(where, 'more interfaces than any machine has');
      interfaces.push(readInterface(body, bigEndian));
    } else if (type === ENHANCED_PACKET || type === SIMPLE_PACKET || type === OLD_PACKET) {
      number++;
      yield { number, ...readPacket(type, new Reader(body, bigEndian), interfaces, where) };
    }
    // Names, statistics, secrets and what others invented are skipped.
  }
}

function orderOf(file: Uint8Array, at: number): boolean {
  const magic = file.subarray(at + 8, at + 12);
  if (new Reader(magic, true).u32() === BYTE_ORDER_MAGIC) return true;
  if (new Reader(magic, false).u32() === BYTE_ORDER_MAGIC) return false;
  throw brokenAt(at, 'section without a byte order');
}

function readBlock(
  file: Uint8Array,
  at: number,
  bigEndian: boolean,
): { readonly type: number; readonly body: Uint8Array; readonly length: number } {
  const reader = new Reader(file.subarray(at), bigEndian);
  if (reader.remaining < BLOCK_BYTES) throw brokenAt(at, 'a block is cut');
  const type = reader.u32();
  const length = reader.u32();
  if (length < BLOCK_BYTES || length % 4 !== 0 || length > MAX_BLOCK_BYTES) {
    throw brokenAt(at, `block of ${length} bytes, a multiple of 4 up to ${MAX_BLOCK_BYTES} expected`);
  }
  if (length - 8 > reader.remaining) throw brokenAt(at, 'a block is cut');
  const body = reader.view(length - BLOCK_BYTES);
  const lengthAgain = reader.u32();
  if (lengthAgain !== length) throw brokenAt(at, `block of ${length} bytes that ends with ${lengthAgain}`);
  return { type, body, length };
}

function readInterface(body: Uint8Array, bigEndian: boolean): Interface {
  const reader = new Reader(body, bigEndian);
  const linkType = reader.u16();
  reader.skip(2);
  const keptBytes = reader.u32();
  let ticksPerSecond = 10n ** BigInt(DEFAULT_POWER);
  let offsetSeconds = 0n;
  for (const { code, value } of options(reader)) {
    if (code === OPTION_TIME_RESOLUTION && value.remaining >= 1) ticksPerSecond = resolutionOf(value.u8());
    if (code === OPTION_TIME_OFFSET && value.remaining >= 8) offsetSeconds = value.i64();
  }
  return { linkType, keptBytes, ticksPerSecond, offsetSeconds };
}

function* options(reader: Reader): Generator<{ readonly code: number; readonly value: Reader }, void> {
  while (reader.remaining >= 4) {
    const code = reader.u16();
    const length = reader.u16();
    if (code === OPTION_END || length > reader.remaining) return;
    yield { code, value: new Reader(reader.view(length), reader.bigEndian) };
    reader.skip(Math.min(paddingOf(length), reader.remaining));
  }
}

function resolutionOf(byte: number): bigint {
  const power = BigInt(Math.min(byte & ~POWER_OF_TWO, MAX_POWER));
  return (byte & POWER_OF_TWO) === 0 ? 10n ** power : 2n ** power;
}

function readPacket(
  type: number,
  reader: Reader,
  interfaces: readonly Interface[],
  at: number,
): Omit<Packet, 'number'> {
  // A simple packet is of the first interface and has no time; an old one shares its word with a count of drops.
  const [headerBytes, index] =
    type === SIMPLE_PACKET
      ? [4, 0]
      : [20, reader.remaining < 20 ? -1 : type === OLD_PACKET ? reader.u16() : reader.u32()];
  const from = interfaces[index];
  if (from === undefined || reader.bytes.length < headerBytes) {
    throw brokenAt(at, `packet of an interface that is not described`);
  }
  if (type === OLD_PACKET) reader.skip(2);
  const ticks = type === SIMPLE_PACKET ? 0n : (BigInt(reader.u32()) << 32n) | BigInt(reader.u32());
  const claimedBytes = type === SIMPLE_PACKET ? undefined : reader.u32();
  const packetBytes = reader.u32();
  const kept = from.keptBytes === 0 ? packetBytes : Math.min(packetBytes, from.keptBytes);
  const capturedBytes = claimedBytes ?? Math.min(kept, reader.remaining);
  if (capturedBytes > reader.remaining || capturedBytes > MAX_PACKET_BYTES) {
    throw brokenAt(at, `packet of ${capturedBytes} bytes in a block of ${reader.bytes.length}`);
  }
  return {
    linkType: from.linkType,
    timeNs: from.offsetSeconds * NS_PER_SECOND + (ticks * NS_PER_SECOND) / from.ticksPerSecond,
    bytes: reader.view(capturedBytes),
    cutBytes: Math.max(0, packetBytes - capturedBytes),
  };
}

/** Everything starts at a multiple of four bytes. */
function paddingOf(length: number): number {
  return (4 - (length % 4)) % 4;
}
