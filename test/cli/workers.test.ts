// Does `pvkit serve --workers` behave as one server made of processes: when they are killed, asked to end, or told to read
// the access rules again?

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Context, resolveClientConfig, type Identity } from '../../src/index.ts';
import { ntScalar } from '../../src/protocol/normative/nt-scalar.ts';
import { double } from '../../src/protocol/types/type-desc.ts';
import { buildPackage, type BuiltPackage } from '../support/built-package.ts';
import { run } from './support.ts';

const TYPE = ntScalar(double);
let built: BuiltPackage;
let folder = '';

beforeAll(() => {
  built = buildPackage();
  folder = mkdtempSync(join(tmpdir(), 'pvkit-workers-'));
}, 120_000);

afterAll(() => {
  built.remove();
  rmSync(folder, { recursive: true });
});

const open: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const each of open.splice(0)) await each.close();
});

interface Program {
  readonly pid: number;
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Process ids of the workers that are ready, as logged so far. */
  readonly workers: () => readonly number[];
  readonly ended: Promise<number | null>;
  readonly contextOf: (identity?: Identity) => Context;
}

async function serve(...words: readonly string[]): Promise<Program> {
  const file = join(built.folder, 'dist', 'cli', 'main.js');
  const ports = ['--interface', '127.0.0.1', '--tcp-port', '0', '--udp-port', '0', '-v'];
  const environment = { ...process.env, EPICS_PVAS_AUTO_BEACON_ADDR_LIST: 'NO' };
  const child = spawn(process.execPath, [file, 'serve', ...words, ...ports], { cwd: folder, env: environment });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = once(child, 'close').then(([code]) => (typeof code === 'number' ? code : null));
  open.push({ close: async () => (child.kill('SIGKILL'), ended) });
  await until(() => stdout.includes('listening') || child.exitCode !== null);
  const udpPort = / udp (\d+) /u.exec(stdout)?.[1] ?? '';
  return {
    pid: child.pid ?? 0,
    stdout: () => stdout,
    stderr: () => stderr,
    workers: () => [...stderr.matchAll(/\(process (\d+)\) is ready/gu)].map(([, pid]) => Number(pid)),
    ended,
    contextOf: (identity = { user: 'tester', host: 'desk' }) => {
      const config = resolveClientConfig({
        processEnvironment: {
          EPICS_PVA_ADDR_LIST: '127.0.0.1',
          EPICS_PVA_AUTO_ADDR_LIST: 'NO',
          EPICS_PVA_INTF_ADDR_LIST: '127.0.0.1',
          EPICS_PVA_BROADCAST_PORT: udpPort,
        },
      });
      const context = new Context({ config, identity });
      open.unshift(context);
      return context;
    },
  };
}

