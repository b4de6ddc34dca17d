// How does what a person or a program gives become one scalar, strictly? Nothing is rounded, cut or guessed.
//
// Numbers come as number, bigint or text. Text is read for every type but must be all number; a string field takes
// numbers and booleans and writes them out. A float is rounded to single precision, as it would be on the wire.

import type { LocalProtocolError } from '../errors.ts';
import { textBytes } from '../text.ts';
import { INTEGER_RANGES, LONG_RANGES, type ScalarName } from '../types/type-desc.ts';
import type { ScalarValue } from '../types/value-of.ts';
import { outOfRange, typeMismatch } from './mismatch.ts';

/** As many digits as a 64-bit integer can have, and leading zeros within reason. */
const INTEGER_TEXT = /^\s*(?<sign>[+-]?)(?<digits>\d{1,40}|0x[\da-f]{1,32})\s*$/i;
const FLOAT_TEXT = /^\s*[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?\s*$/i;
const FLOAT_WORD = /^\s*(?<sign>[+-]?)(?<word>nan|inf(?:inity)?)\s*$/i;

const COERCE: { readonly [S in ScalarName]: (input: unknown) => ScalarValue<S> } = {
  boolean: toBoolean,
  byte: integerCoercion('byte'),
  ubyte: integerCoercion('ubyte'),
  short: integerCoercion('short'),
  ushort: integerCoercion('ushort'),
  int: integerCoercion('int'),
  uint: integerCoercion('uint'),
  long: longCoercion('long'),
  ulong: longCoercion('ulong'),
  float: toFloat,
  double: (input) => toDouble('double', input),
  string: toText,
};

/** The function that makes a scalar of that name out of anything, or throws `LocalProtocolError`. */
export function scalarCoercion<S extends ScalarName>(name: S): (input: unknown) => ScalarValue<S> {
  return COERCE[name];
}

/** A string of at most `bound` UTF-8 bytes. */
export function coerceBoundedString(bound: number, input: unknown): string {
  const text = toText(input);
  const length = textBytes(text);
  if (length > bound) throw typeMismatch(`a string of at most ${bound} bytes`, `${text} (${length} bytes)`);
  return text;
}

function toBoolean(input: unknown): boolean {
  switch (typeof input) {
    case 'boolean':
      return input;
    case 'number':
    case 'bigint':
      if (Number(input) === 1) return true;
      if (Number(input) === 0) return false;
      break;
    case 'string': {
      const word = input.trim().toLowerCase();
      if (word === 'true' || word === '1') return true;
      if (word === 'false' || word === '0') return false;
      break;
    }
    default:
  }
  throw typeMismatch('true or false', input);
}

/** Ranges are looked up once: lists of a million numbers pass here. */
function integerCoercion(name: keyof typeof INTEGER_RANGES): (input: unknown) => number {
  const [low, high] = INTEGER_RANGES[name];
  return (input) => {
    // Adding 0 makes 0 of -0, which integers do not have.
    if (typeof input === 'number' && Number.isInteger(input) && input >= low && input <= high) return input + 0;
    const exact = typeof input === 'number' ? undefined : wholeOf(input);
    if (exact === undefined && typeof input !== 'number') throw typeMismatch(`a whole number (${name})`, input);
    if (exact === undefined || exact < low || exact > high) throw outOfRange(name, low, high, input);
    return Number(exact);
  };
}

function longCoercion(name: keyof typeof LONG_RANGES): (input: unknown) => bigint {
  const [low, high] = LONG_RANGES[name];
  return (input) => {
    const exact = typeof input === 'number' ? safeInteger(name, input) : wholeOf(input);
    if (exact === undefined) throw typeMismatch(`a whole number (${name})`, input);
    if (exact < low || exact > high) throw outOfRange(name, low, high, input);
    return exact;
  };
}

function safeInteger(name: string, input: number): bigint {
  if (!Number.isInteger(input)) throw typeMismatch(`a whole number (${name})`, input);
  // A number past 2^53 may already be another than the one that was written.
  if (!Number.isSafeInteger(input)) throw typeMismatch(`a bigint or text for a number past 2^53 (${name})`, input);
  return BigInt(input);
}

/** A bigint, or text that is one. */
function wholeOf(input: unknown): bigint | undefined {
  if (typeof input === 'bigint') return input;
  if (typeof input !== 'string') return undefined;
  const { sign, digits } = INTEGER_TEXT.exec(input)?.groups ?? {};
  if (digits === undefined) return undefined;
  // BigInt() takes no sign before 0x.
  return sign === '-' ? -BigInt(digits) : BigInt(digits);
}

function toDouble(name: 'double' | 'float', input: unknown): number {
  if (typeof input === 'number') return input;
  if (typeof input === 'bigint') {
    const number = Number(input);
    if (Number.isFinite(number) && BigInt(number) === input) return number;
    throw typeMismatch(`a number that ${name} holds exactly`, input);
  }
  if (typeof input !== 'string') throw typeMismatch(`a number (${name})`, input);
  const { sign, word } = FLOAT_WORD.exec(input)?.groups ?? {};
  if (word !== undefined) {
    if (word.toLowerCase() === 'nan') return Number.NaN;
    return sign === '-' ? -Infinity : Infinity;
  }
  if (!FLOAT_TEXT.test(input)) throw typeMismatch(`a number (${name})`, input);
  const number = Number(input);
  if (!Number.isFinite(number)) throw tooLarge(name, '1.8e308', input);
  return number;
}

function toFloat(input: unknown): number {
  const number = toDouble('float', input);
  const rounded = Math.fround(number);
  if (Number.isFinite(number) && !Number.isFinite(rounded)) throw tooLarge('float', '3.4e38', input);
  return rounded;
}

function tooLarge(name: string, largest: string, input: unknown): LocalProtocolError {
  return typeMismatch(`a number up to ${largest} (${name})`, input);
}

function toText(input: unknown): string {
  if (typeof input === 'string') return input;
  if (typeof input === 'number' || typeof input === 'bigint' || typeof input === 'boolean') return String(input);
  throw typeMismatch('a string', input);
}
