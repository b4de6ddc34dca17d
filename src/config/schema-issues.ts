// What is wrong with a table that does not keep to its schema, in words that name what was expected?
import type { z } from 'zod';
import { describe } from './channel-value.ts';
import { isTable } from './placeholders.ts';
import { didYouMean } from './suggest.ts';
import type { TomlPath } from './toml-lines.ts';
import { knownKeysAt } from './toml-schema.ts';

/** The table that was checked. */
export interface CheckedTable {
  readonly tree: unknown;
  /** Where in a file such a table stands; nothing for the whole. */
  readonly place: TomlPath;
  /** What it is called. */
  readonly name: string;
}

/** What zod's words are for a person who writes tables. */
const TYPE_WORDS: Readonly<Record<string, string>> = {
  string: 'a string',
  boolean: 'true or false',
  array: 'an array',
  object: 'a table',
  record: 'a table',
};

/** Reports an issue in the words of this library. */
export function reportIssue(
  issue: z.core.$ZodIssue,
  { tree, place, name }: CheckedTable,
  report: (path: TomlPath, message: string) => void,
): void {
  const path = issue.path.map((part) => (typeof part === 'number' ? part : String(part)));
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeysAt([...place, ...path]);
    const table = path.length === 0 ? name : keyText(path.filter((part) => typeof part === 'string'));
    for (const key of issue.keys) report([...path, key], unknownKeyMessage(key, known, table));
    return;
  }
  if (issue.code !== 'invalid_type') {
    report(path, issue.message);
    return;
  }
  const words = TYPE_WORDS[issue.expected] ?? issue.expected;
  const value = valueAt(tree, path);
  report(path, value === undefined ? `is missing; expected ${words}` : `is ${describe(value)}; expected ${words}`);
}

function unknownKeyMessage(key: string, known: readonly string[], table: string): string {
  const near = didYouMean(key, known);
  return `is no key of ${table}${near === '' ? `; expected ${known.join(', ')}` : near}`;
}

/** `channels[2].alarm.low` */
export function keyText(path: TomlPath): string {
  return path.reduce<string>((key, part) => {
    if (typeof part === 'number') return `${key}[${part}]`;
    const name = /^[A-Za-z0-9_-]+$/.test(part) ? part : JSON.stringify(part);
    return key === '' ? name : `${key}.${name}`;
  }, '');
}

function valueAt(tree: unknown, path: TomlPath): unknown {
  let value = tree;
  for (const part of path) {
    if (Array.isArray(value) && typeof part === 'number') value = value[part];
    else if (isTable(value)) value = value[part];
    else return undefined;
  }
  return value;
}
