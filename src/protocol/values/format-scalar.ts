// How do scalars, arrays of them and the names of types read in the text forms (delta and tree)?
//
// The words and the layout are those of pvxs, which people know and scripts parse. Numbers differ on purpose: as many
// digits as it takes to get the same number back, where pvxs cuts at six; `digits` asks for its way.

import type { ScalarArrayType, ScalarName, TypeDesc } from '../types/type-desc.ts';
import type { PvValue } from '../types/value-of.ts';
import { typeMismatch } from './mismatch.ts';
import { scalarsOf } from './value-parts.ts';

/** How values become text. */
export interface TextOptions {
  /** Elements of an array that are shown; 0 or nothing for all. */
  readonly maxElements?: number;
  /** Significant digits of float and double, as `%g` has them; 0 or nothing for as many as it takes. */
  readonly digits?: number;
  /** Write text that is not ASCII as `\xNN` for each UTF-8 byte, as pvxs does. */
  readonly asciiOnly?: boolean;
}

const SCALAR_TEXT: Readonly<Record<ScalarName, string>> = {
  boolean: 'bool',
  byte: 'int8_t',
  ubyte: 'uint8_t',
  short: 'int16_t',
  ushort: 'uint16_t',
  int: 'int32_t',
  uint: 'uint32_t',
  long: 'int64_t',
  ulong: 'uint64_t',
  float: 'float',
  double: 'double',
  string: 'string',
};

/** The name of a type as pvxs prints it. It knows no bounds, so those read as pvData writes them: `string(40)`. */
export function typeText(type: TypeDesc): string {
  switch (type.kind) {
    case 'scalar':
      return SCALAR_TEXT[type.scalar];
    case 'scalarArray':
      return `${SCALAR_TEXT[type.scalar]}${sizingText(type)}`;
    case 'boundedString':
      return `string(${type.bound})`;
    case 'structure':
      return 'struct';
    case 'structureArray':
      return 'struct[]';
    case 'union':
      return 'union';
    case 'unionArray':
      return 'union[]';
    case 'any':
      return 'any';
    case 'anyArray':
      return 'any[]';
  }
}

/** `[]`; `<8>` for at most eight elements, `[8]` for exactly eight. */
export function sizingText(type: ScalarArrayType): string {
  if (type.sizing === 'bounded') return `<${type.size}>`;
  return type.sizing === 'fixed' ? `[${type.size}]` : '[]';
}

/** A scalar as one word: `42.5`, `true`, `"text"`. */
export function scalarText(scalar: ScalarName, value: PvValue, options: TextOptions = {}): string {
  switch (typeof value) {
    case 'boolean':
    case 'bigint':
      return String(value);
    case 'number':
      return numberText(scalar, value, options.digits ?? 0);
    case 'string':
      return `"${escapeText(value, options.asciiOnly)}"`;
    default:
      throw typeMismatch(scalar, value);
  }
}

/** An array of scalars: `{3}[1, 2, 3]`. */
export function scalarArrayText(scalar: ScalarName, value: PvValue, options: TextOptions = {}): string {
  const elements = scalarsOf(value);
  const limit = options.maxElements ?? 0;
  const length = limit > 0 ? Math.min(limit, elements.length) : elements.length;
  const words = joinTexts(elements, length, ', ', (element) => scalarText(scalar, element, options));
  const more = length < elements.length ? ', ...' : '';
  return `{${elements.length}}[${words}${more}]`;
}

/** So many texts are there at once: all those of an image, one by one, are a gigabyte. */
const JOINED_TEXTS = 4_096;

/** The texts of the first `length` elements with `separator` between them. */
export function joinTexts<E>(
  elements: ArrayLike<E>,
  length: number,
  separator: string,
  textOf: (element: E) => string,
): string {
  const pieces: string[] = [];
  for (let start = 0; start < length; start += JOINED_TEXTS) {
    const end = Math.min(start + JOINED_TEXTS, length);
    const texts: string[] = [];
    // The border: the index is one of the elements.
    for (let index = start; index < end; index++) texts.push(textOf(elements[index] as E));
    pieces.push(texts.join(separator));
  }
  return pieces.join(separator);
}

