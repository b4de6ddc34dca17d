// How does a decoded conversation read, for a person who wants to learn the protocol from it?
//
//   #9  0.000500  tcp 0  client :39908 -> server :25122  GET INIT  vec:double
//       -8  ca 02 00 0a 15 00 00 00  header version 2, client, little endian, GET 0x0a, 21 bytes
//        0  01 03 05 07              serverChannelID uint = 117768961
//
// Offsets count from the body, so those of the header are negative, and errors of decoders mean the same place.

import {
  counted,
  flagWords,
  HEADER_BYTES,
  noteHeader,
  noteText,
  type FieldNote,
  type TextOptions,
} from '../protocol/index.ts';
import type { ConnectionEntry, Entry, MessageEntry, Place, SkippedEntry } from './capture/entry.ts';
import type { Paint } from './paint.ts';
import { printable } from './printable.ts';

export interface DecodeTextOptions {
  readonly paint: Paint;
  /** Header fields one by one, and long fields byte by byte. */
  readonly isVerbose: boolean;
  readonly text: TextOptions;
}

const BYTES_A_LINE = 8;
const HEX_WIDTH = BYTES_A_LINE * 3 - 1;
const OFFSET_WIDTH = 6;
/** Bytes of one field that are shown. */
const SHOWN_BYTES = 4 * BYTES_A_LINE;
const SHOWN_BYTES_VERBOSE = 64 * 1024;
/** A line of a hundred screens helps nobody. */
const MAX_LINE_CHARACTERS = 100_000;
const NS_PER_US = 1_000n;
const US_PER_SECOND = 1_000_000n;

/** Lines of one entry, a blank one behind them. */
export function decodedText(entry: Entry, number: number, options: DecodeTextOptions): string {
  switch (entry.kind) {
    case 'message':
      return messageText(entry, number, options);
    case 'skipped':
      return skippedText(entry, options);
    case 'connection':
      return connectionText(entry, options);
  }
}

// --- entries ---------------------------------------------------------------------------------------------------

function messageText({ place, traced, offset }: MessageEntry, number: number, options: DecodeTextOptions): string {
  const { header, command, words, part, pvNames, problem } = traced;
  const [sender, receiver] = header.fromServer ? ['server', 'client'] : ['client', 'server'];
  const title = [
    `#${number}`,
    ...whereWords(place, offset),
    `${named(sender, place.from)} -> ${named(receiver, place.to)}`,
    words === '' ? command : `${command} ${words}`,
    part === 'whole' ? '' : part === 'segment' ? `(${header.segment} segment)` : '(its segments joined)',
    pvNames.join(' '),
  ];
  return block(
    options.paint.bold(titleOf(title)),
    [...headerRows(traced, options), ...traced.fields.flatMap((note) => rowsOf(note, traced.body, '', 0, options))],
    problem === undefined ? [] : [options.paint.red(printable(problem))],
  );
}

function skippedText({ place, skipped }: SkippedEntry, options: DecodeTextOptions): string {
  const { offset, count, bytes, reason } = skipped;
  const title = [...whereWords(place, offset), wayOf(place), `${counted(count, 'byte')} skipped: ${reason}`];
  const rows = bytes.length === 0 ? [] : bytesRows(offset, bytes, count - bytes.length, '', options);
  return block(options.paint.yellow(titleOf(title)), rows, []);
}

function connectionText({ place, event }: ConnectionEntry, options: DecodeTextOptions): string {
  return block(options.paint.dim(titleOf([...whereWords(place), wayOf(place), `connection ${event}`])), [], []);
}

function block(title: string, rows: readonly string[], remarks: readonly string[]): string {
  const indented = [...rows, ...remarks.map((remark) => `  ${remark}`)].map((row) => `  ${row}\n`);
  return `${title}\n${indented.join('')}\n`;
}

function titleOf(words: readonly string[]): string {
  return printable(words.filter((word) => word !== '').join('  ')).replaceAll(/[\n\t]/gu, ' ');
}

