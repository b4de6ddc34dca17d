// How does a decoded conversation read for programs: which JSON object is an entry?
//
//   {"kind":"message","number":9,"time":0.0005,"transport":"tcp",...,"command":"GET","fields":[{"name":"requestID",...}]}
//   {"kind":"skipped",...,"offset":0,"length":3,"hex":"000102","reason":"..."}
//   {"kind":"connection",...,"event":"opened"}
//   {"kind":"leftOut","reason":"...","count":3,"firstPacket":12}

import { formatJson, type FieldNote } from '../protocol/index.ts';
import type { Entry, MessageEntry, Place } from './capture/entry.ts';
import type { LeftOut } from './capture/packet.ts';

/** Of a longer field neither bytes nor value are given: no reader of lines wants a line of an image. */
const MAX_FIELD_BYTES = 1024 * 1024;
const NS_PER_SECOND = 1e9;
const NS_PER_MS = 1_000_000n;
/** Milliseconds around 1970 that a date can have. */
const MAX_DATE_MS = 8_640_000_000_000_000n;

/** One line, ended by a newline. */
export function decodedJson(entry: Entry, number: number): string {
  switch (entry.kind) {
    case 'message':
      return messageJson(entry, number);
    case 'skipped': {
      const { offset, count, bytes, reason } = entry.skipped;
      return line({ kind: 'skipped', ...placeJson(entry.place), offset, length: count, hex: hexOf(bytes), reason });
    }
    case 'connection':
      return line({ kind: 'connection', ...placeJson(entry.place), event: entry.event });
  }
}

export function leftOutJson({ reason, count, first }: LeftOut['reasons'][number]): string {
  return line({ kind: 'leftOut', reason, count, firstPacket: first });
}

function messageJson({ place, offset, traced }: MessageEntry, number: number): string {
  const { header, headerBytes, command, words, part, pvNames, fields, body, problem } = traced;
  const { version, flags, isControl, segment, fromServer, bigEndian, size } = header;
  const head = JSON.stringify({
    kind: 'message',
    number,
    ...placeJson(place),
    offset,
    sender: fromServer ? 'server' : 'client',
    command,
    subcommand: words,
    part,
    pvNames,
    header: {
      hex: hexOf(headerBytes),
      version,
      flags,
      isControl,
      segment,
      fromServer,
      bigEndian,
      command: header.command,
      size,
    },
    length: body.length,
    problem: problem ?? null,
  });
  return `${head.slice(0, -1)},"fields":${fieldsJson(fields, body)}}\n`;
}

function fieldsJson(fields: readonly FieldNote[], body: Uint8Array): string {
  return `[${fields.map((field) => fieldJson(field, body)).join(',')}]`;
}

/** Values are written as text, since an object would reorder fields named "1" and lose "__proto__". */
function fieldJson({ name, start, end, content, remark, fields }: FieldNote, body: Uint8Array): string {
  const isLong = end - start > MAX_FIELD_BYTES;
  const head = JSON.stringify({
    name,
    offset: start,
    length: end - start,
    hex: isLong ? null : hexOf(body.subarray(start, end)),
    remark: remark === '' ? undefined : remark,
  });
  const value = content === undefined ? '' : `,"value":${isLong ? 'null' : formatJson(content.type, content.value)}`;
  const below = fields.length === 0 ? '' : `,"fields":${fieldsJson(fields, body)}`;
  return `${head.slice(0, -1)}${value}${below}}`;
}

function placeJson({ sinceStartNs, timeNs, transport, connection, from, to }: Place): object {
  return {
    // Seconds since the first packet.
    time: sinceStartNs === undefined ? undefined : Number(sinceStartNs) / NS_PER_SECOND,
    wallTime: timeNs === undefined ? undefined : isoTime(timeNs),
    transport,
    connection,
    from: from === '' ? undefined : from,
    to: to === '' ? undefined : to,
  };
}

/** `2026-11-21T04:01:02.003004005Z`; null for a time that no calendar has. */
function isoTime(timeNs: bigint): string | null {
  const ms = timeNs / NS_PER_MS;
  if (ms < 0n || ms > MAX_DATE_MS) return null;
  const belowMs = String(timeNs % NS_PER_MS).padStart(6, '0');
  return new Date(Number(ms)).toISOString().replace('Z', `${belowMs}Z`);
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
}

function line(object: object): string {
  return `${JSON.stringify(object)}\n`;
}
