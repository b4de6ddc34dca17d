// Which type does a JSON Schema describe? One that `jsonSchema` wrote gives its type back; a plain one, from another
// tool, the type that a controls engineer would choose.
//
// A plain schema: integer is int or, with bounds past 32 bits or none, long (ulong past long's range), or what `format`
// says (int8 ... uint64, float, double); number is double; an object is a structure of its properties; an array is an
// array of its items; oneOf, anyOf and several types are a union whose members have the alternatives' titles or types
// as names; true and {} are any. $ref follows "#..." pointers. Keywords that only narrow values (pattern, minLength,
// multipleOf) are not pvData's to check and are passed over; whatever would need another type is refused, not ignored.

import { LimitError, LocalProtocolError, PvaError } from '../errors.ts';
import { DEFAULT_LIMITS, type Limits } from '../limits.ts';
import * as t from './type-desc.ts';
import type { Field, ScalarName, TypeDesc } from './type-desc.ts';
import { typeFromJson } from './type-from-json.ts';

type Schema = Readonly<Record<string, unknown>>;

/** What goes along through all levels of a schema. */
interface Pass {
  readonly references: References;
  readonly limits: Limits;
  /** Schemas visited, so that references to references cannot multiply without end. */
  visited: number;
  /** Characters of names and ids that were read, for the same reason. */
  characters: number;
}

/** They make another type of a schema than the rest of it says, or one that pvData does not have. */
const REFUSED = ['allOf', 'not', 'if', 'prefixItems', 'patternProperties', 'dependentSchemas', '$dynamicRef'] as const;

/** `format` as the OpenAPI registry has it. */
const FORMATS: Readonly<Record<string, ScalarName>> = {
  int8: 'byte',
  uint8: 'ubyte',
  int16: 'short',
  uint16: 'ushort',
  int32: 'int',
  uint32: 'uint',
  int64: 'long',
  uint64: 'ulong',
  float: 'float',
  double: 'double',
};

const INT_RANGE: readonly [low: number, high: number] = [-0x8000_0000, 0x7fff_ffff];
const LARGEST_LONG = 2 ** 63;

/**
 * The type of the values that a parsed JSON Schema (2020-12) describes.
 * @throws LocalProtocolError naming the JSON pointer of what pvData cannot express, LimitError
 */
export function typeFromJsonSchema(schema: unknown, limits: Limits = DEFAULT_LIMITS): TypeDesc {
  const type = read(schema, '#', 0, { references: new References(schema), limits, visited: 0, characters: 0 });
  if (type.nodeCount > limits.maxTypeFields) {
    throw new LimitError('maxTypeFields', type.nodeCount, limits.maxTypeFields, 'fields of one type');
  }
  return type;
}

function read(schema: unknown, at: string, level: number, pass: Pass): TypeDesc {
  const { maxTypeNesting, maxTypeFields } = pass.limits;
  if (level > maxTypeNesting) throw new LimitError('maxTypeNesting', level, maxTypeNesting, `schema at ${at}`);
  if (++pass.visited > maxTypeFields) throw new LimitError('maxTypeFields', pass.visited, maxTypeFields, 'schemas');
  if (schema === true) return t.any;
  if (!isSchema(schema)) throw refused(at, `${shown(schema)} describes no value, a schema expected`);
  if ('x-pva-type' in schema) return readMarked(schema, at, level, pass);
  for (const keyword of REFUSED) {
    if (Object.hasOwn(schema, keyword)) throw refused(`${at}/${keyword}`, 'pvData has no type for this');
  }
  if ('$ref' in schema) return read(pass.references.resolve(schema['$ref'], at), `${at}/$ref`, level + 1, pass);
  for (const keyword of ['oneOf', 'anyOf'] as const) {
    if (keyword in schema) return readAlternatives(listAt(schema, keyword, at), `${at}/${keyword}`, level, pass);
  }
  if ('const' in schema) return ofValues([schema['const']], `${at}/const`);
  if ('enum' in schema) return ofValues(listAt(schema, 'enum', at), `${at}/enum`);
  return readPlain(schema, at, level, pass);
}

