// Which tests are those of a source file? The one of its name, so that it has to say by itself what the file does, and
// those that are listed here because they say it better. Without one of its name, those that import the file; where none
// does, those that import what imports it.

import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, posix, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const sources = 'src/protocol';
const tests = 'test/protocol';

const MSGPACK = ['codecs', 'msgpack-malformed', 'msgpack-vectors', 'values-to-send']
  .map((name) => `${tests}/codecs/${name}.test.ts`)
  .concat(`${tests}/trace/msgpack-notes.test.ts`);

/** @type {Readonly<Record<string, readonly string[]>>} */
const BESIDE = {
  'src/protocol/codecs/msgpack-reader.ts': MSGPACK,
  'src/protocol/codecs/msgpack-scalars.ts': MSGPACK,
  'src/protocol/messages/message-module.ts': ['test/protocol/messages.test.ts'],
  'src/protocol/normative/nt-scalar.ts': ['test/protocol/normative-types.test.ts'],
  'src/protocol/normative/substructures.ts': ['test/protocol/normative-types.test.ts'],
  'src/protocol/trace/conversation.ts': ['test/protocol/trace/msgpack.test.ts'],
  'src/protocol/types/json-schema-type.ts': ['test/protocol/json-schema.test.ts'],
  'src/protocol/types/wire.ts': ['test/protocol/type-registry.test.ts', 'test/protocol/vectors.test.ts'],
  'src/protocol/values/codec.ts': ['test/protocol/vectors.test.ts'],
};

/** Every file of the protocol that has something to mutate. */
export function mutableFiles() {
  return filesUnder(sources).filter((file) => !file.endsWith('.d.ts'));
}

/**
 * @param {string} file
 * @returns {readonly string[]}
 */
export function ownTests(file) {
  const name = posix.basename(file, '.ts');
  const folder = posix.dirname(file).replace(sources, tests);
  // A test that stands in no folder may be that of a file in any, but for the file that stands in none itself.
  const isTaken = existsSync(join(root, sources, `${name}.ts`));
  const namesakes = [`${folder}/${name}.test.ts`, ...(isTaken ? [] : [`${tests}/${name}.test.ts`])].filter((each) =>
    existsSync(join(root, each)),
  );
  const own = new Set([...namesakes, ...(BESIDE[file] ?? [])]);
  return own.size > 0 ? [...own] : nearestTests(file);
}

/**
 * The nearest tests above a file in the graph of imports; all of the protocol's when none leads to it.
 * @param {string} file
 * @returns {readonly string[]}
 */
function nearestTests(file) {
  const importers = importersOf([...filesUnder(sources), ...filesUnder(tests)]);
  const seen = new Set([file]);
  for (let level = [file]; level.length > 0;) {
    const above = level.flatMap((each) => importers.get(each) ?? []).filter((each) => !seen.has(each));
    const found = [...new Set(above.filter((each) => each.endsWith('.test.ts')))];
    if (found.length > 0) return found.toSorted();
    for (const each of above) seen.add(each);
    level = [...new Set(above)];
  }
  return filesUnder(tests).filter((each) => each.endsWith('.test.ts'));
}

/**
 * By file, who imports it.
 * @param {readonly string[]} files
 * @returns {ReadonlyMap<string, readonly string[]>}
 */
function importersOf(files) {
  /** @type {Map<string, string[]>} */
  const importers = new Map();
  for (const file of files) {
    // Types alone are nothing that could be mutated.
    const text = readFileSync(join(root, file), 'utf8').replaceAll(/^(?:import|export) type [^;]*;/gmu, '');
    for (const [, path = ''] of text.matchAll(/ from '(\.[^']*)';/gu)) {
      const imported = posix.join(posix.dirname(file), path);
      importers.set(imported, [...(importers.get(imported) ?? []), file]);
    }
  }
  return importers;
}

/** @param {string} folder */
function filesUnder(folder) {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(root.length + 1)
        .split(sep)
        .join('/'),
    )
    .toSorted();
}
