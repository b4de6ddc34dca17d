// `npm run fuzz`: does anything that takes bytes or text from others break?
//
//   npm run fuzz -- [--seconds N] [--target NAME]... [--seed N]    N seconds in all; each target has its share
//   npm run fuzz -- --target NAME --input FILE                     one input, as it was written to fuzz/findings
//   npm run fuzz -- ... --save                                     adds what led somewhere new to fuzz/corpus
//   npm run fuzz -- ... --report FILE                              counts targets, as test runners do, for .ci/run
//
// For each target are told: inputs a second, the blocks of the code under test that have run, of those in the functions that
// have run, and what the dearest input took. What breaks a promise is written to fuzz/findings as hexadecimal text, and the exit code is 1. Once it is mended, its
// line belongs into fuzz/corpus, which every `npm test` goes through.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';

import { Corpus, readHex, saveFinding } from './corpus.ts';
import { Coverage } from './coverage.ts';
import { fuzz, type Outcome } from './fuzz.ts';
import { Guard } from './guard.ts';
import { yardstickMs } from './pace.ts';
import { Random } from './random.ts';
import { ROOT } from './root.ts';
import type { Target } from './target.ts';
import { TARGETS } from './targets.ts';
import { Watchdog } from './watchdog.ts';

const BYTES_PER_MIB = 1024 * 1024;

const { values: given } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    target: { type: 'string', multiple: true, default: [] },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    input: { type: 'string' },
    save: { type: 'boolean', default: false },
    report: { type: 'string' },
  },
});
const chosen = TARGETS.filter(({ name }) => given.target.length === 0 || given.target.includes(name));
const unknown = given.target.filter((name) => !TARGETS.some((target) => target.name === name));
const [seconds, seed] = [Number(given.seconds), Number(given.seed)];
if (unknown.length > 0)
  stop(`no target ${unknown.join(', ')}, one of ${TARGETS.map(({ name }) => name).join(', ')} expected`);
if (!(seconds > 0)) stop(`--seconds is ${given.seconds}, a number above 0 expected`);
if (!Number.isSafeInteger(seed)) stop(`--seed is ${given.seed}, a whole number expected`);

if (given.input !== undefined) {
  for (const target of chosen) await target.run(readHex(given.input));
  process.exit(0);
}

const findingsFolder = join(ROOT, 'fuzz', 'findings');
const watchdog = new Watchdog(findingsFolder);
process.stdout.write(
  `seed ${seed}, ${seconds} s for ${chosen.length} targets, yardstick ${yardstickMs().toFixed(1)} ms\n`,
);
let findings = 0;
for (const target of chosen) {
  const corpus = new Corpus(join(ROOT, 'fuzz', 'corpus'), target.name);
  const coverage = new Coverage();
  const guard = new Guard(watchdog);
  guard.listen();
  const outcome = await fuzz({
    target,
    corpus,
    coverage,
    guard,
    random: new Random(seed),
    seconds: seconds / chosen.length,
    progress: (sofar) => {
      if (process.stderr.isTTY) process.stderr.write(`\r${lineOf(target, sofar)}`);
    },
  }).catch(broken);
  guard.close();
  coverage.close();
  if (given.save) corpus.save();
  if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
  process.stdout.write(`${lineOf(target, outcome)}\n`);
  if (outcome.finding === undefined) continue;
  findings++;
  const { input, reason } = outcome.finding;
  const file = saveFinding(findingsFolder, target.name, input);
  process.stdout.write(`  ${file}\n  ${reason.replaceAll('\n', '\n  ')}\n`);
}
if (given.report !== undefined) {
  const counts = { numPassedTests: chosen.length - findings, numFailedTests: findings };
  writeFileSync(given.report, `${JSON.stringify(counts)}\n`);
}
process.exit(findings === 0 ? 0 : 1);

function lineOf({ name }: Target, outcome: Outcome): string {
  const {
    executions,
    seconds: took,
    inputs,
    added,
    blocks,
    knownBlocks,
    mostMs,
    mostBytes,
    mostPart,
    finding,
  } = outcome;
  const rate = Math.round(executions / took);
  const part = knownBlocks === 0 ? 0 : Math.round((blocks / knownBlocks) * 100);
  const ofTime = `${Math.round(mostPart * 100)} % of what it may take`;
  const dearest = `at most ${Math.round(mostMs)} ms (${ofTime}) and ${(mostBytes / BYTES_PER_MIB).toFixed(1)} MiB an input`;
  const found = finding === undefined ? '' : ', a FINDING';
  return (
    `${name.padEnd(16)} ${executions} inputs, ${rate}/s, ${blocks} of ${knownBlocks} blocks covered (${part} %), ` +
    `corpus ${inputs} (${added} new), ${dearest}${found}`
  );
}

/** While inputs run, whoever is listening for their errors would take one of the fuzzer itself, too, and all would seem well. */
function broken(thrown: unknown): never {
  process.stderr.write(`the fuzzer broke: ${thrown instanceof Error ? thrown.stack : String(thrown)}\n`);
  process.exit(1);
}

function stop(why: string): never {
  process.stderr.write(`${why}\n`);
  process.exit(2);
}