// --- schemas of ours -------------------------------------------------------------------------------------------

function readMarked(schema: Schema, at: string, level: number, pass: Pass): TypeDesc {
  const { 'x-pva-type': kind } = schema;
  switch (kind) {
    case 'structure':
      return make(at, () => t.structure(idOf(schema, at, pass), propertiesOf(schema, at, level, pass)));
    case 'union':
      return make(at, () => t.union(idOf(schema, at, pass), selectionsOf(schema, at, level, pass)));
    case 'structure[]':
    case 'union[]':
      return readArray(schema, at, level, pass);
    default:
      return make(`${at}/x-pva-type`, () => {
        if (typeof kind !== 'string') throw new LocalProtocolError(`${shown(kind)} is no type, its name expected`);
        return typeFromJson(kind);
      });
  }
}

function idOf(schema: Schema, at: string, pass: Pass): string {
  const { 'x-pva-id': id = '' } = schema;
  if (typeof id !== 'string') throw refused(`${at}/x-pva-id`, `${shown(id)} is no id, text expected`);
  return spelt(id, pass);
}

/** A name or an id, which a page of references could have read thousands of times. */
function spelt(name: string, pass: Pass): string {
  const { maxSchemaCharacters } = pass.limits;
  pass.characters += name.length;
  if (pass.characters <= maxSchemaCharacters) return name;
  throw new LimitError('maxSchemaCharacters', pass.characters, maxSchemaCharacters, 'names in a schema');
}

/** The members of a union as `jsonSchema` writes them: {"select": {"const": NAME}, "value": ...}, beside null. */
function selectionsOf(schema: Schema, at: string, level: number, pass: Pass): readonly Field[] {
  return listAt(schema, 'oneOf', at).flatMap((alternative, index): readonly Field[] => {
    if (isNullSchema(alternative)) return [];
    const where = `${at}/oneOf/${index}/properties`;
    const properties = isSchema(alternative) ? alternative['properties'] : undefined;
    const select = isSchema(properties) ? properties['select'] : undefined;
    if (!isSchema(properties) || !isSchema(select) || typeof select['const'] !== 'string') {
      throw refused(where, 'a member of a union expected, {"select": {"const": NAME}, "value": ...}');
    }
    return [{ name: spelt(select['const'], pass), type: read(properties['value'], `${where}/value`, level + 1, pass) }];
  });
}

// --- schemas of others -----------------------------------------------------------------------------------------

function readPlain(schema: Schema, at: string, level: number, pass: Pass): TypeDesc {
  const type = schema['type'] ?? impliedType(schema);
  if (Array.isArray(type)) return readTypes(schema, type, at, level, pass);
  switch (type) {
    case undefined:
      return t.any;
    case 'boolean':
      return t.boolean;
    case 'string':
      return t.string;
    case 'number':
      return schema['format'] === 'float' ? t.float : t.double;
    case 'integer':
      return integerOf(schema);
    case 'array':
      return readArray(schema, at, level, pass);
    case 'object':
      return make(at, () => t.structure(idOf(schema, at, pass), propertiesOf(schema, at, level, pass)));
    case 'null':
      throw refused(`${at}/type`, 'a value that is only ever null has no type in pvData');
    default:
      throw refused(`${at}/type`, `${shown(type)} is no type of JSON Schema`);
  }
}

/** Schemas of objects and arrays are often written without saying so. */
function impliedType(schema: Schema): string | undefined {
  if ('properties' in schema) return 'object';
  return 'items' in schema ? 'array' : undefined;
}

