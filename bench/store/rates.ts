// How many puts a second does each store acknowledge, and how fast is a server with 100 000 channels there?
// `npm run bench:store` prints both.

import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as pause } from 'node:timers/promises';
import { openStore, StoredChannels, Workspace, type ChannelStore } from 'pvkit';
import { columns } from '../columns.ts';
import { load } from '../peer/load.ts';
import { Child } from '../peer/child.ts';

const CLIENTS = 32;
const MANY = 100_000;
const EMBEDDED_SHARE = 0.6;
const REDIS_RATE = 20_000;
const START_MS = 5_000;
const SECONDS = '5';
const US_PER_S = 1e6;
/** Of Linux on all machines that Node.js runs on. */
const TICKS_PER_S = 100;
const CORES = '0,1';
const CLI = 'dist/cli/main.js';
const PVS = Array.from({ length: CLIENTS }, (_, index) => `bench:put${index}=double`);
const OWN_REDIS = '.peers/redis/redis-server';

/** Prints both and tells whether the targets were reached. */
export async function rates(): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), 'pvkit-bench-'));
  try {
    const reached = [await puts(folder), await many(folder)];
    return reached.every(Boolean);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function puts(folder: string): Promise<boolean> {
  const rates = new Map<string, number>();
  const rows = [['store', 'puts/s', 'of memory', 'server us/put', 'redis us/put', 'p99 us', 'wrong', 'errors']];
  const redis = await startRedis(folder);
  /** Each put is on the disk before it is answered. */
  const flushing = join(folder, 'flushing.toml');
  writeFileSync(flushing, '[store]\nflush_ms = 0\n');
  const stores: readonly (readonly [string, readonly string[]])[] = [
    ['none', []],
    ['memory', ['--store', 'memory:']],
    ['embedded', ['--workspace', join(folder, 'puts')]],
    ['embedded, flushed', [flushing, '--workspace', join(folder, 'flushed')]],
    ...(redis === undefined ? [] : [['redis', ['--store', redis.url]] as const]),
  ];
  for (const [name, words] of stores) {
    const { server, port } = await serve([...words, ...PVS.flatMap((pv) => ['--pv', pv])]);
    const shape = ['--clients', String(CLIENTS), '--depth', '1', '--seconds', SECONDS];
    const [serverBefore, redisBefore] = [processorS(server.pid), processorS(redis?.pid)];
    const { report } = await load(['put', `bench:put{0..${CLIENTS - 1}}`, ...shape, '--server', port], CORES);
    const count = report.perSecond * Number(SECONDS);
    // On a machine that does other things besides, this tells more than the rate.
    const serverUs = ((processorS(server.pid) - serverBefore) / count) * US_PER_S;
    const redisUs = name === 'redis' ? ((processorS(redis?.pid) - redisBefore) / count) * US_PER_S : 0;
    await server.end();
    rates.set(name, report.perSecond);
    const ratio = report.perSecond / (rates.get('memory') ?? Number.NaN);
    const { wrong, errors, latencyUs } = report;
    const costs = [serverUs.toFixed(1), redisUs === 0 ? '' : redisUs.toFixed(1)];
    rows.push([
      name,
      report.perSecond.toFixed(0),
      percent(ratio),
      ...costs,
      latencyUs.p99.toFixed(0),
      `${wrong}`,
      `${errors}`,
    ]);
  }
  redis?.end();
  console.log(`${CLIENTS} clients, one put under way each; targets: embedded 60 % of memory, redis 20 000/s`);
  console.log(`${columns(rows, { left: [0] })}\n`);
  const redisRate = rates.get('redis') ?? Number.POSITIVE_INFINITY;
  return (rates.get('embedded') ?? 0) >= EMBEDDED_SHARE * (rates.get('memory') ?? 0) && redisRate >= REDIS_RATE;
}

async function many(folder: string): Promise<boolean> {
  const redis = await startRedis(folder);
  const path = join(folder, 'many');
  const stores: readonly (readonly [string, readonly string[], () => Promise<ChannelStore>])[] = [
    ['embedded', ['--workspace', path], () => embeddedStore(path)],
    ...(redis === undefined ? [] : [['redis', ['--store', redis.url], () => openStore(redis.url)] as const]),
  ];
  const rows = [
    ['store', 'start s', 'of its processor s', 'listed', 'list s', 'KiB a channel', 'of these of its own', 'MB in all'],
  ];
  let isReached = true;
  for (const [name, words, open] of stores) {
    await fill(await open());
    const start = performance.now();
    const { server, port } = await serve(words);
    const startMs = performance.now() - start;
    const startS = processorS(server.pid);
    const bytes = memoryOf(server.pid, 'VmRSS');
    // Without the file that is mapped into it.
    const ownBytes = memoryOf(server.pid, 'RssAnon');
    const listStart = performance.now();
    const listed = spawnSync(process.execPath, [CLI, 'list', port], { encoding: 'utf8', maxBuffer: 1 << 28 });
    const listS = (performance.now() - listStart) / 1_000;
    const count = listed.stdout.split('\n').filter((line) => line.startsWith('bench:')).length;
    await server.end();
    const perChannel = [bytes, ownBytes].map((each) => (each / MANY / 1_024).toFixed(1));
    const times = [(startMs / 1_000).toFixed(2), startS.toFixed(2), `${count}`, listS.toFixed(2)];
    rows.push([name, ...times, ...perChannel, (bytes / 1e6).toFixed(0)]);
    isReached &&= startMs <= START_MS && count === MANY;
  }
  redis?.end();
  console.log(`${MANY} channels in one store; target: start under ${START_MS / 1_000} s`);
  console.log(columns(rows, { left: [0] }));
  return isReached;
}

async function embeddedStore(path: string): Promise<ChannelStore> {
  const workspace = await Workspace.open(path);
  const store = await workspace.openStore();
  const close = store.close.bind(store);
  store.close = async () => {
    await close();
    await workspace.close();
  };
  return store;
}

async function fill(store: ChannelStore): Promise<void> {
  const definitions = Array.from({ length: MANY }, (_, index) => ({
    name: `bench:area${index % 50}:device${index % 1_000}:value${index}`,
    type: { kind: 'scalar', scalar: 'double' } as const,
    value: index,
    units: 'mm',
    description: undefined,
    display: { low: 0, high: 100, precision: 2, format: undefined },
    control: undefined,
    alarm: undefined,
    readOnly: false,
    origin: 'bench',
  }));
  (await StoredChannels.open(store, { definitions })).close();
  await store.close();
}

/** A server of its own, and where it is. */
async function serve(words: readonly string[]): Promise<{ readonly server: Child; readonly port: string }> {
  const onLoopback = ['--interface', '127.0.0.1', '--tcp-port', '0', '--udp-port', '0', '--json'];
  const server = new Child([process.execPath, CLI, 'serve', ...words, ...onLoopback], { cores: CORES });
  const port = /"tcpPort":(?<port>\d+)/u.exec(await server.line())?.groups?.['port'] ?? '';
  return { server, port: `127.0.0.1:${port}` };
}

function memoryOf(pid: number, what: 'VmRSS' | 'RssAnon'): number {
  const found = new RegExp(`${what}:\\s+(\\d+)`, 'u').exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(found?.[1]) * 1_024;
}

/** Seconds of processor time that a process has taken. */
function processorS(pid: number | undefined): number {
  if (pid === undefined) return 0;
  // Behind the name of the program, which may hold anything: user and system time are the 12th and 13th.
  const [, behind = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ');
  const fields = behind.split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_S;
}

function percent(ratio: number): string {
  return Number.isNaN(ratio) ? '' : `${(ratio * 100).toFixed(0)} %`;
}

/** A Redis that keeps nothing on disk; undefined where there is no program. */
async function startRedis(
  folder: string,
): Promise<{ readonly url: string; readonly pid: number | undefined; readonly end: () => void } | undefined> {
  const program = existsSync(OWN_REDIS) ? OWN_REDIS : 'redis-server';
  if (spawnSync(program, ['--version']).status !== 0) return undefined;
  const port = await freePort();
  const words = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', folder];
  const server = spawn(program, words, { stdio: 'ignore' });
  await pause(500);
  return { url: `redis://127.0.0.1:${port}/0`, pid: server.pid, end: () => void server.kill() };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().on('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
