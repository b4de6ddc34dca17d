// How is a value kept leaf by leaf, so that two writers of different fields both win? Each leaf has a path and its bytes.
//
// A leaf is whatever has a bit and nothing below it: a scalar, an array, a whole union, any or array of structures. The
// bytes are pvData's own in little endian, with the type inside where the value is an `any`.

import { BitSet } from '../../protocol/bit-set.ts';
import { PvaError } from '../../protocol/errors.ts';
import { DEFAULT_LIMITS, type Limits } from '../../protocol/limits.ts';
import { Reader, SIZE_LONG } from '../../protocol/reader.ts';
import type { ScalarName, StructureType } from '../../protocol/types/type-desc.ts';
import type { StructureValue } from '../../protocol/types/value-of.ts';
import { encodeType, TypeReceiver } from '../../protocol/types/wire.ts';
import { anyCodecOf } from '../../protocol/values/codec.ts';
import { leafMask } from '../../protocol/values/leaf-mask.ts';
import { Writer } from '../../protocol/writer.ts';
import type { ChannelUpdate } from '../channel.ts';
import { requireStructure, unset } from '../standard-fields.ts';
import { StoreError } from './store-error.ts';

/** Field names joined by dots; a dot or a backslash inside of a name has a backslash before it. '' where all is one leaf. */
type LeafPath = string;

interface Leaves {
  readonly pathOf: ReadonlyMap<number, LeafPath>;
  readonly bitOf: ReadonlyMap<LeafPath, number>;
  /** Bit -> the path as bytes and the bit as a mask. */
  readonly packed: ReadonlyMap<number, { readonly path: Uint8Array; readonly mask: BitSet }>;
  /** Bit -> how many bytes a leaf has, by its first one; of those where that tells it. */
  readonly lengthOf: ReadonlyMap<number, (bytes: Uint8Array) => number>;
  /** A value of which nothing was set. */
  readonly defaults: StructureValue;
}

/** Of a string only as long as its length is one byte; a longer one is read for itself. */
const LENGTHS: Readonly<Record<ScalarName, (bytes: Uint8Array) => number>> = {
  boolean: () => 1,
  byte: () => 1,
  ubyte: () => 1,
  short: () => 2,
  ushort: () => 2,
  int: () => 4,
  uint: () => 4,
  long: () => 8,
  ulong: () => 8,
  float: () => 4,
  double: () => 8,
  string: ([first = SIZE_LONG]) => (first < SIZE_LONG ? 1 + first : Number.NaN),
};

const known = new WeakMap<StructureType, Leaves>();

/** The value of a type of which nothing was set: one object for all of its channels. */
export function defaultsOf(type: StructureType): StructureValue {
  return leavesOf(type).defaults;
}

/** The bytes of the leaves that an update changes. @throws PvaError where its value is not of the type */
export function encodeLeaves(type: StructureType, { changed, value }: ChannelUpdate): Map<LeafPath, Uint8Array> {
  const { pathOf } = leavesOf(type);
  const codec = anyCodecOf(type);
  const encoded = new Map<LeafPath, Uint8Array>();
  for (const bit of leafMask(type, changed)) {
    const writer = new Writer(false);
    codec.encodeMasked(writer, value, BitSet.of(bit), encodeType);
    encoded.set(pathOf.get(bit) ?? '', writer.copy());
  }
  return encoded;
}

/** Whether two states of a type have the same leaves, with the same bytes. @throws PvaError as `encodeLeaves` */
export function isSameState(type: StructureType, one: ChannelUpdate, other: ChannelUpdate): boolean {
  if (one === other) return true;
  const [leaves, others] = [encodeLeaves(type, one), encodeLeaves(type, other)];
  if (leaves.size !== others.size) return false;
  for (const [path, bytes] of leaves) {
    const theirs = others.get(path);
    if (theirs === undefined || Buffer.compare(bytes, theirs) !== 0) return false;
  }
  return true;
}

/**
 * Appends the leaves that an update changes to `writer`, each path and its bytes with nothing between, and returns the
 * lengths of all these: what `encodeLeaves` says, without an object for each.
 * @throws PvaError where the value is not of the type; what was appended is to be dropped then
 */
export function packLeaves(writer: Writer, type: StructureType, { changed, value }: ChannelUpdate): number[] {
  const { packed } = leavesOf(type);
  const codec = anyCodecOf(type);
  const lengths: number[] = [];
  for (const bit of leafMask(type, changed)) {
    const leaf = packed.get(bit);
    if (leaf === undefined) continue;
    writer.bytes(leaf.path);
    const start = writer.length;
    codec.encodeMasked(writer, value, leaf.mask, encodeType);
    lengths.push(leaf.path.length, writer.length - start);
  }
  return lengths;
}

/**
 * An update of `type`: `base`, the defaults unless it is given, with the stored leaves read over it; `changed` names
 * these. `name` is the channel's, for errors.
 * @throws StoreError STORE_FORMAT for a leaf that the type does not have, or whose bytes are not of its type
 */
