// Everything that can go wrong at once, from a printed seed: servers restart, links are cut, hosts are cut off, datagrams are
// lost, streams are split. In the end every monitor has the last value, no call has outlived its deadline, nothing is left.

import { describe, expect, it } from 'vitest';
import { Context, resolveClientConfig, resolveServerConfig, Server, SharedPV } from '../../src/index.ts';
import { ntScalar } from '../../src/protocol/normative/nt-scalar.ts';
import { int } from '../../src/protocol/types/type-desc.ts';
import { ManualClock } from '../../src/transport/manual-clock.ts';
import { MemoryNetwork } from '../../src/transport/memory-network.ts';
import { SeededRandom } from '../../src/transport/seeded-random.ts';

const TYPE = ntScalar(int);
const PV_COUNT = 5;
const CLIENT_COUNT = 3;
const STEPS = 40;
const DEADLINE_MS = 4_000;

interface Client {
  readonly context: Context;
  /** The last value that each monitor has given. */
  readonly last: Map<string, number>;
  /** Calls that ended later than they may. */
  lateCount: number;
  callCount: number;
  settledCount: number;
}

async function chaos(seed: number): Promise<void> {
  const random = new SeededRandom(seed);
  const clock = new ManualClock();
  const network = new MemoryNetwork({
    seed,
    clock,
    delayMs: [0, 30],
    chunkBytes: [1, 300],
    datagramLoss: 0.1,
    datagramDuplication: 0.1,
    datagramReorder: 0.2,
  });
  const serverHost = network.host('server');
  const pvNames = Array.from({ length: PV_COUNT }, (_, index) => `pv:${index}`);
  const pvs = new Map(pvNames.map((name) => [name, SharedPV.mailbox(TYPE, { clock, initial: { value: 0 } })]));
  const startServer = async (): Promise<Server> => {
    const server = new Server({
      network: serverHost,
      clock,
      pvs: Object.fromEntries(pvs),
      config: resolveServerConfig({ processEnvironment: {} }),
    });
    await clock.until(server.listen());
    return server;
  };
  let server = await startServer();
  const hosts = Array.from({ length: CLIENT_COUNT }, (_, index) => network.host(`client${index}`));
  const clients = hosts.map((host, index) => startClient(host.name, index));

  function startClient(hostName: string, index: number): Client {
    const host = hosts[index] ?? serverHost;
    // One of them searches by a name server.
    const environment = index === 0 ? { EPICS_PVA_NAME_SERVERS: 'server', EPICS_PVA_AUTO_ADDR_LIST: 'NO' } : {};
    const context = new Context({
      network: host,
      clock,
      random: () => random.next(),
      identity: { user: 'chaos', host: hostName },
      config: resolveClientConfig({ processEnvironment: { ...environment, EPICS_PVA_CONN_TMO: '6' } }),
    });
    const client: Client = { context, last: new Map(), lateCount: 0, callCount: 0, settledCount: 0 };
    for (const [number, name] of pvNames.entries()) {
      (async () => {
        for await (const { value } of context.monitor(name, { type: TYPE, pipeline: number % 2 === 0 })) {
          client.last.set(name, value.value);
        }
      })().catch(() => {});
    }
    return client;
  }

  function call(client: Client): void {
    const startedAt = clock.now();
    const name = pvNames[Math.floor(random.next() * PV_COUNT)] ?? '';
    const settled = (): void => {
      client.settledCount++;
      if (clock.now() - startedAt > DEADLINE_MS) client.lateCount++;
    };
    client.callCount++;
    const options = { timeoutMs: DEADLINE_MS };
    const acts = [() => client.context.get(name, options), () => client.context.info(name, options)];
    const act = acts[Math.floor(random.next() * acts.length)];
    act?.().then(settled, settled);
  }

  let posted = 0;
  for (let step = 0; step < STEPS; step++) {
    for (const pv of pvs.values()) pv.post({ value: ++posted });
    for (const client of clients) call(client);
    const host = hosts[Math.floor(random.next() * CLIENT_COUNT)];
    const chance = random.next();
    if (chance < 0.15) {
      await clock.until(server.close());
      await clock.advanceAsync(random.next() * 4_000);
      server = await startServer();
    } else if (chance < 0.4) {
      const [connection] = network.connections;
      if (connection !== undefined) network.cut(connection);
    } else if (chance < 0.6 && host !== undefined) {
      network.partition(serverHost, host);
      await clock.advanceAsync(random.next() * 12_000);
      network.heal(serverHost, host);
    }
    await clock.advanceAsync(random.next() * 2_000);
  }
  for (const host of hosts) network.heal(serverHost, host);
  const final = new Map(pvNames.map((name) => [name, ++posted]));
  for (const [name, value] of final) pvs.get(name)?.post({ value });
  await clock.advanceAsync(120_000);

  for (const client of clients) {
    expect(Object.fromEntries(client.last)).toEqual(Object.fromEntries(final));
    expect([client.settledCount, client.lateCount]).toEqual([client.callCount, 0]);
    await client.context.close();
  }
  await clock.until(server.close());
  await clock.advanceAsync(30_000);
  expect(network.connections.size).toBe(0);
  expect(clock.timerCount).toBe(0);
}

describe('chaos', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])('of seed %i ends with the last value everywhere', async (seed) => {
    await chaos(seed);
    expect(seed).toBeGreaterThan(0);
  });
});
