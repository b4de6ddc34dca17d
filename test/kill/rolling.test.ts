// Does a rolling restart lose nothing? Three servers on one Redis are stopped and started again one after the other, while
// clients that search put to all PVs, and another one watches them.

import { afterAll, beforeAll, expect, it } from 'vitest';

import { DisconnectedError } from '../../src/protocol/errors.ts';
import { freeUdpPort } from '../support/free-udp-port.ts';
import { RedisServer } from '../support/redis-server.ts';
import { inRounds, KILL_TEST_MS, pause, ROUNDS } from './support/kill-rounds.ts';
import { Ledger } from './support/ledger.ts';
import { originOf, type Origin } from './support/payload.ts';
import { checkAgreement, client, load, searchingClient, untilAcknowledged, type Client } from './support/put-load.ts';
import { Servers, type Serving } from './support/serving.ts';

const NODES = 3;
const PVS = Array.from({ length: 6 }, (_, index) => `rolling:pv${index}`);
const SEEN_MS = 10_000;

let servers: Servers;
let redis: RedisServer;
let udpPort: number;
let reader: Client;
let watcher: Client;
let writers: readonly Client[];

beforeAll(async () => {
  servers = new Servers();
  redis = await RedisServer.start();
  udpPort = await freeUdpPort();
  reader = client(0);
  watcher = searchingClient(0, udpPort);
  writers = [searchingClient(1, udpPort), searchingClient(2, udpPort)];
}, 60_000);

afterAll(async () => {
  await Promise.all([reader, watcher, ...writers].map(({ context }) => context.close()));
  await servers.close();
  await redis.close();
});

it(
  `loses no acknowledged put, and monitors go on, in rolling restarts of ${NODES} servers under load`,
  async () => {
    const ledger = new Ledger();
    const words = ['--store', redis.url, '--udp-port', String(udpPort)];
    const nodes: Serving[] = [];
    for (let index = 0; index < NODES; index++)
      nodes.push(await servers.start([...words, ...PVS.flatMap((name) => ['--pv', `${name}=int[]`])]));
    const seen = new Map<string, Origin>();
    const end = new AbortController();
    const watching = PVS.map(async (pvName) => {
      // Half of a put throws.
      for await (const { value } of watcher.context.monitor(pvName, { signal: end.signal }))
        seen.set(pvName, originOf(value));
    });
    let restarts = 0;
    await inRounds(async (round, random) => {
      // Each takes as long as ten rounds of the other tests.
      if (round % 10 !== 1) return;
      const stop = new AbortController();
      const never = new AbortController().signal;
      const loads = writers.map((writer) => load(writer, PVS, { ledger, stop: stop.signal, gone: never, goOn: true }));
      for (let index = 0; index < NODES; index++) {
        await untilAcknowledged(ledger, writers);
        await pause(random.between(0, 40));
        expect(await nodes[index]?.stop()).toBe(0);
        expect(nodes[index]?.stderr()).toBe('');
        // The others go on.
        await untilAcknowledged(ledger, writers);
        nodes[index] = await servers.start(words);
        restarts++;
      }
      stop.abort();
      // What a server that stops does not carry out is left to the others. Only of a put whose data were still on their way
      // 100 ms after its INIT was answered nobody can tell.
      const faults = (await Promise.all(loads)).flat();
      expect(faults.filter((fault) => !(fault instanceof DisconnectedError)).map(String)).toEqual([]);
      const [one, other, third] = nodes.map(({ server }) => server);
      if (one === undefined || other === undefined || third === undefined) throw new Error('three nodes were started');
      await checkAgreement(reader, [one, other], PVS, ledger);
      await checkAgreement(reader, [one, third], PVS, ledger);
      for (const pvName of PVS)
        await untilSeen(pvName, originOf(await reader.context.get(pvName, { server: one })), seen);
    });
    end.abort();
    await Promise.allSettled(watching);
    console.log(`rolling restarts: ${restarts} restarts of a server, ${ledger.toString()}`);
    expect(ledger.acknowledgedCount).toBeGreaterThan(ROUNDS);
  },
  KILL_TEST_MS,
);

/** The monitor of a PV has come to its last value, on whichever server it is by now. */
async function untilSeen(pvName: string, last: Origin, seen: ReadonlyMap<string, Origin>): Promise<void> {
  const deadline = performance.now() + SEEN_MS;
  for (;;) {
    const { writer, put } = seen.get(pvName) ?? { writer: 0, put: 0 };
    if (writer === last.writer && put === last.put) return;
    if (performance.now() > deadline)
      throw new Error(
        `the monitor of ${pvName} shows put ${put} of writer ${writer}, not ${last.put} of ${last.writer}`,
      );
    await pause(3);
  }
}
