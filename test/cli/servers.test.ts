// Do list, echo and probe find the server that is there, and say so when none is?

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { resolveServerConfig, Server, SharedPV } from '../../src/index.ts';
import { int, ntScalar } from '../../src/protocol/index.ts';
import { MemoryNetwork } from '../../src/transport/memory-network.ts';
import { run, serve, start, type Ended, type Serving } from './support.ts';

let server: Serving;
let address = '';

beforeAll(async () => {
  server = await serve(['--pv', 'lab:b=int', '--pv', 'lab:a=double']);
  address = `127.0.0.1:${server.tcpPort}`;
});

afterAll(async () => {
  expect(await server.stop()).toBe(0);
});

function client(...words: string[]): Promise<Ended> {
  return run(words, { environment: server.environment });
}

const OWN = ['links', 'loopDelay', 'memory', 'monitors', 'refused', 'squashed'].map((name) => `pvkit:${name}`);
const NAMES = ['lab:a', 'lab:b', ...OWN];
const LINES = `${NAMES.join('\n')}\n`;

const NOBODY = { EPICS_PVA_ADDR_LIST: '127.0.0.1', EPICS_PVA_AUTO_ADDR_LIST: 'NO', EPICS_PVA_BROADCAST_PORT: '9' };

describe('list', () => {
  it('prints each server once', async () => {
    expect(await client('list', '-w', '1')).toEqual({ stdout: `${address}\n`, stderr: '', exitCode: 0 });
  });

  it('tells more with -v, and goes on until ^C with -w 0', async () => {
    const listing = start(['list', '-v', '-w', '0'], { environment: server.environment });
    await listing.stdout.until((text) => text.includes('\n'));
    listing.interrupt();
    expect(await listing.exitCode).toBe(0);
    expect(listing.stdout.text).toMatch(
      /^\d{4}-\S+ \S+ ONLINE  guid: 0x[0-9a-f]{24} proto: tcp server: 127\.0\.0\.1:\d+ ver: 2 age: 0 s via: 127\.0\.0\.1:\d+\n$/u,
    );
  });

  it('prints the PVs of a server, sorted', async () => {
    expect(await client('list', address)).toEqual({ stdout: LINES, stderr: '', exitCode: 0 });
    expect((await client('list', '-v', address)).stdout).toBe(`# From ${address}\n${LINES}`);
  });

  it('prints a PV that has a line break in its name as one', async () => {
    const network = new MemoryNetwork();
    const value = ntScalar(int);
    const odd = new Server({
      network: network.host('server', '10.0.0.2/24'),
      config: resolveServerConfig({ processEnvironment: {} }),
      pvs: { 'two\nlines\t': SharedPV.mailbox(value), 'it\u2019s': SharedPV.mailbox(value) },
    });
    await odd.listen();
    const listed = await run(['list', '10.0.0.2'], { network: network.host('client', '10.0.0.1/24'), environment: {} });
    expect(listed.stdout).toBe('it\u2019s\ntwo\\u{a}lines\\u{9}\n');
    await odd.close();
  });

  it('prints what kind of server it is', async () => {
    const expected = new RegExp(`^${address} version="\\d[^"]*" lang="typescript"\n$`, 'u');
    expect((await client('list', '-i', address)).stdout).toMatch(expected);
    expect((await client('list', '-i', '-w', '1')).stdout).toMatch(expected);
  });

  it('prints JSON', async () => {
    expect(JSON.parse((await client('list', '--json', address)).stdout)).toEqual({
      server: address,
      names: NAMES,
    });
    expect(JSON.parse((await client('list', '--json', '-i', address)).stdout)).toMatchObject({
      language: 'typescript',
    });
    expect(JSON.parse((await client('list', '--json', '-w', '1')).stdout)).toMatchObject({
      event: 'online',
      server: address,
      protocol: 'tcp',
    });
  });

  it('without an answer ends with 1', async () => {
    const { stdout, stderr, exitCode } = await run(['list', '-w', '0.2'], { environment: NOBODY });
    expect(stderr).toContain('no server answered within 0.2 s\n');
    expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 1 });
  });

  it('of a server that is not there ends with 1 and its name', async () => {
    const { stdout, stderr, exitCode } = await client('list', '--json', '-w', '1', address, '127.0.0.1:9');
    expect(stderr).toContain('Timeout with 1 outstanding: 127.0.0.1:9\n');
    const [, failed = ''] = stdout.split('\n');
    expect(JSON.parse(failed)).toMatchObject({ name: '127.0.0.1:9', error: { code: 'TIMEOUT' } });
    expect(exitCode).toBe(1);
  });
});

