// How do the three replies go out that a busy server sends most? Like `encodeMessage` writes them, byte for byte, but with
// room claimed once and no message object.
//
// What follows them, BitSet and data, is bytes already: the caller adds it behind.

import { HEADER_BYTES, placeHeader, placeU32 } from '../header.ts';
import { STATUS_SHORT_OK } from '../status.ts';
import type { Writer } from '../writer.ts';
import { get } from './get.ts';
import { monitor } from './monitor.ts';
import { put } from './put.ts';

/** requestID and subcommand. */
const IDS_BYTES = 5;
const STATUS_BYTES = 1;

/** All of a successful GET's reply up to its `dataBytes` bytes of update. */
export function writeGetHead(writer: Writer, ioid: number, subcommand: number, dataBytes: number): void {
  writeOkHead(writer, get.code, ioid, subcommand, dataBytes);
}

/** A successful PUT's whole reply. */
export function writePutDone(writer: Writer, ioid: number, subcommand: number): void {
  writeOkHead(writer, put.code, ioid, subcommand, 0);
}

/** All of an update up to its `dataBytes` bytes of update and overrun. */
export function writeMonitorHead(writer: Writer, ioid: number, dataBytes: number): void {
  writeIds(writer, monitor.code, ioid, 0, 0, dataBytes);
}

function writeOkHead(writer: Writer, code: number, ioid: number, subcommand: number, dataBytes: number): void {
  const at = writeIds(writer, code, ioid, subcommand, STATUS_BYTES, dataBytes);
  writer.buffer[at] = STATUS_SHORT_OK;
}

/** Returns where the `moreBytes` begin that are claimed behind. */
function writeIds(
  writer: Writer,
  code: number,
  ioid: number,
  subcommand: number,
  moreBytes: number,
  dataBytes: number,
): number {
  const at = writer.reserve(HEADER_BYTES + IDS_BYTES + moreBytes);
  const { buffer, bigEndian } = writer;
  placeHeader(buffer, at, code, IDS_BYTES + moreBytes + dataBytes, bigEndian);
  placeU32(buffer, at + HEADER_BYTES, ioid, bigEndian);
  buffer[at + HEADER_BYTES + 4] = subcommand;
  return at + HEADER_BYTES + IDS_BYTES;
}
