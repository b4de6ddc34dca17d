// Does a server work on the sockets of this machine? On loopback, ports that are free.
import { afterEach, describe, expect, test } from 'vitest';
import { SharedPV } from '../../src/channels/shared-pv.ts';
import { readDatagram } from '../../src/protocol/datagram.ts';
import { DEFAULT_LIMITS } from '../../src/protocol/limits.ts';
import { datagramContext, decodeServerMessage, encodeMessage } from '../../src/protocol/messages/index.ts';
import { SEARCH_UNICAST } from '../../src/protocol/messages/search.ts';
import type { SearchResponse } from '../../src/protocol/messages/search-response.ts';
import { ntScalar, ntScalarArray } from '../../src/protocol/normative/nt-scalar.ts';
import { OK } from '../../src/protocol/status.ts';
import { double } from '../../src/protocol/types/type-desc.ts';
import { Writer } from '../../src/protocol/writer.ts';
import { Server, type ServerOptions } from '../../src/server/server.ts';
import { ManualClock } from '../../src/transport/manual-clock.ts';
import { nodeNetwork } from '../../src/transport/node-network.ts';
import { hitsLimit } from '../support/hits-limit.ts';
import { configWith, LOOPBACK } from '../support/server-world.ts';
import { WireClient } from '../support/wire-client.ts';

const SCALAR = ntScalar(double);
const opened: Server[] = [];

afterEach(async () => {
  for (const server of opened.splice(0)) await server.close();
});

async function makeServer({ config, ...options }: ServerOptions = {}): Promise<Server> {
  const settings = { interfaces: [LOOPBACK], tcpPort: 0, udpPort: 0, autoBeacon: false, ...config };
  const server = new Server({ ...options, config: configWith(settings) });
  opened.push(server);
  await server.listen();
  return server;
}