function integerOf({ format, minimum, maximum, exclusiveMinimum, exclusiveMaximum }: Schema): TypeDesc {
  const named = typeof format === 'string' && Object.hasOwn(FORMATS, format) ? FORMATS[format] : undefined;
  if (named !== undefined) return t.scalar(named);
  const low = lowest(minimum, exclusiveMinimum) ?? -Infinity;
  const high = lowest(maximum, exclusiveMaximum) ?? Infinity;
  if (low >= INT_RANGE[0] && high <= INT_RANGE[1]) return t.int;
  return low >= 0 && Number.isFinite(high) && high >= LARGEST_LONG ? t.ulong : t.long;
}

function lowest(...bounds: readonly unknown[]): number | undefined {
  return bounds.find((bound) => typeof bound === 'number');
}

/** Several types at once: number where they are only numbers, else one member for each, null being none of them. */
function readTypes(schema: Schema, types: readonly unknown[], at: string, level: number, pass: Pass): TypeDesc {
  const kinds = new Set(types);
  if (kinds.has('number')) kinds.delete('integer');
  const alternatives = [...kinds].map((type) => Object.assign({}, schema, { type }));
  const [only, ...others] = alternatives;
  if (only !== undefined && others.length === 0) return readPlain(only, at, level, pass);
  return readAlternatives(alternatives, `${at}/type`, level, pass);
}

function readAlternatives(list: readonly unknown[], at: string, level: number, pass: Pass): TypeDesc {
  const members = list.flatMap((alternative, index): readonly Field[] => {
    if (isNullSchema(alternative)) return [];
    const type = read(alternative, `${at}/${index}`, level + 1, pass);
    const title = isSchema(alternative) ? alternative['title'] : undefined;
    return [{ name: typeof title === 'string' ? spelt(title, pass) : memberName(type), type }];
  });
  if (members.length === 0) throw refused(at, 'alternatives other than null expected');
  const twice = members.find(({ name }, index) => members.findIndex((other) => other.name === name) !== index);
  if (twice !== undefined) throw refused(at, `two alternatives would be called '${twice.name}': give each a title`);
  return make(at, () => t.union('', members));
}

function memberName(type: TypeDesc): string {
  switch (type.kind) {
    case 'scalar':
      return type.scalar;
    case 'boundedString':
      return 'string';
    case 'scalarArray':
      return `${type.scalar}Array`;
    default:
      return type.kind;
  }
}

function propertiesOf(schema: Schema, at: string, level: number, pass: Pass): readonly Field[] {
  const { properties, additionalProperties, 'x-pva-fields': order } = schema;
  if (additionalProperties !== undefined && typeof additionalProperties !== 'boolean') {
    throw refused(`${at}/additionalProperties`, 'pvData has no objects whose fields are named by their values');
  }
  if (!isSchema(properties)) throw refused(`${at}/properties`, 'the fields of a structure expected');
  const names = Object.keys(properties);
  const ordered = order === undefined ? names : namesOf(order, `${at}/x-pva-fields`);
  if (ordered.length !== names.length || ordered.some((name) => !Object.hasOwn(properties, name))) {
    throw refused(`${at}/x-pva-fields`, 'the names of all properties expected, each once');
  }
  return ordered.map((name) => ({
    name: spelt(name, pass),
    type: read(properties[name], `${at}/properties/${escaped(name)}`, level + 1, pass),
  }));
}

function readArray(schema: Schema, at: string, level: number, pass: Pass): TypeDesc {
  const items = schema['items'] ?? true;
  const where = `${at}/items`;
  // Elements of structure arrays may be missing, and only they need not be unions for that.
  const element = read(onlyStructure(items) ?? items, where, level + 1, pass);
  switch (element.kind) {
    case 'scalar':
      return t.arrayOf(element);
    case 'structure':
      return t.arrayOf(element);
    case 'union':
      return t.arrayOf(element);
    case 'any':
      return t.arrayOf(element);
    default:
      throw refused(where, 'pvData has arrays of scalars, structures, unions and any, and of nothing else');
  }
}

