// How does a type travel? FieldDesc bytes to TypeDesc and back, with the type registry of one direction of a link.
//
// Spec: Protocol-Encoding, "Introspection Data". One deviation: bounded string is 0x83, as all peers have it; the
// specification's table says 0b10000110, which they reject.

import { LimitError, RemoteProtocolError } from '../errors.ts';
import { CLIENT_LIMITS, DEFAULT_LIMITS, type Limits } from '../limits.ts';
import type { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';
import * as t from './type-desc.ts';
import type { Field, ScalarName, Sizing, TypeDesc } from './type-desc.ts';
import { ValueBudget } from './value-budget.ts';

const NULL_TYPE = 0xff;
const ONLY_ID = 0xfe;
const FULL_WITH_ID = 0xfd;
/** Of transports that lose messages; no peer sends or reads it. */
const FULL_TAGGED_ID = 0xfc;

const STRUCTURE = 0x80;
const UNION = 0x81;
const ANY = 0x82;
const BOUNDED_STRING = 0x83;
const STRUCTURE_ARRAY = 0x88;
const UNION_ARRAY = 0x89;
const ANY_ARRAY = 0x8a;

const SIZING_BITS = 0x18;
const VARIABLE = 0x08;
const BOUNDED = 0x10;
const FIXED = 0x18;

/** The codes of the scalars; MessagePack has them as the types of its extensions. */
export const SCALAR_CODES: { readonly [S in ScalarName]: number } = {
  boolean: 0x00,
  byte: 0x20,
  short: 0x21,
  int: 0x22,
  long: 0x23,
  ubyte: 0x24,
  ushort: 0x25,
  uint: 0x26,
  ulong: 0x27,
  float: 0x42,
  double: 0x43,
  string: 0x60,
};

const SIZING_CODES: { readonly [S in Sizing]: number } = { variable: VARIABLE, bounded: BOUNDED, fixed: FIXED };

const SCALAR_BY_CODE: ReadonlyMap<number, ScalarName> = new Map(
  t.SCALAR_NAMES.map((name) => [SCALAR_CODES[name], name]),
);

// --- encode ----------------------------------------------------------------------------------------------------

/** Writes a type in full, without ids; null writes the null type. Every peer reads this form. */
export function encodeType(writer: Writer, type: TypeDesc | null): void {
  encodeWith(writer, type, encodeType);
}

type EncodeNested = (writer: Writer, type: TypeDesc) => void;

function encodeWith(writer: Writer, type: TypeDesc | null, nested: EncodeNested): void {
  if (type === null) return writer.u8(NULL_TYPE);
  switch (type.kind) {
    case 'scalar':
      return writer.u8(SCALAR_CODES[type.scalar]);
    case 'scalarArray':
      writer.u8(SCALAR_CODES[type.scalar] | SIZING_CODES[type.sizing]);
      if (type.sizing !== 'variable') writer.size(type.size);
      return;
    case 'boundedString':
      writer.u8(BOUNDED_STRING);
      return writer.size(type.bound);
    case 'any':
      return writer.u8(ANY);
    case 'anyArray':
      return writer.u8(ANY_ARRAY);
    case 'structureArray':
      writer.u8(STRUCTURE_ARRAY);
      return nested(writer, type.element);
    case 'unionArray':
      writer.u8(UNION_ARRAY);
      return nested(writer, type.element);
    case 'structure':
    case 'union':
      writer.u8(type.kind === 'structure' ? STRUCTURE : UNION);
      writer.string(type.id);
      writer.size(type.fields.length);
      for (const field of type.fields) {
        writer.string(field.name);
        nested(writer, field.type);
      }
  }
}

/**
 * The sender's side of the type registry: composite types get an id when first sent (0xFD) and go as the id alone
 * after that (0xFE). An id is never given twice, because pvxs keeps the first meaning of an id.
 */
export class TypeSender {
  readonly #ids = new Map<TypeDesc, number>();
  readonly #limits: Limits;

  constructor(limits: Limits = DEFAULT_LIMITS) {
    this.#limits = limits;
  }

  readonly encode = (writer: Writer, type: TypeDesc | null): void => {
    if (type === null || type.kind === 'scalar' || type.kind === 'scalarArray' || type.kind === 'boundedString') {
      return encodeType(writer, type);
    }
    const known = this.#ids.get(type);
    if (known !== undefined) {
      writer.u8(ONLY_ID);
      return writer.u16(known);
    }
    if (this.#ids.size < this.#limits.maxTypeRegistryEntries) {
      // Ids start at 1, as in the specification's examples; 65 535 wraps to the one that is left.
      const id = (this.#ids.size + 1) & 0xffff;
      this.#ids.set(type, id);
      writer.u8(FULL_WITH_ID);
      writer.u16(id);
    }
    encodeWith(writer, type, this.encode);
  };

  /** How many types have an id. */
  get idCount(): number {
    return this.#ids.size;
  }

  /** Takes back all ids but the first `idCount`: what was to define the others is not sent. */
  forgetSince(idCount: number): void {
    for (const type of [...this.#ids.keys()].slice(idCount)) this.#ids.delete(type);
  }
}

// --- decode ----------------------------------------------------------------------------------------------------

/** How types are read. */
export interface TypeReceiverOptions {
  readonly limits?: Limits;
  /** Of what a server tells: it may have many more types than a client. */
  readonly fromServer?: boolean;
}

/** A type that has an id. */
interface Definition {
  readonly type: TypeDesc;
  /** Of its description, names and all. */
  readonly byteCount: number;
  /** The same where the description has no ids. */
  readonly fullByteCount: number;
}

/** A node in memory, at most: its place, its entry among the types that are known, and its codec once it is used. */
const NODE_BYTES = 1_300;
/** A byte of a name likewise: it stands in the type and in its key, as 16 bits if one of its characters needs them. */
const NAME_BYTES = 4;

/**
 * The receiver's side of the type registry of one direction of a link. A definition of a known id replaces it, as
 * the specification and pvAccessCPP have it.
 */
export class TypeReceiver extends ValueBudget {
  readonly #types = new Map<number, Definition>();
  readonly #fromServer: boolean;
  #fieldCount = 0;
  #byteCount = 0;
  /** What the ids in the type that is being read stand for. */
  #bytesOfIds = 0;

  constructor(options: TypeReceiverOptions = {}) {
    super(options.limits ?? DEFAULT_LIMITS);
    this.#fromServer = options.fromServer ?? false;
  }

  /** Memory that the types take which have an id, at most: others may have some of them as well. */
  get keptBytes(): number {
    return this.#fieldCount * NODE_BYTES + this.#byteCount * NAME_BYTES;
  }

  /** Reads a type or the null type. */
  decode(reader: Reader): TypeDesc | null {
    this.#bytesOfIds = 0;
    const type = this.#decodeAt(reader, 0);
    if (type !== null && type.nodeCount > this.limits.maxTypeFields) {
      throw new LimitError('maxTypeFields', type.nodeCount, this.limits.maxTypeFields, 'fields of one type');
    }
    return type;
  }

  /** Reads the type of an `any`, which may take many times as much where it goes on: there are no ids then. */
  decodeOfAny(reader: Reader): TypeDesc | null {
    const type = this.decode(reader);
    this.spendTypeBytes(this.#bytesOfIds);
    return type;
  }

  #decodeAt(reader: Reader, level: number): TypeDesc | null {
    const code = reader.u8();
    switch (code) {
      case NULL_TYPE:
        return null;
      case ONLY_ID:
        return this.#lookUp(reader, level);
      case FULL_WITH_ID:
        return this.#define(reader, level);
      case FULL_TAGGED_ID:
        throw new RemoteProtocolError(
          `type with a tag (0xfc) at offset ${reader.offset - 1}: reserved for other transports`,
        );
      default:
        return this.#decodeFull(reader, code, level);
    }
  }

  #lookUp(reader: Reader, level: number): TypeDesc {
    const id = reader.u16();
    const definition = this.#types.get(id);
    if (definition === undefined) {
      throw new RemoteProtocolError(`type id ${id} at offset ${reader.offset - 2} was never defined on this link`);
    }
    this.#checkLevel(level + definition.type.depth);
    this.#bytesOfIds += definition.fullByteCount;
    return definition.type;
  }

  #define(reader: Reader, level: number): TypeDesc {
    const id = reader.u16();
    const code = reader.u8();
    if (code >= 0xe0) {
      throw new RemoteProtocolError(
        `type id ${id} at offset ${reader.offset - 3} is followed by code 0x${code.toString(16)}, a full description expected`,
      );
    }
    const [start, bytesOfIds] = [reader.offset, this.#bytesOfIds];
    const type = this.#decodeFull(reader, code, level);
    const byteCount = reader.offset - start;
    // With the byte of its code.
    const fullByteCount = 1 + byteCount + this.#bytesOfIds - bytesOfIds;
    const replaced = this.#types.get(id);
    const fieldCount = this.#fieldCount + type.nodeCount - (replaced?.type.nodeCount ?? 0);
    const sumOfBytes = this.#byteCount + byteCount - (replaced?.byteCount ?? 0);
    const entryCount = this.#types.size + (replaced === undefined ? 1 : 0);
    const { maxTypeRegistryFields, maxTypeRegistryBytes, maxTypeRegistryEntries } = this.limits;
    if (this.#fromServer) requireWithin('maxServerTypeFields', fieldCount, CLIENT_LIMITS.maxServerTypeFields);
    else requireWithin('maxTypeRegistryFields', fieldCount, maxTypeRegistryFields);
    requireWithin('maxTypeRegistryBytes', sumOfBytes, maxTypeRegistryBytes);
    requireWithin('maxTypeRegistryEntries', entryCount, maxTypeRegistryEntries);
    this.#types.set(id, { type, byteCount, fullByteCount });
    this.#fieldCount = fieldCount;
    this.#byteCount = sumOfBytes;
    return type;
  }

  #decodeFull(reader: Reader, code: number, level: number): TypeDesc {
    this.#checkLevel(level);
    switch (code) {
      case STRUCTURE:
        return this.#decodeMembers(reader, 'structure', level);
      case UNION:
        return this.#decodeMembers(reader, 'union', level);
      case ANY:
        return t.any;
      case BOUNDED_STRING:
        return t.boundedString(requireBound(reader));
      case STRUCTURE_ARRAY: {
        const element = this.#decodeAt(reader, level + 1);
        if (element?.kind !== 'structure') throw wrongElement(reader, 'structure', element);
        return t.arrayOf(element);
      }
      case UNION_ARRAY: {
        const element = this.#decodeAt(reader, level + 1);
        if (element?.kind !== 'union') throw wrongElement(reader, 'union', element);
        return t.arrayOf(element);
      }
      case ANY_ARRAY:
        return t.anyArray;
      default:
        return decodeScalar(reader, code);
    }
  }

  #decodeMembers(reader: Reader, kind: 'structure' | 'union', level: number): TypeDesc {
    const start = reader.offset - 1;
    const id = reader.string();
    // A field takes at least the size byte of its name and one byte of type.
    const count = reader.count(2);
    const fields: Field[] = [];
    const names = new Set<string>();
    let nodeCount = 1;
    for (let index = 0; index < count; index++) {
      const name = reader.string();
      if (names.has(name)) {
        throw new RemoteProtocolError(`two fields named '${name}' in the ${kind} at offset ${start}`);
      }
      names.add(name);
      const type = this.#decodeAt(reader, level + 1);
      if (type === null) {
        throw new RemoteProtocolError(
          `field '${name}' at offset ${reader.offset - 1} has the null type, a type expected`,
        );
      }
      // Counted while reading: ids make it cheap to claim more fields than anyone could number.
      nodeCount += type.nodeCount;
      if (nodeCount > this.limits.maxTypeFields) {
        throw new LimitError(
          'maxTypeFields',
          nodeCount,
          this.limits.maxTypeFields,
          `fields of the ${kind} at offset ${start}`,
        );
      }
      fields.push({ name, type });
    }
    return kind === 'structure' ? t.structure(id, fields) : t.union(id, fields);
  }

  #checkLevel(level: number): void {
    if (level > this.limits.maxTypeNesting) {
      throw new LimitError('maxTypeNesting', level, this.limits.maxTypeNesting, 'levels of one type');
    }
  }
}

function requireWithin(limit: string, asked: number, allowed: number): void {
  if (asked > allowed) throw new LimitError(limit, asked, allowed, 'type registry');
}

function decodeScalar(reader: Reader, code: number): TypeDesc {
  const name = SCALAR_BY_CODE.get(code & ~SIZING_BITS);
  if (name === undefined) {
    throw new RemoteProtocolError(
      `type code 0x${code.toString(16).padStart(2, '0')} at offset ${reader.offset - 1} is not assigned`,
    );
  }
  const element = t.scalar(name);
  switch (code & SIZING_BITS) {
    case VARIABLE:
      return t.arrayOf(element);
    case BOUNDED:
      return t.boundedArrayOf(element, requireBound(reader));
    case FIXED:
      return t.fixedArrayOf(element, requireBound(reader));
    default:
      return element;
  }
}

/** pvData refuses a bound of zero, and no value could tell it from an empty array. */
function requireBound(reader: Reader): number {
  const bound = reader.size();
  if (bound === 0) throw new RemoteProtocolError(`bound 0 before offset ${reader.offset}, at least 1 expected`);
  return bound;
}

function wrongElement(reader: Reader, expected: string, element: TypeDesc | null): RemoteProtocolError {
  return new RemoteProtocolError(
    `element type of an array of ${expected}s is ${element?.kind ?? 'null'} at offset ${reader.offset}`,
  );
}

/** For readers of one type alone, as in a test or a beacon; nothing is kept. */
export function decodeType(reader: Reader, limits = DEFAULT_LIMITS): TypeDesc | null {
  return new TypeReceiver({ limits }).decode(reader);
}

/** What value codecs need to write the type inside an `any`. */
export type EncodeType = (writer: Writer, type: TypeDesc | null) => void;
