// Which channel does a JSON Schema describe? Its type, and with `default` what it begins with.
//
// An object is a channel of exactly that structure. A channel always is a structure, so all else becomes the field `value`
// of one: numbers, text and their arrays of NTScalar and NTScalarArray, a list of texts (`enum`) of NTEnum, alternatives
// and any of NTUnion, the rest of a structure with alarm and time stamp.

import { LimitError, PvaError, reasonOf } from '../protocol/errors.ts';
import { DEFAULT_LIMITS, type Limits } from '../protocol/limits.ts';
import { ntUnion } from '../protocol/normative/nt-union.ts';
import { alarmType, timeStampType } from '../protocol/normative/substructures.ts';
import { References, typeFromJsonSchema } from '../protocol/types/json-schema-type.ts';
import { structure, type StructureType, type TypeDesc } from '../protocol/types/type-desc.ts';
import { updateFromJson } from '../protocol/values/parse-json.ts';
import { weightOf } from '../protocol/values/weight.ts';
import type { ChannelType, ChannelValue } from './channel-definition.ts';
import { enumOf } from './channel-type.ts';
import { checkPatch, valueFromJson } from './channel-value.ts';
import { right, wrong, type Parsed } from './parsed.ts';

/** What a schema says of a channel. */
export interface SchemaChannel {
  readonly type: ChannelType;
  /** Undefined where it has no default. */
  readonly value: ChannelValue | undefined;
}

type Schema = Readonly<Record<string, unknown>>;

/** Reads the text of a JSON Schema; what pvData cannot express is refused with its JSON pointer. */
export function parseChannelSchema(text: string, limits: Limits = DEFAULT_LIMITS): Parsed<SchemaChannel> {
  if (text.length > limits.maxSchemaCharacters)
    return wrong(`has ${text.length} characters; at most ${limits.maxSchemaCharacters} are read`);
  let schema: unknown;
  try {
    schema = JSON.parse(text);
  } catch (thrown) {
    return wrong(`is no JSON: ${reasonOf(thrown)}`);
  }
  try {
    return channelOf(schema, limits);
  } catch (thrown) {
    if (thrown instanceof PvaError) return wrong(thrown.message);
    // What reads it calls itself for each level.
    if (thrown instanceof RangeError)
      return wrong(`is nested too deeply; a type has ${limits.maxTypeNesting} levels at most`);
    throw thrown;
  }
}

function channelOf(schema: unknown, limits: Limits): Parsed<SchemaChannel> {
  const type = typeFromJsonSchema(schema, limits);
  const choices = choicesOf(schema);
  const given = defaultOf(schema, type, '#', { references: new References(schema), limits, weight: 0 });
  if (choices !== undefined) {
    const named = enumOf(choices);
    return named.ok ? withValue(named.value, given) : wrong(`JSON Schema at #/enum: ${named.wrong}`);
  }
  switch (type.kind) {
    case 'scalar':
      return withValue({ kind: 'scalar', scalar: type.scalar }, given);
    case 'structure':
      return withPatch(type, given);
    case 'union':
    case 'any':
      return withPatch(ntUnion<typeof type>(type), given && { json: { value: given.json } });
    default: {
      if (type.kind === 'scalarArray' && type.sizing === 'variable')
        return withValue({ kind: 'array', element: type.scalar }, given);
      const around = structure('', { value: type, alarm: alarmType, timeStamp: timeStampType });
      return withPatch(around, given && { json: { value: given.json } });
    }
  }
}

/** The texts to choose from, where a schema is a list of them and does not name another type itself. */
function choicesOf(schema: unknown): readonly string[] | undefined {
  if (!isSchema(schema) || 'x-pva-type' in schema || '$ref' in schema) return undefined;
  const list: unknown = schema['enum'];
  return Array.isArray(list) && list.every((item) => typeof item === 'string') ? list : undefined;
}

function withValue(type: ChannelType, given: Default | undefined): Parsed<SchemaChannel> {
  if (given === undefined) return right({ type, value: undefined });
  const value = valueFromJson(type, given.json);
  return value.ok ? right({ type, value: value.value }) : wrong(`JSON Schema at #/default: it ${value.wrong}`);
}

function withPatch(type: StructureType, given: Default | undefined): Parsed<SchemaChannel> {
  const channel: ChannelType = { kind: 'structure', structure: type };
  if (given === undefined) return right({ type: channel, value: undefined });
  const value = checkPatch(type, given.json);
  return value.ok ? right({ type: channel, value: value.value }) : wrong(`JSON Schema at #/default: it ${value.wrong}`);
}

// --- defaults --------------------------------------------------------------------------------------------------

interface Default {
  readonly json: unknown;
}

/** What goes along through all levels of a schema. */
interface Pass {
  readonly references: References;
  readonly limits: Limits;
  /** Of the defaults so far: one that many references lead to is so many values. */
  weight: number;
}

/** The default of a schema with those of its properties, of which its own is the stronger. */
function defaultOf(schema: unknown, type: TypeDesc, at: string, pass: Pass): Default | undefined {
  if (!isSchema(schema)) return undefined;
  const own = Object.hasOwn(schema, 'default') ? { json: schema['default'] } : undefined;
  if (own !== undefined) requireFit(type, own.json, `${at}/default`, pass);
  const properties = schema['properties'];
  if (type.kind === 'structure' && isSchema(properties))
    return over(defaultsOfProperties(properties, type, at, pass), own);
  if (own !== undefined || !('$ref' in schema)) return own;
  // A type was made of it, so it leads somewhere.
  return defaultOf(pass.references.resolve(schema['$ref'], at), type, `${at}/$ref`, pass);
}

function defaultsOfProperties(properties: Schema, type: StructureType, at: string, pass: Pass): Default | undefined {
  const found = type.fields.flatMap((field): [string, unknown][] => {
    const place = `${at}/properties/${field.name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    const given = defaultOf(properties[field.name], field.type, place, pass);
    return given === undefined ? [] : [[field.name, given.json]];
  });
  // fromEntries() makes own fields of any name, `__proto__` included.
  return found.length === 0 ? undefined : { json: Object.fromEntries(found) };
}

/** Objects are laid over each other field by field. */
function over(below: Default | undefined, above: Default | undefined): Default | undefined {
  if (above === undefined || below === undefined) return above ?? below;
  return { json: laidOver(below.json, above.json) };
}

/** JSON with other JSON over it: fields of objects one by one, all else as a whole. */
export function laidOver(below: unknown, above: unknown): unknown {
  if (!isSchema(below) || !isSchema(above)) return above;
  const names = [...new Set([...Object.keys(below), ...Object.keys(above)])];
  return Object.fromEntries(
    names.map((name) => [name, Object.hasOwn(above, name) ? laidOver(own(below, name), above[name]) : below[name]]),
  );
}

function own(object: Schema, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

/** Where it stands is known here, and no longer when all defaults are one. @throws PvaError */
function requireFit(type: TypeDesc, json: unknown, at: string, pass: Pass): void {
  const { maxBodyBytes } = pass.limits;
  pass.weight += weightOf(json);
  if (pass.weight > maxBodyBytes)
    throw new LimitError('maxBodyBytes', pass.weight, maxBodyBytes, `defaults up to ${at}`);
  try {
    updateFromJson(structure('', { value: type }), { value: json });
  } catch (thrown) {
    throw new PvaError('BAD_SCHEMA', `JSON Schema at ${at}: ${reasonOf(thrown)}`, { cause: thrown });
  }
}

function isSchema(thing: unknown): thing is Schema {
  return typeof thing === 'object' && thing !== null && !Array.isArray(thing);
}
