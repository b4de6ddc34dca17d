// Does `pvkit load` get along with a server of pvxs (p4p), in every scenario, and find no fault where there is none?

import { afterAll, beforeAll, expect, it } from 'vitest';

import { pvkit } from './support/command.ts';
import { endEverything, type Environment } from './support/line-process.ts';
import { clientEnvironment } from './support/loopback.ts';
import { startP4pServer, type ServedAt } from './support/peers.ts';

let server: ServedAt;
let environment: Environment;

beforeAll(async () => {
  server = await startP4pServer();
  environment = clientEnvironment(server.udpPort);
});
afterAll(endEverything);

it.each([
  ['get peer:double peer:string --clients 3 --depth 4', 100],
  ['put peer:double peer:int peer:long --clients 3 --depth 2', 20],
  ['monitor peer:counter --clients 3', 0],
  ['array peer:doubles', 50],
  ['connect peer:double --clients 4', 3],
  ['connect peer:double --channels 50', 100],
  ['search peer:double peer:int --names 10 --depth 2', 100],
])('pvkit load %s', async (words, least) => {
  const place = words.startsWith('search')
    ? ['--server', '127.0.0.1', '--udp-port', String(server.udpPort)]
    : ['--server', `127.0.0.1:${server.tcpPort}`];
  const times = ['--seconds', '1', '--warmup', '0.2'];
  const { code, stdout, stderr } = await pvkit(
    ['load', ...words.split(' '), ...place, ...times, '--json'],
    environment,
  );
  // What it has is looked at below.
  const report = JSON.parse(stdout) as { readonly operations: number };
  expect(report, stderr).toMatchObject({ wrong: 0, lost: 0, errors: 0 });
  expect(report.operations).toBeGreaterThan(least);
  expect(code).toBe(0);
});
