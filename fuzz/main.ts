// `npm run fuzz`: does anything that takes bytes or text from others break?
//
//   npm run fuzz -- [--seconds N] [--target NAME]... [--seed N]    N seconds in all; each target has its share
//   npm run fuzz -- --target NAME --input FILE                     one input, as it was written to fuzz/findings
//   npm run fuzz -- ... --save                                     adds what led somewhere new to fuzz/corpus
//
// What breaks a promise is written to fuzz/findings as hexadecimal text, and the exit code is 1. Once it is mended, its
// line belongs into fuzz/corpus, which every `npm test` goes through.

import { join } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';

import { Corpus, readHex, saveFinding } from './corpus.ts';
import { Coverage } from './coverage.ts';
import { fuzz, type Outcome } from './fuzz.ts';
import { Random } from './random.ts';
import { ROOT } from './root.ts';
import type { Target } from './target.ts';
import { TARGETS } from './targets.ts';

const { values: given } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    target: { type: 'string', multiple: true, default: [] },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    input: { type: 'string' },
    save: { type: 'boolean', default: false },
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

const coverage = new Coverage();
process.stdout.write(`seed ${seed}, ${seconds} s for ${chosen.length} targets\n`);
let findings = 0;
for (const target of chosen) {
  const corpus = new Corpus(join(ROOT, 'fuzz', 'corpus'), target.name);
  const outcome = await fuzz({
    target,
    corpus,
    coverage,
    random: new Random(seed),
    seconds: seconds / chosen.length,
    progress: (sofar) => {
      if (process.stderr.isTTY) process.stderr.write(`\r${lineOf(target, sofar)}`);
    },
  });
  if (given.save) corpus.save();
  if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
  process.stdout.write(`${lineOf(target, outcome)}\n`);
  if (outcome.finding === undefined) continue;
  findings++;
  const { input, reason } = outcome.finding;
  const file = saveFinding(join(ROOT, 'fuzz', 'findings'), target.name, input);
  process.stdout.write(`  ${file}\n  ${reason.replaceAll('\n', '\n  ')}\n`);
}
process.exit(findings === 0 ? 0 : 1);

function lineOf({ name }: Target, { executions, seconds: took, inputs, added, blocks, finding }: Outcome): string {
  const rate = Math.round(executions / took);
  const found = finding === undefined ? '' : ', a FINDING';
  return `${name.padEnd(16)} ${executions} inputs, ${rate}/s, ${blocks} blocks covered, corpus ${inputs} (${added} new)${found}`;
}

function stop(why: string): never {
  process.stderr.write(`${why}\n`);
  process.exit(2);
}
