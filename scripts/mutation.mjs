// `npm run test:mutation`: do the tests of src/protocol notice when its code is changed? Stryker changes it in a thousand
// small ways, one at a time, and runs the tests of the file. The part that they notice is the file's score, which may
// not fall below that of test/mutation/baseline.json.
//
//   npm run test:mutation -- FILE...             these files; without any, all of src/protocol, which takes hours
//   npm run test:mutation -- --quick             the files that CI measures each time
//   npm run test:mutation -- --survivors FILE... and each change that went unnoticed, or was noticed by the clock alone
//   npm run test:mutation -- --update FILE...    and writes their scores to the baseline
//
// With PVKIT_REPORT=FILE the counts of files go there as JSON.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { Stryker } from '@stryker-mutator/core';
import { mutableFiles, ownTests } from './mutation/own-tests.mjs';
import { fallOf, tableOf, tallyOf } from './mutation/scores.mjs';

/** @typedef {import('./mutation/scores.mjs').Baseline} Baseline */
/** @typedef {Awaited<ReturnType<Stryker['runMutationTest']>>[number]} Mutant */

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const baselineFile = join(root, 'test', 'mutation', 'baseline.json');
/** Small files that every byte goes through; together they take CI a minute, two where it is slow. */
const QUICK = ['header', 'reader', 'status'].map((name) => `src/protocol/${name}.ts`);
/** RuntimeError: the tests could not be run at all, as when the name of one is as long as a value. It is in no score. */
const UNNOTICED = ['Survived', 'NoCoverage', 'RuntimeError'];
const FLAGS = ['--quick', '--survivors', '--update'];

process.chdir(root);
const flags = process.argv.slice(2).filter((argument) => argument.startsWith('--'));
const named = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const all = mutableFiles();
requireKnown('option', flags, FLAGS);
requireKnown('file', named, all);
const files = flags.includes('--quick') ? QUICK : named.length > 0 ? named : all;

const baseline = /** @type {Baseline} */ (JSON.parse(readFileSync(baselineFile, 'utf8')));
/** @type {Record<string, import('./mutation/scores.mjs').Tally>} */
const tallies = {};
/** @type {string[]} */
const falls = [];
const start = performance.now();
let count = 0;
for (const file of files) {
  const began = performance.now();
  const mutants = await mutate(file);
  count += mutants.length;
  const tally = tallyOf(mutants);
  tallies[file] = tally;
  process.stdout.write(
    `${tableOf({ [file]: tally })
      .split('\n')
      .at(-1)}  ${secondsSince(began)} s\n`,
  );
  if (flags.includes('--survivors')) for (const mutant of mutants) tellSurvivor(mutant);
  const fall = fallOf(tally, baseline[file]);
  if (fall !== undefined) falls.push(`${file}: ${fall}`);
  // At once: the whole takes hours, and may be interrupted.
  if (flags.includes('--update')) writeBaseline({ ...baseline, ...tallies });
}
process.stdout.write(`\n${tableOf(tallies)}\n${count} mutants in ${secondsSince(start)} s\n`);
const isHeld = falls.length === 0 || flags.includes('--update');
if (!isHeld) process.stdout.write(`\nfewer changes are noticed than before:\n${falls.join('\n')}\n`);

const report = process.env['PVKIT_REPORT'];
if (report !== undefined) {
  mkdirSync(dirname(report), { recursive: true });
  const counts = { numPassedTests: files.length - falls.length, numFailedTests: falls.length };
  writeFileSync(report, JSON.stringify(counts));
}
process.exitCode = isHeld ? 0 : 1;

/**
 * @param {string} file
 * @returns {Promise<readonly Mutant[]>}
 */
async function mutate(file) {
  // Read by vitest.mutation.config.ts.
  process.env['PVKIT_MUTATION_TESTS'] = ownTests(file).join(',');
  return new Stryker({ mutate: [file] }).runMutationTest();
}

/**
 * Timeouts that Stryker gives no reason for are those of the clock: an endless loop that it could not count, or a machine
 * that is busy with other things.
 * @param {Mutant} mutant
 */
function tellSurvivor({ status, statusReason, fileName, location, mutatorName, replacement }) {
  const isByClock = status === 'Timeout' && statusReason === undefined;
  if (!UNNOTICED.includes(status) && !isByClock) return;
  const { line, column } = location.start;
  const change = (replacement ?? '').replaceAll(/\s+/gu, ' ').slice(0, 120);
  process.stdout.write(`  ${fileName}:${line}:${column} ${status} ${mutatorName}: ${change}\n`);
}

/** @param {Baseline} scores */
function writeBaseline(scores) {
  const known = Object.entries(scores).filter(([file]) => all.includes(file));
  const sorted = Object.fromEntries(known.toSorted(([one], [other]) => (one < other ? -1 : 1)));
  writeFileSync(baselineFile, `${JSON.stringify(sorted, undefined, 2)}\n`);
}

/** @param {string} what @param {readonly string[]} given @param {readonly string[]} known */
function requireKnown(what, given, known) {
  const unknown = given.filter((each) => !known.includes(each));
  if (unknown.length === 0) return;
  process.stderr.write(`unknown ${what} ${unknown.join(', ')}; one of ${known.join(', ')} expected\n`);
  process.exit(2);
}

/** @param {number} began */
function secondsSince(began) {
  return Math.round((performance.now() - began) / 1_000);
}
