// Does the command line serve MessagePack, and speak it where it is told to?

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { run, serve, type Ended, type Serving } from './support.ts';

let serving: Serving;
let port = '';

beforeAll(async () => {
  serving = await serve(['--msgpack-port', '0', '--pv', 'lab:a=double:1.5', '--pv', 'lab:wave=int[]']);
  port = / msgpack 127\.0\.0\.1:(\d+)\n/u.exec(serving.stdout.text)?.[1] ?? '';
});
afterAll(() => serving.stop());

const pvkit = (...words: readonly string[]): Promise<Ended> => run(words, { environment: serving.environment });

describe('pvkit serve --msgpack-port', () => {
  it('says where, behind what it says anyway', () => {
    expect(serving.stdout.text).toMatch(/^listening tcp \S+ udp \d+ guid 0x[0-9a-f]{24} msgpack 127\.0\.0\.1:\d+\n$/u);
  });

  it('must be a port', async () => {
    const { stderr, exitCode } = await run(['serve', '--msgpack-port', '70000']);
    expect(stderr).toContain('--msgpack-port: "70000" is not a port; expected a number from 0 to 65535');
    expect(exitCode).toBe(2);
  });
});

describe('--codec msgpack', () => {
  it('gets, puts, watches and describes what a search finds', async () => {
    expect(await pvkit('put', '--codec', 'msgpack', 'lab:wave', '[1,-2,3]')).toMatchObject({ exitCode: 0 });
    const got = await pvkit('get', '--codec', 'msgpack', '-r', 'value', 'lab:a', 'lab:wave');
    expect(got.stdout).toBe('lab:a\n    value double = 1.5\nlab:wave\n    value int32_t[] = {3}[1, -2, 3]\n');
    const watched = await pvkit('monitor', '--codec', 'msgpack', '-r', 'value', '--count', '1', '--json', 'lab:a');
    expect(JSON.parse(watched.stdout)).toMatchObject({ value: { value: 1.5 } });
    const described = await pvkit('info', '--codec', 'msgpack', 'lab:a');
    expect(described.stdout).toContain(`lab:a from 127.0.0.1:${port}`);
  });

  it('calls, at a server that is named', async () => {
    const { stdout } = await pvkit(
      'call',
      '--codec',
      'msgpack',
      '--server',
      `127.0.0.1:${port}`,
      'server',
      'op=channels',
    );
    expect(stdout).toContain('lab:a');
  });

  it('loads the port that a search finds, or the one that is named, and checks what it answers', async () => {
    const quick = ['--seconds', '0.2', '--warmup', '0', '--json', '--codec', 'msgpack'];
    for (const words of [
      ['get', 'lab:a', 'lab:wave', '--depth', '4'],
      ['put', 'lab:a', '--server', `127.0.0.1:${port}`],
      ['connect', 'lab:a', '--clients', '5'],
    ]) {
      const { stdout, stderr, exitCode } = await pvkit('load', ...words, ...quick);
      expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
      expect(JSON.parse(stdout)).toMatchObject({ codec: 'msgpack', server: `127.0.0.1:${port}`, wrong: 0, lost: 0 });
    }
  });

  it('is not for loads of searches, which are pvAccess always', async () => {
    const { stderr, exitCode } = await pvkit('load', 'search', 'lab:a', '--codec', 'msgpack');
    expect(stderr).toContain('--codec is for `pvkit load get|put|monitor|array|connect|connect-storm|');
    expect(exitCode).toBe(2);
  });

  it('needs a port where the server is named', async () => {
    const { stderr, exitCode } = await pvkit('get', '--codec', 'msgpack', '--server', '127.0.0.1', 'lab:a');
    expect(stderr).toContain('has no port, and MessagePack none by default; expected host:port');
    expect(exitCode).toBe(2);
    const put = await pvkit('put', '--codec', 'msgpack', '--server', '[::1]', 'lab:a', '1');
    expect(put).toMatchObject({ exitCode: 2, stdout: '' });
  });

  it('is told at once that a port speaks something else', async () => {
    const startedAt = performance.now();
    const wrong = await pvkit('get', '-w', '60', '--server', `127.0.0.1:${port}`, 'lab:a');
    expect(wrong.stderr).toContain(`connection closed to 127.0.0.1:${port}: it speaks MessagePack, not pvAccess (`);
    expect(wrong.exitCode).toBe(1);
    const other = `127.0.0.1:${serving.tcpPort}`;
    for (const words of [
      ['get', 'lab:a'],
      ['put', 'lab:a', '1'],
      ['monitor', 'lab:a'],
      ['info', 'lab:a'],
      ['call', 'server', 'op=info'],
    ]) {
      const asked = await pvkit(...words, '-w', '60', '--codec', 'msgpack', '--server', other);
      expect(asked.stderr).toContain(`connection closed to ${other}: it speaks pvAccess, not MessagePack (`);
      expect(asked.exitCode).toBe(1);
    }
    expect(performance.now() - startedAt).toBeLessThan(20_000);
  });

  it('must be one that there is', async () => {
    const { stderr, exitCode } = await pvkit('get', '--codec', 'json', 'lab:a');
    expect(stderr).toContain('Allowed choices are pva, msgpack');
    expect(exitCode).toBe(2);
  });
});
