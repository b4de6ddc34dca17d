// What does a segment of the journal look like as bytes, and where does it stop being whole?
//
//   segment: magic u32, format u32, its number u64, boot id of the machine 16 bytes, crc32 of these u32; then groups
//   group:   bytes of its records u32, its number u64, crc32 of these u32, crc32 of the records u32; then records
//   record:  kind u8, name, bytes that follow u32 or REMOVED, the bytes (channel-records.ts)
//
// A group that is cut short is what a process leaves that is killed while it writes: nobody was told that it is there. The
// head of a group has a checksum of its own, so that a damaged length is not taken for that. Checksums of groups begin with
// the one of their segment: what the disk had at this place before does not fit.

import { crc32 } from 'node:zlib';
import { PvaError } from '../../../protocol/errors.ts';
import { Reader } from '../../../protocol/reader.ts';
import type { Writer } from '../../../protocol/writer.ts';
import { StoreError } from '../store-error.ts';
import { KINDS, type RecordChange, type RecordKind } from './record.ts';

/** Moves when segments can no longer be read by those who read the ones before. */
export const JOURNAL_FORMAT = 1;
/** "pvkj" in the file. */
const MAGIC = 0x6a_6b_76_70;
export const BOOT_ID_BYTES = 16;
const CHECKSUM_BYTES = 4;
export const SEGMENT_HEAD_BYTES = 36;
export const GROUP_HEAD_BYTES = 20;
/** Of the head of a group, what its checksum is of. */
const GROUP_CHECKED_BYTES = 12;
const GROUP_SEAL_OFFSET = GROUP_CHECKED_BYTES + CHECKSUM_BYTES;
/** Instead of a length: the record is no more. */
const REMOVED = 0xffff_ffff;

const KIND_OF: ReadonlyMap<number, RecordKind> = new Map([
  [KINDS.definition, 'definition'],
  [KINDS.value, 'value'],
]);

/** Which start of the machine this is, 16 bytes; zeros where nobody knows. */
export type BootId = Uint8Array;

/** Where a segment ends, and what of it counts. */
export interface SegmentEnd {
  /** When it was written; undefined where not even its head came to be. */
  readonly bootId: BootId | undefined;
  /** What there is up to the end of the last whole group. */
  readonly wholeBytes: number;
  /** Number of the last whole group; that of the one before the segment where it has none. */
  readonly lastGroup: number;
  /** What is wrong behind that; undefined where there is nothing, or a group that was cut short. */
  readonly damage: string | undefined;
}

/** Writes the head of a segment; returns what the checksums of its groups begin with. */
export function writeSegmentHead(writer: Writer, number: number, bootId: BootId): number {
  const start = writer.length;
  writer.u32(MAGIC);
  writer.u32(JOURNAL_FORMAT);
  writer.u64(BigInt(number));
  writer.bytes(bootId);
  const seed = crc32(writer.view().subarray(start));
  writer.u32(seed);
  return seed;
}

/** Leaves room for the head of a group, whose records follow; `sealGroup` ends it. */
export function beginGroup(writer: Writer): void {
  writer.reserve(GROUP_HEAD_BYTES);
}

/** Fills in the head of the group that is all that the writer has. */
export function sealGroup(writer: Writer, number: number, seed: number): void {
  const bytes = writer.view();
  const recordBytes = bytes.length - GROUP_HEAD_BYTES;
  const view = new DataView(bytes.buffer, bytes.byteOffset, GROUP_HEAD_BYTES);
  view.setUint32(0, recordBytes, true);
  view.setBigUint64(4, BigInt(number), true);
  const check = crc32(bytes.subarray(0, GROUP_CHECKED_BYTES), seed);
  view.setUint32(GROUP_CHECKED_BYTES, check, true);
  view.setUint32(GROUP_SEAL_OFFSET, crc32(bytes.subarray(GROUP_HEAD_BYTES), check), true);
}

/** Begins a record whose bytes follow; `endRecord` is given what this returns. */
export function beginRecord(writer: Writer, kind: RecordKind, name: string): number {
  writer.u8(KINDS[kind]);
  writer.string(name);
  return writer.reserveU32();
}

export function endRecord(writer: Writer, place: number): void {
  writer.patchU32(place, writer.length - place - 4);
}

/** Says that a record is no more. */
export function writeRemoval(writer: Writer, kind: RecordKind, name: string): void {
  writer.patchU32(beginRecord(writer, kind, name), REMOVED);
}

