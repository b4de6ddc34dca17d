// What if an input is long? A piece of it comes again and again, and where a size or a count stands before it, that fits.
//
// What takes the square of its length is quick enough in all inputs that anybody would write down.

import type { CodecName } from '../src/protocol/messages/data.ts';

import { messagesOf } from './mutate-messages.ts';
import type { Random } from './random.ts';

/** Each eight times as long as the one before: what grows too fast is found before it takes minutes. */
const LENGTHS = [4 * 1024, 32 * 1024, 256 * 1024] as const;
export const MOST_GROWN_BYTES = LENGTHS[2];
/** The longest takes as long as eight others. */
const LONGEST_ONE_IN = 8;
const UNIT_BYTES = [1, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 64];
/** What texts of all kinds are made of, and what a search for the end of many of the same stumbles on. */
const TOKENS = [
  '0',
  'a',
  '%',
  '.',
  ',',
  ':',
  '-',
  '/',
  '\\',
  '*',
  '#',
  '"',
  '(',
  '[',
  '{',
  '<',
  ' ',
  '\n',
  '\0',
  '${',
  '{"a":',
  'a.',
  '😀',
];
const STUMBLES = ['\n', 'x', '"', '\0'];
/** How far before a piece its size or count may stand. */
const SIZE_WITHIN = 8;
const ONE_BYTE_SIZE = 0x7f;
/** Heads of MessagePack with the length in them: the bits that say which kind, and the head with four bytes of length. */
const PACKED_HEADS: readonly (readonly [mask: number, kind: number, wide: number])[] = [
  [0xe0, 0xa0, 0xdb],
  [0xf0, 0x90, 0xdd],
  [0xf0, 0x80, 0xdf],
];
/** The same with a byte of length behind them: str, bin and ext. */
const PACKED_BYTE_HEADS: Readonly<Record<number, number>> = { 0xd9: 0xdb, 0xc4: 0xc6, 0xc7: 0xc9 };

export interface Growth {
  readonly codec: CodecName | undefined;
  readonly mostBytes: number;
}

/** Series of one growth, from the shortest to the longest. */
export function grown(bytes: Uint8Array, random: Random, { codec, mostBytes }: Growth): readonly Uint8Array[] {
  const isMessage = codec !== undefined && random.chance(4);
  const [start, end] = isMessage ? messageOf(bytes, random) : pieceOf(bytes, random);
  const isToken = !isMessage && random.chance(2);
  const unit = isToken ? Buffer.from(random.pick(TOKENS)) : bytes.slice(start, end);
  if (unit.length === 0) return [];
  const stumble = isToken ? Buffer.from(stumbleOf(random)) : Buffer.alloc(0);
  const tail = Buffer.concat([stumble, bytes.subarray(isToken && random.chance(2) ? end : start)]);
  const head = bytes.subarray(0, start);
  const sizeAt = random.chance(4) ? undefined : sizeBefore(head, random);
  const isCount = random.chance(2);
  const isBig = random.chance(2);
  return lengths(random, mostBytes).map((length) => {
    const times = Math.max(1, Math.floor((length - bytes.length) / unit.length));
    const more = isCount ? times : times * unit.length + stumble.length;
    const sized = sizeAt === undefined ? head : withMore(head, sizeAt, more, { codec, isBig });
    return Buffer.concat([sized, Buffer.alloc(times * unit.length, unit), tail]);
  });
}

/** The lengths of one series. */
export function lengths(random: Random, mostBytes: number): readonly number[] {
  const chosen = random.chance(LONGEST_ONE_IN) ? LENGTHS : LENGTHS.slice(0, -1);
  return chosen.map((length) => Math.min(length, mostBytes));
}

/** A text of about so many bytes in which the same comes again and again. */
export function longText(bytes: number, random: Random): string {
  const token = random.pick(TOKENS);
  return token.repeat(Math.floor(bytes / token.length)) + stumbleOf(random);
}

function stumbleOf(random: Random): string {
  return random.chance(4) ? '' : random.pick(STUMBLES);
}

function pieceOf(bytes: Uint8Array, random: Random): readonly [start: number, end: number] {
  const start = random.below(bytes.length + 1);
  return [start, Math.min(bytes.length, start + random.pick(UNIT_BYTES))];
}

function messageOf(bytes: Uint8Array, random: Random): readonly [start: number, end: number] {
  const messages = messagesOf(bytes);
  const which = random.below(messages.length + 1);
  const start = messages.slice(0, which).reduce((sum, { length }) => sum + length, 0);
  return [start, start + (messages[which]?.length ?? 0)];
}

/** The byte before a piece that may be the size of a text around it, or a count. */
function sizeBefore(head: Uint8Array, random: Random): number | undefined {
  if (head.length === 0) return undefined;
  return head.length - 1 - random.below(Math.min(head.length, random.chance(2) ? 1 : SIZE_WITHIN));
}

interface SizeForm {
  readonly codec: CodecName | undefined;
  readonly isBig: boolean;
}

/** The size or count at a place made larger; the same bytes where none can stand there. */
function withMore(head: Uint8Array, at: number, more: number, { codec, isBig }: SizeForm): Uint8Array {
  const byte = head[at] ?? 0;
  const size = Buffer.alloc(5);
  const put = (marker: number, value: number, isBigEndian: boolean, from: number): Uint8Array => {
    size[0] = marker;
    if (isBigEndian) size.writeUInt32BE(value, 1);
    else size.writeUInt32LE(value, 1);
    return Buffer.concat([head.subarray(0, at), size, head.subarray(from)]);
  };
  if (codec === 'msgpack') {
    for (const [mask, kind, wide] of PACKED_HEADS)
      if ((byte & mask) === kind) return put(wide, (byte & ~mask) + more, true, at + 1);
    const wide = PACKED_BYTE_HEADS[byte];
    return wide === undefined ? head : put(wide, (head[at + 1] ?? 0) + more, true, at + 2);
  }
  // A size of pvAccess.
  return byte > ONE_BYTE_SIZE ? head : put(0xfe, byte + more, isBig, at + 1);
}
