// Does a server on the embedded store keep every acknowledged put through `kill -9`, and half of none?

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, it } from 'vitest';

import { inRounds, KILL_TEST_MS, pause, ROUNDS } from './support/kill-rounds.ts';
import { Ledger } from './support/ledger.ts';
import { checkAll, client, load, untilAcknowledged, type Client } from './support/put-load.ts';
import { Servers } from './support/serving.ts';

const OWN_PVS = ['kill:a0', 'kill:a1', 'kill:b0', 'kill:b1', 'kill:c0', 'kill:c1'];
/** What all clients write, too. */
const SHARED_PVS = ['kill:shared0', 'kill:shared1'];
const PVS = [...OWN_PVS, ...SHARED_PVS];

let servers: Servers;
let workspace = '';
let clients: readonly Client[] = [];

beforeAll(() => {
  servers = new Servers();
  workspace = mkdtempSync(join(tmpdir(), 'pvkit-kill-'));
  clients = [1, 2, 3].map((writer) => client(writer));
}, 60_000);

afterAll(async () => {
  await Promise.all(clients.map(({ context }) => context.close()));
  await servers.close();
  rmSync(workspace, { recursive: true, force: true });
});

it(
  `loses no acknowledged put and applies none by half in ${ROUNDS} rounds of kill -9 under load`,
  async () => {
    const ledger = new Ledger();
    const [reader = client(0)] = clients;
    const words = ['--workspace', workspace, ...PVS.flatMap((name) => ['--pv', `${name}=int[]`])];
    await inRounds(async (_, random) => {
      const serving = await servers.start(words);
      const { server } = serving;
      await checkAll(reader, server, PVS, ledger);
      const gone = new AbortController();
      const loads = clients.map((client, index) => {
        const pvNames = [...OWN_PVS.slice(2 * index, 2 * index + 2), ...SHARED_PVS];
        return load(client, pvNames, { server, ledger, stop: gone.signal, gone: gone.signal, goOn: false });
      });
      // Now and then in the middle of connecting, else in the middle of puts.
      if (random.chance(0.9)) await untilAcknowledged(ledger, clients);
      await pause(random.between(0, 40));
      await serving.kill();
      gone.abort();
      await Promise.all(loads);
      expect(serving.stderr()).toBe('');
    });
    const serving = await servers.start(words);
    await checkAll(reader, serving.server, PVS, ledger);
    console.log(`kill -9 of a server: ${ROUNDS} rounds, ${ledger.toString()}`);
    // Each round kills in the middle of puts, or it would show nothing.
    expect(ledger.acknowledgedCount).toBeGreaterThan(ROUNDS);
    expect(ledger.uncertainCount).toBeGreaterThan(ROUNDS);
  },
  KILL_TEST_MS,
);
