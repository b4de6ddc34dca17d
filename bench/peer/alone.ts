// What has pvkit to keep to by itself, without a comparison? Times of start, memory, and what a burst of clients gets.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Context, resolveClientConfig } from 'pvkit';
import { z } from 'zod';
import type { Target } from '../statistics.ts';
import { Child } from './child.ts';
import { GENERATOR_CORE, SERVER_CORE } from './cores.ts';
import { load } from './load.ts';
import { Peers, startMeasurable, startServe } from './peers.ts';
import { residentBytes } from './proc.ts';

export interface Alone {
  readonly name: string;
  readonly unit: string;
  readonly target: Target;
  /** One run: its figure, and why it does not count. */
  readonly measure: () => Promise<{ readonly figure: number; readonly faults?: readonly string[] }>;
}

const MANY_PVS = 10_000;
const LINKS = 500;
const BURST = 1_000;
/** How long what the start left behind has time to go. */
const REST_MS = 1_000;

const pvMemory = z.object({ wholeBytes: z.number(), valueBytes: z.number() });

export const ALONE: readonly Alone[] = [
  { name: 'startup-empty', unit: 'ms', target: atMost(300), measure: () => startupMs(0) },
  { name: 'startup-10000', unit: 'ms', target: atMost(1_000), measure: () => startupMs(MANY_PVS) },
  { name: 'memory-idle', unit: 'MiB', target: atMost(90), measure: idleMiB },
  { name: 'memory-pv', unit: 'B', target: atMost(1_024), measure: bytesOfPv },
  { name: 'memory-link', unit: 'KiB', target: atMost(20), measure: kibibytesOfLink },
  { name: 'burst-1000', unit: 'ms', target: atMost(1_000), measure: burstMs },
];

/** From the start of the process to its line `listening`. */
async function startupMs(pvCount: number) {
  const folder = mkdtempSync(join(tmpdir(), 'pvkit-bench-'));
  try {
    const file = join(folder, 'many.toml');
    const channels = Array.from(
      { length: pvCount },
      (_, index) => `[[channels]]\nname = "bench:pv${index}"\ntype = "double"\nvalue = ${index}.5\n`,
    );
    writeFileSync(file, channels.join('\n'));
    const peer = await startServe([file], SERVER_CORE);
    await peer.end();
    return { figure: peer.readyMs };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** All memory of a `pvkit serve` that has nothing to do. */
async function idleMiB() {
  const peer = await startServe([], SERVER_CORE);
  await rest();
  const bytes = residentBytes(peer.pid);
  await peer.end();
  return bytes === undefined
    ? { figure: Number.NaN, faults: ['the system does not tell the memory of a process'] }
    : { figure: bytes / 2 ** 20 };
}

/** A PV with its name, beyond its value. */
async function bytesOfPv() {
  const program = new URL('pv-memory.js', import.meta.url).pathname;
  const child = new Child([process.execPath, '--expose-gc', program], { cores: SERVER_CORE });
  const { wholeBytes, valueBytes } = pvMemory.parse(JSON.parse(await child.line()));
  await child.end();
  return { figure: wholeBytes - valueBytes };
}

/** A connection with a channel and a monitor on it, at rest, in the server. */
async function kibibytesOfLink() {
  const peer = await startMeasurable();
  const contexts: Context[] = [];
  try {
    await openLinks(peer.server, contexts, 1); // brings what all share
    const before = Number(await peer.ask('bytes'));
    await openLinks(peer.server, contexts, LINKS);
    await rest();
    const after = Number(await peer.ask('bytes'));
    return { figure: (after - before) / LINKS / 1024 };
  } finally {
    await Promise.all(contexts.map((context) => context.close()));
    await peer.end();
  }
}

async function openLinks(server: string, contexts: Context[], count: number): Promise<void> {
  const config = resolveClientConfig({ processEnvironment: {} });
  for (let index = 0; index < count; index++) {
    const context = new Context({ config });
    contexts.push(context);
    const updates = context.monitor('bench:idle', { server })[Symbol.asyncIterator]();
    await updates.next();
  }
}

/** From the first SYN until the last of them all has its channel. */
async function burstMs() {
  const peer = await new Peers().start('pvkit', SERVER_CORE);
  try {
    const words = ['connect', 'bench:get', '--clients', String(BURST), '--seconds', '10', '--warmup', '0'];
    const { report, faults } = await load([...words, '--server', peer.server], GENERATOR_CORE);
    const missing = BURST - report.operations;
    return {
      figure: report.latencyUs.max / 1_000,
      faults: missing > 0 ? [...faults, `${missing} connections without a channel`] : faults,
    };
  } finally {
    await peer.end();
  }
}

function atMost(value: number): Target {
  return { bound: 'atMost', value };
}

function rest(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, REST_MS);
  });
}
