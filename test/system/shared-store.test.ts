// Do several servers act as one over a shared Redis? Real servers, clients and sockets of this machine.
import { afterEach, describe, expect, it } from 'vitest';
import {
  Context,
  NodesPV,
  openStore,
  SearchSpread,
  Server,
  StoredChannels,
  type ChannelStore,
} from '../../src/index.ts';
import type { ChannelDefinition } from '../../src/config/channel-definition.ts';
import { resolveServerConfig } from '../../src/config/effective.ts';
import { parsePvFlag } from '../../src/config/pv-flag.ts';
import { eventually } from '../../src/channels/stores/suite/suite-support.ts';
import { systemClock } from '../../src/transport/clocks.ts';
import { freeUdpPort } from '../support/free-udp-port.ts';
import { RedisServer } from '../support/redis-server.ts';

interface Node {
  readonly server: Server;
  readonly store: ChannelStore;
  readonly channels: StoredChannels;
  close(): Promise<void>;
}

const closers: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

async function startRedis(): Promise<RedisServer> {
  const redis = await RedisServer.start();
  closers.push(() => redis.close());
  return redis;
}

async function startNode(
  redis: RedisServer,
  udpPort: number,
  definitions: readonly ChannelDefinition[] = [],
): Promise<Node> {
  const store = await openStore(redis.url);
  const channels = await StoredChannels.open(store, { definitions });
  const server = new Server({
    config: resolveServerConfig({
      processEnvironment: {},
      flags: { interfaces: ['127.0.0.1'], tcpPort: '0', udpPort: String(udpPort) },
    }),
    sources: [channels],
  });
  const { nodes } = store;
  if (nodes === undefined) throw new Error('a redis store has nodes');
  server.spreadSearches(new SearchSpread(nodes, (pvName) => channels.has(pvName), systemClock));
  await server.listen();
  await nodes.join(() => ({
    address: `127.0.0.1:${server.tcpPort}`,
    channelCount: [...channels.names()].length,
    linkCount: server.linkCount,
  }));
  let isClosed = false;
  const close = async (): Promise<void> => {
    if (isClosed) return;
    isClosed = true;
    await server.close();
    channels.close();
    await store.close();
  };
  closers.push(close);
  return { server, store, channels, close };
}

function startClient(): Context {
  const context = new Context();
  closers.push(() => context.close());
  return context;
}

const at = (node: Node) => ({ server: `127.0.0.1:${node.server.tcpPort}` });

function setpoint(name: string): ChannelDefinition {
  const definition = parsePvFlag(`${name}=double:1`);
  if (!definition.ok) throw new Error(definition.wrong);
  return definition.value;
}

describe('two servers over one Redis', () => {
  it('serve what one of them defines, and values put on one are seen on the other', async () => {
    const redis = await startRedis();
    const udpPort = await freeUdpPort();
    const one = await startNode(redis, udpPort, [setpoint('lab:a')]);
    const other = await startNode(redis, udpPort);
    const client = startClient();
    expect([...other.channels.names()]).toEqual(['lab:a']);
    const seen: number[] = [];
    const watching = (async () => {
      for await (const { value } of client.monitor('lab:a', at(other))) {
        seen.push(Number(value['value']));
        if (seen.at(-1) === 42) return;
      }
    })();
    await eventually('the first value', () => seen.length > 0);
    await client.put('lab:a', { value: 42 }, at(one));
    await watching;
    expect(seen).toEqual([1, 42]);
    expect(await client.get('lab:a', at(one))).toMatchObject({ value: 42 });
  });

  it('show each other, and each PV has one that answers its searches first', async () => {
    const redis = await startRedis();
    const udpPort = await freeUdpPort();
    const [one, other] = [await startNode(redis, udpPort), await startNode(redis, udpPort)];
    const nodes = one.store.nodes;
    if (nodes === undefined) throw new Error('a redis store has nodes');
    await eventually('both are known', () => nodes.alive.length === 2 && other.store.nodes?.alive.length === 2);
    const pv = new NodesPV(nodes);
    closers.push(async () => pv.close());
    expect(new Set(pv.value.value.node)).toEqual(new Set([one.store.nodes?.own, other.store.nodes?.own]));
    await other.close();
    await eventually('one has left', () => nodes.alive.length === 1);
  });

  it('both win when they write different fields at once', async () => {
    const redis = await startRedis();
    const udpPort = await freeUdpPort();
    const one = await startNode(redis, udpPort, [setpoint('lab:a')]);
    const other = await startNode(redis, udpPort);
    const client = startClient();
    await Promise.all([
      client.put('lab:a', { value: 7 }, at(one)),
      client.put('lab:a', { alarm: { message: 'by hand' } }, at(other)),
    ]);
    for (const node of [one, other]) {
      const now = () => node.channels.open('lab:a')?.state.value;
      await eventually('both fields', () => now()?.['value'] === 7);
      expect(now()).toMatchObject({ value: 7 });
    }
  });

  it('answer GET and refuse PUT while Redis is away, and go on after it', async () => {
    const redis = await startRedis();
    const udpPort = await freeUdpPort();
    const one = await startNode(redis, udpPort, [setpoint('lab:a')]);
    const client = startClient();
    await client.put('lab:a', { value: 5 }, at(one));
    await redis.kill();
    await eventually('it notices', () => !one.store.health.isConnected);
    await expect(client.put('lab:a', { value: 6 }, at(one))).rejects.toThrow(/store/u);
    expect(await client.get('lab:a', at(one))).toMatchObject({ value: 5 });
    await redis.start();
    await eventually('it is back', () => one.store.health.isConnected);
    await client.put('lab:a', { value: 8 }, at(one));
    expect(await client.get('lab:a', at(one))).toMatchObject({ value: 8 });
  });
});
