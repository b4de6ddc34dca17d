// What does the JSON of a type's values look like, as a JSON Schema (2020-12)? So that tools which know nothing of
// pvData can check, document and generate it; `x-pva-*` keywords say what JSON has no words for.
//
// - x-pva-type: the type, as `typeJson` names it ("int", "double[]", "int[8]", "string(40)", "any"), or the kind:
//   "structure", "union", "structure[]", "union[]"
// - x-pva-id: the id of a structure or union; left out where there is none
// - x-pva-fields: the order of the fields, where that of a JSON object is not kept: names such as "1"
//
// The schema is that of values in the JSON that `formatJson` writes: NaN and infinities are strings, and so are 64-bit
// integers past 2^53; a union is {"select", "value"} or null, any is {"type", "value"} or null.

import {
  INTEGER_RANGES,
  type ScalarArrayType,
  type ScalarName,
  type StructureType,
  type TypeDesc,
  type UnionType,
} from './type-desc.ts';

export const JSON_SCHEMA_DIALECT = 'https://json-schema.org/draft/2020-12/schema';

/** Keywords and the JSON text of what they say. */
type Keywords = Readonly<Record<string, string>>;

const NULL = schemaText({ type: '"null"' });
const FLOATING = '[{"type":"number"},{"enum":["NaN","Infinity","-Infinity"]}]';

/**
 * JSON text of the schema of a type's values. `typeFromJsonSchema` gives the same type back.
 * @param title what a tool is to call it, such as the PV name
 */
export function jsonSchema(type: TypeDesc, title?: string): string {
  // Written as text, as the values are: an object would reorder properties named "1" and lose "__proto__".
  return schemaText({
    $schema: JSON.stringify(JSON_SCHEMA_DIALECT),
    ...(title !== undefined && { title: JSON.stringify(title) }),
    ...keywordsOf(type),
  });
}

function schemaText(keywords: Keywords): string {
  const members = Object.entries(keywords).map(([keyword, text]) => `${JSON.stringify(keyword)}:${text}`);
  return `{${members.join(',')}}`;
}

function schemaOf(type: TypeDesc): string {
  return schemaText(keywordsOf(type));
}

function keywordsOf(type: TypeDesc): Keywords {
  switch (type.kind) {
    case 'scalar':
      return { ...scalarKeywords(type.scalar), 'x-pva-type': JSON.stringify(type.scalar) };
    case 'boundedString':
      // The bound counts bytes, of which a character takes one or more.
      return { type: '"string"', maxLength: String(type.bound), 'x-pva-type': `"string(${type.bound})"` };
    case 'scalarArray':
      return arrayKeywords(type);
    case 'structure':
      return structureKeywords(type);
    case 'union':
      return unionKeywords(type);
    case 'any':
      return anyKeywords();
    case 'structureArray':
      return listKeywords('"structure[]"', `{"anyOf":[${NULL},${schemaOf(type.element)}]}`);
    case 'unionArray':
      return listKeywords('"union[]"', schemaOf(type.element));
    case 'anyArray':
      return listKeywords('"any[]"', schemaText(anyKeywords()));
  }
}

function scalarKeywords(name: ScalarName): Keywords {
  switch (name) {
    case 'boolean':
    case 'string':
      return { type: `"${name}"` };
    case 'float':
    case 'double':
      return { anyOf: FLOATING };
    case 'long':
      return longKeywords(Number.MIN_SAFE_INTEGER, '^-?[0-9]{16,19}$');
    case 'ulong':
      return longKeywords(0, '^[0-9]{16,20}$');
    default: {
      const [low, high] = INTEGER_RANGES[name];
      return { type: '"integer"', minimum: String(low), maximum: String(high) };
    }
  }
}

/** A number as long as every reader keeps it exact, else its digits. */
function longKeywords(low: number, digits: string): Keywords {
  const number = `{"type":"integer","minimum":${low},"maximum":${Number.MAX_SAFE_INTEGER}}`;
  return { anyOf: `[${number},{"type":"string","pattern":${JSON.stringify(digits)}}]` };
}

function arrayKeywords({ scalar, sizing, size }: ScalarArrayType): Keywords {
  const sized = { variable: '[]', bounded: `<${size}>`, fixed: `[${size}]` }[sizing];
  return {
    type: '"array"',
    items: schemaText(scalarKeywords(scalar)),
    ...(sizing === 'bounded' && { maxItems: String(size) }),
    // Empty is what a fixed array looks like that nobody set.
    ...(sizing === 'fixed' && { anyOf: `[{"minItems":${size},"maxItems":${size}},{"maxItems":0}]` }),
    'x-pva-type': `"${scalar}${sized}"`,
  };
}

function structureKeywords({ id, fields }: StructureType): Keywords {
  const names = fields.map(({ name }) => JSON.stringify(name));
  const properties = fields.map(({ name, type }) => `${JSON.stringify(name)}:${schemaOf(type)}`);
  return {
    type: '"object"',
    properties: `{${properties.join(',')}}`,
    required: `[${names.join(',')}]`,
    additionalProperties: 'false',
    'x-pva-type': '"structure"',
    ...idKeyword(id),
    ...(fields.some(({ name }) => isIndex(name)) && { 'x-pva-fields': `[${names.join(',')}]` }),
  };
}

function unionKeywords({ id, fields }: UnionType): Keywords {
  const members = fields.map(
    ({ name, type }) =>
      `{"type":"object","properties":{"select":{"const":${JSON.stringify(name)}},"value":${schemaOf(type)}},` +
      '"required":["select","value"],"additionalProperties":false}',
  );
  return { oneOf: `[${[NULL, ...members].join(',')}]`, 'x-pva-type': '"union"', ...idKeyword(id) };
}

function anyKeywords(): Keywords {
  return {
    anyOf: `[${NULL},{"type":"object","properties":{"type":{},"value":{}},"required":["type","value"],"additionalProperties":false}]`,
    'x-pva-type': '"any"',
  };
}

function listKeywords(type: string, items: string): Keywords {
  return { type: '"array"', items, 'x-pva-type': type };
}

function idKeyword(id: string): Keywords {
  return id === '' ? {} : { 'x-pva-id': JSON.stringify(id) };
}

/** Names that JavaScript objects keep in their own order. */
function isIndex(name: string): boolean {
  return /^(?:0|[1-9]\d{0,9})$/u.test(name);
}
