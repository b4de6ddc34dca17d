// Does `pvkit serve` keep its channels in a workspace or a store, and say so when it cannot?

import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../src/transport/manual-clock.ts';
import { run, serve, start, type Serving } from './support.ts';

let folder = '';
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'pvkit-serve-'))));
afterEach(() => rmSync(folder, { recursive: true }));

async function valueOf({ environment }: Serving, name: string): Promise<string> {
  const { stdout } = await run(['get', '--json', '-r', 'value', name], { environment });
  return stdout.trim();
}

async function put({ environment }: Serving, name: string, value: string): Promise<void> {
  expect(await run(['put', name, value], { environment })).toMatchObject({ exitCode: 0, stderr: '' });
}

const COMPUTED = `
[[channels]]
name = "lab:set"
type = "double"
value = 1
[[channels]]
name = "lab:twice"
type = "double"
computed = "a * 2"
inputs = { a = "lab:set" }
[[channels]]
name = "lab:scratch"
type = "int"
persist = "none"
`;

describe('serve --workspace', () => {
  it('has its setpoints again after a restart, and not what is not to be kept', async () => {
    writeFileSync(join(folder, 'lab.toml'), COMPUTED);
    const words = ['lab.toml', '--workspace', 'ws', '--pv', 'lab:mode=enum(Off|On)'];
    const first = await serve(words, { folder });
    await put(first, 'lab:set', '21.5');
    await put(first, 'lab:mode', 'On');
    await put(first, 'lab:scratch', '7');
    expect(await first.stop()).toBe(0);
    const second = await serve(words, { folder });
    expect(await valueOf(second, 'lab:set')).toContain('21.5');
    expect(await valueOf(second, 'lab:twice')).toContain('43');
    expect(await valueOf(second, 'lab:mode')).toContain('"index":1');
    expect(await valueOf(second, 'lab:scratch')).toMatch(/"value":0\b/u);
    expect(await second.stop()).toBe(0);
    // The store knows the channels itself.
    const third = await serve(['--workspace', 'ws'], { folder });
    expect(await valueOf(third, 'lab:twice')).toContain('43');
    expect(await third.stop()).toBe(0);
    expect(existsSync(join(folder, 'ws', 'lock'))).toBe(false);
  });

  it('takes pvkit.toml and .env of the workspace, and logs there', async () => {
    mkdirSync(join(folder, 'ws'));
    writeFileSync(join(folder, 'ws', '.env'), 'PREFIX=lab\n');
    writeFileSync(
      join(folder, 'ws', 'pvkit.toml'),
      '[server]\nname = "${PREFIX}"\n[log]\nlevel = "info"\nputs = "puts.jsonl"\n[[channels]]\nname = "${PREFIX}:x"\ntype = "int"\n',
    );
    const server = await serve(['--workspace', 'ws'], { folder });
    await put(server, 'lab:x', '5');
    expect(await valueOf(server, 'lab:store')).toContain('true');
    expect(await server.stop()).toBe(0);
    expect(readFileSync(join(folder, 'ws', 'logs', 'pvkit.log'), 'utf8')).toMatch(/"kind":"listening"/u);
    expect(readFileSync(join(folder, 'ws', 'logs', 'puts.jsonl'), 'utf8')).toMatch(/lab:x/u);
  });

  it('lets two workspaces run side by side, and one only once', async () => {
    const one = await serve(['--workspace', 'one', '--pv', 'lab:x=int:1'], { folder });
    const two = await serve(['--workspace', 'two', '--pv', 'lab:x=int:2'], { folder });
    expect(await valueOf(one, 'lab:x')).toContain('1');
    expect(await valueOf(two, 'lab:x')).toContain('2');
    const again = await run(['serve', '--workspace', 'one', '--tcp-port', '0', '--udp-port', '0'], { folder });
    expect(again).toMatchObject({ exitCode: 1, stdout: '' });
    expect(again.stderr).toMatch(new RegExp(`one/lock is held by process ${process.pid} on `, 'u'));
    expect([await one.stop(), await two.stop()]).toEqual([0, 0]);
  });

  it('waits for the last sign of life of a server elsewhere to be a minute old, and says so', async () => {
    const [lock, since] = [join(folder, 'ws', 'lock'), '2026-01-02T03:04:05.000Z'];
    mkdirSync(join(folder, 'ws'));
    writeFileSync(lock, JSON.stringify({ pid: 7, host: 'elsewhere', since }));
    const touched = Date.now() / 1_000 - 59.5;
    utimesSync(lock, touched, touched);
    const server = await serve(['--workspace', 'ws', '--pv', 'lab:x=int:1'], { folder });
    expect(server.stderr.text).toMatch(/"level":40.*ws\/lock is held by process 7 on elsewhere since .*; waiting/u);
    expect(await valueOf(server, 'lab:x')).toContain('1');
    expect(await server.stop()).toBe(0);
  });

  it('ends with 1 when another server has taken its workspace, and says which', async () => {
    const clock = new ManualClock(Date.now());
    const words = ['--workspace', 'ws', '--pv', 'lab:x=int:1', '--interface', '127.0.0.1', '--tcp-port', '0'];
    const server = start(['serve', ...words, '--udp-port', '0'], { folder, clock });
    await server.stdout.until((text) => text.includes('listening'));
    const lock = join(folder, 'ws', 'lock');
    rmSync(lock);
    writeFileSync(lock, JSON.stringify({ pid: 7, host: 'elsewhere', since: '2026-01-02T03:04:05.000Z' }));
    clock.advance(10_000);
    expect(await server.exitCode).toBe(1);
    expect(server.stderr.text).toMatch(
      /"level":50.*ending: .*ws\/lock was taken over by process 7 on elsewhere since/u,
    );
    expect(existsSync(lock)).toBe(true);
  });

  it('refuses another definition with the difference and a way out, and keeps what is there', async () => {
    const first = await serve(['--workspace', 'ws', '--pv', 'lab:x=double:1'], { folder });
    await put(first, 'lab:x', '2');
    await first.stop();
    const other = ['--workspace', 'ws', '--pv', 'lab:x=int:5', '--interface', '127.0.0.1', '--tcp-port', '0'];
    const refused = await run(['serve', ...other], { folder });
    expect(refused).toMatchObject({ exitCode: 1, stdout: '' });
    expect(refused.stderr).toMatch(/type\.value is double in the store and int here.*--redefine replaces/u);
    const kept = await serve(['--workspace', 'ws'], { folder });
    expect(await valueOf(kept, 'lab:x')).toMatch(/"value":2\b/u);
    await kept.stop();
    const redefined = await serve([...other, '--redefine'], { folder });
    expect(await valueOf(redefined, 'lab:x')).toMatch(/"value":5\b/u);
    expect(redefined.stderr.text).toMatch(/replaced by that of --pv/u);
    await redefined.stop();
  });

  it('refuses a damaged file', async () => {
    mkdirSync(join(folder, 'ws', 'state'), { recursive: true });
    writeFileSync(join(folder, 'ws', 'state', 'channels.mdb'), 'no database');
    const { exitCode, stderr } = await run(['serve', '--workspace', 'ws'], { folder });
    expect([exitCode, stderr]).toEqual([
      1,
      expect.stringMatching(/channels\.mdb is damaged, or no database of pvkit/u),
    ]);
    expect(existsSync(join(folder, 'ws', 'lock'))).toBe(false);
  });
});

