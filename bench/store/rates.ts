// How many puts a second does each store acknowledge, and how fast is a server with 100 000 channels there?
// `npm run bench:store` prints both.

import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as pause } from 'node:timers/promises';
import { StoredChannels, Workspace } from 'pvkit';
import { columns } from '../columns.ts';
import { load } from '../peer/load.ts';
import { Child } from '../peer/child.ts';

const CLIENTS = 32;
const MANY = 100_000;
const EMBEDDED_SHARE = 0.6;
const REDIS_RATE = 20_000;
const START_MS = 5_000;
const SECONDS = '5';
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
  const rows = [['store', 'puts/s', 'of memory', 'p99 us', 'wrong', 'errors']];
  const redis = await startRedis(folder);
  const stores: readonly (readonly [string, readonly string[]])[] = [
    ['none', []],
    ['memory', ['--store', 'memory:']],
    ['embedded', ['--workspace', join(folder, 'puts')]],
    ...(redis === undefined ? [] : [['redis', ['--store', redis.url]] as const]),
  ];
  for (const [name, words] of stores) {
    const { server, port } = await serve([...words, ...PVS.flatMap((pv) => ['--pv', pv])]);
    const shape = ['--clients', String(CLIENTS), '--depth', '1', '--seconds', SECONDS];
    const { report } = await load(['put', `bench:put{0..${CLIENTS - 1}}`, ...shape, '--server', port], CORES);
    await server.end();
    rates.set(name, report.perSecond);
    const ratio = report.perSecond / (rates.get('memory') ?? Number.NaN);
    const { wrong, errors, latencyUs } = report;
    rows.push([name, report.perSecond.toFixed(0), percent(ratio), latencyUs.p99.toFixed(0), `${wrong}`, `${errors}`]);
  }
  redis?.end();
  console.log(`${CLIENTS} clients, one put under way each; targets: embedded 60 % of memory, redis 20 000/s`);
  console.log(`${columns(rows, { left: [0] })}\n`);
  const redisRate = rates.get('redis') ?? Number.POSITIVE_INFINITY;
  return (rates.get('embedded') ?? 0) >= EMBEDDED_SHARE * (rates.get('memory') ?? 0) && redisRate >= REDIS_RATE;
}

async function many(folder: string): Promise<boolean> {
  const path = join(folder, 'many');
  const workspace = await Workspace.open(path);
  const store = await workspace.openStore();
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
  await workspace.close();
  const start = performance.now();
  const { server, port } = await serve(['--workspace', path]);
  const startMs = performance.now() - start;
  const bytes = residentBytes(server.pid);
  const listStart = performance.now();
  const listed = spawnSync(process.execPath, [CLI, 'list', port], { encoding: 'utf8', maxBuffer: 1 << 28 });
  const listMs = performance.now() - listStart;
  const count = listed.stdout.split('\n').filter((name) => name.startsWith('bench:')).length;
  await server.end();
  console.log(`${MANY} channels in the embedded store; target: start under 5 s`);
  console.log(`start ${(startMs / 1_000).toFixed(2)} s, list of ${count} in ${(listMs / 1_000).toFixed(2)} s`);
  console.log(
    `memory ${(bytes / MANY / 1_024).toFixed(1)} KiB for each channel, ${(bytes / 1e6).toFixed(0)} MB in all`,
  );
  return startMs <= START_MS && count === MANY;
}

/** A server of its own, and where it is. */
async function serve(words: readonly string[]): Promise<{ readonly server: Child; readonly port: string }> {
  const onLoopback = ['--interface', '127.0.0.1', '--tcp-port', '0', '--udp-port', '0', '--json'];
  const server = new Child([process.execPath, CLI, 'serve', ...words, ...onLoopback], { cores: CORES });
  const port = /"tcpPort":(?<port>\d+)/u.exec(await server.line())?.groups?.['port'] ?? '';
  return { server, port: `127.0.0.1:${port}` };
}

function residentBytes(pid: number): number {
  const kilobytes = /VmRSS:\s+(?<kb>\d+)/u.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.groups?.['kb'];
  return Number(kilobytes) * 1_024;
}

function percent(ratio: number): string {
  return Number.isNaN(ratio) ? '' : `${(ratio * 100).toFixed(0)} %`;
}

/** A Redis that keeps nothing on disk; undefined where there is no program. */
async function startRedis(folder: string): Promise<{ readonly url: string; readonly end: () => void } | undefined> {
  const program = existsSync(OWN_REDIS) ? OWN_REDIS : 'redis-server';
  if (spawnSync(program, ['--version']).status !== 0) return undefined;
  const port = await freePort();
  const words = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', folder];
  const server = spawn(program, words, { stdio: 'ignore' });
  await pause(500);
  return { url: `redis://127.0.0.1:${port}/0`, end: () => void server.kill() };
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
