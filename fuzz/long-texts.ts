// Which messages have long texts? Recorded ones of MessagePack, with another text in the place of one or of each that they have.

import { decode, encode } from '@msgpack/msgpack';

import { HEADER_BYTES } from '../src/protocol/header.ts';

import { longText } from './grow.ts';
import type { Random } from './random.ts';
import { packedMessages, type From } from './vectors.ts';

const SIZE_AT = 4;

/** A message of about so many bytes. */
export function longTexted(bytes: number, random: Random, from: From): Uint8Array {
  const message = random.pick(recorded(from));
  const text = longText(bytes, random);
  const one = random.chance(2) ? undefined : random.below(4);
  let count = 0;
  const body = encode(
    withTexts(decode(message.subarray(HEADER_BYTES)), (before) =>
      one === undefined || count++ === one ? text : before,
    ),
  );
  const header = Buffer.from(message.subarray(0, HEADER_BYTES));
  header.writeUInt32BE(body.length, SIZE_AT);
  return Buffer.concat([header, body]);
}

/** The same with its texts replaced; keys stay. */
function withTexts(value: unknown, replace: (text: string) => string): unknown {
  if (typeof value === 'string') return replace(value);
  if (Array.isArray(value)) return value.map((item) => withTexts(item, replace));
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withTexts(item, replace)]));
}

const read = new Map<From, readonly Uint8Array[]>();

/** Single messages, read once. */
function recorded(from: From): readonly Uint8Array[] {
  const messages = read.get(from) ?? packedMessages(from).slice(0, -1);
  read.set(from, messages);
  return messages;
}