/** When it was, and on which connection or at which byte of the input. */
function whereWords({ sinceStartNs, transport, connection }: Place, offset = 0): readonly string[] {
  if (transport === 'none') return [`at byte ${offset}`];
  const time = sinceStartNs === undefined ? '' : secondsText(sinceStartNs);
  return [time, connection === undefined ? transport : `${transport} ${connection}`];
}

/** `0.000500`: seconds since the first packet, to the microsecond. */
function secondsText(ns: bigint): string {
  const us = (ns < 0n ? -ns : ns) / NS_PER_US;
  return `${ns < 0n ? '-' : ''}${us / US_PER_SECOND}.${String(us % US_PER_SECOND).padStart(6, '0')}`;
}

function wayOf({ from, to }: Place): string {
  return from === '' && to === '' ? '' : `${from} -> ${to}`;
}

function named(role: string, endpoint: string): string {
  return endpoint === '' ? role : `${role} ${endpoint}`;
}

// --- rows ------------------------------------------------------------------------------------------------------

function headerRows(
  { header, headerBytes, command, part }: MessageEntry['traced'],
  options: DecodeTextOptions,
): string[] {
  if (part === 'joined') return [];
  const code = `0x${header.command.toString(16).padStart(2, '0')}`;
  const size = header.isControl ? `value ${header.size}` : counted(header.size, 'byte');
  const name = command === code ? code : `${command} ${code}`;
  const text = `header version ${header.version}, ${flagWords(header)}, ${name}, ${size}`;
  if (!options.isVerbose) return [row(-HEADER_BYTES, headerBytes, text, options)];
  return noteHeader(headerBytes, header, command).flatMap((note) =>
    rowsOf(note, headerBytes, '', HEADER_BYTES, options),
  );
}

/** A field and those below it; `back` is how far its offsets stand before those of the body. */
function rowsOf(
  note: FieldNote,
  bytes: Uint8Array,
  indent: string,
  back: number,
  options: DecodeTextOptions,
): string[] {
  const text = `${indent}${clipped(noteText(note, options.text))}`;
  const own = bytes.subarray(note.start, note.end);
  const shown = own.subarray(0, options.isVerbose ? SHOWN_BYTES_VERBOSE : SHOWN_BYTES);
  return [
    ...bytesRows(note.start - back, shown, own.length - shown.length, text, options),
    ...note.fields.flatMap((field) => rowsOf(field, bytes, `${indent}  `, back, options)),
  ];
}

/** Bytes in lines of eight, the text beside the first of them. */
function bytesRows(
  offset: number,
  bytes: Uint8Array,
  moreCount: number,
  text: string,
  options: DecodeTextOptions,
): string[] {
  const rows = [row(offset, bytes.subarray(0, BYTES_A_LINE), text, options)];
  for (let at = BYTES_A_LINE; at < bytes.length; at += BYTES_A_LINE) {
    rows.push(row(offset + at, bytes.subarray(at, at + BYTES_A_LINE), '', options));
  }
  if (moreCount > 0)
    rows.push(`${' '.repeat(OFFSET_WIDTH)}  ${options.paint.dim(`... and ${counted(moreCount, 'byte')} more`)}`);
  return rows;
}

function row(offset: number, bytes: Uint8Array, text: string, { paint }: DecodeTextOptions): string {
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
  // What has no bytes of its own stands nowhere.
  const place = (bytes.length === 0 ? '' : String(offset)).padStart(OFFSET_WIDTH);
  if (text === '') return `${paint.dim(place)}  ${paint.dim(hex)}`;
  return `${paint.dim(place)}  ${paint.dim(hex.padEnd(HEX_WIDTH))}  ${text}`;
}

function clipped(text: string): string {
  return text.length > MAX_LINE_CHARACTERS ? `${text.slice(0, MAX_LINE_CHARACTERS)}...` : text;
}
