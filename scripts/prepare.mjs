// Makes a clone ready: installs the packages, builds `dist/`, and does nothing (fast) when nothing is to do.
//
//   node scripts/prepare.mjs                      install if the lock file changed
//   node scripts/prepare.mjs --build              and build if a source changed
//   node scripts/prepare.mjs --run FILE [ARG...]  and become the program FILE, in this very process, so that
//                                                 signals reach it
//   node scripts/prepare.mjs --example NAME [ARG...]  the same with examples/NAME.ts; without a name only compiles them
//   node scripts/prepare.mjs --bench NAME [ARG...]    the same with bench/NAME.ts
//   node scripts/prepare.mjs --fuzz NAME [ARG...]     the same with fuzz/NAME.ts
//
// Plain Node.js without packages: it runs before there are any.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve, sep } from 'node:path';
import process from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, 'node_modules');
const sources = join(root, 'src');
const dist = join(root, 'dist');
/** What was installed and built last, in the folder that goes away with the installation. */
const stampFile = join(modules, '.cache', 'pvkit', 'prepared.json');
const inputsOfBuild = ['package-lock.json', 'tsconfig.json', 'tsconfig.build.json', 'scripts/bundle.mjs'];
/** In dist: its files are not those of the sources. */
const bundled = join('cli', sep);
const examples = join(root, 'examples');
const bench = join(root, 'bench');
const fuzz = join(root, 'fuzz');

const [mode, program, ...programArguments] = process.argv.slice(2);
install();
if (mode === '--build' || mode === '--run' || mode === '--example' || mode === '--bench') build();
if (mode === '--run') {
  if (program === undefined) stop('--run needs the file of a program');
  await become(resolve(root, program));
}
if (mode === '--example') {
  buildExamples();
  if (program !== undefined) await become(exampleNamed(program));
}

if (mode === '--bench') {
  if (program === undefined) stop('--bench needs the name of a program in bench');
  buildBench();
  await become(join(bench, 'dist', `${program}.js`));
}

if (mode === '--fuzz') {
  if (program === undefined) stop('--fuzz needs the name of a program in fuzz');
  buildFuzz();
  await become(join(fuzz, 'dist', 'fuzz', `${program}.js`));
}

/** @param {string} file */
async function become(file) {
  process.argv.splice(1, process.argv.length, file, ...programArguments);
  followParent();
  await import(pathToFileURL(file).href);
}

function install() {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  if (readStamp().lock === lock) return;
  // `ci` starts from an empty folder; an existing one is brought up to date in place, which is much faster.
  const how = existsSync(modules) ? ['install', '--no-save'] : ['ci'];
  say(`installing packages (npm ${how[0]})`);
  run('npm', [...how, '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'], {
    shell: process.platform === 'win32',
  });
  writeStamp({ lock });
}

function build() {
  const inputs = fingerprint([...inputsOfBuild, ...filesUnder(sources).map((name) => join('src', name))]);
  if (readStamp().build === inputs && existsSync(dist)) return;
  say('building dist');
  run(process.execPath, [join(modules, 'typescript', 'bin', 'tsc'), '-p', 'tsconfig.build.json']);
  run(process.execPath, [join('scripts', 'bundle.mjs')]);
  removeOrphans();
  writeStamp({ build: inputs });
}

/** They import pvkit by its name, so they are compiled against `dist`, after it, and wherever it is new. */
function buildExamples() {
  const names = filesUnder(examples).filter((name) => !name.startsWith('dist'));
  const inputs = `${readStamp().build} ${fingerprint(['tsconfig.examples.json', ...names.map((name) => join('examples', name))])}`;
  if (readStamp().examples === inputs && existsSync(join(examples, 'dist'))) return;
  say('building examples');
  run(process.execPath, [join(modules, 'typescript', 'bin', 'tsc'), '-p', 'tsconfig.examples.json']);
  writeStamp({ examples: inputs });
}

