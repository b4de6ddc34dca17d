// How does a value of a given type become bytes and back, whole or masked? One compiled codec per type.
//
// A structure's bit stands for all below it: when it is set its leaves follow once, whatever lower bits say.
// Spec: Protocol-Encoding, "User Data" and "Partial Structure Serialization".

import { LocalProtocolError, RemoteProtocolError } from '../errors.ts';
import type { Reader } from '../reader.ts';
import { any, isType, type Field, type StructureType, type TypeDesc, type UnionType } from '../types/type-desc.ts';
import type { AnyValue, PvValue, StructureValue, UnionValue, ValueOf } from '../types/value-of.ts';
import type { EncodeType, TypeReceiver } from '../types/wire.ts';
import type { Writer } from '../writer.ts';
import { arrayCodecOf } from './array-codec.ts';
import { atField } from './located.ts';
import { typeMismatch } from './mismatch.ts';
import { boundedStringCodecOf, scalarCodecOf } from './scalar-codec.ts';
import type { LeafCodec, ValueCodec } from './value-codec.ts';

const compiled = new WeakMap<TypeDesc, ValueCodec>();

/** The codec of a type; compiled at first use and kept as long as the type is. */
export function codecOf<T extends TypeDesc>(type: T): ValueCodec<ValueOf<T>> {
  let codec = compiled.get(type);
  if (codec === undefined) {
    codec = compile(type);
    compiled.set(type, codec);
  }
  // The one border between runtime types and inferred ones: the codec of T handles the values of T.
  return codec as unknown as ValueCodec<ValueOf<T>>;
}

/** The codec where the value's type is known only at run time. */
export function anyCodecOf(type: TypeDesc): ValueCodec {
  return codecOf<TypeDesc>(type);
}

function compile(type: TypeDesc): ValueCodec {
  switch (type.kind) {
    case 'scalar':
      return asLeaf(scalarCodecOf(type.scalar));
    case 'boundedString':
      return asLeaf(boundedStringCodecOf(type.bound));
    case 'scalarArray':
      return asLeaf(arrayCodecOf(type));
    case 'any':
      return asLeaf(ANY);
    case 'anyArray':
      return asLeaf(arrayOfOptional(ANY, 'any', any));
    case 'union':
      return asLeaf(unionCodec(type));
    case 'unionArray':
      return asLeaf(arrayOfOptional(unionCodec(type.element), 'union', type.element));
    case 'structureArray':
      return asLeaf(arrayOfOptional(anyCodecOf(type.element), 'structure', type.element));
    case 'structure':
      return structureCodec(type);
  }
}

function asLeaf(leaf: LeafCodec): ValueCodec {
  return {
    ...leaf,
    encodeMasked(writer, value, mask, encodeType, bit = 0) {
      if (mask.has(bit)) leaf.encode(writer, value, encodeType);
    },
    decodeMasked(reader, mask, types, base, bit = 0) {
      if (mask.has(bit)) return leaf.decode(reader, types);
      return base === undefined ? leaf.defaultValue() : base;
    },
    merge(base, update, mask, bit = 0) {
      return mask.has(bit) ? update : base;
    },
  };
}

// --- structures ------------------------------------------------------------------------------------------------

interface Member {
  readonly name: string;
  /** Whether every object has something of that name; asking each object was a twentieth of a put. */
  readonly isOnPrototype: boolean;
  readonly codec: ValueCodec;
  /** Bits of this member, counted from the bit of the structure that holds it: [first, end). */
  readonly firstBit: number;
  readonly endBit: number;
}

function membersOf(fields: readonly Field[]): readonly Member[] {
  let bit = 1;
  return fields.map(({ name, type }) => {
    const firstBit = bit;
    bit += type.bitCount;
    return { name, isOnPrototype: name in Object.prototype, codec: anyCodecOf(type), firstBit, endBit: bit };
  });
}

