// Do the expressions of computed channels and the channels that they name fit together? Each may name any other of its
// file, in any order, but no channel may depend on itself.

import { expression, wrongInputName } from '../channels/expression/expression.ts';
import { PvaError } from '../protocol/errors.ts';
import type { ChannelType } from './channel-definition.ts';
import { formatChannelType, parseChannelType, parsePvName } from './channel-type.ts';
import { isNumeric } from './channel-value.ts';
import { quote } from './parsed.ts';
import { isTable } from './placeholders.ts';
import { didYouMean } from './suggest.ts';
import type { TomlPath } from './toml-lines.ts';

type PathReport = (path: TomlPath, message: string) => void;
type Table = Readonly<Record<string, unknown>>;

/** Keys that say how a channel is set or written: the expression sets a computed one, and nobody writes it. */
const KEYS_OF_OTHERS = ['value', 'control'] as const;
/** Keys that only a computed channel can have. */
const KEYS_OF_COMPUTED = ['inputs', 'maximize_severity'] as const;

/** Works on the raw tables, as `checkChannels` does, and says nothing of what is wrong with each by itself. */
export function checkComputed(channels: unknown, report: PathReport): void {
  const tables: readonly unknown[] = Array.isArray(channels) ? channels : [];
  const byName = new Map<string, Table>();
  for (const table of tables) {
    const name = isTable(table) ? table['name'] : undefined;
    if (isTable(table) && typeof name === 'string' && !byName.has(name)) byName.set(name, table);
  }
  for (const [index, table] of tables.entries()) {
    if (isTable(table)) checkChannel(table, ['channels', index], byName, report);
  }
}

function checkChannel(table: Table, path: TomlPath, byName: ReadonlyMap<string, Table>, report: PathReport): void {
  if (table['computed'] === undefined) {
    for (const key of KEYS_OF_COMPUTED)
      if (table[key] !== undefined) report([...path, key], 'has a meaning only beside computed = "..."');
    return;
  }
  for (const key of KEYS_OF_OTHERS)
    if (table[key] !== undefined) report([...path, key], 'has no meaning for a channel that is computed');
  if (table['read_only'] === false) report([...path, 'read_only'], 'is false, but nobody can write a computed channel');
  const type = typeOf(table);
  if (type !== undefined && !isOneNumber(type))
    report([...path, 'computed'], `gives a number, which a channel of type ${formatChannelType(type)} cannot have`);
  const names = checkInputs(table, path, byName, report);
  checkExpression(table['computed'], names, path, report);
}

/** The names that the expression may use. */
function checkInputs(
  table: Table,
  path: TomlPath,
  byName: ReadonlyMap<string, Table>,
  report: PathReport,
): readonly string[] {
  const inputs = table['inputs'];
  if (inputs === undefined) {
    report([...path, 'inputs'], 'is missing; expected the channels to compute from, such as { a = "lab:x" }');
    return [];
  }
  if (!isTable(inputs)) return [];
  for (const [name, target] of Object.entries(inputs)) {
    const place = [...path, 'inputs', name];
    const wrongName = wrongInputName(name);
    if (wrongName !== undefined) report(place, wrongName);
    if (typeof target === 'string' && parsePvName(target).ok) checkTarget(table, target, place, byName, report);
  }
  return Object.keys(inputs);
}

function checkTarget(
  table: Table,
  target: string,
  place: TomlPath,
  byName: ReadonlyMap<string, Table>,
  report: PathReport,
): void {
  const found = byName.get(target);
  if (found === undefined) {
    report(place, `there is no channel ${quote(target)} in this file${didYouMean(target, [...byName.keys()])}`);
    return;
  }
  const type = typeOf(found);
  if (type !== undefined && !isOneNumber(type))
    report(place, `${quote(target)} is of type ${formatChannelType(type)}; an expression computes with single numbers`);
  const name = table['name'];
  const way = typeof name === 'string' ? wayBack(name, target, byName) : undefined;
  if (way !== undefined) report(place, `makes the channel depend on itself: ${way.join(' <- ')}`);
}

/** The names from a channel by way of `first` back to it, each being an input of the one before; undefined if none. */
function wayBack(name: string, first: string, byName: ReadonlyMap<string, Table>): readonly string[] | undefined {
  const cameFrom = new Map<string, string>([[first, name]]);
  for (const current of cameFrom.keys()) {
    if (current === name) return wayTo(name, cameFrom);
    for (const input of inputsOf(byName.get(current))) if (!cameFrom.has(input)) cameFrom.set(input, current);
  }
  return undefined;
}

function wayTo(name: string, cameFrom: ReadonlyMap<string, string>): readonly string[] {
  const way = [name];
  for (let at = cameFrom.get(name); at !== undefined && at !== name; at = cameFrom.get(at)) way.unshift(at);
  return [name, ...way];
}

function inputsOf(table: Table | undefined): readonly string[] {
  const inputs = table?.['computed'] === undefined ? undefined : table['inputs'];
  return isTable(inputs) ? Object.values(inputs).filter((target) => typeof target === 'string') : [];
}

function checkExpression(text: unknown, names: readonly string[], path: TomlPath, report: PathReport): void {
  if (typeof text !== 'string') return;
  try {
    expression(text, names);
  } catch (thrown) {
    if (!(thrown instanceof PvaError)) throw thrown;
    report([...path, 'computed'], thrown.message);
  }
}

function typeOf(table: Table): ChannelType | undefined {
  const text = table['type'];
  const parsed = typeof text === 'string' ? parseChannelType(text) : undefined;
  return parsed?.ok === true ? parsed.value : undefined;
}

/** A truth counts as 1 or 0, and a choice as its index. */
function isOneNumber(type: ChannelType): boolean {
  return type.kind === 'enum' || (type.kind === 'scalar' && (isNumeric(type) || type.scalar === 'boolean'));
}
