// Does `pvkit load` tell what a server does, over real sockets, for people and for programs?

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { loadNamesOf } from '../../src/cli/load-names.ts';
import { run, serve, start, type Serving } from './support.ts';

interface Report {
  readonly operations: number;
  readonly perServerCpuSecond: number | null;
  readonly processes: { readonly memoryBytes: { readonly max: number } } | null;
  readonly [figure: string]: unknown;
}

let serving: Serving;

beforeAll(async () => {
  const puts = ['0', '1', '2', '3'].flatMap((index) => ['--pv', `l:put${index}=double`]);
  serving = await serve(['--demo', ...puts]);
});
afterAll(async () => {
  await serving.stop();
});

function load(words: readonly string[]): ReturnType<typeof run> {
  return run(['load', '--seconds', '0.3', '--warmup', '0.1', ...words], { environment: serving.environment });
}

describe('pvkit load', () => {
  it.each([
    ['get demo:sine demo:setpoint --clients 3 --depth 4', 100],
    ['get demo:setpoint --rate 100', 20],
    ['put l:put{0..3} --clients 4', 50],
    ['monitor demo:sine demo:setpoint --clients 2', 0],
    ['array demo:waveform -r value', 20],
    ['connect demo:sine --clients 20', 19],
    ['connect demo:sine --channels 50', 100],
    ['connect-storm demo:sine --clients 20', 19],
    ['connect-storm l:put{0..3} --clients 20 --rate 200 --hold', 19],
    ['slow-readers l:put{0..1} --clients 3 --stopped 2 --depth 2 --rate 500', 100],
    ['churn l:put{0..3} demo:sine --clients 5 --depth 2 --seed 1', 20],
    ['soak l:put{0..3} --clients 4', 20],
  ])('%s', async (words, least) => {
    const { exitCode, stdout, stderr } = await load([...words.split(' '), '--json', '--pid', String(process.pid)]);
    // What it has is looked at below.
    const report = JSON.parse(stdout) as Report;
    expect(report).toMatchObject({ wrong: 0, lost: 0, errors: 0, server: `127.0.0.1:${serving.tcpPort}` });
    expect(report.operations, stderr).toBeGreaterThan(least);
    // A burst of twenty links may take less than one tick of the processor's clock.
    if (report.perServerCpuSecond === null) expect(report.serverCpuSeconds).toBe(0);
    else expect(report.perServerCpuSecond).toBeGreaterThan(0);
    expect(report.processes?.memoryBytes.max).toBeGreaterThan(10_000_000);
    expect(exitCode).toBe(0);
  });

  it('searches by UDP', async () => {
    const words = ['search', 'demo:sine', '--server', '127.0.0.1', '--udp-port', String(serving.udpPort)];
    // A server limits senders of searches only while there are several: the search for the server itself is over then.
    const { exitCode, stdout } = await load([...words, '--names', '5', '--warmup', '1.1', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ scenario: 'search', wrong: 0, lost: 0, errors: 0 });
    expect(exitCode).toBe(0);
  });

  it('times searches beside a flood', async () => {
    const words = ['search-flood', 'demo:sine', '--server', '127.0.0.1', '--udp-port', String(serving.udpPort)];
    const { exitCode, stdout } = await load([...words, '--rate', '5000']);
    expect(stdout).toMatch(/^flood names per second +\d/mu);
    expect(exitCode).toBe(0);
  });

  it('prints a table for people', async () => {
    const { exitCode, stdout, stderr } = await load(['get', 'demo:setpoint']);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toMatch(/^server +127\.0\.0\.1:\d+\nasked +1 x 1, 1 name\ndone +[\d ]+ in 0\.\d\d s\n/u);
    expect(stdout).toContain('faults          0 wrong, 0 lost, 0 errors\n');
  });

  it('names each figure once, and a seed as it is given', async () => {
    const words = ['churn', 'l:put0', '--seed', '221701', '--pid', String(process.pid)];
    const { stdout } = await load(words);
    const names = stdout.split('\n').map((line) => line.split(/ {2,}/u)[0]);
    expect(new Set(names).size).toBe(names.length);
    expect(stdout).toMatch(/^seed +221701$/mu);
  });

  it('says why it does not judge whether a server grows', async () => {
    const words = ['soak', 'l:put0'];
    expect((await load(words)).stdout).toMatch(/^growth +not judged: --pid says whose/mu);
    const watched = await load([...words, '--pid', `${process.pid},${process.ppid}`]);
    expect(watched.stdout).toMatch(/^growth +not judged: a slope means something after 1 800 s$/mu);
    expect(watched.exitCode).toBe(0);
  });

  it.each([
    ['monitor demo:sine --depth 3', '--depth is for `pvkit load get|put|array|search|slow-readers|churn|soak` only'],
    ['connect demo:sine --depth 3', '--depth is for'],
    ['search demo:sine -r value', '--request is for'],
    ['put l:put0 -r value', '--request is for'],
    ['monitor demo:sine --rate 5', '--rate is for'],
    ['get demo:sine --hold', '--hold is for `pvkit load connect-storm` only'],
    ['get demo:sine --pid 12,x', 'Expected a whole number from 1 to'],
  ])('%s is bad usage', async (words, reason) => {
    const { exitCode, stderr } = await load(words.split(' '));
    expect(stderr).toContain(reason);
    expect(exitCode).toBe(2);
  });

  it('tells of a process that is not there', async () => {
    const { exitCode, stderr } = await load(['get', 'demo:sine', '--pid', '2147483646']);
    expect({ exitCode, stderr }).toEqual({
      exitCode: 1,
      stderr: 'pvkit: no process 2147483646 on this machine whose memory and handles the system tells\n',
    });
  });

  it('searches at the port that the environment names, and tells who did not answer', async () => {
    const words = ['load', 'search', 'nosuch', '--seconds', '0.3', '--warmup', '0'];
    const { stderr } = await run(words, { environment: { EPICS_PVA_BROADCAST_PORT: '9' } });
    expect(stderr).toBe('names were not answered within 250 ms by UDP port 127.0.0.1:9\n');
  });

  it('shows on a terminal how it goes, and ends at ^C with what it has', async () => {
    const words = ['load', 'get', 'demo:setpoint', '--seconds', '60', '--warmup', '0', '--pid', String(process.pid)];
    const running = start(words, { environment: serving.environment, isTerminal: true });
    await running.stderr.until((text) => text.includes('measuring, 1 s'));
    expect(running.stderr.text).toMatch(/server: memory \d+\.\d MiB [\u2581-\u2588]+, \d+ handles/u);
    running.interrupt();
    expect(await running.exitCode).toBe(0);
    expect(running.stdout.text).toContain('0 wrong, 0 lost, 0 errors');
  });

  it('ends with 1 when the server refuses', async () => {
    const { exitCode, stderr } = await load(['put', 'demo:sine']);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('demo:sine: PUT refused: ');
  });

  it('ends with 1 when nobody listens', async () => {
    const { exitCode, stderr } = await load(['get', 'x', '--server', '127.0.0.1:1', '-w', '1']);
    expect({ exitCode, stderr }).toEqual({
      exitCode: 1,
      stderr: 'pvkit: no connection to 127.0.0.1:1: connection refused (ECONNREFUSED)\n',
    });
  });

  it('is bad usage without a limit for a reply', async () => {
    const { exitCode, stderr } = await load(['get', 'demo:sine', '-w', '0']);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('pvkit: -w 0: without a limit no reply would ever be lost\n');
  });

  it('ends with 1 when nobody has the PV', async () => {
    const { exitCode, stderr } = await load(['get', 'nosuch', '-w', '0.3']);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('nosuch: timed out after 0.3 s: searched');
  });
});

