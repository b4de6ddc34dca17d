// Over real sockets: does a server hold beside clients that do not read, in a flood of searches, and when hundreds connect at
// once?

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import type { ChannelUpdate } from '../../src/channels/channel.ts';
import { SharedPV } from '../../src/channels/shared-pv.ts';
import { DEFAULT_LIMITS, type Limits } from '../../src/protocol/limits.ts';
import { encodeMessage } from '../../src/protocol/messages/index.ts';
import { SEARCH_UNICAST } from '../../src/protocol/messages/search.ts';
import { ntScalar, ntScalarArray } from '../../src/protocol/normative/nt-scalar.ts';
import { double } from '../../src/protocol/types/type-desc.ts';
import { Writer } from '../../src/protocol/writer.ts';
import { Server, type ServerOptions } from '../../src/server/server.ts';
import { nodeNetwork } from '../../src/transport/node-network.ts';
import { configWith, LOOPBACK } from '../support/server-world.ts';
import { WireClient } from '../support/wire-client.ts';

const WAVE = ntScalarArray(double);
const SCALAR = ntScalar(double);
const START = 0x44;
const ELEMENTS = 20_000;
const opened: Server[] = [];

afterEach(async () => {
  for (const server of opened.splice(0)) await server.close();
});

async function makeServer(limits: Partial<Limits>, pvs: NonNullable<ServerOptions['pvs']>): Promise<Server> {
  const config = { interfaces: [LOOPBACK], tcpPort: 0, udpPort: 0, autoBeacon: false };
  const server = new Server({ pvs, config: configWith({ ...config, limits: { ...DEFAULT_LIMITS, ...limits } }) });
  opened.push(server);
  await server.listen();
  return server;
}

