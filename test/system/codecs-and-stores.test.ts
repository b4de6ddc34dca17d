// Is everything the same whatever the codec of a link, and whatever keeps the values? One suite for each pair of them, on
// real sockets of this machine.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { openEmbeddedStore } from '../../src/channels/stores/embedded/embedded-store.ts';
import { eventually } from '../../src/channels/stores/suite/suite-support.ts';
import { parsePvFlag } from '../../src/config/pv-flag.ts';
import {
  Context,
  openStore,
  resolveClientConfig,
  resolveServerConfig,
  Server,
  StoredChannels,
  type ChannelStore,
  type MonitorUpdate,
} from '../../src/index.ts';
import type { CodecName } from '../../src/protocol/messages/data.ts';
import { ntScalar } from '../../src/protocol/normative/nt-scalar.ts';
import { double, long } from '../../src/protocol/types/type-desc.ts';
import { RedisServer } from '../support/redis-server.ts';

const LOOPBACK = '127.0.0.1';
const CODECS: readonly CodecName[] = ['pva', 'msgpack'];
const PVS = [
  'lab:a=double:1.5',
  'lab:big=long:9007199254740993',
  'lab:wave=int[]',
  'lab:mode=enum(Off|On):On',
  'lab:text=string',
];

const closers: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

/** Opens the same data again and again. */
type Open = () => Promise<ChannelStore>;

interface Kind {
  readonly store: string;
  readonly isDurable: boolean;
  readonly make: () => Promise<Open>;
}

const STORES: readonly Kind[] = [
  { store: 'memory', isDurable: false, make: async () => async () => openStore('memory:') },
  {
    store: 'embedded',
    isDurable: true,
    make: async () => {
      const folder = await mkdtemp(join(tmpdir(), 'pvkit-codecs-'));
      closers.push(async () => rm(folder, { recursive: true }));
      return async () => openEmbeddedStore(folder);
    },
  },
  {
    store: 'redis',
    isDurable: true,
    make: async () => {
      const redis = await RedisServer.start();
      closers.push(async () => redis.close());
      return async () => openStore(redis.url);
    },
  },
];

const PAIRS = CODECS.flatMap((codec) => STORES.flatMap((kind) => [{ ...kind, codec }]));

interface Running {
  readonly server: Server;
  readonly channels: StoredChannels;
  close(): Promise<void>;
}

async function serve(open: Open): Promise<Running> {
  const store = await open();
  const definitions = PVS.map((text) => {
    const parsed = parsePvFlag(text);
    if (!parsed.ok) throw new Error(parsed.wrong);
    return parsed.value;
  });
  const channels = await StoredChannels.open(store, { definitions });
  const flags = { interfaces: [LOOPBACK], tcpPort: '0', udpPort: '0', msgpackPort: '0' };
  const server = new Server({ config: resolveServerConfig({ processEnvironment: {}, flags }), sources: [channels] });
  await server.listen();
  let closing: Promise<void> | undefined;
  const end = async (): Promise<void> => {
    await server.close();
    channels.close();
    await store.close();
  };
  const close = (): Promise<void> => (closing ??= end());
  closers.push(close);
  return { server, channels, close };
}

function client(server: Server, codec: CodecName): Context {
  const processEnvironment = {
    EPICS_PVA_ADDR_LIST: LOOPBACK,
    EPICS_PVA_AUTO_ADDR_LIST: 'NO',
    EPICS_PVA_INTF_ADDR_LIST: LOOPBACK,
    EPICS_PVA_BROADCAST_PORT: String(server.udpPort),
  };
  const context = new Context({ codec, config: resolveClientConfig({ processEnvironment }) });
  closers.push(async () => context.close());
  return context;
}

function watch(context: Context, pvName: string, request = ''): MonitorUpdate[] {
  const seen: MonitorUpdate[] = [];
  const monitor = context.monitor(pvName, { request });
  (async () => {
    for await (const update of monitor) seen.push(update);
  })().catch(() => {
    // The end of the context ends it.
  });
  return seen;
}

