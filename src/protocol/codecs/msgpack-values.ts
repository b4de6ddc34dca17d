// How does a value of a given type become MessagePack and back, whole or only the fields that changed? One compiled pack
// per type.
//
// A structure is a map by field name: whole it has every field, in an update only those that changed. A union is nil or a
// map of one, any is nil or a type and a value. Keys may come in any order, each once; what is no field is an error, so
// that no name from the network ever becomes a key of an object.

import { BitSet } from '../bit-set.ts';
import { LocalProtocolError, RemoteProtocolError } from '../errors.ts';
import { any, type StructureType, type TypeDesc, type UnionType } from '../types/type-desc.ts';
import type { PvValue, StructureValue } from '../types/value-of.ts';
import type { TypeReceiver } from '../types/wire.ts';
import { anyCodecOf, assignField, defineField, requireAny, requireStructure, requireUnion } from '../values/codec.ts';
import { inField } from '../values/located.ts';
import { typeMismatch } from '../values/mismatch.ts';
import { Writer } from '../writer.ts';
import { duplicateKey, unknownKey, type PackReader } from './msgpack-reader.ts';
import { arrayPack, boundedStringPack, scalarPack, type LeafPack } from './msgpack-scalars.ts';
import { readType, writeType } from './msgpack-types.ts';
import { writeArrayHead, writeBoolean, writeMapHead, writeNil, writeText } from './msgpack-writer.ts';

/** Writes and reads the values of one type. `bit` is the number of the value's own bit in a mask. */
export interface ValuePack extends LeafPack {
  /** The fields that the mask selects, which selects some. */
  writeMasked(out: Writer, value: PvValue, mask: BitSet, bit: number): void;
  /** A new value, `base` with the fields that came, the bits of which are added to `mask`. */
  readMasked(input: PackReader, types: TypeReceiver, mask: BitSet, base: PvValue, bit: number): PvValue;
  /** True for each field that the mask selects. */
  writeMask(out: Writer, mask: BitSet, bit: number): void;
  readMask(input: PackReader, mask: BitSet, bit: number): void;
}

const compiled = new WeakMap<TypeDesc, ValuePack>();

export function packOf(type: TypeDesc): ValuePack {
  let pack = compiled.get(type);
  if (pack === undefined) {
    pack = compile(type);
    compiled.set(type, pack);
  }
  return pack;
}

function compile(type: TypeDesc): ValuePack {
  switch (type.kind) {
    case 'scalar':
      return asLeaf(scalarPack(type.scalar));
    case 'boundedString':
      return asLeaf(boundedStringPack(type.bound));
    case 'scalarArray':
      return asLeaf(arrayPack(type));
    case 'any':
      return asLeaf(ANY);
    case 'anyArray':
      return asLeaf(arrayOfOptional(ANY, 'any', any));
    case 'union':
      return asLeaf(unionPack(type));
    case 'unionArray':
      return asLeaf(arrayOfOptional(unionPack(type.element), 'union', type.element));
    case 'structureArray':
      return asLeaf(arrayOfOptional(packOf(type.element), 'structure', type.element));
    case 'structure':
      return structurePack(type);
  }
}

function asLeaf(leaf: LeafPack): ValuePack {
  return {
    ...leaf,
    writeMasked: (out, value) => leaf.write(out, value),
    readMasked(input, types, mask, _base, bit) {
      mask.add(bit);
      return leaf.read(input, types);
    },
    writeMask: (out) => writeBoolean(out, true),
    readMask(input, mask, bit) {
      if (!input.boolean()) {
        throw new RemoteProtocolError(`false before offset ${input.reader.offset}, a mask has only what is true`);
      }
      mask.add(bit);
    },
  };
}

// --- structures ------------------------------------------------------------------------------------------------

interface Member {
  readonly name: string;
  /** Whether every object has something of that name. */
  readonly isOnPrototype: boolean;
  /** The name as MessagePack. */
  readonly key: Uint8Array;
  readonly type: TypeDesc;
  readonly pack: ValuePack;
  /** Bits of this member, counted from the bit of the structure that holds it: [first, end). */
  readonly firstBit: number;
  readonly endBit: number;
}