/** As the examples; `#src/` in their imports means `dist`, too. */
function buildBench() {
  const names = filesUnder(bench).filter((name) => name.endsWith('.ts') && !name.startsWith('dist'));
  const inputs = `${readStamp().build} ${fingerprint(['tsconfig.bench.json', ...names.map((name) => join('bench', name))])}`;
  if (readStamp().bench === inputs && existsSync(join(bench, 'dist'))) return;
  say('building bench');
  run(process.execPath, [join(modules, 'typescript', 'bin', 'tsc'), '-p', 'tsconfig.bench.json']);
  writeStamp({ bench: inputs });
}

/** With the sources beside it, file by file, whose coverage leads the fuzzer. */
function buildFuzz() {
  const names = filesUnder(fuzz).filter((name) => name.endsWith('.ts') && !name.startsWith('dist'));
  const files = [...names.map((name) => join('fuzz', name)), ...filesUnder(sources).map((name) => join('src', name))];
  const inputs = fingerprint(['tsconfig.fuzz.json', ...files]);
  if (readStamp().fuzz === inputs && existsSync(join(fuzz, 'dist'))) return;
  say('building fuzz');
  run(process.execPath, [join(modules, 'typescript', 'bin', 'tsc'), '-p', 'tsconfig.fuzz.json']);
  // The server tells its version from where it stands in the package.
  copyFileSync(join(root, 'package.json'), join(fuzz, 'dist', 'package.json'));
  writeStamp({ fuzz: inputs });
}

/** @param {string} name */
function exampleNamed(name) {
  const file = join(examples, 'dist', `${name}.js`);
  if (existsSync(file)) return file;
  const names = filesUnder(examples).flatMap((other) => /^([\w-]+)\.ts$/u.exec(other)?.[1] ?? []);
  return stop(`no example '${name}', one of ${names.join(', ')} expected`);
}

/**
 * The shell that npm puts in between dies of SIGTERM without passing it on, and its child would serve on for ever.
 * So the child looks whether its parent is still there, and sends itself the signal that it was meant to get.
 */
function followParent() {
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    process.kill(process.pid, 'SIGTERM');
  }, 250);
  watch.unref();
}

/**
 * Names, sizes and times of files: changes when one is edited, added, moved or removed.
 * @param {readonly string[]} files
 */
function fingerprint(files) {
  const hash = createHash('sha256');
  for (const file of files) {
    const { mtimeMs, size } = statSync(join(root, file));
    hash.update(`${file}\0${mtimeMs}\0${size}\n`);
  }
  return hash.digest('hex');
}

/** Removes what an earlier build left of sources that are gone, so that nothing can import it any more. */
function removeOrphans() {
  for (const name of filesUnder(dist)) {
    if (name.startsWith(bundled)) continue;
    const source = name.replace(/\.d\.ts$|\.js$/u, '.ts');
    if (!existsSync(join(sources, source))) rmSync(join(dist, name));
  }
}

/** @param {string} folder */
function filesUnder(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .toSorted();
}

/**
 * A fingerprint for each thing that was made.
 * @typedef {Partial<Record<'lock' | 'build' | 'examples' | 'bench' | 'fuzz', string>>} Stamp
 */

/** @returns {Stamp} */
function readStamp() {
  try {
    return /** @type {Stamp} */ (JSON.parse(readFileSync(stampFile, 'utf8')));
  } catch {
    return {}; // No stamp, or half of one: prepare again.
  }
}

/** @param {Stamp} news */
function writeStamp(news) {
  mkdirSync(dirname(stampFile), { recursive: true });
  writeFileSync(stampFile, JSON.stringify({ ...readStamp(), ...news }));
}

/**
 * @param {string} command
 * @param {string[]} args
 * @param {{ shell?: boolean }} [options]
 */
function run(command, args, options = {}) {
  // Output of the tools goes to stderr: stdout belongs to the program that may follow.
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2], ...options });
  if (status !== 0) stop(`\`${command} ${args.join(' ')}\` ended with ${error?.message ?? `exit code ${status}`}`);
}

/** @param {string} what */
function say(what) {
  process.stderr.write(`pvkit: ${what}\n`);
}

/**
 * @param {string} why
 * @returns {never}
 */
function stop(why) {
  say(why);
  process.exit(1);
}