describe('serve --store', () => {
  it.each(['store', 'links'])('shows what is configured as $(server):%s, not how the server is', async (name) => {
    const server = await serve(['--store', 'memory:', '--pv', `pvkit:${name}=double:21.5`]);
    expect(await valueOf(server, `pvkit:${name}`)).toMatch(/"value":21\.5\b/u);
    await put(server, `pvkit:${name}`, '22');
    expect(await valueOf(server, `pvkit:${name}`)).toMatch(/"value":22\b/u);
    expect(await server.stop()).toBe(0);
  });

  it('serves from memory, and shows how the store is', async () => {
    const server = await serve(['--store', 'memory:', '--pv', 'lab:x=double:1']);
    await put(server, 'lab:x', '2');
    expect(await valueOf(server, 'lab:x')).toMatch(/"value":2\b/u);
    const { stdout } = await run(['get', '--json', 'pvkit:store'], { environment: server.environment });
    expect(stdout).toMatch(/"kind":"memory"/u);
    await server.stop();
  });

  it.each(['mysql://me:secret@host/db', 'redis:/secret', 'secret'])('refuses %s', async (url) => {
    const { exitCode, stderr } = await run(['serve', '--store', url]);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/^--store: is no store URL/u);
    expect(stderr).not.toContain('secret');
  });

  it('ends with 1 where the store is away, and tells how to wait for it, without the password', async () => {
    const { exitCode, stderr } = await run(['serve', '-v', '--store', 'redis://me:secret@127.0.0.1:1/0']);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/the store cannot be reached: .*; --store-wait waits for it/u);
    expect(stderr).not.toContain('secret');
  });

  it('waits for the store as long as it is told to, and counts', async () => {
    const { exitCode, stderr } = await run(['serve', '--store', 'redis://127.0.0.1:1/0', '--store-wait', '2']);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/attempt 1, the next one in 1 s/u);
  });
});