function structureCodec(type: StructureType): ValueCodec {
  const members = membersOf(type.fields);
  // `object.__proto__ = value` would set the prototype; every other name makes an own property.
  const setField = type.indexOf.has('__proto__') ? defineField : assignField;

  function encode(writer: Writer, value: PvValue, encodeType: EncodeType): void {
    const fields = requireStructure(value);
    for (const member of members) {
      const fieldValue = fieldOf(fields, member);
      try {
        member.codec.encode(writer, fieldValue === undefined ? member.codec.defaultValue() : fieldValue, encodeType);
      } catch (thrown) {
        throw atField(thrown, member.name);
      }
    }
  }

  function decode(reader: Reader, types: TypeReceiver): PvValue {
    const value: Record<string, PvValue> = {};
    for (const member of members) {
      try {
        setField(value, member.name, member.codec.decode(reader, types));
      } catch (thrown) {
        throw atField(thrown, member.name);
      }
    }
    return value;
  }

  function defaultValue(): PvValue {
    const value: Record<string, PvValue> = {};
    for (const member of members) setField(value, member.name, member.codec.defaultValue());
    return value;
  }

  return {
    encode,
    decode,
    defaultValue,

    encodeMasked(writer, value, mask, encodeType, bit = 0) {
      if (mask.has(bit)) return encode(writer, value, encodeType);
      const fields = requireStructure(value);
      for (const member of members) {
        if (!mask.hasAny(bit + member.firstBit, bit + member.endBit)) continue;
        const fieldValue = fieldOf(fields, member);
        try {
          member.codec.encodeMasked(
            writer,
            fieldValue === undefined ? member.codec.defaultValue() : fieldValue,
            mask,
            encodeType,
            bit + member.firstBit,
          );
        } catch (thrown) {
          throw atField(thrown, member.name);
        }
      }
    },

    decodeMasked(reader, mask, types, base, bit = 0) {
      if (mask.has(bit)) return decode(reader, types);
      // A copy and the few fields that changed, not field by field: a put names one of a dozen.
      const value: Record<string, PvValue> = base === undefined ? {} : { ...requireStructure(base) };
      for (const member of members) {
        const before = fieldOf(value, member);
        if (before !== undefined && !mask.hasAny(bit + member.firstBit, bit + member.endBit)) continue;
        try {
          setField(value, member.name, member.codec.decodeMasked(reader, mask, types, before, bit + member.firstBit));
        } catch (thrown) {
          throw atField(thrown, member.name);
        }
      }
      return value;
    },

    merge(base, update, mask, bit = 0) {
      if (mask.has(bit)) return update;
      if (!mask.hasAny(bit + 1, bit + type.bitCount)) return base;
      const changes = requireStructure(update);
      const value: Record<string, PvValue> = { ...requireStructure(base) };
      for (const member of members) {
        const own = fieldOf(value, member);
        const change = mask.hasAny(bit + member.firstBit, bit + member.endBit) ? fieldOf(changes, member) : undefined;
        if (change === undefined && own !== undefined) continue;
        const before = own ?? member.codec.defaultValue();
        const merged = change === undefined ? before : member.codec.merge(before, change, mask, bit + member.firstBit);
        setField(value, member.name, merged);
      }
      return value;
    },
  };
}

export function assignField(value: Record<string, PvValue>, name: string, field: PvValue): void {
  value[name] = field;
}

export function defineField(value: Record<string, PvValue>, name: string, field: PvValue): void {
  Object.defineProperty(value, name, { value: field, writable: true, enumerable: true, configurable: true });
}

/** The field of a value; `constructor` and the like must not come from the prototype. */
function fieldOf(value: StructureValue, { name, isOnPrototype }: Member): PvValue | undefined {
  return isOnPrototype && !Object.hasOwn(value, name) ? undefined : value[name];
}

export function requireStructure(value: PvValue): StructureValue {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || ArrayBuffer.isView(value)) {
    throw typeMismatch('a structure', value);
  }
  // Any other object can be read by field name; what its fields are is checked field by field.
  return value as StructureValue;
}

