// Do `pvkit backup` and `pvkit restore` carry channels from any store to any store, and refuse what they should?

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { RedisServer } from '../support/redis-server.ts';
import { run as runIn, serve as serveIn, start as startIn, type RunOptions, type Serving } from './support.ts';

const PVS = ['--pv', 'lab:setpoint=double:21.5', '--pv', 'lab:mode=enum(Off|On)', '--pv', 'lab:wave=int[]'];

let root = '';
let redis: RedisServer;
/** A new one for each test; relative names stand for what is in it. */
let folder = '';

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'pvkit-backup-'));
  redis = await RedisServer.start();
});

afterAll(async () => {
  await redis.close();
  rmSync(root, { recursive: true });
});

beforeEach(() => {
  folder = mkdtempSync(join(root, 'test-'));
});

describe('backup and restore', () => {
  it('carry channels from a workspace to Redis and back, to every bit', async () => {
    await filled('--workspace', 'a');
    expect(await run('backup', '--workspace', 'a', 'a.backup')).toMatchObject({
      stdout: expect.stringMatching(/^3 channels of \S+channels\.mdb written to a\.backup, \d+ bytes\n$/u) as string,
      stderr: '',
      exitCode: 0,
    });
    expect(await run('restore', '--store', redis.url, 'a.backup')).toEqual({
      stdout: `a.backup written into ${redis.url}: 3 created, 0 updated, 0 replaced\n`,
      stderr: '',
      exitCode: 0,
    });
    await run('backup', '--store', redis.url, 'b.backup');
    await run('restore', '--workspace', 'b', 'b.backup');
    await run('backup', '--workspace', 'b', 'c.backup');
    expect(contentOf('b.backup')).toEqual(contentOf('a.backup'));
    expect(contentOf('c.backup')).toEqual(contentOf('a.backup'));
    expect(await valuesAt('--workspace', 'b')).toEqual({ setpoint: 42, mode: 1, wave: [1, -2, 3] });
  });

  it('go through pipes', async () => {
    await filled('--workspace', 'a');
    const { stdout, stderr } = await run('backup', '--workspace', 'a', '-');
    expect(stderr).toMatch(/^3 channels of .* written to -, \d+ bytes\n$/u);
    const [head = ''] = stdout.split('\n');
    expect(JSON.parse(head)).toMatchObject({ format: 'pvkit-backup', store: 'embedded' });
    const restored = await run(['restore', '--workspace', 'b', '-'], { stdin: inPieces(stdout) });
    expect(restored).toMatchObject({ stderr: '', exitCode: 0 });
    expect(await valuesAt('--workspace', 'b')).toEqual({ setpoint: 42, mode: 1, wave: [1, -2, 3] });
  });

  it('say of one channel that it is one', async () => {
    const server = await serve('--workspace', 'a', '--pv', 'lab:alone=double');
    await put(server, 'lab:alone', '1');
    expect(await server.stop()).toBe(0);
    const { stdout } = await run('backup', '--workspace', 'a', 'a.backup');
    expect(stdout).toMatch(/^1 channel of \S+channels\.mdb written to a\.backup, \d+ bytes\n$/u);
  });

  it('tell programs in JSON', async () => {
    await filled('--workspace', 'a');
    const backup = await run('backup', '--json', '--workspace', 'a', 'a.backup');
    expect(JSON.parse(backup.stdout)).toMatchObject({
      event: 'backedUp',
      store: 'embedded',
      file: 'a.backup',
      channelCount: 3,
    });
    const restore = await run('restore', '--json', '--workspace', 'b', 'a.backup');
    expect(JSON.parse(restore.stdout)).toMatchObject({ event: 'restored', created: 3, updated: 0, replaced: 0 });
  });

  it('show on a terminal how far they are', async () => {
    await filled('--workspace', 'a');
    const terminal = { isTerminal: true };
    const backup = await run(['backup', '-v', '--workspace', 'a', 'a.backup'], terminal);
    expect(backup.stderr).toContain('backing up: 0 channels');
    expect(backup.stderr).toMatch(/^embedded store /u);
    const restore = await run(['restore', '--workspace', 'b', 'a.backup'], terminal);
    expect(restore.stderr).toContain('checking the file: 1 channel');
  });
});

