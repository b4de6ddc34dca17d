// How does a new input come out of old ones? By a few small accidents, of the kinds that break decoders.

import type { Random } from './random.ts';

/** Numbers at the edges of what fields can hold, and the bytes that mean something of their own in pvAccess. */
const EDGES = [0x00, 0x01, 0x04, 0x08, 0x10, 0x40, 0x7f, 0x80, 0x88, 0xca, 0xfd, 0xfe, 0xff];
const WIDE_EDGES = [
  0, 1, 0x7f, 0xff, 0x100, 0x7fff, 0xffff, 0x1_0000, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe, 0xffff_ffff,
];
const MOST_MUTATIONS = 6;
const MOST_BYTES = 16 * 1024;
const LONGEST_PIECE = 64;

type Mutation = (bytes: Uint8Array, random: Random, other: Uint8Array) => Uint8Array;

const MUTATIONS: readonly Mutation[] = [
  flipBit,
  setByte,
  setWide,
  nudge,
  remove,
  repeat,
  insertFrom,
  overwriteFrom,
  cut,
  joinWith,
];

/** `bytes` with one to six accidents; `other` is an input from which pieces may come. */
export function mutate(bytes: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
  let mutated: Uint8Array = new Uint8Array(bytes);
  const count = 1 + random.below(MOST_MUTATIONS);
  for (let done = 0; done < count; done++) mutated = random.pick(MUTATIONS)(mutated, random, other);
  return mutated.length > MOST_BYTES ? mutated.slice(0, MOST_BYTES) : mutated;
}

function flipBit(bytes: Uint8Array, random: Random): Uint8Array {
  if (bytes.length === 0) return bytes;
  const at = random.below(bytes.length);
  bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
  return bytes;
}

function setByte(bytes: Uint8Array, random: Random): Uint8Array {
  if (bytes.length === 0) return bytes;
  bytes[random.below(bytes.length)] = random.chance(3) ? random.below(256) : random.pick(EDGES);
  return bytes;
}

function setWide(bytes: Uint8Array, random: Random): Uint8Array {
  const width = random.pick([2, 4]);
  if (bytes.length < width) return bytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const at = random.below(bytes.length - width + 1);
  const value = random.pick(WIDE_EDGES);
  if (width === 2) view.setUint16(at, value, random.chance(2));
  else view.setUint32(at, value, random.chance(2));
  return bytes;
}

function nudge(bytes: Uint8Array, random: Random): Uint8Array {
  if (bytes.length === 0) return bytes;
  const at = random.below(bytes.length);
  bytes[at] = (bytes[at] ?? 0) + random.below(9) - 4;
  return bytes;
}

function remove(bytes: Uint8Array, random: Random): Uint8Array {
  const [start, end] = piece(bytes, random);
  return concat(bytes.subarray(0, start), bytes.subarray(end));
}

function repeat(bytes: Uint8Array, random: Random): Uint8Array {
  const [start, end] = piece(bytes, random);
  return concat(bytes.subarray(0, end), bytes.subarray(start));
}

function insertFrom(bytes: Uint8Array, random: Random, other: Uint8Array): Uint8Array {
  const [start, end] = piece(other, random);
  const at = random.below(bytes.length + 1);
  return concat(bytes.subarray(0, at), other.subarray(start, end), bytes.subarray(at));
}

function overwriteFrom(bytes: Uint8Array, random: Random, other: Uint8Array): Uint8Array {
  const [start, end] = piece(other, random);
  const at = random.below(bytes.length + 1);
  bytes.set(other.subarray(start, Math.min(end, start + bytes.length - at)), at);
  return bytes;
}

function cut(bytes: Uint8Array, random: Random): Uint8Array {
  return bytes.subarray(0, random.below(bytes.length + 1));
}

function joinWith(bytes: Uint8Array, random: Random, other: Uint8Array): Uint8Array {
  return concat(bytes.subarray(0, random.below(bytes.length + 1)), other.subarray(random.below(other.length + 1)));
}

function piece(bytes: Uint8Array, random: Random): readonly [start: number, end: number] {
  const start = random.below(bytes.length + 1);
  return [start, Math.min(bytes.length, start + random.below(LONGEST_PIECE) + 1)];
}

function concat(...pieces: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(pieces));
}