/** The records of a group; their bytes are views. @throws PvaError when they are none */
export function readRecords(bytes: Uint8Array): readonly RecordChange[] {
  const reader = new Reader(bytes, false);
  const changes: RecordChange[] = [];
  while (reader.remaining > 0) {
    const code = reader.u8();
    const kind = KIND_OF.get(code);
    if (kind === undefined) throw new StoreError('STORE_FORMAT', `a record of kind ${code}`);
    const name = reader.string();
    const length = reader.u32();
    changes.push([kind, name, length === REMOVED ? undefined : reader.view(length)]);
  }
  return changes;
}

/**
 * Reads a segment as far as it is whole; `take` is given the records of each group, in order.
 * @param lastGroup the number of the group before it
 * @throws StoreError STORE_FORMAT when it is no segment of ours, another one, or of a newer format
 */
export function readSegment(
  bytes: Uint8Array,
  number: number,
  lastGroup: number,
  take: (records: readonly RecordChange[]) => void,
): SegmentEnd {
  const head = readHead(bytes, number);
  if (head === undefined) {
    const damage = bytes.length > SEGMENT_HEAD_BYTES ? 'its beginning was never written' : undefined;
    return { bootId: undefined, wholeBytes: 0, lastGroup, damage };
  }
  const { bootId, seed } = head;
  const reader = new Reader(bytes, false);
  reader.skip(SEGMENT_HEAD_BYTES);
  let last = lastGroup;
  const endsAt = (wholeBytes: number, damage?: string): SegmentEnd => ({ bootId, wholeBytes, lastGroup: last, damage });
  for (;;) {
    const start = reader.offset;
    if (reader.remaining < GROUP_HEAD_BYTES) return endsAt(start);
    const length = reader.u32();
    const group = Number(reader.u64());
    const check = crc32(bytes.subarray(start, start + GROUP_CHECKED_BYTES), seed);
    if (reader.u32() !== check) return endsAt(start, 'the checksum of the head of a group does not fit');
    const seal = reader.u32();
    if (length > reader.remaining) return endsAt(start);
    if (group !== last + 1) return endsAt(start, `group ${last + 1} is missing, group ${group} is there`);
    const body = reader.view(length);
    if (seal !== crc32(body, check)) return endsAt(start, 'the checksum of a group does not fit');
    const records = recordsIn(body);
    if (typeof records === 'string') return endsAt(start, records);
    take(records);
    last = group;
  }
}

/** Undefined where the process was killed, or the power lost, before the head was written. */
function readHead(bytes: Uint8Array, number: number): { readonly bootId: BootId; readonly seed: number } | undefined {
  if (isUnwritten(bytes)) return undefined;
  if (bytes.length < SEGMENT_HEAD_BYTES || !startsAsOurs(bytes)) throw wrongSegment('it is no journal of pvkit');
  const reader = new Reader(bytes, false);
  reader.skip(4);
  const format = reader.u32();
  if (format > JOURNAL_FORMAT)
    throw wrongSegment(`it is of format ${format}; this version of pvkit reads up to ${JOURNAL_FORMAT}`);
  const written = reader.u64();
  const bootId = reader.view(BOOT_ID_BYTES);
  const seed = reader.u32();
  if (seed !== crc32(bytes.subarray(0, SEGMENT_HEAD_BYTES - CHECKSUM_BYTES)))
    throw wrongSegment('it is damaged: the checksum of its head does not fit');
  if (written !== BigInt(number)) throw wrongSegment(`it is the segment ${written} under another name`);
  return { bootId, seed };
}

/** Whether a part of the head is all that there is, or zeros are where it should be, as only a loss of power leaves them. */
function isUnwritten(bytes: Uint8Array): boolean {
  const writtenBytes = bytes.findLastIndex((byte) => byte !== 0) + 1;
  if (writtenBytes < SEGMENT_HEAD_BYTES) return startsAsOurs(bytes.subarray(0, writtenBytes));
  return bytes.subarray(0, SEGMENT_HEAD_BYTES).every((byte) => byte === 0);
}

/** Whether it begins with as much of the magic as there are bytes for. */
function startsAsOurs(bytes: Uint8Array): boolean {
  return bytes.subarray(0, 4).every((byte, index) => byte === ((MAGIC >>> (8 * index)) & 0xff));
}

/** The records of a group whose checksum fits, or why they cannot be read. */
function recordsIn(body: Uint8Array): readonly RecordChange[] | string {
  try {
    return readRecords(body);
  } catch (thrown) {
    if (!(thrown instanceof PvaError)) throw thrown;
    return `the records of a group cannot be read: ${thrown.message}`;
  }
}

function wrongSegment(why: string): StoreError {
  return new StoreError('STORE_FORMAT', why);
}
