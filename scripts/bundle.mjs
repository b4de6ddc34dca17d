// Makes the command line start fast: joins the modules of dist/cli, and what they use of the rest, into a few files.
//
//   node scripts/bundle.mjs [DIST]    after tsc; DIST is `dist` unless given
//
// Node takes about a millisecond for each module, and `pvkit serve` has two hundred. Each command stays a file of its
// own that is loaded when it is asked for. What others import (the entries of package.json) stays as tsc wrote it.

import { chmodSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const sources = join(root, 'src');
const folder = join(resolve(process.argv[2] ?? join(root, 'dist')), 'cli');

const { dependencies, optionalDependencies } =
  /** @type {{ dependencies?: Record<string, string>, optionalDependencies?: Record<string, string> }} */ (
    JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  );

/**
 * Files that are found by their place, such as package.json, are looked for from where the module was.
 * @type {import('rolldown').Plugin}
 */
const placesAsBefore = {
  name: 'places-as-before',
  transform(code, id) {
    if (!code.includes('import.meta.url')) return null;
    const place = `../${relative(sources, id).replaceAll(sep, '/').replace(/\.ts$/u, '.js')}`;
    return code.replaceAll('import.meta.url', `new URL(${JSON.stringify(place)}, import.meta.url).href`);
  },
};

const bundle = await rolldown({
  // The second without its process, for whoever prints its help (scripts/docs).
  input: [join(sources, 'cli', 'main.ts'), join(sources, 'cli', 'program.ts')],
  platform: 'node',
  external: Object.keys({ ...dependencies, ...optionalDependencies }),
  plugins: [placesAsBefore],
  // No module does anything but by being called, so a command needs those alone that it names.
  treeshake: { moduleSideEffects: false },
});
const { output } = await bundle.write({ dir: folder, chunkFileNames: '[name].js', comments: false });
await bundle.close();

const written = new Set(output.map(({ fileName }) => fileName));
for (const name of readdirSync(folder)) if (!written.has(name)) rmSync(join(folder, name), { recursive: true });
chmodSync(join(folder, 'main.js'), 0o755);
