// Does a value fit the type of its channel? Nothing is rounded, cut or guessed.
import { reasonOf } from '../protocol/errors.ts';
import type { ScalarName, StructureType } from '../protocol/types/type-desc.ts';
import { updateFromJson } from '../protocol/values/parse-json.ts';
import type { ChannelType, ChannelValue, ScalarValue, StructurePatch } from './channel-definition.ts';
import { quote, right, wrong, type Parsed } from './parsed.ts';

interface IntegerRange {
  readonly least: bigint;
  readonly most: bigint;
}

const RANGES: Readonly<Partial<Record<ScalarName, IntegerRange>>> = {
  byte: { least: -(2n ** 7n), most: 2n ** 7n - 1n },
  ubyte: { least: 0n, most: 2n ** 8n - 1n },
  short: { least: -(2n ** 15n), most: 2n ** 15n - 1n },
  ushort: { least: 0n, most: 2n ** 16n - 1n },
  int: { least: -(2n ** 31n), most: 2n ** 31n - 1n },
  uint: { least: 0n, most: 2n ** 32n - 1n },
  long: { least: -(2n ** 63n), most: 2n ** 63n - 1n },
  ulong: { least: 0n, most: 2n ** 64n - 1n },
};

const MOST: Readonly<Partial<Record<ScalarName, string>>> = { float: '3.4e38', double: '1.8e308' };

const INTEGER_TEXT = /^[+-]?(\d{1,40}|0x[\da-f]{1,32})$/i;
const FLOAT_TEXT = /^[+-]?((\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?|inf(inity)?|nan)$/i;

/** Has the type numbers, so that limits make sense? */
export function isNumeric(type: ChannelType): boolean {
  if (type.kind === 'enum' || type.kind === 'structure') return false;
  const scalar = type.kind === 'array' ? type.element : type.scalar;
  return scalar !== 'string' && scalar !== 'boolean';
}

/** A value out of TOML (integers are bigint) for a channel of this type. */
export function checkValue(type: ChannelType, raw: unknown): Parsed<ChannelValue> {
  if (type.kind === 'enum') return checkChoice(type.choices, raw);
  if (type.kind === 'scalar') return checkScalar(type.scalar, raw);
  if (type.kind === 'structure') return checkPatch(type.structure, raw);
  if (!Array.isArray(raw)) return wrong(`is ${describe(raw)}; expected an array of ${type.element}`);
  return collect(raw, (item) => checkScalar(type.element, item));
}

/**
 * A value out of the command line's text for a channel of this type. Arrays: a JSON list, or items between commas.
 * Structures: a JSON object with some of the fields, as `formatJson` has them.
 */
export function parseValueText(type: ChannelType, text: string): Parsed<ChannelValue> {
  if (type.kind === 'enum') return parseChoice(type.choices, text);
  if (type.kind === 'scalar') return parseScalarText(type.scalar, text);
  if (type.kind === 'structure') return parsePatch(type.structure, text);
  const trimmed = text.trim();
  if (trimmed === '') return right([]);
  if (type.element === 'string' && trimmed.startsWith('[')) return parseStringList(trimmed);
  // Split by hand, because JSON.parse would round integers beyond 2^53.
  const isList = trimmed.startsWith('[');
  if (isList !== trimmed.endsWith(']') && type.element !== 'string')
    return wrong(`${quote(text)} has only one of [ and ]`);
  const inner = isList ? trimmed.slice(1, -1).trim() : trimmed;
  if (inner === '') return right([]);
  return collect(inner.split(','), (item) => parseScalarText(type.element, item.trim()));
}

/** A value out of parsed JSON, as `formatJson` writes it, for a channel of this type. */
export function valueFromJson(type: ChannelType, json: unknown): Parsed<ChannelValue> {
  if (type.kind === 'structure') return checkPatch(type.structure, json);
  if (type.kind === 'array') {
    if (!Array.isArray(json)) return wrong(`is ${describe(json)}; expected a list of ${type.element}`);
    return collect<unknown>(json, (item) => scalarFromJson(type.element, item));
  }
  if (type.kind === 'scalar') return scalarFromJson(type.scalar, json);
  if (typeof json === 'string') return checkChoice(type.choices, json);
  return checkChoice(type.choices, Number.isSafeInteger(json) ? BigInt(Number(json)) : json);
}

/** Text stands for the numbers that JSON does not have: NaN, the infinities, and integers past 2^53. */
function scalarFromJson(scalar: ScalarName, json: unknown): Parsed<ScalarValue> {
  if (scalar === 'string' || scalar === 'boolean') return checkScalar(scalar, json);
  // JSON has no infinity: this was a number that is too large.
  if (json === Number.POSITIVE_INFINITY || json === Number.NEGATIVE_INFINITY) return tooLarge(scalar, json);
  if (typeof json === 'number' || typeof json === 'string') return parseScalarText(scalar, String(json));
  return wrong(`is ${describe(json)}; expected a number (${scalar})`);
}

/** Fields of a structure as parsed JSON, or as a table of TOML. */
export function checkPatch(type: StructureType, patch: unknown): Parsed<StructurePatch> {
  try {
    updateFromJson(type, patch);
    return right({ patch });
  } catch (thrown) {
    return wrong(`does not fit the structure: ${reasonOf(thrown)}`);
  }
}

function parsePatch(type: StructureType, text: string): Parsed<StructurePatch> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return wrong(`is ${quote(text)}; expected a JSON object with fields of the structure`);
  }
  return checkPatch(type, json);
}

