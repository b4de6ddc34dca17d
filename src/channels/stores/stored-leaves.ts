// How is a value kept leaf by leaf, so that two writers of different fields both win? Each leaf has a path and its bytes.
//
// A leaf is whatever has a bit and nothing below it: a scalar, an array, a whole union, any or array of structures. The
// bytes are pvData's own in little endian, with the type inside where the value is an `any`.

import { BitSet } from '../../protocol/bit-set.ts';
import { PvaError } from '../../protocol/errors.ts';
import { DEFAULT_LIMITS, type Limits } from '../../protocol/limits.ts';
import { Reader } from '../../protocol/reader.ts';
import type { StructureType } from '../../protocol/types/type-desc.ts';
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
}

const known = new WeakMap<StructureType, Leaves>();

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
  base: StructureValue = unset(type).value,
  limits: Limits = DEFAULT_LIMITS,
): ChannelUpdate {
  const { bitOf } = leavesOf(type);
  const codec = anyCodecOf(type);
  const types = new TypeReceiver({ limits });
  const changed = BitSet.empty();
  let value = base;
  for (const [path, bytes] of leaves) {
    const bit = bitOf.get(path);
    if (bit === undefined) throw wrongLeaf(name, path, 'its type has no such leaf');
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

function wrongLeaf(name: string, path: LeafPath, why: string, cause?: unknown): StoreError {
  return new StoreError('STORE_FORMAT', `channel '${name}': the stored leaf '${path}' does not fit: ${why}`, { cause });
}

function leavesOf(type: StructureType): Leaves {
  let leaves = known.get(type);
  if (leaves === undefined) {
    const pathOf = new Map<number, LeafPath>();
    collect(type, '', 0, pathOf);
    const utf8 = new TextEncoder();
    leaves = {
      pathOf,
      bitOf: new Map([...pathOf].map(([bit, path]) => [path, bit])),
      packed: new Map([...pathOf].map(([bit, path]) => [bit, { path: utf8.encode(path), mask: BitSet.of(bit) }])),
    };
    known.set(type, leaves);
  }
  return leaves;
}

/** A structure without fields is a leaf itself, as `leafMask` has it. */
function collect(type: StructureType, path: LeafPath, bit: number, found: Map<number, LeafPath>): void {
  if (type.fields.length === 0) found.set(bit, path);
  let at = bit + 1;
  for (const field of type.fields) {
    const fieldPath = bit === 0 ? escaped(field.name) : `${path}.${escaped(field.name)}`;
    if (field.type.kind === 'structure') collect(field.type, fieldPath, at, found);
    else found.set(at, fieldPath);
    at += field.type.bitCount;
  }
}

function escaped(name: string): string {
  return name.replaceAll(/[\\.]/gu, '\\$&');
}
