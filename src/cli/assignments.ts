// What do the words `VALUE`, `FIELD=VALUE ...` and JSON behind a PV's name ask to be set?

import { escapeText } from '../protocol/index.ts';
import { UsageError } from './fault.ts';

/** `alarm.severity=2`, or with a type `count:int=2`. */
export interface Assignment {
  readonly path: readonly string[];
  /** What stands behind a colon; '' for none. */
  readonly type: string;
  readonly text: string;
}

const ASSIGNMENT = /^(?<path>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)(?::(?<type>[a-z]+(?:\[\])?))?=(?<text>.*)$/su;
/** Longest word that is repeated whole in a message. */
const SHOWN_CHARACTERS = 60;

/** The parts of one word; undefined when it is no assignment. */
export function parseAssignment(word: string): Assignment | undefined {
  const { path, type, text } = ASSIGNMENT.exec(word)?.groups ?? {};
  if (path === undefined || text === undefined) return undefined;
  return { path: path.split('.'), type: type ?? '', text };
}

/**
 * The patch that a put asks for: `{ value: TEXT }` of a single word, or the fields that are named. Texts stay texts:
 * only the PV's type says whether `1` is a number, a choice or a text.
 * @throws UsageError
 */
export function patchOf(words: readonly string[]): unknown {
  const [first = '', ...more] = words;
  const isJson = /^\s*[[{]/u.test(first);
  if (more.length === 0 && (isJson || parseAssignment(first) === undefined)) {
    const given = valueOfText(first);
    return isPlainObject(given) ? given : { value: given };
  }
  const patch: Record<string, unknown> = {};
  for (const word of words) {
    const assignment = parseAssignment(word);
    if (assignment === undefined) {
      throw new UsageError(`${quoted(word)} is not FIELD=VALUE; an array is written as one word, such as "[1, 2, 3]"`);
    }
    if (assignment.type !== '') {
      throw new UsageError(
        `${quoted(word)}: a put takes no type, the PV has one; write ${assignment.path.join('.')}=...`,
      );
    }
    setAt(patch, assignment.path, valueOfText(assignment.text));
  }
  return patch;
}

/**
 * JSON where the text begins like a list or an object and is one; else the text itself.
 * @throws UsageError that `exact` throws
 */
export function valueOfText(text: string, exact?: ExactNumber): unknown {
  if (!/^\s*[[{]/u.test(text)) return text;
  try {
    return parseJson(text, exact);
  } catch (thrown) {
    if (thrown instanceof UsageError) throw thrown;
    return text;
  }
}

/** What stands for a number that no double is: a whole one past 2^53, or one past the largest of all. */
export type ExactNumber = (digits: string) => unknown;

/**
 * JSON in which numbers that no double is stay exact: as texts, which every type reads for itself, or as `exact` has it.
 * @throws SyntaxError, and what `exact` throws
 */
export function parseJson(text: string, exact: ExactNumber = (digits) => digits): unknown {
  let isPlain = true;
  // JSON.parse knows no digits. So those go through it as texts, and all texts but the names of fields say what they are.
  const marked = text.replace(TEXT_OR_NUMBER, (token: string, name: string | undefined) => {
    if (name !== undefined) return token;
    if (token.startsWith('"')) return `"t${token.slice(1)}`;
    if (isDouble(token)) return token;
    isPlain = false;
    return `"n${token}"`;
  });
  if (isPlain) return JSON.parse(text);
  return JSON.parse(marked, (_name, value: unknown) => {
    if (typeof value !== 'string') return value;
    return value.startsWith('n') ? exact(value.slice(1)) : value.slice(1);
  });
}

/** Strings are matched so that digits inside of them are left alone; a colon behind one makes it the name of a field. */
const TEXT_OR_NUMBER = /"(?:\\.|[^"\\])*"(\s*:)?|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/gu;

function isDouble(token: string): boolean {
  const number = Number(token);
  return Number.isFinite(number) && (Number.isSafeInteger(number) || !/^-?[1-9]\d*$/u.test(token));
}

/** @throws UsageError when the path is set already, or lies inside of something that is */
export function setAt(target: Record<string, unknown>, path: readonly string[], value: unknown): void {
  let node = target;
  for (const [index, name] of path.entries()) {
    const isLast = index === path.length - 1;
    const known: unknown = Object.getOwnPropertyDescriptor(node, name)?.value;
    if (known !== undefined && (isLast || !isPlainObject(known))) {
      throw new UsageError(`${path.slice(0, index + 1).join('.')} is given twice`);
    }
    if (isLast) return define(node, name, value);
    const next: Record<string, unknown> = known ?? {};
    define(node, name, next);
    node = next;
  }
}

export function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

export function quoted(word: string): string {
  const short = word.length > SHOWN_CHARACTERS ? `${word.slice(0, SHOWN_CHARACTERS)}...` : word;
  return `"${escapeText(short)}"`;
}

/** Not an assignment: a field may be named `__proto__`. */
function define(node: Record<string, unknown>, name: string, value: unknown): void {
  Object.defineProperty(node, name, { value, enumerable: true, configurable: true, writable: true });
}