/** Turns of the event loop until something is so. */
async function until(isSo: () => boolean): Promise<void> {
  const end = performance.now() + 5_000;
  while (!isSo()) {
    if (performance.now() > end) throw new Error('not within 5 s');
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

async function connect(server: Server, settle: typeof until = until): Promise<WireClient> {
  const client = await WireClient.connect(nodeNetwork, server.tcpPort, { settle });
  await settle(() => client.heard.length === 2);
  client.heard.length = 0;
  return client;
}

describe('over TCP', () => {
  test('get, put, monitor and large arrays', async () => {
    const pv = SharedPV.mailbox(ntScalarArray(double), { initial: { value: [1, 2, 3] } });
    const server = await makeServer({ pvs: { a: pv } });
    const client = await connect(server);
    await client.validate();
    const sid = await client.createChannel('a');
    const get = await client.init('GET', sid);
    client.take('GET');
    expect(await client.get(sid, get)).toMatchObject({ update: { value: { value: Float64Array.of(1, 2, 3) } } });
    const put = await client.init('PUT', sid);
    client.take('PUT');
    const large = Float64Array.from({ length: 500_000 }, (_, index) => index / 8);
    await client.put(sid, put, { value: large });
    expect(client.take('PUT')).toMatchObject({ status: OK });
    expect(pv.value.value).toHaveLength(large.length);
    const again = await client.get(sid, get);
    const whole = 'update' in again ? again.update?.value : undefined;
    const { value: read } = { value: new Float64Array(0), ...(whole as { value: Float64Array } | undefined) };
    // The matchers would take seconds for as many elements.
    expect(Buffer.from(read.buffer).equals(Buffer.from(large.buffer))).toBe(true);
    const ioid = await client.initMonitor(sid);
    client.take('MONITOR');
    await client.steer(sid, ioid, 0x44);
    expect(client.updates(ioid)).toHaveLength(1);
    pv.post({ value: [9] });
    await until(() => client.heard.length === 1);
    expect(client.updates(ioid)).toMatchObject([{ changed: [1], value: { value: Float64Array.of(9) } }]);
    await server.close();
    await until(() => client.isClosed);
  });

  test('links past the limit are refused at accept, until one is gone', async () => {
    hitsLimit('maxLinks');
    const server = await makeServer({ config: { limits: { ...DEFAULT_LIMITS, maxLinks: 2 } } });
    const [first] = [await connect(server), await connect(server)];
    const refused = await WireClient.connect(nodeNetwork, server.tcpPort, { settle: until });
    await until(() => refused.isClosed);
    expect(refused.heard).toEqual([]);
    expect(server.counters).toMatchObject({ linksOpened: 2, linksRefused: 1 });
    first.connection.destroy();
    await until(() => server.linkCount === 1);
    await connect(server);
    expect(server.linkCount).toBe(2);
  });

  test('a client that takes nothing for 30 s is closed, the others are served', async () => {
    hitsLimit('writeStallMs');
    const clock = new ManualClock();
    /** Lets sockets work and what the server does at the end of a turn; no time passes. */
    const settle = (isSo: () => boolean) =>
      until(() => {
        clock.advance(0);
        return isSo();
      });
    // More than the buffers of two sockets hold.
    const pv = new SharedPV(ntScalarArray(double), { initial: { value: new Float64Array(4_000_000) } });
    const server = await makeServer({ pvs: { a: pv }, clock });
    const [dead, other] = [await connect(server, settle), await connect(server, settle)];
    await other.validate();
    const sid = await dead.createChannel('a');
    const ioid = await dead.init('GET', sid);
    dead.connection.pause();
    const writer = new Writer(false);
    const get = { command: 'GET', phase: 'exec', sid, ioid, subcommand: 0 } as const;
    // Counted when it is read; the answer to what follows it in the same write is then made as well.
    encodeMessage(writer, { ...get, ioid: 0x7fff }, { fromServer: false });
    encodeMessage(writer, get, { fromServer: false });
    dead.connection.write(writer.detach(0));
    await settle(() => server.counters.unknownIds === 1);
    clock.advance(29_000);
    expect(server.linkCount).toBe(2);
    clock.advance(4_000);
    await settle(() => server.linkCount === 1);
    expect(await other.createChannel('a')).toBeGreaterThan(0);
    dead.connection.resume();
    await until(() => dead.isClosed);
    expect(dead.takeAll('GET')).toMatchObject([{ phase: 'init' }]);
  });

  test('a port that is taken: the next, with a warning', async () => {
    const first = await makeServer();
    const second = await makeServer({ config: { tcpPort: first.tcpPort } });
    expect(second.tcpPort).not.toBe(first.tcpPort);
    expect(second.tcpPort).toBeGreaterThan(0);
  });
});

describe('over UDP', () => {
  /** Searches at a port of this machine and gives the responses that come until there are enough. */
  async function search(udpPort: number, pvName: string, expectedCount: number): Promise<readonly SearchResponse[]> {
    const responses: SearchResponse[] = [];
    const socket = await nodeNetwork.bindUdp(
      { address: '127.0.0.1', port: 0 },
      {
        message: (bytes) => {
          for (const frame of readDatagram(bytes)) {
            const message = decodeServerMessage(frame, datagramContext());
            if (message?.command === 'SEARCH_RESPONSE') responses.push(message);
          }
        },
        error: () => undefined,
      },
    );
    const writer = new Writer(true);
    encodeMessage(
      writer,
      {
        command: 'SEARCH',
        sequenceId: 1,
        flags: SEARCH_UNICAST,
        responseAddress: '0.0.0.0',
        responsePort: socket.local.port,
        protocols: ['tcp'],
        names: [{ instanceId: 4, pvName }],
      },
      { fromServer: false },
    );
    socket.send(writer.detach(0), { address: '127.0.0.1', port: udpPort });
    await until(() => responses.length >= expectedCount);
    socket.close();
    return responses;
  }

  test.each([
    ['one address', [LOOPBACK]],
    ['all addresses', [{ ...LOOPBACK, host: '0.0.0.0' }]],
  ])('two servers on one port are both found (%s)', async (_, interfaces) => {
    const first = await makeServer({ pvs: { one: new SharedPV(SCALAR) }, config: { interfaces } });
    const udpPort = first.udpPort;
    const second = await makeServer({ pvs: { two: new SharedPV(SCALAR) }, config: { interfaces, udpPort } });
    expect(second.udpPort).toBe(udpPort);
    // Only one of them hears the search, and passes it on.
    expect(await search(udpPort, 'one', 1)).toMatchObject([{ guid: first.guid, serverPort: first.tcpPort }]);
    expect(await search(udpPort, 'two', 1)).toMatchObject([{ guid: second.guid, serverPort: second.tcpPort }]);
    expect(first.counters.searchesForwarded + second.counters.searchesForwarded).toBe(2);
  });

  test('a beacon goes where it is told', async () => {
    const guids: string[] = [];
    const socket = await nodeNetwork.bindUdp(
      { address: '127.0.0.1', port: 0 },
      {
        message: (bytes) => {
          for (const frame of readDatagram(bytes)) {
            const message = decodeServerMessage(frame, datagramContext());
            if (message?.command === 'BEACON') guids.push(message.guid);
          }
        },
        error: () => undefined,
      },
    );
    const server = await makeServer({ config: { beaconAddresses: [{ ...LOOPBACK, port: socket.local.port }] } });
    await until(() => guids.length > 0);
    expect(guids).toEqual([server.guid]);
    socket.close();
  });
});
