// `npm run docs`: writes what documents say about the code out of the code: docs/api/, and the marked parts of others.
//
//   node scripts/docs.mjs [--dist FOLDER]           writes them from what was built
//   node scripts/docs.mjs --check [--dist FOLDER]   writes nothing; ends with 1 if one of them is not what it would be

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { apiReference } from './docs/api-reference.mjs';
import { commandHelp, environmentTable } from './docs/cli-help.mjs';
import { limitsTable } from './docs/limits-table.mjs';
import { stateTables } from './docs/state-tables.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { values: options } = parseArgs({ options: { check: { type: 'boolean' }, dist: { type: 'string' } } });
const src = join(root, 'src');
const dist = resolve(options.dist ?? join(root, 'dist'));

/** Document -> entry of the package, and its declarations. */
const references = {
  'docs/api/pvkit.md': ['pvkit', 'index.d.ts'],
  'docs/api/protocol.md': ['pvkit/protocol', 'protocol/index.d.ts'],
  'docs/api/testing.md': ['pvkit/testing', 'testing.d.ts'],
};

/** Document -> its parts between `<!-- begin NAME -->` and `<!-- end NAME -->`. */
const parts = {
  'docs/architecture.md': { states: () => stateTables({ dist, src }), limits: () => limitsTable(dist) },
  'docs/cli.md': { commands: () => commandHelp(dist), environment: () => environmentTable(dist) },
};

/** @type {string[]} */
const problems = [];
for (const [document, [specifier = '', entry = '']] of Object.entries(references)) {
  await settle(document, async () => apiReference(specifier, join(dist, entry), { dist, src }));
}
for (const [document, makers] of Object.entries(parts)) {
  await settle(document, async () => {
    let text = readFileSync(join(root, document), 'utf8');
    for (const [name, make] of Object.entries(makers)) text = withPart(text, name, await make());
    return text;
  });
}
if (problems.length > 0) {
  process.stderr.write(`${problems.join('\n')}\n`);
  process.exitCode = 1;
}

/**
 * Writes or compares a document; what is wrong with one does not keep the others from it.
 * @param {string} document
 * @param {() => Promise<string>} make
 */
async function settle(document, make) {
  const file = join(root, document);
  try {
    const text = await make();
    if (options.check !== true) {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
    } else if (readFileSync(file, 'utf8') !== text) {
      problems.push(`${document} is not what the code says now: run npm run docs`);
    }
  } catch (thrown) {
    problems.push(`${document}: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
  }
}

/**
 * @param {string} text
 * @param {string} name
 * @param {string} part
 */
function withPart(text, name, part) {
  const [begin, end] = [`<!-- begin ${name} -->`, `<!-- end ${name} -->`];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from === -1 || to < from) throw new Error(`no ${begin} and ${end} in it`);
  return `${text.slice(0, from + begin.length)}\n\n${part}\n\n${text.slice(to)}`;
}
