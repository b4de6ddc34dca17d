// Do two servers lose nothing when the Redis behind them is killed, and go on by themselves once it is back?

import { afterAll, beforeAll, expect, it } from 'vitest';

import { RedisServer } from '../support/redis-server.ts';
import { inRounds, KILL_TEST_MS, pause, ROUNDS } from './support/kill-rounds.ts';
import { Ledger } from './support/ledger.ts';
import { checkAgreement, client, load, untilAcknowledged, type Client } from './support/put-load.ts';
import { Servers, type Serving } from './support/serving.ts';

const OWN_PVS = [
  ['kill:a0', 'kill:a1', 'kill:a2'],
  ['kill:b0', 'kill:b1', 'kill:b2'],
] as const;
const SHARED_PVS = ['kill:shared0', 'kill:shared1'];
const PVS = [...OWN_PVS.flat(), ...SHARED_PVS];

let servers: Servers;
let redis: RedisServer;
let clients: readonly [Client, Client];

beforeAll(async () => {
  servers = new Servers();
  redis = await RedisServer.start({ appendOnly: true });
  clients = [client(1), client(2)];
}, 60_000);

afterAll(async () => {
  await Promise.all(clients.map(({ context }) => context.close()));
  await servers.close();
  await redis.close();
});

it(
  `loses no acknowledged put, and agrees, in ${ROUNDS} rounds of kill -9 of Redis under load on two nodes`,
  async () => {
    const ledger = new Ledger();
    const words = ['--store', redis.url, ...PVS.flatMap((name) => ['--pv', `${name}=int[]`])];
    const nodes: [Serving, Serving] = [await servers.start(words), await servers.start(words)];
    const pair = [nodes[0].server, nodes[1].server] as const;
    await inRounds(async (_, random) => {
      const stop = new AbortController();
      const never = new AbortController().signal;
      const loads = pair.map((server, index) => {
        const pvNames = [...(OWN_PVS[index] ?? []), ...SHARED_PVS];
        const client = clients[index] ?? clients[0];
        return load(client, pvNames, { server, ledger, stop: stop.signal, gone: never, goOn: true });
      });
      await untilAcknowledged(ledger, clients);
      await pause(random.between(0, 40));
      await redis.kill();
      await pause(random.between(0, 40));
      // Reads go on without it.
      await Promise.all(pair.map((server) => clients[0].context.get('kill:a0', { server })));
      await redis.start();
      await untilAcknowledged(ledger, clients);
      stop.abort();
      await Promise.all(loads);
      await checkAgreement(clients[0], pair, PVS, ledger);
    });
    console.log(`kill -9 of Redis: ${ROUNDS} rounds, ${ledger.toString()}`);
    expect(ledger.acknowledgedCount).toBeGreaterThan(ROUNDS);
    expect(ledger.uncertainCount + ledger.refusedCount).toBeGreaterThan(ROUNDS);
  },
  KILL_TEST_MS,
);
