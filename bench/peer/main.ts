// `npm run bench:peer`: how fast is pvkit beside pvxs, the C++ server, on this machine? See docs/performance.md.

import process from 'node:process';
import { ALONE, type Alone } from './alone.ts';
import { compare } from './compare.ts';
import { whyUnpinned } from './cores.ts';
import { Gauge } from './gauge.ts';
import { thisCommit, thisMachine } from './machine.ts';
import { HELP, readOptions, type Options } from './options.ts';
import { Peers } from './peers.ts';
import { keepResults, RESULTS_FILE } from './results.ts';
import { minuteNow, singleRow, type Row } from './row.ts';
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
  const alone = ALONE.filter(({ name }) => isAsked(name));
  if (scenarios.length + alone.length === 0) {
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
  const add = (news: readonly Row[]): void => {
    rows.push(...news);
    say(tableOf(news).split('\n').slice(1).join('\n'));
    if (!options.isQuick) keepResults({ machine, pvxs, rows: news });
  };
  let hasFailed = false;
  const attempt = async (name: string, measure: () => Promise<readonly Row[]>): Promise<void> => {
    try {
      add(await measure());
    } catch (thrown) {
      hasFailed = true;
      say(`${name}: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
    }
  };
  try {
    for (const scenario of scenarios) {
      await attempt(scenario.name, () => compare(scenario, options, { peers, gauge, commit }));
    }
    for (const what of alone) {
      await attempt(what.name, async () => [await measureAlone(what, options.pairs, commit)]);
    }
  } finally {
    await gauge.close();
  }
  process.stdout.write(`\n${tableOf(rows)}\n`);
  say(`gauge: ${Math.round(gauge.best)} echoes a second at best`);
  if (!options.isQuick) say(`written to ${RESULTS_FILE}`);
  return hasFailed || rows.some(({ faults }) => faults.length > 0) ? FAILED : 0;
}

async function measureAlone({ name, unit, target, measure }: Alone, runs: number, commit: string): Promise<Row> {
  const figures: number[] = [];
  const faults = new Set<string>();
  for (let run = 0; run < runs; run++) {
    const { figure, faults: some = [] } = await measure();
    figures.push(figure);
    for (const fault of some) faults.add(fault);
  }
  return singleRow({ name, unit, target, faults: [...faults], notes: [] }, figures, { date: minuteNow(), commit });
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}
