// How do pvkit and pvxs do the same work? One scenario: two fresh servers, of which one rests while the other works, and
// one generator, in pairs of runs.

import { withUnit } from '../figure-text.ts';
import { ratiosOf, spreadOf } from '../statistics.ts';
import { BOTH_CORES, GENERATOR_CORE, SERVER_CORE } from './cores.ts';
import { load, type Loaded, type LoadReport } from './load.ts';
import type { Options } from './options.ts';
import { measurePairs, type Gauging, type Pair, type Pairs } from './pairs.ts';
import { startServe, type Peer, type PeerName, type Peers } from './peers.ts';
import { processesOf } from './proc.ts';
import { comparedRow, minuteNow, type Row } from './row.ts';
import type { Scenario } from './scenarios.ts';

/** Part of a core past which somebody has no time left. */
const BUSY = 0.95;
/** Replies of both servers are of one size; more than this part of difference is a difference of the work. */
const SIZE_DIFFERENCE = 0.05;

export async function compare(
  scenario: Scenario,
  options: Options,
  { peers, gauge, commit }: { readonly peers: Peers; readonly gauge: Gauging; readonly commit: string },
): Promise<readonly Row[]> {
  const { pairs, repeated, disturbed } = await measure(scenario, options, peers, gauge);
  const faults = faultsOf(pairs);
  const notes = [
    ...noteOn(repeated, 'measured again while the machine was slow'),
    ...noteOn(disturbed, 'counted though the machine was slow'),
    ...cpuNote(pairs),
    ...(scenario.workers === undefined ? [] : coresNote(pairs)),
    ...pvxsFaults(pairs),
    ...workNotes(pairs),
  ];
  const now = { date: minuteNow(), commit };
  return scenario.figures.map(({ name, unit, of, target }, index) =>
    comparedRow(
      {
        name: index === 0 ? scenario.name : `${scenario.name} ${name}`,
        unit,
        target,
        faults,
        notes: index === 0 ? notes : [],
      },
      pairs.map(({ pvkit, pvxs }) => ({ pvkit: of(pvkit.report), pvxs: of(pvxs.report) })),
      now,
    ),
  );
}

async function measure(scenario: Scenario, options: Options, peers: Peers, gauge: Gauging): Promise<Pairs<Loaded>> {
  const pvkit = await start('pvkit', scenario, peers);
  const pvxs = await start('pvxs', scenario, peers);
  const servers = { pvkit, pvxs };
  try {
    // Code is compiled while it runs: what a server does in its first second says nothing of the next.
    for (const peer of [pvkit, pvxs]) await run(peer, scenario, options);
    return await measurePairs(options.pairs, gauge, (name) => run(servers[name], scenario, options));
  } finally {
    await pvkit.end();
    await pvxs.end();
  }
}

function run(peer: Peer, scenario: Scenario, { seconds, warmupSeconds }: Options): Promise<Loaded> {
  const times = ['--seconds', String(seconds), '--warmup', String(warmupSeconds)];
  const place = ['--server', peer.server, ...processesOf(peer.pid).flatMap((pid) => ['--pid', String(pid)])];
  if (scenario.needsUdpPort) place.push('--udp-port', String(peer.udpPort));
  const cores = scenario.workers === undefined ? GENERATOR_CORE : BOTH_CORES;
  return load([...scenario.words, ...times, ...place], cores);
}

/** With workers, servers and generator share two cores: nobody can have one for himself, and both servers the same. */
function start(name: PeerName, { workers }: Scenario, peers: Peers): Promise<Peer> {
  if (workers === undefined) return peers.start(name, SERVER_CORE);
  if (name === 'pvxs') return peers.start(name, BOTH_CORES);
  return startServe(['--pv', 'bench:full=double:1.5', '--workers', String(workers)], BOTH_CORES);
}

type LoadedPair = Pair<Loaded>;