/** Real processes take the time that they take. */
async function until(isSo: () => boolean): Promise<void> {
  const last = Date.now() + 20_000;
  while (!isSo()) {
    if (Date.now() > last) throw new Error(`still not so: ${isSo.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Whether a process runs; one that has ended and was not waited for does not. */
function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/mu.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/** Counts up in a PV, and remembers what was acknowledged. */
function putting(context: Context, pvName: string) {
  let acknowledged = 0;
  const stop = new AbortController();
  const done = (async () => {
    for (let count = 1; !stop.signal.aborted; count++) {
      try {
        await context.put(pvName, count, { timeoutMs: 5_000 });
        acknowledged = count;
      } catch {
        // Its worker was killed: nobody knows whether it was carried out, and the next one counts on. Not at once: with a
        // context that is closed nothing else would have its turn.
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    }
  })();
  return {
    acknowledged: () => acknowledged,
    stop: async () => {
      stop.abort();
      await done;
    },
  };
}

describe('pvkit serve --workers', () => {
  it('loses no acknowledged put and no monitor when workers are killed under load', { timeout: 90_000 }, async () => {
    const program = await serve('--pv', 'a=double:0', '--pv', 'b=double:0', '--workers', '2');
    expect(program.stdout().match(/listening/gu)).toHaveLength(1);
    // A context each: so that they are on different workers.
    const [first, second, watcher, reader] = [0, 1, 2, 3].map(() => program.contextOf());
    if (!first || !second || !watcher || !reader) return;
    const seen = new Map<string, number>();
    for (const pvName of ['a', 'b']) {
      void (async () => {
        for await (const { value } of watcher.monitor(pvName)) {
          const now = Number(value['value']);
          // Never back to an older value, whatever ended in between.
          if (now < (seen.get(pvName) ?? 0)) seen.set(pvName, Number.NaN);
          else seen.set(pvName, now);
        }
      })().catch(() => undefined);
    }
    const puts = [putting(first, 'a'), putting(second, 'b')];
    for (let kill = 0; kill < 4; kill++) {
      const before = puts.map(({ acknowledged }) => acknowledged());
      await until(() => puts.every(({ acknowledged }, index) => acknowledged() > (before[index] ?? 0) + 20));
      const alive = program.workers().filter((pid) => isAlive(pid));
      expect(alive).toHaveLength(2);
      const victim = alive[kill % 2] ?? 0;
      process.kill(victim, 'SIGKILL');
      // For a moment it still counts as one of two.
      await until(() => !isAlive(victim));
      await until(() => program.workers().filter((pid) => isAlive(pid)).length === 2);
    }
    for (const put of puts) await put.stop();
    for (const [index, pvName] of ['a', 'b'].entries()) {
      const acknowledged = puts[index]?.acknowledged() ?? 0;
      const { value } = await reader.get(pvName, { type: TYPE });
      // A put whose answer was lost may have been the last.
      expect(value).toBeGreaterThanOrEqual(acknowledged);
      await until(() => seen.get(pvName) === value);
    }
    expect(program.stderr().match(/ended with signal SIGKILL/gu)).toHaveLength(4);
  });

  it('ends all of it in good order on SIGTERM, with exit code 0', { timeout: 30_000 }, async () => {
    const program = await serve('--demo', '--workers', '3');
    const context = program.contextOf();
    await context.get('demo:sine');
    const workers = program.workers();
    expect(workers).toHaveLength(3);
    // As ^C on a terminal does: the workers leave it to their server.
    for (const pid of [...workers, program.pid]) process.kill(pid, 'SIGINT');
    expect(await program.ended).toBe(0);
    expect(workers.map((pid) => isAlive(pid))).toEqual([false, false, false]);
    expect(program.stderr()).not.toContain('ended with');
  });

  it('leaves no worker behind when it is killed', { timeout: 30_000 }, async () => {
    const program = await serve('--demo', '--workers', '2');
    const workers = program.workers();
    process.kill(program.pid, 'SIGKILL');
    await program.ended;
    await until(() => workers.every((pid) => !isAlive(pid)));
    expect(workers).toHaveLength(2);
  });

  it('reads the access rules again on SIGHUP, logs puts, and lists its PVs', { timeout: 30_000 }, async () => {
    const file = join(folder, 'lab.toml');
    const content = (user: string): string => `[server]
workers = 2
[log]
puts = "-"
[[channels]]
name = "lab:x"
type = "double"
[[access]]
user = "${user}"
allow = "all"
[[access]]
channel = "lab:*"
allow = "read"
`;
    writeFileSync(file, content('alice'));
    const program = await serve(file);
    const [alice, bob] = [
      program.contextOf({ user: 'alice', host: 'desk' }),
      program.contextOf({ user: 'bob', host: 'desk' }),
    ];
    await alice.put('lab:x', 1);
    await expect(bob.put('lab:x', 2)).rejects.toThrow("needs write access to 'lab:x' and has read");
    const told = new Set<unknown>();
    for (const context of [alice, bob]) context.onNotice(({ kind }) => kind === 'rightsTold' && told.add(context));
    writeFileSync(file, content('bob'));
    process.kill(program.pid, 'SIGHUP');
    await until(() => program.stderr().includes('access rules read again') && told.size === 2);
    await bob.put('lab:x', 3);
    await expect(alice.put('lab:x', 4)).rejects.toThrow("needs write access to 'lab:x' and has read");
    await until(() => program.stdout().split('"operation":"PUT"').length === 5);
    const outcomes = [...program.stdout().matchAll(/"outcome":"(\w+)".*"user":"(\w+)"/gu)].map((found) =>
      found.slice(1),
    );
    expect(outcomes).toEqual([
      ['accepted', 'alice'],
      ['refused', 'bob'],
      ['accepted', 'bob'],
      ['refused', 'alice'],
    ]);
    const tcp = /listening tcp (\S+)/u.exec(program.stdout())?.[1] ?? '';
    expect(await run(['list', tcp])).toMatchObject({ stdout: 'lab:x\n', exitCode: 0 });
  });

  it.each(['-1', 'two', '65', '1.5', ''])('refuses --workers %j', async (count) => {
    const { exitCode, stderr } = await run(['serve', '--workers', count]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('--workers');
    expect(stderr).toContain('a number from 0 to 64');
  });
});