describe.each(PAIRS)('$codec on the $store store', ({ codec, make }) => {
  it('is found, and reads and writes every kind of value', async () => {
    const { server } = await serve(await make());
    const context = client(server, codec);
    const info = await context.info('lab:a');
    const port = codec === 'pva' ? server.tcpPort : server.msgpackPort;
    expect(info.server).toBe(`${LOOPBACK}:${port}`);
    expect((await context.get('lab:a', { type: ntScalar(double) })).value).toBe(1.5);
    expect((await context.get('lab:big', { type: ntScalar(long) })).value).toBe(9_007_199_254_740_993n);
    await context.put('lab:a', Number.NaN);
    await context.put('lab:big', -(2n ** 63n));
    await context.put('lab:wave', [1, -2, 3]);
    await context.put('lab:mode', 'Off');
    await context.put('lab:text', 'größe');
    const values = await context.getMany(['lab:a', 'lab:big', 'lab:wave', 'lab:mode', 'lab:text'], {
      request: 'value',
    });
    expect(values.map((outcome) => (outcome.ok ? outcome.result.value['value'] : outcome.error))).toEqual([
      Number.NaN,
      -(2n ** 63n),
      Int32Array.of(1, -2, 3),
      expect.objectContaining({ index: 0 }),
      'größe',
    ]);
  });

  it('watches: each update has what changed, and nothing else', async () => {
    const { server } = await serve(await make());
    const context = client(server, codec);
    const seen = watch(context, 'lab:a', 'value,alarm');
    await eventually('the first value', () => seen.length === 1);
    await context.put('lab:a', 2);
    await context.put('lab:a', { alarm: { message: 'by hand' } });
    await eventually('both changes', () => seen.length === 3);
    expect(seen.map(({ value }) => value['value'])).toEqual([1.5, 2, 2]);
    expect(seen[1]?.changed.has(1)).toBe(true);
    expect(seen[2]?.changed.has(1)).toBe(false);
    expect(seen[2]?.value['alarm']).toMatchObject({ message: 'by hand' });
    expect(seen.every(({ overrun }) => overrun.isEmpty())).toBe(true);
  });

  it('sees what a client of the other codec writes', async () => {
    const { server } = await serve(await make());
    const context = client(server, codec);
    const other = client(server, codec === 'pva' ? 'msgpack' : 'pva');
    const seen = watch(context, 'lab:wave', 'value');
    await eventually('the first value', () => seen.length === 1);
    await other.put('lab:wave', [7, 8]);
    await eventually('the change', () => seen.length === 2);
    expect(seen[1]?.value['value']).toEqual(Int32Array.of(7, 8));
    await context.put('lab:wave', [9]);
    expect((await other.get('lab:wave', { request: 'value' }))['value']).toEqual(Int32Array.of(9));
  });

  it('says what the server refuses, and what it has not', async () => {
    const { server } = await serve(await make());
    const context = client(server, codec);
    await expect(context.rpc('lab:a', {})).rejects.toThrow(/^lab:a: RPC.* refused by /u);
    await expect(context.process('lab:a')).rejects.toThrow(/^lab:a: PROCESS.* refused by /u);
    await expect(context.get('lab:nosuch', { timeoutMs: 300 })).rejects.toThrow('no server answered');
    expect(await context.get('lab:a')).toMatchObject({ value: 1.5 });
  });
});

const DURABLE = PAIRS.filter(({ isDurable }) => isDurable);

describe.each(DURABLE)('$codec on the $store store, which is durable,', ({ codec, make }) => {
  it('finds after a restart what it wrote', async () => {
    const open = await make();
    const first = await serve(open);
    const context = client(first.server, codec);
    await context.put('lab:a', 42);
    await context.put('lab:big', 2n ** 62n);
    await context.close();
    await first.close();
    const second = await serve(open);
    const later = client(second.server, codec);
    expect(await later.get('lab:a')).toMatchObject({ value: 42 });
    expect(await later.get('lab:big')).toMatchObject({ value: 2n ** 62n });
  });
});