async function until(isSo: () => boolean): Promise<void> {
  const end = performance.now() + 20_000;
  while (!isSo()) {
    if (performance.now() > end) throw new Error('not within 20 s');
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

async function watching(server: Server, pvName: string) {
  const client = await WireClient.connect(nodeNetwork, server.tcpPort, { settle: until });
  await until(() => client.heard.length === 2);
  await client.validate();
  const sid = await client.createChannel(pvName);
  const ioid = await client.initMonitor(sid);
  client.take('MONITOR');
  await client.steer(sid, ioid, START);
  return { client, ioid };
}

/** The numbers that a client was told, of an array its first. */
function numbersOf({ client, ioid }: Awaited<ReturnType<typeof watching>>): readonly number[] {
  return client.updates(ioid).map(({ value }) => {
    // Both types have a field of that name.
    const { value: told } = value as { readonly value: number | Float64Array };
    return typeof told === 'number' ? told : (told[0] ?? Number.NaN);
  });
}

describe('beside clients that do not read', () => {
  test('others get every update, and the slow ones the last value when they read again', async () => {
    const [wave, fast] = [
      new SharedPV(WAVE, { initial: { value: new Float64Array(ELEMENTS) } }),
      new SharedPV(SCALAR, { initial: { value: 0 } }),
    ];
    const server = await makeServer({}, { wave, fast });
    const stopped = [await watching(server, 'wave'), await watching(server, 'wave'), await watching(server, 'wave')];
    for (const { client } of stopped) client.connection.pause();
    const reading = await watching(server, 'fast');
    const posts = 200;
    for (let index = 1; index <= posts; index++) {
      wave.post({ value: new Float64Array(ELEMENTS).fill(index) });
      fast.post({ value: index });
      await new Promise((resolve) => setImmediate(resolve));
    }
    const heard: number[] = [];
    await until(() => {
      heard.push(...numbersOf(reading));
      return heard.length > posts;
    });
    expect(heard).toEqual(Array.from({ length: posts + 1 }, (_, index) => index));
    expect(server.counters.updatesSquashed).toBeGreaterThan(posts);
    for (const slow of stopped) {
      const seen: number[] = [];
      slow.client.connection.resume();
      await until(() => {
        seen.push(...numbersOf(slow));
        return seen.at(-1) === posts;
      });
      expect(seen.length).toBeLessThan(posts);
    }
  });

  test('those that take nothing for too long are closed, the others not', async () => {
    const wave = new SharedPV(WAVE, { initial: { value: new Float64Array(ELEMENTS) } });
    const server = await makeServer({ writeStallMs: 500 }, { wave });
    const [dead, alive] = [await watching(server, 'wave'), await watching(server, 'wave')];
    dead.client.connection.pause();
    let index = 0;
    await until(() => {
      wave.post({ value: new Float64Array(ELEMENTS).fill(++index) });
      return server.linkCount === 1;
    });
    expect(alive.client.isClosed).toBe(false);
    await until(() => numbersOf(alive).at(-1) === index);
    dead.client.connection.destroy();
  });

  test('requests are not read past what a client does not take, and all are answered when it does', async () => {
    let reads = 0;
    class Counted extends SharedPV<typeof WAVE> {
      override get state(): ChannelUpdate {
        reads++;
        return super.state;
      }
    }
    const wave = new Counted(WAVE, { initial: { value: new Float64Array(ELEMENTS) } });
    const server = await makeServer({ monitorPauseBytes: 65_536, readPauseBytes: 1_048_576 }, { wave });
    const client = await WireClient.connect(nodeNetwork, server.tcpPort, { settle: until });
    await until(() => client.heard.length === 2);
    await client.validate();
    const sid = await client.createChannel('wave');
    const ioid = await client.init('GET', sid);
    client.take('GET');
    client.heard.length = 0;
    client.connection.pause();
    const writer = new Writer(false);
    const requests = 400;
    const get = { command: 'GET', phase: 'exec', sid, ioid, subcommand: 0 } as const;
    for (let count = 0; count < requests; count++) encodeMessage(writer, get, { fromServer: false });
    client.connection.write(writer.detach(0));
    // 64 MB of answers: what the kernel and the link do not hold has not been made.
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(reads).toBeGreaterThan(1);
    expect(reads).toBeLessThan(requests / 2);
    client.connection.resume();
    await until(() => client.heard.length === requests);
    expect(client.takeAll('GET')).toHaveLength(requests);
  });
});

describe('in a storm', () => {
  test('hundreds of connections at once are each served', async () => {
    const server = await makeServer({}, { fast: new SharedPV(SCALAR, { initial: { value: 5 } }) });
    const clients = await Promise.all(Array.from({ length: 300 }, () => watching(server, 'fast')));
    expect(clients.map(numbersOf)).toEqual(clients.map(() => [5]));
    expect(server.counters).toMatchObject({ linksOpened: 300, linksRefused: 0 });
    expect(server.statistics).toMatchObject({ links: 300, monitors: 300 });
    for (const { client } of clients) client.connection.destroy();
    await until(() => server.linkCount === 0);
  });
});

describe('in a flood of searches', () => {
  test('others are answered, and the flood costs no more than its share', async () => {
    const pvs = { fast: new SharedPV(SCALAR, { initial: { value: 5 } }) };
    const server = await makeServer({ maxSearchRatePerSender: 50 }, pvs);
    const [flooding, honest] = [createSocket('udp4'), createSocket('udp4')];
    let [flooded, answered] = [0, 0];
    flooding.on('message', () => flooded++).bind(0, '127.0.0.1');
    honest.on('message', () => answered++).bind(0, '127.0.0.1');
    await Promise.all([once(flooding, 'listening'), once(honest, 'listening')]);
    const send = (socket: typeof flooding): void => {
      const writer = new Writer(true);
      const search = {
        command: 'SEARCH',
        sequenceId: 1,
        flags: SEARCH_UNICAST,
        responseAddress: '0.0.0.0',
        responsePort: socket.address().port,
        protocols: ['tcp'],
        names: [{ instanceId: 1, pvName: 'fast' }],
      } as const;
      encodeMessage(writer, search, { fromServer: false });
      socket.send(writer.detach(0), server.udpPort, '127.0.0.1');
    };
    for (let round = 0; round < 20; round++) {
      for (let count = 0; count < 50; count++) send(flooding);
      send(honest);
      // No more at once than the kernel keeps for the server.
      const before = server.counters.datagramsReceived;
      await until(() => server.counters.datagramsReceived >= before + 51 || answered > round);
    }
    await until(() => answered === 20);
    expect(flooded).toBeLessThan(500);
    expect(server.counters.searchesDropped).toBeGreaterThan(400);
    flooding.close();
    honest.close();
  });
});