// --- numbers ---------------------------------------------------------------------------------------------------

function numberText(scalar: ScalarName, value: number, digits: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (value === Number.POSITIVE_INFINITY) return 'inf';
  if (value === Number.NEGATIVE_INFINITY) return '-inf';
  if (scalar !== 'float' && scalar !== 'double') return String(value);
  if (digits > 0) return generalText(value, digits);
  return shortestText(scalar, value);
}

/** The shortest decimal that reads back as the same number; 0.1 for a float, not 0.10000000149011612. */
export function shortestText(scalar: ScalarName, value: number): string {
  if (Object.is(value, -0)) return '-0';
  if (scalar !== 'float' || Number.isInteger(value)) return String(value);
  // Nine digits identify every float; six are always kept.
  for (let precision = 6; precision < 9; precision++) {
    const short = Number(value.toPrecision(precision));
    if (Math.fround(short) === value) return String(short);
  }
  return String(Number(value.toPrecision(9)));
}

/** C's `%.{digits}g`, but for exact ties, which go up here and to the even digit in C. */
function generalText(value: number, digits: number): string {
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  // As in 1.23e+6: the sign is always there, the second figure that C has is not.
  const text = value.toExponential(digits - 1);
  const mark = text.indexOf('e');
  const exponent = Number(text.slice(mark + 1));
  if (exponent >= -4 && exponent < digits) return withoutZeros(value.toFixed(digits - 1 - exponent));
  return withoutZeros(text.slice(0, mark)) + text.slice(mark, mark + 2) + text.slice(mark + 2).padStart(2, '0');
}

function withoutZeros(decimal: string): string {
  return decimal.includes('.') ? decimal.replace(/\.?0+$/u, '') : decimal;
}

// --- text ------------------------------------------------------------------------------------------------------

const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
  "'": "\\'",
  '"': '\\"',
};

/**
 * Control and format characters too: a PV's text must not be able to steer or to reorder the reader's terminal.
 * The pair of the two surrogates of one character is not matched by \p{Cs}, a lone one is.
 */
const UNSAFE = /[\\'"]|[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu;
const UNSAFE_OR_NOT_ASCII = /[\\'"]|[^ -~]/gu;

/** Text with quotes, backslashes and what cannot be printed written as in C. */
export function escapeText(text: string, asciiOnly = false): string {
  return text.replace(asciiOnly ? UNSAFE_OR_NOT_ASCII : UNSAFE, escapeCharacter);
}

/** The escape of each byte, and of each character of ASCII: a peer may send a million of them. */
const BYTE_ESCAPES = Array.from({ length: 0x100 }, (_, byte) => `\\x${byte.toString(16).padStart(2, '0')}`);
const ASCII_ESCAPES = BYTE_ESCAPES.slice(0, 0x80).map(
  (escape, code) => SHORT_ESCAPES[String.fromCharCode(code)] ?? escape,
);

/** Worked out here: the encoder of the system takes ten times as long for a single character. */
function escapeCharacter(character: string): string {
  const point = character.codePointAt(0) ?? 0;
  if (point < 0x80) return ASCII_ESCAPES[point] ?? '';
  if (point < 0x800) return escapeByte(0xc0 | (point >> 6)) + continuation(point);
  // A lone surrogate has no UTF-8, and stands for a character that is not known.
  if (point >= 0xd800 && point <= 0xdfff) return escapeCharacter('\ufffd');
  const low = continuation(point >> 6) + continuation(point);
  if (point < 0x1_0000) return escapeByte(0xe0 | (point >> 12)) + low;
  return escapeByte(0xf0 | (point >> 18)) + continuation(point >> 12) + low;
}

function continuation(bits: number): string {
  return escapeByte(0x80 | (bits & 0x3f));
}

function escapeByte(byte: number): string {
  return BYTE_ESCAPES[byte] ?? '';
}
