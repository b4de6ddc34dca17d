// `npm run check`: every check of the code that is not a test, each on its own, all of them even if one fails.
// Names as arguments run only those: `npm run check -- types lint`. With PVKIT_REPORT=FILE the counts go there as JSON.

import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** @type {Record<string, string[]>} */
const checks = {
  types: ['tsc'],
  lint: ['oxlint', '--deny-warnings', '--report-unused-disable-directives'],
  format: ['oxfmt', '--check'],
  'dead-code': ['knip'],
  'package-exports': ['publint', '--strict'],
};

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !Object.hasOwn(checks, name));
if (unknown.length > 0) {
  process.stderr.write(`unknown check ${unknown.join(', ')}; expected ${Object.keys(checks).join(', ')}\n`);
  process.exit(2);
}

let passed = 0;
let failed = 0;
for (const [name, [tool = '', ...args]] of Object.entries(checks)) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  const start = performance.now();
  const { status, stdout, stderr, error } = spawnSync(join(root, 'node_modules', '.bin', tool), args, {
    cwd: root,
    encoding: 'utf8',
    shell: process.platform === 'win32',
    maxBuffer: 64 * 1024 * 1024,
  });
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  const ok = status === 0;
  process.stdout.write(`${ok ? 'ok    ' : 'FAILED'} ${name} (${tool}, ${seconds} s)\n`);
  // Some tools colour their output in CI whatever they are told.
  if (!ok) process.stdout.write(`${error?.message ?? stripVTControlCharacters(stdout + stderr)}\n`);
  if (ok) passed += 1;
  else failed += 1;
}

const report = process.env['PVKIT_REPORT'];
if (report !== undefined) {
  mkdirSync(dirname(report), { recursive: true });
  writeFileSync(report, JSON.stringify({ numPassedTests: passed, numFailedTests: failed }));
}
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