// --- unions, any and arrays of them ----------------------------------------------------------------------------

function unionCodec(type: UnionType): LeafCodec {
  const codecs = type.fields.map((field) => anyCodecOf(field.type));
  return {
    encode(writer, value, encodeType) {
      if (value === null) return writer.size(null);
      const { select, value: selected } = requireUnion(value);
      const index = type.indexOf.get(select);
      const codec = index === undefined ? undefined : codecs[index];
      if (index === undefined || codec === undefined) {
        throw new LocalProtocolError(
          `union has no member '${select}', it has ${type.fields.map(({ name }) => name).join(', ')}`,
        );
      }
      writer.size(index);
      try {
        codec.encode(writer, selected, encodeType);
      } catch (thrown) {
        throw atField(thrown, select);
      }
    },
    decode(reader, types) {
      const index = reader.sizeOrNull();
      if (index === null) return null;
      const field = type.fields[index];
      const codec = codecs[index];
      if (field === undefined || codec === undefined) {
        throw new RemoteProtocolError(
          `union selector ${index} before offset ${reader.offset}, the union has ${codecs.length} members`,
        );
      }
      types.spendOn(field.type);
      try {
        return { select: field.name, value: codec.decode(reader, types) };
      } catch (thrown) {
        throw atField(thrown, field.name);
      }
    },
    defaultValue: () => null,
  };
}

export function requireUnion(value: PvValue): NonNullable<UnionValue> {
  if (typeof value !== 'object' || value === null || !('select' in value) || !('value' in value)) {
    throw typeMismatch('a union value { select, value } or null', value);
  }
  if (typeof value.select !== 'string') throw typeMismatch('the name of a union member', value.select);
  // Checked member by member just now; what `value` holds is checked by the codec of the selected member.
  return value as NonNullable<UnionValue>;
}

const ANY: LeafCodec = {
  encode(writer, value, encodeType) {
    if (value === null) return encodeType(writer, null);
    const { type, value: inner } = requireAny(value);
    encodeType(writer, type);
    anyCodecOf(type).encode(writer, inner, encodeType);
  },
  decode(reader, types) {
    const type = types.decodeOfAny(reader);
    if (type === null) return null;
    types.spendOn(type);
    return { type, value: types.insideAny(() => anyCodecOf(type).decode(reader, types)) };
  },
  defaultValue: () => null,
};

export function requireAny(value: PvValue): NonNullable<AnyValue> {
  if (typeof value !== 'object' || value === null || !('type' in value) || !('value' in value)) {
    throw typeMismatch('a value with its type { type, value } or null', value);
  }
  if (!isType(value.type)) throw typeMismatch('a type that the builders made', value.type);
  // `value` is checked by the codec of that type.
  return value as unknown as NonNullable<AnyValue>;
}

/** Elements behind a byte that says whether they are there. */
function arrayOfOptional(element: LeafCodec, what: string, type: TypeDesc): LeafCodec {
  return {
    encode(writer, value, encodeType) {
      if (!Array.isArray(value)) throw typeMismatch(`an array of ${what} values`, value);
      writer.size(value.length);
      value.forEach((item: PvValue, index) => {
        writer.boolean(item !== null);
        if (item === null) return;
        try {
          element.encode(writer, item, encodeType);
        } catch (thrown) {
          throw atField(thrown, `[${index}]`);
        }
      });
    },
    decode(reader, types) {
      const count = reader.count(1);
      types.spend(count);
      const items: PvValue[] = [];
      for (let index = 0; index < count; index++) {
        try {
          const isPresent = reader.boolean();
          if (isPresent) types.spendOn(type);
          items.push(isPresent ? element.decode(reader, types) : null);
        } catch (thrown) {
          throw atField(thrown, `[${index}]`);
        }
      }
      // Every element came from the codec of one type, so the list is of that type.
      return items as PvValue;
    },
    defaultValue: () => [],
  };
}
