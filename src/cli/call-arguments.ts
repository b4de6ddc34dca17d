// Which arguments do the words `FIELD=VALUE ...` of a call become?

import {
  any,
  arrayOf,
  boolean,
  coerce,
  DEFAULT_LIMITS,
  double,
  reasonOf,
  scalar,
  SCALAR_NAMES,
  string,
  structure,
  type AnyValue,
  type PvValue,
  type ScalarName,
  type TypeDesc,
} from '../protocol/index.ts';
import { isPlainObject, parseAssignment, quoted, setAt, valueOfText } from './assignments.ts';
import { UsageError } from './fault.ts';

/** A value with the type that it is sent as. */
export type Typed = NonNullable<AnyValue>;

/** A leaf of the nested arguments; a class, so that no argument of a user looks like one. */
class Leaf {
  readonly typed: Typed;

  constructor(typed: Typed) {
    this.typed = typed;
  }
}

/**
 * The arguments by name, with their types. Without a type behind the name, `true` and `false` are booleans, numbers are
 * doubles, in JSON whole ones past 2^53 long or ulong, JSON lists and objects are arrays and structures, the rest is text;
 * `asText` makes text of everything.
 * @throws UsageError
 */
export function argumentsOf(words: readonly string[], asText: boolean): Readonly<Record<string, Typed>> {
  const nested: Record<string, unknown> = {};
  for (const word of words) {
    const assignment = parseAssignment(word);
    if (assignment === undefined) throw new UsageError(`${quoted(word)} is not FIELD=VALUE`);
    const { path, type, text } = assignment;
    const { maxTypeNesting } = DEFAULT_LIMITS;
    if (path.length > maxTypeNesting) {
      throw new UsageError(`an argument of ${path.length} levels; a type has ${maxTypeNesting} at most`);
    }
    setAt(nested, path, new Leaf(typedOf(path.join('.'), type, text, asText)));
  }
  return Object.fromEntries(Object.entries(nested).map(([name, value]) => [name, joined(value)]));
}

function typedOf(name: string, typeName: string, text: string, asText: boolean): Typed {
  if (typeName !== '') return declared(name, typeName, text);
  if (asText) return { type: string, value: text };
  const given = valueOfText(text, (digits) => {
    if (/[.eE]/u.test(digits)) throw pastDoubles(name, digits);
    return BigInt(digits);
  });
  return typeof given === 'string' ? ofWord(name, given) : inferred(name, given);
}

function pastDoubles(name: string, digits: string): UsageError {
  return new UsageError(`${name}: ${quoted(digits)} is past the largest double`);
}

function declared(name: string, typeName: string, text: string): Typed {
  const isArray = typeName.endsWith('[]');
  const scalarName = isArray ? typeName.slice(0, -2) : typeName;
  if (!isScalarName(scalarName)) {
    const known = SCALAR_NAMES.join(' ');
    throw new UsageError(`${name}: ${quoted(typeName)} is no type; expected one of ${known}, with [] for an array`);
  }
  const type: TypeDesc = isArray ? arrayOf(scalar(scalarName)) : scalar(scalarName);
  try {
    return { type, value: coerce(type, isArray ? valueOfText(text) : text) };
  } catch (thrown) {
    throw new UsageError(`${name}: ${reasonOf(thrown)}`);
  }
}

/** A word of the command line, where everything is text. */
function ofWord(name: string, word: string): Typed {
  if (word === 'true' || word === 'false') return { type: boolean, value: word === 'true' };
  if (!/^[+-]?(\d+(?:\.\d*)?|\.\d+)(e[+-]?\d+)?$/iu.test(word)) return { type: string, value: word };
  const value = Number(word);
  if (!Number.isFinite(value)) throw pastDoubles(name, word);
  if (/^[+-]?\d+$/u.test(word) && BigInt(word) !== BigInt(value)) {
    throw new UsageError(`${name}: ${quoted(word)} is no double; give the type, such as ${name}:long=${word}`);
  }
  return { type: double, value };
}

/** A list or an object that was written as JSON. */
function inferred(name: string, given: unknown): Typed {
  let found: PvValue;
  try {
    found = coerce(any, evened(given));
  } catch (thrown) {
    throw new UsageError(`${name}: ${reasonOf(thrown)}`);
  }
  // An any of something is what it holds and its type.
  if (!isTyped(found)) throw new UsageError(`${name}: null has no type; leave the argument out`);
  return found;
}

/** A list of whole numbers of which some are past 2^53 is one of longs. What lies too deep is left, for coercion to refuse. */
function evened(given: unknown, level = 0): unknown {
  if (level > DEFAULT_LIMITS.maxTypeNesting) return given;
  if (Array.isArray(given)) {
    const items: readonly unknown[] = given;
    const areWhole = items.every((item) => typeof item === 'bigint' || Number.isSafeInteger(item));
    if (!areWhole || !items.some((item) => typeof item === 'bigint'))
      return items.map((item) => evened(item, level + 1));
    return items.map((item) => (typeof item === 'number' ? BigInt(item) : item));
  }
  if (!isPlainObject(given)) return given;
  return Object.fromEntries(Object.entries(given).map(([name, inner]) => [name, evened(inner, level + 1)]));
}

function isTyped(value: PvValue): value is Typed {
  return typeof value === 'object' && value !== null && 'type' in value && 'value' in value;
}

/** Arguments such as `a.b=1` are structures. */
function joined(value: unknown): Typed {
  if (value instanceof Leaf) return value.typed;
  const members = Object.entries(isPlainObject(value) ? value : {}).map(
    ([name, inner]) => [name, joined(inner)] as const,
  );
  return {
    type: structure('', Object.fromEntries(members.map(([name, { type }]) => [name, type]))),
    value: Object.fromEntries(members.map(([name, inner]) => [name, inner.value])),
  };
}

function isScalarName(name: string): name is ScalarName {
  return SCALAR_NAMES.some((known) => known === name);
}
