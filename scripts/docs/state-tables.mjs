// Which states are there, and what leads from one to another? The tables of src/protocol/machines as diagrams and tables.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { declarationsOf } from './declarations.mjs';

/**
 * @typedef {object} Machine
 * @property {string} name
 * @property {string} initial
 * @property {Readonly<Record<string, Readonly<Record<string, string>>>>} table
 */

/** A cell of a table that has nothing in it. */
const EMPTY = ' ';

/**
 * Every machine that a file of the folder exports, as Markdown.
 * @param {{ readonly dist: string, readonly src: string }} folders
 */
export async function stateTables({ dist, src }) {
  const folder = join(dist, 'protocol', 'machines');
  const files = readdirSync(folder).filter((name) => name.endsWith('.js'));
  /** @type {string[]} */
  const parts = [];
  for (const file of files.toSorted()) {
    const stem = file.replace(/\.js$/u, '');
    const exported = /** @type {Record<string, unknown>} */ (await import(pathToFileURL(join(folder, file)).href));
    const machines = Object.values(exported).filter(isMachine);
    if (machines.length === 0) continue;
    const declarations = readFileSync(join(folder, `${stem}.d.ts`), 'utf8');
    const meanings = [...meaningsOf(declarations, 'State'), ...meaningsOf(declarations, 'Event')];
    const question = /^\/\/ (.*\?)/u.exec(readFileSync(join(src, 'protocol', 'machines', `${stem}.ts`), 'utf8'))?.[1];
    for (const machine of machines) parts.push(machineText(machine, stem, question ?? '', meanings));
  }
  return parts.join('\n\n');
}

/**
 * @param {unknown} thing
 * @returns {thing is Machine}
 */
function isMachine(thing) {
  return typeof thing === 'object' && thing !== null && 'initial' in thing && 'table' in thing && 'name' in thing;
}

/**
 * @param {Machine} machine
 * @param {string} stem
 * @param {string} question
 * @param {readonly string[]} meanings
 */
function machineText({ name, initial, table }, stem, question, meanings) {
  const states = Object.keys(table);
  const events = [...new Set(states.flatMap((state) => Object.keys(table[state] ?? {})))];
  const cells = states.map((state) => [`**${state}**`].concat(events.map((event) => table[state]?.[event] ?? EMPTY)));
  return [
    `### ${name.replace(/^./u, (first) => first.toUpperCase())}`,
    `${question} [\`machines/${stem}.ts\`](../src/protocol/machines/${stem}.ts)`,
    ['```mermaid', 'stateDiagram-v2', `  [*] --> ${initial}`, ...edges(table), '```'].join('\n'),
    [row(['while', ...events]), row(['---', ...events.map(() => '---')]), ...cells.map(row)].join('\n'),
    ...(meanings.length === 0 ? [] : [meanings.join('\n')]),
  ].join('\n\n');
}

/**
 * One arrow for all events that lead from one state to another.
 * @param {Machine['table']} table
 */
function edges(table) {
  return Object.entries(table).flatMap(([state, nexts]) => {
    /** @type {Map<string, string[]>} */
    const byTarget = new Map();
    for (const [event, next] of Object.entries(nexts)) byTarget.set(next, [...(byTarget.get(next) ?? []), event]);
    return [...byTarget].map(([next, events]) => `  ${state} --> ${next}: ${events.join(', ')}`);
  });
}

/**
 * The comments of states, or of events, in their type.
 * @param {string} declarations
 * @param {'State' | 'Event'} kind how the name of the type ends
 * @returns {readonly string[]}
 */
function meaningsOf(declarations, kind) {
  const types = declarationsOf(declarations).filter(({ names: [name], text }) => text.startsWith(`type ${name}`));
  return types
    .filter(({ names: [name] }) => name?.endsWith(kind) === true)
    .flatMap(({ text }) => Array.from(text.matchAll(/\/\*\* ([^]*?) \*\/[\s|]*'(\w+)'/gu)))
    .map(([, meaning = '', word = '']) => `- *${word}*: ${meaning.replaceAll(/\s+\*?\s*/gu, ' ')}`);
}

/** @param {readonly string[]} cells */
function row(cells) {
  return `| ${cells.join(' | ')} |`;
}