describe('a range of names', () => {
  it.each([
    ['a', ['a']],
    ['a{0..2}', ['a0', 'a1', 'a2']],
    ['a{8..11}:b', ['a8:b', 'a9:b', 'a10:b', 'a11:b']],
    ['a{08..10}', ['a08', 'a09', 'a10']],
    ['a{0..1}{2..3}', ['a02', 'a03', 'a12', 'a13']],
  ])('%s', (text, names) => {
    expect(loadNamesOf(text, ['before'])).toEqual(['before', ...names]);
  });

  it('stands for the longest name that there may be, and thousands of ranges for none', () => {
    expect(loadNamesOf('{1..1}'.repeat(500))).toEqual(['1'.repeat(500)]);
    expect(() => loadNamesOf('{0..9}'.repeat(500) + 'x')).toThrow('Expected a PV name of 1 to 500 bytes');
    expect(() => loadNamesOf('{0..9}'.repeat(10_000))).toThrow('Expected a PV name of 1 to 500 bytes, it has 60000');
  });

  it('may be long, and no longer', () => {
    expect(loadNamesOf('x{0..99}{0..999}')).toHaveLength(100_000);
    expect(() => loadNamesOf('x{0..99}{0..1000}')).toThrow('at most 100000 names');
    expect(() => loadNamesOf('x{0..99999}', ['before'])).toThrow('at most 100000 names');
  });
});