/** What pvkit did wrong counts against it. What pvxs did wrong is told, and its speed is what it is. */
function faultsOf(pairs: readonly LoadedPair[]): readonly string[] {
  const told = pairs.flatMap(({ pvkit, pvxs }) => [
    ...pvkit.faults.map((fault) => `pvkit ${fault}`),
    ...(pvxs.report.operations === 0 ? ['pvxs did nothing'] : []),
  ]);
  return [...new Set(told)];
}

function pvxsFaults(pairs: readonly LoadedPair[]): readonly string[] {
  return [...new Set(pairs.flatMap(({ pvxs }) => pvxs.faults.map((fault) => `pvxs ${fault}`)))];
}

function noteOn(count: number, what: string): readonly string[] {
  return count === 0 ? [] : [`${count} ${what}`];
}

/** Time that a shared machine takes away for others is in the other figures, and not in this one. */
function cpuNote(pairs: readonly LoadedPair[]): readonly string[] {
  const ratios = ratiosOf(
    pairs.map(({ pvkit, pvxs }) => ({
      pvkit: pvkit.report.perServerCpuSecond ?? Number.NaN,
      pvxs: pvxs.report.perServerCpuSecond ?? Number.NaN,
    })),
  );
  const { median } = spreadOf(ratios);
  return Number.isFinite(median) ? [`per CPU second x ${median.toFixed(2)}`] : [];
}

/** Where servers and generator share the cores: whether all of them had enough to do. */
function coresNote(pairs: readonly LoadedPair[]): readonly string[] {
  const [pvkit, pvxs] = (['pvkit', 'pvxs'] as const).map((name) => {
    const reports = pairs.map((pair) => pair[name].report);
    return busy(
      reports,
      ({ clientCpuSeconds, serverCpuSeconds }) => clientCpuSeconds + (serverCpuSeconds ?? Number.NaN),
    );
  });
  if (pvkit === undefined || pvxs === undefined || Number.isNaN(pvkit + pvxs)) return [];
  return [`cores busy, the generator's among them: ${pvkit.toFixed(2)} with pvkit, ${pvxs.toFixed(2)} with pvxs`];
}

/** What the figures alone do not say: who was at his limit, and whether both did the same. */
function workNotes(pairs: readonly LoadedPair[]): readonly string[] {
  const notes: string[] = [];
  for (const name of ['pvkit', 'pvxs'] as const) {
    const reports = pairs.map((pair) => pair[name].report);
    const squashed = sum(reports, ({ squashed }) => squashed);
    if (squashed > 0)
      notes.push(`${name} squashed ${withUnit(squashed / sum(reports, ({ seconds }) => seconds), '/s')}`);
    const isGeneratorBound = busy(reports, ({ clientCpuSeconds }) => clientCpuSeconds) >= BUSY;
    if (isGeneratorBound && busy(reports, ({ serverCpuSeconds }) => serverCpuSeconds ?? 0) < BUSY) {
      notes.push(`the generator was at its limit with ${name}`);
    }
  }
  const [pvkit, pvxs] = (['pvkit', 'pvxs'] as const).map((name) => {
    const reports = pairs.map((pair) => pair[name].report);
    return sum(reports, ({ bytes }) => bytes) / sum(reports, ({ operations }) => operations);
  });
  if (pvkit !== undefined && pvxs !== undefined && Math.abs(pvkit / pvxs - 1) > SIZE_DIFFERENCE) {
    notes.push(`pvkit sent ${pvkit.toFixed(0)} bytes an operation, pvxs ${pvxs.toFixed(0)}`);
  }
  return notes;
}

function busy(reports: readonly LoadReport[], cpuSeconds: (report: LoadReport) => number): number {
  return sum(reports, cpuSeconds) / sum(reports, ({ seconds }) => seconds);
}

function sum(reports: readonly LoadReport[], of: (report: LoadReport) => number): number {
  return reports.reduce((total, report) => total + of(report), 0);
}