export function decodeLeaves(
  name: string,
  type: StructureType,
  leaves: Iterable<readonly [path: LeafPath, bytes: Uint8Array]>,
  base: StructureValue = defaultsOf(type),
  limits: Limits = DEFAULT_LIMITS,
): ChannelUpdate {
  const { bitOf } = leavesOf(type);
  const found: Leaf[] = [];
  for (const [path, bytes] of leaves) {
    const bit = bitOf.get(path);
    if (bit === undefined) throw wrongLeaf(name, path, 'its type has no such leaf');
    found.push({ bit, path, bytes });
  }
  return decodedTogether(type, found, base, limits) ?? decodedOneByOne(name, type, found, base, limits);
}

interface Leaf {
  readonly bit: number;
  readonly path: LeafPath;
  readonly bytes: Uint8Array;
}

function decodedOneByOne(
  name: string,
  type: StructureType,
  leaves: readonly Leaf[],
  base: StructureValue,
  limits: Limits,
): ChannelUpdate {
  const codec = anyCodecOf(type);
  const types = new TypeReceiver({ limits });
  const changed = BitSet.empty();
  let value = base;
  for (const { bit, path, bytes } of leaves) {
    const reader = new Reader(bytes, false);
    try {
      value = requireStructure(codec.decodeMasked(reader, BitSet.of(bit), types, value));
    } catch (thrown) {
      if (!(thrown instanceof PvaError)) throw thrown;
      throw wrongLeaf(name, path, thrown.message, thrown);
    }
    if (reader.remaining > 0) throw wrongLeaf(name, path, `${reader.remaining} bytes are left over`);
    changed.add(bit);
  }
  return { changed, value };
}

/**
 * The bytes of leaves in the order of their bits are those of a masked value, which is decoded in half the time. Only where
 * each has the length that its type asks for, so that none can be read in part as another one; undefined otherwise.
 */
function decodedTogether(
  type: StructureType,
  leaves: readonly Leaf[],
  base: StructureValue,
  limits: Limits,
): ChannelUpdate | undefined {
  const { lengthOf } = leavesOf(type);
  const changed = BitSet.empty();
  let length = 0;
  for (const { bit, bytes } of leaves) {
    if (changed.has(bit) || lengthOf.get(bit)?.(bytes) !== bytes.length) return undefined;
    changed.add(bit);
    length += bytes.length;
  }
  if (leaves.length === 0) return { changed, value: base };
  const joined = new Uint8Array(length);
  let at = 0;
  for (const { bytes } of leaves.toSorted((one, other) => one.bit - other.bit)) {
    joined.set(bytes, at);
    at += bytes.length;
  }
  try {
    const value = anyCodecOf(type).decodeMasked(new Reader(joined, false), changed, new TypeReceiver({ limits }), base);
    return { changed, value: requireStructure(value) };
  } catch (thrown) {
    // Which leaf it is turns out when each is read for itself.
    if (thrown instanceof PvaError) return undefined;
    throw thrown;
  }
}

function wrongLeaf(name: string, path: LeafPath, why: string, cause?: unknown): StoreError {
  return new StoreError('STORE_FORMAT', `channel '${name}': the stored leaf '${path}' does not fit: ${why}`, { cause });
}

function leavesOf(type: StructureType): Leaves {
  let leaves = known.get(type);
  if (leaves === undefined) {
    const pathOf = new Map<number, LeafPath>();
    const lengthOf = new Map<number, (bytes: Uint8Array) => number>();
    collect(type, '', 0, pathOf, lengthOf);
    const utf8 = new TextEncoder();
    leaves = {
      pathOf,
      bitOf: new Map([...pathOf].map(([bit, path]) => [path, bit])),
      packed: new Map([...pathOf].map(([bit, path]) => [bit, { path: utf8.encode(path), mask: BitSet.of(bit) }])),
      lengthOf,
      defaults: unset(type).value,
    };
    known.set(type, leaves);
  }
  return leaves;
}

/** A structure without fields is a leaf itself, as `leafMask` has it. */
function collect(
  type: StructureType,
  path: LeafPath,
  bit: number,
  found: Map<number, LeafPath>,
  lengthOf: Map<number, (bytes: Uint8Array) => number>,
): void {
  if (type.fields.length === 0) found.set(bit, path);
  let at = bit + 1;
  for (const field of type.fields) {
    const fieldPath = bit === 0 ? escaped(field.name) : `${path}.${escaped(field.name)}`;
    if (field.type.kind === 'structure') collect(field.type, fieldPath, at, found, lengthOf);
    else {
      found.set(at, fieldPath);
      const length = field.type.kind === 'scalar' ? LENGTHS[field.type.scalar] : undefined;
      if (length !== undefined) lengthOf.set(at, length);
    }
    at += field.type.bitCount;
  }
}

function escaped(name: string): string {
  return name.replaceAll(/[\\.]/gu, '\\$&');
}