describe('echo', () => {
  it('prints a line for each round trip and a summary', async () => {
    const { stdout, stderr, exitCode } = await client('echo', '-c', '3', '-s', '100');
    const lines = stdout.split('\n');
    for (const [index, line] of lines.slice(0, 3).entries()) {
      expect(line).toMatch(new RegExp(`^100 bytes from ${address}: seq=${index + 1} time=\\d+\\.\\d{3} ms$`, 'u'));
    }
    expect(lines.slice(3)).toEqual([
      '--- 127.0.0.1: 3 echoes',
      expect.stringMatching(/^round trip min\/avg\/max\/mdev = (\d+\.\d{3}\/){3}\d+\.\d{3} ms$/u),
      '',
    ]);
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
  });

  it('sends a hundred without delay', async () => {
    const { stdout, exitCode } = await client('echo', '-c', '100', '--json', address);
    const replies = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
    expect(replies).toHaveLength(100);
    expect(replies[99]).toMatchObject({ sequence: 99, server: address, sizeBytes: 56, isIntact: true });
    expect(exitCode).toBe(0);
  });

  it('goes on with -c 0 until ^C, and then sums up', async () => {
    const echoing = start(['echo', '-c', '0', '-i', '0.01'], { environment: server.environment });
    await echoing.stdout.until((text) => text.includes('seq=3 '));
    echoing.interrupt();
    expect(await echoing.exitCode).toBe(0);
    expect(echoing.stdout.text).toMatch(/\nround trip min.* ms\n$/u);
  });

  it('of a server that is not there ends with 1', async () => {
    const { stdout, stderr, exitCode } = await client('echo', '-w', '0.5', '127.0.0.1:9');
    expect(stderr).toMatch(/^127\.0\.0\.1:9: /u);
    expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 1 });
  });

  it('of a server that is not there is told a program, too', async () => {
    const { stdout, stderr, exitCode } = await client('echo', '--json', '-w', '0.5', '127.0.0.1:9');
    const { name, error } = JSON.parse(stdout) as { name: string; error: { code: string; message: string } };
    expect(stderr).toBe(`${name}: ${error.message}\n`);
    expect({ name, exitCode }).toEqual({ name: '127.0.0.1:9', exitCode: 1 });
  });

  it('counts one echo as one', async () => {
    expect((await client('echo', '-c', '1')).stdout).toContain('\n--- 127.0.0.1: 1 echo\n');
  });
});

describe('probe', () => {
  it('ends with 0 when a server answers', async () => {
    const { stdout, stderr, exitCode } = await client('probe');
    expect(stdout).toMatch(
      /^127\.0\.0\.1:\d+ answers in \d+\.\d{3} ms: tcp 127\.0\.0\.1:\d+ version 2 guid 0x[0-9a-f]{24}\n$/u,
    );
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
    expect(JSON.parse((await client('probe', '--json', `127.0.0.1:${server.udpPort}`)).stdout)).toMatchObject({
      server: address,
      guid: expect.stringMatching(/^0x/u) as string,
    });
  });

  it('ends with 1 within a second when none does', async () => {
    const begin = performance.now();
    const { stdout, stderr, exitCode } = await run(['probe', '-w', '0.3'], { environment: NOBODY });
    expect(stderr).toMatch(/^127\.0\.0\.1: .*no server answered\nTimeout with 1 outstanding: 127\.0\.0\.1\n$/u);
    expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 1 });
    expect(performance.now() - begin).toBeLessThan(1_500);
  });
});
