// Do two servers on one Redis lose nothing when one of them is killed, and does the other one not even notice?

import { afterAll, beforeAll, expect, it } from 'vitest';

import { RedisServer } from '../support/redis-server.ts';
import { inRounds, KILL_TEST_MS, pause, ROUNDS } from './support/kill-rounds.ts';
import { Ledger } from './support/ledger.ts';
import { checkAgreement, checkAll, client, load, untilAcknowledged, type Client } from './support/put-load.ts';
import { Servers, type Serving } from './support/serving.ts';

/** One set for the clients of each node. */
const OWN_PVS = [
  ['kill:a0', 'kill:a1', 'kill:a2'],
  ['kill:b0', 'kill:b1', 'kill:b2'],
] as const;
/** What the clients of both nodes write. */
const SHARED_PVS = ['kill:shared0', 'kill:shared1'];
const PVS = [...OWN_PVS.flat(), ...SHARED_PVS];

let servers: Servers;
let redis: RedisServer;
let clients: readonly [Client, Client];

beforeAll(async () => {
  servers = new Servers();
  redis = await RedisServer.start();
  clients = [client(1), client(2)];
}, 60_000);

afterAll(async () => {
  await Promise.all(clients.map(({ context }) => context.close()));
  await servers.close();
  await redis.close();
});

it(
  `loses no acknowledged put, and agrees, in ${ROUNDS} rounds of kill -9 of one of two nodes under load`,
  async () => {
    const ledger = new Ledger();
    const words = ['--store', redis.url, ...PVS.flatMap((name) => ['--pv', `${name}=int[]`])];
    const nodes: [Serving, Serving] = [await servers.start(words), await servers.start(words)];
    await inRounds(async (_, random) => {
      const victim = random.chance(0.5) ? 0 : 1;
      const survivor = victim === 0 ? 1 : 0;
      const stop = new AbortController();
      const gone = new AbortController();
      const never = new AbortController();
      const loads = nodes.map(({ server }, index) => {
        const pvNames = [...(OWN_PVS[index] ?? []), ...SHARED_PVS];
        const client = clients[index] ?? clients[0];
        return load(client, pvNames, {
          server,
          ledger,
          stop: stop.signal,
          gone: (index === victim ? gone : never).signal,
          goOn: false,
        });
      });
      // Now and then in the middle of connecting, else in the middle of puts.
      if (random.chance(0.9)) await untilAcknowledged(ledger, clients);
      await pause(random.between(0, 40));
      await nodes[victim].kill();
      gone.abort();
      await loads[victim];
      await pause(random.between(0, 20));
      stop.abort();
      expect(await loads[survivor]).toEqual([]);
      expect(nodes[victim].stderr()).toBe('');
      const [replacement] = await Promise.all([
        servers.start(words),
        checkAll(clients[0], nodes[survivor].server, PVS, ledger),
      ]);
      nodes[victim] = replacement;
      await checkAgreement(clients[0], [nodes[0].server, nodes[1].server], PVS, ledger);
    });
    console.log(`kill -9 of a node: ${ROUNDS} rounds, ${ledger.toString()}`);
    expect(ledger.acknowledgedCount).toBeGreaterThan(ROUNDS);
    expect(ledger.uncertainCount).toBeGreaterThan(ROUNDS);
  },
  KILL_TEST_MS,
);
