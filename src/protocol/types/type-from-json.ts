// How does a type come back from the JSON that `typeJson` makes of it (values/format-json.ts)?

import { LimitError, LocalProtocolError } from '../errors.ts';
import { DEFAULT_LIMITS, type Limits } from '../limits.ts';
import * as t from './type-desc.ts';
import { SCALAR_NAMES, type Field, type ScalarName, type TypeDesc } from './type-desc.ts';

/** `double`, `int[]`, `int[8]` (exactly eight), `int<8>` (at most eight), `string(40)`. */
const ARRAY = /^(?<scalar>[a-z]+)(?:\[(?<fixed>\d*)\]|<(?<bounded>\d+)>)$/u;
const BOUNDED_STRING = /^string\((?<bound>\d+)\)$/u;

const KINDS = ['structure', 'union', 'structure[]', 'union[]'];

/**
 * The type that parsed JSON describes, as `typeJson` writes it: a string such as "double" or "int[8]", or an object
 * { kind, id, fields: [{ name, type }] }.
 * @throws LocalProtocolError, LimitError
 */
export function typeFromJson(json: unknown, limits: Limits = DEFAULT_LIMITS): TypeDesc {
  const type = read(json, 0, limits);
  if (type.nodeCount > limits.maxTypeFields) {
    throw new LimitError('maxTypeFields', type.nodeCount, limits.maxTypeFields, 'fields of one type');
  }
  return type;
}

function read(json: unknown, level: number, limits: Limits): TypeDesc {
  // Counted on the way down: the text of a type nests as deep as somebody likes.
  if (level > limits.maxTypeNesting) {
    throw new LimitError('maxTypeNesting', level, limits.maxTypeNesting, 'type inside type');
  }
  if (typeof json === 'string') return named(json);
  if (!isObject(json)) throw unknownType(JSON.stringify(json));
  const { kind, id, fields } = json;
  if (typeof kind !== 'string' || !KINDS.includes(kind)) throw unknownType(`kind ${JSON.stringify(kind)}`);
  if (typeof id !== 'string') throw new LocalProtocolError(`id of a ${kind} is ${JSON.stringify(id)}, text expected`);
  if (!Array.isArray(fields)) throw new LocalProtocolError(`a ${kind} has no list of fields`);
  const members = fields.map((field: unknown) => readField(field, level, limits));
  switch (kind) {
    case 'structure':
      return t.structure(id, members);
    case 'union':
      return t.union(id, members);
    case 'structure[]':
      return t.arrayOf(t.structure(id, members));
    default:
      return t.arrayOf(t.union(id, members));
  }
}

function readField(json: unknown, level: number, limits: Limits): Field {
  if (!isObject(json) || typeof json['name'] !== 'string') {
    throw new LocalProtocolError(`a field is ${JSON.stringify(json)}, {"name": ..., "type": ...} expected`);
  }
  return { name: json['name'], type: read(json['type'], level + 1, limits) };
}

function named(text: string): TypeDesc {
  if (isScalarName(text)) return t.scalar(text);
  if (text === 'any') return t.any;
  if (text === 'any[]') return t.anyArray;
  const { bound } = BOUNDED_STRING.exec(text)?.groups ?? {};
  if (bound !== undefined) return t.boundedString(Number(bound));
  const { scalar, fixed, bounded } = ARRAY.exec(text)?.groups ?? {};
  if (scalar === undefined || !isScalarName(scalar)) throw unknownType(JSON.stringify(text));
  const element = t.scalar(scalar);
  if (bounded !== undefined) return t.boundedArrayOf(element, Number(bounded));
  return fixed === undefined || fixed === '' ? t.arrayOf(element) : t.fixedArrayOf(element, Number(fixed));
}

function isScalarName(text: string): text is ScalarName {
  const names: readonly string[] = SCALAR_NAMES;
  return names.includes(text);
}

function isObject(json: unknown): json is Readonly<Record<string, unknown>> {
  return typeof json === 'object' && json !== null && !Array.isArray(json);
}

function unknownType(found: string): LocalProtocolError {
  return new LocalProtocolError(
    `${found} is no type; "double", "int[]", "string(40)", "any" or {"kind", "id", "fields"} expected`,
  );
}
