// What is told at ^C, for people and for programs? That the user wanted no more, and never of a fault of pvkit.

import { createServer, type AddressInfo } from 'node:net';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { start } from './support.ts';

/** Takes connections and says nothing. */
const silent = createServer();
let server = '';

beforeAll(async () => {
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  // It listens on an address.
  server = `127.0.0.1:${(silent.address() as AddressInfo).port}`;
});
afterAll(() => silent.close());

const environment = { EPICS_PVA_ADDR_LIST: '127.0.0.1', EPICS_PVA_AUTO_ADDR_LIST: 'NO', EPICS_PVA_BROADCAST_PORT: '9' };

async function interrupted(words: readonly string[]) {
  const running = start(words, { environment });
  setTimeout(() => running.interrupt('SIGINT'), 100);
  const exitCode = await running.exitCode;
  return { exitCode, stdout: running.stdout.text, stderr: running.stderr.text };
}

describe('^C', () => {
  it.each([
    'load get nosuch',
    'load get nosuch --server SERVER',
    'channel list --server SERVER',
    'channel create nosuch --type double --server SERVER',
    'get nosuch',
    'info nosuch',
    'put nosuch 1',
    'call nosuch',
    'list SERVER',
    'types nosuch',
    'doctor nosuch',
  ])('ends `pvkit %s` with 1 and without an internal error', async (line) => {
    const { exitCode, stderr } = await interrupted(line.replace('SERVER', server).split(' '));
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/interrupted/iu);
    expect(stderr).not.toContain('internal');
  });

  it.each([
    'get --json nosuch',
    'info --json nosuch',
    'list --json SERVER',
    'channel describe --json nosuch',
    'channel create --json nosuch --type double --server SERVER',
  ])('is told a program that reads `pvkit %s`', async (line) => {
    const { exitCode, stdout } = await interrupted(line.replace('SERVER', server).split(' '));
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      error: { code: 'INTERRUPTED', message: 'interrupted before the end: SIGINT' },
    });
  });
});
