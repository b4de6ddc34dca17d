// `npm run bench:peer`: how fast is pvkit beside pvxs, the C++ server, on this machine? See docs/performance.md.

import process from 'node:process';
import { compare } from './compare.ts';
import { whyUnpinned } from './cores.ts';
import { Gauge } from './gauge.ts';
import { thisCommit, thisMachine } from './machine.ts';
import { HELP, readOptions, type Options } from './options.ts';
import { Peers } from './peers.ts';
import { keepResults, RESULTS_FILE } from './results.ts';
import type { Row } from './row.ts';
import { SCENARIOS } from './scenarios.ts';
import { tableOf } from './table.ts';

const FAILED = 1;
const BAD_USAGE = 2;

process.exitCode = await main();

async function main(): Promise<number> {
  let options: Options;
  try {
    options = readOptions(process.argv.slice(2));
  } catch (thrown) {
    process.stderr.write(`${thrown instanceof Error ? thrown.message : String(thrown)}\n\n${HELP}`);
    return BAD_USAGE;
  }
  if (options.isHelp) {
    process.stdout.write(HELP);
    return 0;
  }
  const isAsked = (name: string): boolean =>
    options.only.length === 0 || options.only.some((beginning) => name.startsWith(beginning));
  const scenarios = SCENARIOS.filter(({ name }) => isAsked(name));
  if (scenarios.length === 0) {
    process.stderr.write(`no row begins with ${options.only.join(', ')}\n\n${HELP}`);
    return BAD_USAGE;
  }

  const machine = thisMachine();
  const commit = thisCommit();
  const peers = new Peers();
  const pvxs = `pvxs ${peers.pvxs.version} (${peers.pvxs.kind})`;
  say(`${machine.cpu}, ${machine.cores} cores, Node.js ${machine.node}, pvkit ${commit}, ${pvxs}`);
  if (whyUnpinned !== undefined) say(`not pinned to cores: ${whyUnpinned}`);
  const gauge = await Gauge.open();
  const rows: Row[] = [];
  try {
    for (const scenario of scenarios) {
      const measured = await compare(scenario, options, { peers, gauge, commit });
      rows.push(...measured);
      say(tableOf(measured).split('\n').slice(1).join('\n'));
    }
  } finally {
    await gauge.close();
  }
  process.stdout.write(`\n${tableOf(rows)}\n`);
  say(`gauge: ${Math.round(gauge.best)} echoes a second at best`);
  if (!options.isQuick) {
    keepResults({ machine, pvxs, rows });
    say(`written to ${RESULTS_FILE}`);
  }
  return rows.some(({ faults }) => faults.length > 0) ? FAILED : 0;
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}