describe('backup', () => {
  it('reads a workspace while its server runs', async () => {
    const server = await serve('--workspace', 'a', ...PVS);
    await put(server, 'lab:setpoint', '7');
    expect(await run('backup', '--workspace', 'a', 'a.backup')).toMatchObject({ stderr: '', exitCode: 0 });
    await put(server, 'lab:setpoint', '8');
    expect(await server.stop()).toBe(0);
    await run('restore', '--workspace', 'b', 'a.backup');
    expect(await valuesAt('--workspace', 'b')).toMatchObject({ setpoint: 7 });
  });

  it('overwrites no file, but with --force', async () => {
    await filled('--workspace', 'a');
    writeFileSync(join(folder, 'a.backup'), 'precious');
    expect(await run('backup', '--workspace', 'a', 'a.backup')).toMatchObject({
      stderr: expect.stringContaining('a.backup exists; --force overwrites it') as string,
      exitCode: 2,
    });
    expect(readFileSync(join(folder, 'a.backup'), 'utf8')).toBe('precious');
    expect(await run('backup', '--force', '--workspace', 'a', 'a.backup')).toMatchObject({ exitCode: 0 });
    expect(contentOf('a.backup')).toHaveLength(3);
  });

  it('leaves nothing behind when it is interrupted', async () => {
    await filled('--workspace', 'a');
    const running = startIn(['backup', '--workspace', 'a', 'a.backup'], { folder });
    running.interrupt();
    expect(await running.exitCode).toBe(1);
    expect(running.stderr.text).toBe('pvkit: interrupted before the end\n');
    expect(readdirSync(folder)).toEqual(['a']);
  });

  it('leaves nothing behind where it cannot write', async () => {
    await filled('--workspace', 'a');
    mkdirSync(join(folder, 'taken'));
    expect(await run('backup', '--force', '--workspace', 'a', 'taken')).toMatchObject({ exitCode: 1 });
    expect(readdirSync(folder)).toEqual(['a', 'taken']);
  });

  it('makes no workspace where there is none', async () => {
    expect(await run('backup', '--workspace', 'typo', 'a.backup')).toMatchObject({
      stderr: expect.stringMatching(/typo.* is not there\n$/u) as string,
      exitCode: 1,
    });
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('restore', () => {
  it.each<[what: string, change: (text: string) => string, reason: RegExp]>([
    ['was cut short', (text) => text.slice(0, -100), /^pvkit: line 5: /u],
    ['was changed', (text) => text.replace('"value":42', '"value":43'), /^pvkit: line \d: the checksum is /u],
    [
      'is of a newer version',
      () => summed('{"format":"pvkit-backup","version":2'),
      /^pvkit: line 1: .* reads up to 1/u,
    ],
    ['is no backup', () => 'name,value\n', /^pvkit: line 1: this is no backup of pvkit\n/u],
  ])('refuses a file that %s, by line, before there is a store', async (_, change, reason) => {
    await filled('--workspace', 'a');
    await run('backup', '--workspace', 'a', 'a.backup');
    writeFileSync(join(folder, 'b.backup'), change(readFileSync(join(folder, 'a.backup'), 'utf8')));
    const { stderr, exitCode } = await run('restore', '--workspace', 'b', 'b.backup');
    expect(stderr).toMatch(reason);
    expect(exitCode).toBe(1);
    expect(existsSync(join(folder, 'b'))).toBe(false);
  });

  it('sets values where definitions are the same', async () => {
    await filled('--workspace', 'a');
    await run('backup', '--workspace', 'a', 'a.backup');
    const server = await serve('--workspace', 'a');
    await put(server, 'lab:setpoint', '1');
    await server.stop();
    expect(await run('restore', '--workspace', 'a', 'a.backup')).toMatchObject({
      stdout: expect.stringContaining('0 created, 3 updated, 0 replaced') as string,
      exitCode: 0,
    });
    expect(await valuesAt('--workspace', 'a')).toMatchObject({ setpoint: 42 });
  });

  it('refuses definitions that differ, writes nothing, and replaces them when told so', async () => {
    await filled('--workspace', 'a');
    await run('backup', '--workspace', 'a', 'a.backup');
    const other = await serve('--workspace', 'b', '--pv', 'lab:setpoint=int:3', '--pv', 'lab:own=string:kept');
    await other.stop();
    const refused = await run('restore', '--workspace', 'b', 'a.backup');
    expect(refused).toMatchObject({ stdout: '', exitCode: 1 });
    expect(refused.stderr).toMatch(
      /^pvkit: channel 'lab:setpoint' is defined otherwise: .*int.*double.*\npvkit: nothing was written; --replace /u,
    );
    const before = await serve('--workspace', 'b');
    expect(await get(before, 'lab:setpoint')).toBe(3);
    expect((await runIn(['get', 'lab:mode', '-w', '0.2'], { environment: before.environment })).exitCode).toBe(1);
    await before.stop();
    expect(await run('restore', '--replace', '--workspace', 'b', 'a.backup')).toMatchObject({
      stdout: expect.stringContaining('2 created, 0 updated, 1 replaced') as string,
      exitCode: 0,
    });
    expect(await valuesAt('--workspace', 'b')).toEqual({ setpoint: 42, mode: 1, wave: [1, -2, 3] });
    const after = await serve('--workspace', 'b');
    expect(await get(after, 'lab:own')).toBe('kept');
    await after.stop();
  });

  it('does not write into a workspace that a server uses', async () => {
    await filled('--workspace', 'a');
    await run('backup', '--workspace', 'a', 'a.backup');
    const server = await serve('--workspace', 'a');
    expect(await run('restore', '--workspace', 'a', 'a.backup')).toMatchObject({
      stderr: expect.stringContaining('is held by process') as string,
      exitCode: 1,
    });
    await server.stop();
  });

  it('reaches the servers of a shared store while they run', async () => {
    await filled('--workspace', 'a');
    await run('backup', '--workspace', 'a', 'a.backup');
    const store = `${redis.url.slice(0, -1)}5`;
    const server = await serve('--store', store, ...PVS);
    await run('restore', '--store', store, 'a.backup');
    expect(await get(server, 'lab:setpoint')).toBe(42);
    await server.stop();
  });

  it('says which file is not there', async () => {
    expect(await run('restore', '--workspace', 'a', 'nosuch')).toMatchObject({
      stderr: expect.stringContaining('nosuch') as string,
      exitCode: 1,
    });
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('a store', () => {
  it.each([
    [['backup', 'x'], 'which store? --workspace FOLDER or --store URL names it'],
    [['backup', '--workspace', 'a', '--store', 'memory:', 'x'], 'name two stores, one is expected'],
    [['backup', '--store', 'http://127.0.0.1', 'x'], '--store: '],
    [['backup'], "missing required argument 'file'"],
  ])('has to be named: %j ends with 2', async (words, reason) => {
    const { stderr, exitCode } = await run(words);
    expect(stderr).toContain(reason);
    expect(exitCode).toBe(2);
  });

  it('that is away is told without its password', async () => {
    const { stderr, exitCode } = await run('backup', '--store', 'redis://user:geheim@127.0.0.1:1/0', 'x');
    expect(stderr).toContain('127.0.0.1:1');
    expect(stderr).not.toContain('geheim');
    expect(exitCode).toBe(1);
    expect(readdirSync(folder)).toEqual([]);
  });
});

// --- helpers ---------------------------------------------------------------------------------------------------

function run(first: string | readonly string[], ...rest: readonly (string | RunOptions)[]) {
  const words = [...(typeof first === 'string' ? [first] : first), ...rest.filter((word) => typeof word === 'string')];
  const options = rest.find((word) => typeof word === 'object');
  return runIn(words, { folder, ...options });
}

function serve(...words: readonly string[]): Promise<Serving> {
  return serveIn(words, { folder });
}

/** Serves the PVs of these tests on a store and puts something into each. */
async function filled(...store: readonly string[]): Promise<void> {
  const server = await serve(...store, ...PVS);
  await put(server, 'lab:setpoint', '42');
  await put(server, 'lab:mode', 'On');
  await put(server, 'lab:wave', '[1,-2,3]');
  expect(await server.stop()).toBe(0);
}

async function put(server: Serving, pvName: string, value: string): Promise<void> {
  const ended = await runIn(['put', pvName, value], { environment: server.environment });
  expect(ended).toMatchObject({ stderr: '', exitCode: 0 });
}

async function get(server: Serving, pvName: string): Promise<unknown> {
  const { stdout } = await runIn(['get', '--json', '-r', 'value', pvName], { environment: server.environment });
  const { value } = JSON.parse(stdout) as { value: { value: unknown } };
  return value.value;
}

/** What a server on that store has in the PVs of these tests. */
async function valuesAt(...store: readonly string[]): Promise<unknown> {
  const server = await serve(...store);
  const setpoint = await get(server, 'lab:setpoint');
  const { index: mode } = (await get(server, 'lab:mode')) as { index: number };
  const wave = await get(server, 'lab:wave');
  await server.stop();
  return { setpoint, mode, wave };
}

/** The channels of a backup by name, without the revision, which begins anew in a store. */
function contentOf(file: string): unknown {
  return readFileSync(join(folder, file), 'utf8')
    .trimEnd()
    .split('\n')
    .slice(1, -1)
    .map((line) => {
      const { name, settings, type, value } = JSON.parse(line) as Record<string, unknown>;
      return { name, settings, type, value };
    })
    .toSorted((one, other) => String(one.name).localeCompare(String(other.name)));
}

async function* inPieces(text: string): AsyncGenerator<Uint8Array, void, void> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += 1_000) yield bytes.subarray(at, at + 1_000);
}

/** The first line of a backup as another version might write it. */
function summed(body: string): string {
  return `${body},"sum":"${sha256(body).slice(0, 16)}"}\n`;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