function membersOf({ fields }: StructureType | UnionType): readonly Member[] {
  let bit = 1;
  return fields.map(({ name, type }) => {
    const firstBit = bit;
    bit += type.bitCount;
    const isOnPrototype = name in Object.prototype;
    return { name, isOnPrototype, key: keyOf(name), type, pack: packOf(type), firstBit, endBit: bit };
  });
}

function keyOf(name: string): Uint8Array {
  const out = new Writer(true, name.length + 1);
  writeText(out, name);
  return out.copy();
}

function structurePack(type: StructureType): ValuePack {
  const members = membersOf(type);
  const count = members.length;
  // `object.__proto__ = value` would set the prototype; every other name makes an own property.
  const setField = type.indexOf.has('__proto__') ? defineField : assignField;

  function selectedCount(mask: BitSet, bit: number): number {
    return members.reduce((sum, member) => sum + (isSelected(member, mask, bit) ? 1 : 0), 0);
  }

  function write(out: Writer, value: PvValue): void {
    const fields = requireStructure(value);
    writeMapHead(out, count);
    for (const member of members) {
      out.bytes(member.key);
      inField(member.name, () => member.pack.write(out, fieldOf(fields, member)));
    }
  }

  /** Gives every member that comes to `readMember`. */
  function eachMember(input: PackReader, readMember: (member: Member, index: number) => void): number {
    const { reader } = input;
    const start = reader.offset;
    const found = input.mapHead();
    if (found > count) {
      throw new RemoteProtocolError(`map of ${found} at offset ${start}, the structure has ${count} fields`);
    }
    const seen = BitSet.empty();
    for (let pair = 0; pair < found; pair++) {
      const keyAt = reader.offset;
      const key = input.text();
      const index = type.indexOf.get(key);
      const member = index === undefined ? undefined : members[index];
      if (index === undefined || member === undefined) throw unknownKey(key, keyAt);
      if (seen.has(index)) throw duplicateKey(key, keyAt);
      seen.add(index);
      inField(member.name, () => readMember(member, index));
    }
    return found;
  }

  function read(input: PackReader, types: TypeReceiver): PvValue {
    const start = input.reader.offset;
    const values: PvValue[] = [];
    const found = eachMember(input, (member, index) => {
      values[index] = member.pack.read(input, types);
    });
    if (found < count) {
      const missing = members.find((_, index) => values[index] === undefined)?.name;
      throw new RemoteProtocolError(
        `map of ${found} at offset ${start}, the structure has ${count} fields; '${missing}' is missing`,
      );
    }
    const value: Record<string, PvValue> = {};
    // In the order of the type, whatever the order of the keys: a value is shown and sent on so.
    members.forEach(({ name }, index) => setField(value, name, valueAt(values, index)));
    return value;
  }

  return {
    write,
    read,

    writeMasked(out, value, mask, bit) {
      if (mask.has(bit)) return write(out, value);
      const fields = requireStructure(value);
      writeMapHead(out, selectedCount(mask, bit));
      for (const member of members) {
        if (!isSelected(member, mask, bit)) continue;
        out.bytes(member.key);
        inField(member.name, () => member.pack.writeMasked(out, fieldOf(fields, member), mask, bit + member.firstBit));
      }
    },

    readMasked(input, types, mask, base, bit) {
      const before = requireStructure(base);
      const value: Record<string, PvValue> = { ...before };
      const found = eachMember(input, (member) => {
        const { name, pack, firstBit } = member;
        setField(value, name, pack.readMasked(input, types, mask, fieldOf(before, member), bit + firstBit));
      });
      // A structure without fields is the one that has its own bit.
      if (found === 0 && count === 0) mask.add(bit);
      return value;
    },

    writeMask(out, mask, bit) {
      const isWhole = mask.has(bit);
      writeMapHead(out, isWhole ? count : selectedCount(mask, bit));
      for (const member of members) {
        if (!isWhole && !isSelected(member, mask, bit)) continue;
        out.bytes(member.key);
        member.pack.writeMask(out, isWhole ? BitSet.of(0) : mask, isWhole ? 0 : bit + member.firstBit);
      }
    },

    readMask(input, mask, bit) {
      const found = eachMember(input, ({ pack, firstBit }) => pack.readMask(input, mask, bit + firstBit));
      if (found === 0 && count === 0) mask.add(bit);
    },
  };
}