function collect<T>(items: readonly T[], parse: (item: T) => Parsed<ScalarValue>): Parsed<readonly ScalarValue[]> {
  const values: ScalarValue[] = [];
  for (const [index, item] of items.entries()) {
    const parsed = parse(item);
    if (!parsed.ok) return wrong(`item ${index}: ${parsed.wrong}`);
    values.push(parsed.value);
  }
  return right(values);
}

function checkScalar(scalar: ScalarName, raw: unknown): Parsed<ScalarValue> {
  const range = RANGES[scalar];
  if (range !== undefined) {
    return typeof raw === 'bigint'
      ? inRange(scalar, range, raw)
      : wrong(`is ${describe(raw)}; expected an integer (${scalar})`);
  }
  if (scalar === 'boolean')
    return typeof raw === 'boolean' ? right(raw) : wrong(`is ${describe(raw)}; expected true or false`);
  if (scalar === 'string')
    return typeof raw === 'string' ? right(raw) : wrong(`is ${describe(raw)}; expected a string`);
  if (typeof raw !== 'number' && typeof raw !== 'bigint')
    return wrong(`is ${describe(raw)}; expected a number (${scalar})`);
  return floating(scalar, Number(raw));
}

function parseScalarText(scalar: ScalarName, text: string): Parsed<ScalarValue> {
  if (scalar === 'string') return right(text);
  const trimmed = text.trim();
  if (scalar === 'boolean') {
    if (/^(true|1)$/i.test(trimmed)) return right(true);
    if (/^(false|0)$/i.test(trimmed)) return right(false);
    return wrong(`is ${quote(text)}; expected true or false`);
  }
  const range = RANGES[scalar];
  if (range !== undefined) {
    return INTEGER_TEXT.test(trimmed)
      ? inRange(scalar, range, toBigInt(trimmed))
      : wrong(`is ${quote(text)}; expected an integer (${scalar})`);
  }
  if (!FLOAT_TEXT.test(trimmed)) return wrong(`is ${quote(text)}; expected a number (${scalar})`);
  const value = Number(trimmed.replace(/inf(inity)?/i, 'Infinity').replace(/[+-]?nan/i, 'NaN'));
  // Nobody who writes digits means infinity.
  if (!Number.isFinite(value) && /\d/.test(trimmed)) return tooLarge(scalar, trimmed);
  return floating(scalar, value);
}

function inRange(scalar: ScalarName, { least, most }: IntegerRange, value: bigint): Parsed<ScalarValue> {
  if (value < least || value > most) return wrong(`is ${value}; ${scalar} goes from ${least} to ${most}`);
  return right(scalar === 'long' || scalar === 'ulong' ? value : Number(value));
}

function floating(scalar: ScalarName, value: number): Parsed<ScalarValue> {
  if (scalar === 'float' && Number.isFinite(value) && !Number.isFinite(Math.fround(value))) {
    return tooLarge(scalar, value);
  }
  return right(value);
}

function tooLarge(scalar: ScalarName, told: number | string): Parsed<never> {
  return wrong(`is ${told}; ${scalar} goes to about ${MOST[scalar] ?? ''}`);
}

function checkChoice(choices: readonly string[], raw: unknown): Parsed<number> {
  if (typeof raw === 'bigint') {
    const last = choices.length - 1;
    return raw >= 0n && raw <= last ? right(Number(raw)) : wrong(`is ${raw}; the choices go from 0 to ${last}`);
  }
  if (typeof raw !== 'string') return wrong(`is ${describe(raw)}; expected a choice or its index`);
  const index = choices.indexOf(raw);
  return index >= 0 ? right(index) : wrong(`is ${quote(raw)}; expected one of ${choices.map(quote).join(', ')}`);
}

/** A label wins over an index, for enums whose labels are digits. */
function parseChoice(choices: readonly string[], text: string): Parsed<number> {
  if (choices.includes(text)) return checkChoice(choices, text);
  const trimmed = text.trim();
  const isIndex = !choices.includes(trimmed) && INTEGER_TEXT.test(trimmed);
  return checkChoice(choices, isIndex ? toBigInt(trimmed) : trimmed);
}

function parseStringList(text: string): Parsed<readonly ScalarValue[]> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return wrong(`${quote(text)} is no JSON list`);
  }
  if (!Array.isArray(parsed)) return wrong(`${quote(text)} is no JSON list`);
  return collect<unknown>(parsed, (item) => checkScalar('string', item));
}

function toBigInt(text: string): bigint {
  // BigInt() takes no sign before 0x.
  const digits = BigInt(text.replace(/^[+-]/, ''));
  return text.startsWith('-') ? -digits : digits;
}

/** A TOML value in words, for "is ..., expected ...". */
export function describe(raw: unknown): string {
  if (typeof raw === 'string') return `the string ${quote(raw)}`;
  if (typeof raw === 'bigint') return `the integer ${raw}`;
  if (typeof raw === 'number') return `the number ${raw}`;
  if (typeof raw === 'boolean') return String(raw);
  if (Array.isArray(raw)) return 'an array';
  if (raw instanceof Date) return 'a date or time';
  return typeof raw === 'object' && raw !== null ? 'a table' : 'nothing';
}