/** The one alternative beside null, if it describes an object. */
function onlyStructure(items: unknown): Schema | undefined {
  if (!isSchema(items)) return undefined;
  const alternatives: unknown = items['anyOf'] ?? items['oneOf'];
  if (!Array.isArray(alternatives) || alternatives.length !== 2 || 'x-pva-type' in items) return undefined;
  if (!alternatives.some(isNullSchema)) return undefined;
  const only: unknown = alternatives.find((alternative) => !isNullSchema(alternative));
  return isSchema(only) && (only['type'] ?? impliedType(only)) === 'object' ? only : undefined;
}

function ofValues(values: readonly unknown[], at: string): TypeDesc {
  const kinds = new Set(values.map((value) => typeof value));
  const [kind, ...others] = kinds;
  if (others.length === 0) {
    if (kind === 'string') return t.string;
    if (kind === 'boolean') return t.boolean;
    if (kind === 'number') return values.every((value) => Number.isSafeInteger(value)) ? t.long : t.double;
  }
  throw refused(at, 'values of one scalar type expected: text, numbers, or true and false');
}

// --- references and pointers -----------------------------------------------------------------------------------

/** The `$ref`s of one schema; schemas are not fetched from anywhere. */
export class References {
  readonly #root: unknown;
  /** A pointer may be as long as a schema, and be followed by every reference to where it stands: once is enough. */
  readonly #found = new Map<string, unknown>();

  constructor(root: unknown) {
    this.#root = root;
  }

  /**
   * What "#/a/b" in a schema at `at` points to.
   * @throws LocalProtocolError when there is nothing
   */
  resolve(reference: unknown, at: string): unknown {
    if (typeof reference !== 'string' || (reference !== '#' && !reference.startsWith('#/'))) {
      throw refused(`${at}/$ref`, `${shown(reference)} is no pointer into this schema, such as "#/$defs/limits"`);
    }
    if (!this.#found.has(reference)) this.#found.set(reference, this.#follow(reference, at));
    return this.#found.get(reference);
  }

  #follow(reference: string, at: string): unknown {
    let found = this.#root;
    for (const part of reference.split('/').slice(1)) {
      const name = unescaped(part);
      if (!isContainer(found) || !Object.hasOwn(found, name)) {
        throw refused(`${at}/$ref`, `there is nothing at ${shown(reference)}`);
      }
      found = found[name];
    }
    return found;
  }
}

function escaped(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}

function unescaped(part: string): string {
  try {
    return decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~');
  } catch {
    // A stray %: such a name is not in the schema either.
    return part;
  }
}

function namesOf(list: unknown, at: string): readonly string[] {
  if (!Array.isArray(list) || !list.every((name) => typeof name === 'string') || new Set(list).size !== list.length) {
    throw refused(at, 'a list of different names expected');
  }
  return list;
}

function listAt(schema: Schema, keyword: string, at: string): readonly unknown[] {
  const list = schema[keyword];
  if (!Array.isArray(list) || list.length === 0) throw refused(`${at}/${keyword}`, 'a list that is not empty expected');
  return list;
}

/** Builders know what is wrong with a type, and not where it stands. */
function make(at: string, build: () => TypeDesc): TypeDesc {
  try {
    return build();
  } catch (thrown) {
    if (!(thrown instanceof PvaError) || thrown.message.includes('JSON Schema at #')) throw thrown;
    throw thrown instanceof LimitError ? thrown : refused(at, thrown.message);
  }
}

function refused(at: string, why: string): LocalProtocolError {
  return new LocalProtocolError(`JSON Schema at ${at}: ${why}`);
}

function isNullSchema(schema: unknown): boolean {
  return isSchema(schema) && (schema['type'] === 'null' || schema['const'] === null);
}

function isSchema(thing: unknown): thing is Schema {
  return isContainer(thing) && !Array.isArray(thing);
}

function isContainer(thing: unknown): thing is Schema {
  return typeof thing === 'object' && thing !== null;
}

function shown(thing: unknown): string {
  const text = JSON.stringify(thing) ?? 'nothing';
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