/** Whether a mask has the member or anything in it; `bit` is that of its structure. */
function isSelected({ firstBit, endBit }: Member, mask: BitSet, bit: number): boolean {
  return mask.hasAny(bit + firstBit, bit + endBit);
}

function valueAt(values: readonly PvValue[], index: number): PvValue {
  const value = values[index];
  if (value === undefined) throw new RemoteProtocolError(`field ${index} is missing`);
  return value;
}

/** A field of a value, or the default of one that nobody set; `constructor` and the like must not come from the prototype. */
function fieldOf(value: StructureValue, { name, isOnPrototype, type }: Member): PvValue {
  const field = isOnPrototype && !Object.hasOwn(value, name) ? undefined : value[name];
  return field === undefined ? anyCodecOf(type).defaultValue() : field;
}

// --- unions, any and arrays of them ----------------------------------------------------------------------------

function unionPack(type: UnionType): LeafPack {
  const members = membersOf(type);
  return {
    write(out, value) {
      if (value === null) return writeNil(out);
      const { select, value: selected } = requireUnion(value);
      const index = type.indexOf.get(select);
      const member = index === undefined ? undefined : members[index];
      if (member === undefined) {
        throw new LocalProtocolError(
          `union has no member '${select}', it has ${type.fields.map(({ name }) => name).join(', ')}`,
        );
      }
      writeMapHead(out, 1);
      out.bytes(member.key);
      inField(select, () => member.pack.write(out, selected));
    },
    read(input, types) {
      if (input.takeNil()) return null;
      const { reader } = input;
      const start = reader.offset;
      const count = input.mapHead();
      if (count !== 1)
        throw new RemoteProtocolError(`map of ${count} at offset ${start}, one member of a union expected`);
      const keyAt = reader.offset;
      const select = input.text();
      const index = type.indexOf.get(select);
      const member = index === undefined ? undefined : members[index];
      if (member === undefined) throw unknownKey(select, keyAt);
      types.spendOn(member.type);
      return { select: member.name, value: inField(member.name, () => member.pack.read(input, types)) };
    },
  };
}

/** A type and a value of it, or nil. */
const ANY: LeafPack = {
  write(out, value) {
    if (value === null) return writeNil(out);
    const { type, value: inner } = requireAny(value);
    writeArrayHead(out, 2);
    writeType(out, type);
    packOf(type).write(out, inner);
  },
  read(input, types) {
    if (input.takeNil()) return null;
    const { reader } = input;
    input.tuple(2, 'a type and a value');
    const typeAt = reader.offset;
    const type = readType(input, types.limits);
    if (type === null) throw new RemoteProtocolError(`nil at offset ${typeAt}, a type expected`);
    types.spendOn(type);
    return { type, value: types.insideAny(() => packOf(type).read(input, types)) };
  },
};

/** Elements of which some may be nil. */
function arrayOfOptional(element: LeafPack, what: string, type: TypeDesc): LeafPack {
  return {
    write(out, value) {
      if (!Array.isArray(value)) throw typeMismatch(`an array of ${what} values`, value);
      writeArrayHead(out, value.length);
      value.forEach((item: PvValue, index) =>
        inField(`[${index}]`, () => (item === null ? writeNil(out) : element.write(out, item))),
      );
    },
    read(input, types) {
      const count = input.arrayHead();
      types.spend(count);
      const items: PvValue[] = [];
      for (let index = 0; index < count; index++) {
        const isNil = input.takeNil();
        if (!isNil) types.spendOn(type);
        items.push(isNil ? null : inField(`[${index}]`, () => element.read(input, types)));
      }
      // Every element came from the pack of one type, so the list is of that type.
      return items as PvValue;
    },
  };
}
