// Client and server against each other, over an in-memory network that delays, splits and loses.

import { describe, expect, it } from 'vitest';
import {
  Context,
  Server,
  SharedPV,
  resolveClientConfig,
  resolveServerConfig,
  type MonitorEvent,
} from '../../src/index.ts';
import type { CodecName } from '../../src/protocol/messages/data.ts';
import { enumValue, ntEnum } from '../../src/protocol/normative/nt-enum.ts';
import { ntScalar, ntScalarArray } from '../../src/protocol/normative/nt-scalar.ts';
import {
  any,
  arrayOf,
  boolean,
  double,
  int,
  long,
  string,
  structure,
  union,
} from '../../src/protocol/types/type-desc.ts';
import { ManualClock } from '../../src/transport/manual-clock.ts';
import { MemoryNetwork, type MemoryHost, type MemoryNetworkOptions } from '../../src/transport/memory-network.ts';
import { MemoryProcesses } from '../support/memory-processes.ts';

const ODD = structure('odd_t', {
  choice: union({ n: int, text: string }),
  loose: any,
  items: arrayOf(structure({ name: string, flags: arrayOf(boolean) })),
  big: long,
});

const MSGPACK_PORT = 5080;

interface World {
  readonly clock: ManualClock;
  readonly network: MemoryNetwork;
  readonly serverHost: MemoryHost;
  readonly server: Server;
  readonly context: Context;
  readonly pvs: ReturnType<typeof makePvs>;
}

function makePvs(clock: ManualClock) {
  return {
    x: SharedPV.mailbox(ntScalar(double), { clock, initial: { value: 1.5 } }),
    wave: SharedPV.mailbox(ntScalarArray(int), { clock, initial: { value: [1, -2, 3] } }),
    state: SharedPV.mailbox(ntEnum, { clock, initial: { value: enumValue(['Off', 'On', 'Fault'], 'On') } }),
    odd: SharedPV.mailbox(ODD, {
      clock,
      initial: {
        choice: { select: 'text', value: 'chosen' },
        loose: 7.25,
        items: [{ name: 'first', flags: [true] }, null],
      },
    }),
    fixed: new SharedPV(ntScalar(string), { initial: { value: 'read only' } }),
    add: new SharedPV(ntScalar(double), {
      onCall({ argument }) {
        const query = argument === null ? undefined : (argument.value as { query: { a: number; b: number } }).query;
        if (query === undefined) throw new Error('a and b are missing');
        return { type: ntScalar(double), value: { value: query.a + query.b } as never };
      },
    }),
  };
}

async function makeWorld(
  options: {
    network?: MemoryNetworkOptions;
    byteOrder?: 'big' | 'little';
    environment?: Record<string, string>;
    workers?: number;
    codec?: CodecName;
  } = {},
): Promise<World> {
  const clock = new ManualClock();
  const network = new MemoryNetwork({ clock, ...options.network });
  const serverHost = network.host('server');
  const pvs = makePvs(clock);
  const server = new Server({
    network: serverHost,
    clock,
    pvs,
    processes: new MemoryProcesses(clock, serverHost, options.network),
    config: {
      ...resolveServerConfig({ processEnvironment: {} }),
      workers: options.workers ?? 1,
      msgpackPort: options.codec === 'msgpack' ? MSGPACK_PORT : undefined,
    },
    ...(options.byteOrder === undefined ? {} : { byteOrder: options.byteOrder }),
  });
  await clock.until(server.listen());
  const context = new Context({
    network: network.host('client'),
    clock,
    codec: options.codec,
    config: resolveClientConfig({ processEnvironment: options.environment ?? {} }),
  });
  return { clock, network, serverHost, server, context, pvs };
}

async function end({ clock, context, server }: World): Promise<void> {
  await context.close();
  await clock.until(server.close());
  await clock.advanceAsync(10_000);
  expect(clock.timerCount).toBe(0);
}

function collect(monitor: AsyncIterable<MonitorEvent>): MonitorEvent[] {
  const seen: MonitorEvent[] = [];
  (async () => {
    for await (const event of monitor) seen.push(event);
  })().catch(() => {});
  return seen;
}

const SETTINGS = [
  { byteOrder: 'little', name: 'a calm network, little endian', network: {} },
  { byteOrder: 'big', name: 'a calm network, big endian', network: {} },
  ...[1, 2, 3].map((seed) => ({
    byteOrder: seed % 2 === 0 ? ('big' as const) : ('little' as const),
    name: `delays, pieces and losses of seed ${seed}`,
    network: {
      seed,
      delayMs: [0, 20] as const,
      chunkBytes: [1, 40] as const,
      datagramLoss: 0.2,
      datagramDuplication: 0.2,
      datagramReorder: 0.2,
    },
  })),
] as const;

const CODECS: readonly CodecName[] = ['pva', 'msgpack'];

// MessagePack links are held by the server itself, workers or not.
const NETWORKS = CODECS.flatMap((codec) =>
  SETTINGS.flatMap((setting) => [
    { ...setting, codec, workers: 1 },
    { ...setting, codec, workers: 2, name: `${setting.name}, with two workers` },
  ]),
);

describe.each(NETWORKS)('$codec over $name', ({ codec, byteOrder, network, workers }) => {
  /** The server as a client names it that does not search. */
  const named = codec === 'pva' ? 'server' : `server:${MSGPACK_PORT}`;

  it('reads every kind of value', async () => {
    const world = await makeWorld({ codec, network, byteOrder, workers });
    const { clock, context } = world;
    const outcomes = await clock.until(context.getMany(['x', 'wave', 'state', 'odd'], { timeoutMs: 60_000 }));
    const values = outcomes.map((outcome) => (outcome.ok ? outcome.result.value : outcome.error));
    expect(values).toMatchObject([
      { value: 1.5 },
      { value: Int32Array.of(1, -2, 3) },
      { value: { index: 1, choices: ['Off', 'On', 'Fault'] } },
      {
        choice: { select: 'text', value: 'chosen' },
        loose: { type: double, value: 7.25 },
        items: [{ name: 'first', flags: [true] }, null],
        big: 0n,
      },
    ]);
    await end(world);
  });

  it('writes what it is given, and reads it back', async () => {
    const world = await makeWorld({ codec, network, byteOrder, workers });
    const { clock, context, pvs } = world;
    const patient = { timeoutMs: 60_000 };
    await clock.until(context.put('x', 42, patient));
    await clock.until(
      context.put('x', (current: { value?: unknown }) => ({ value: Number(current.value) + 1 }), patient),
    );
    await clock.until(context.put('wave', [5, 6], patient));
    await clock.until(context.put('state', 'Fault', patient));
    await clock.until(context.put('odd', { big: 12n, choice: { select: 'n', value: 4 } }, patient));
    expect(pvs.x.value.value).toBe(43);
    expect(pvs.wave.value.value).toEqual(Int32Array.of(5, 6));
    expect(pvs.state.value.value).toEqual({ index: 2, choices: ['Off', 'On', 'Fault'] });
    expect(pvs.odd.value).toMatchObject({ big: 12n, choice: { select: 'n', value: 4 }, loose: { value: 7.25 } });
    const after = await clock.until(context.get('x', { type: ntScalar(double), ...patient }));
    expect(after.value).toBe(43);
    await end(world);
  });

  it('refuses what does not fit before anything is written, and says what the server refuses', async () => {
    const world = await makeWorld({ codec, network, byteOrder, workers });
    const { clock, context, pvs } = world;
    const patient = { timeoutMs: 60_000 };
    await expect(clock.until(context.put('x', 'not a number', patient))).rejects.toThrow(/^x: value: /);
    await expect(clock.until(context.put('state', 'Sideways', patient))).rejects.toThrow(/^state: value: .*'Off'/);
    await expect(clock.until(context.put('fixed', 'mine', patient))).rejects.toThrow(/^fixed: PUT.* refused by /);
    expect(pvs.x.value.value).toBe(1.5);
    expect(pvs.fixed.value.value).toBe('read only');
    await end(world);
  });

  it('watches: every value in order for a quick reader, with and without a pipeline', async () => {
    const world = await makeWorld({ codec, network, byteOrder, workers });
    const { clock, context, pvs } = world;
    const plain = collect(context.monitor('x', { queueSize: 100 }));
    const pipelined = collect(context.monitor('x', { queueSize: 4, pipeline: true, request: 'field(value)' }));
    await clock.advanceAsync(20_000);
    for (let value = 10; value < 30; value++) {
      pvs.x.post({ value });
      await clock.advanceAsync(200);
    }
    const expected = [1.5, ...Array.from({ length: 20 }, (_, index) => index + 10)];
    expect(plain.map((event) => event.kind === 'update' && event.value['value'])).toEqual(expected);
    expect(pipelined.map((event) => event.kind === 'update' && event.value['value'])).toEqual(expected);
    await end(world);
  });

  it('calls, describes, discovers, probes and echoes', async () => {
    const world = await makeWorld({ codec, network, byteOrder, workers });
    const { clock, context, server } = world;
    const patient = { timeoutMs: 60_000 };
    const sum = await clock.until(context.rpc('add', { a: 2, b: 3.5 }, patient));
    expect(sum).toMatchObject({ value: { value: 5.5 } });
    await expect(clock.until(context.rpc('add', null, patient))).rejects.toThrow(/^add: RPC refused by .*: .*missing/);
    const info = await clock.until(context.info('odd', patient));
    expect(info).toMatchObject({ pvName: 'odd', type: ODD });
    const field = await clock.until(context.info('odd', { ...patient, subField: 'big' }));
    expect(field.type).toBe(long);

    const found: unknown[] = [];
    const discovered = (async () => {
      for await (const { guid, protocol } of context.discover(patient)) found.push({ guid, protocol });
    })();
    await clock.until(discovered);
    const tcp = { guid: server.guid, protocol: 'tcp' };
    // Pings are answered with the port of pvAccess; beacons tell of the other one, too.
    expect(found).toEqual(codec === 'pva' ? [tcp] : [tcp, { guid: server.guid, protocol: 'msgpack' }]);
    const probed = await clock.until(context.probe('server', patient));
    expect(probed.guid).toBe(server.guid);
    const echoes: boolean[] = [];
    const echoed = (async () => {
      for await (const { isIntact } of context.echo(named, { count: 3, sizeBytes: 1000 })) echoes.push(isIntact);
    })();
    await clock.until(echoed);
    expect(echoes).toEqual([true, true, true]);
    await end(world);
  });
});

describe('the `server` PV', () => {
  it('is reached by naming the server, and not by searching', async () => {
    const world = await makeWorld();
    const { clock, context } = world;
    const names = await clock.until(context.rpc('server', { op: 'channels' }, { server: 'server' }));
    expect(names).toMatchObject({ value: { value: ['add', 'fixed', 'odd', 'state', 'wave', 'x'] } });
    await expect(clock.until(context.rpc('server', { op: 'channels' }, { timeoutMs: 1000 }))).rejects.toThrow(
      /no server answered/,
    );
    await expect(clock.until(context.get('nosuch', { server: 'server' }))).rejects.toThrow(/refused the channel/);
    await end(world);
  });
});

describe('TCP name servers', () => {
  it('find PVs where no UDP goes', async () => {
    const environment = { EPICS_PVA_AUTO_ADDR_LIST: 'NO', EPICS_PVA_NAME_SERVERS: 'server' };
    const world = await makeWorld({ environment });
    const { clock, context } = world;
    const value = await clock.until(context.get('x'));
    expect(value['value']).toBe(1.5);
    await end(world);
  });
});

describe('servers that come and go', () => {
  it('lose nothing of the last value, over ten restarts', async () => {
    const world = await makeWorld();
    const { clock, context, serverHost, pvs } = world;
    let { server } = world;
    const seen = collect(context.monitor('x', { events: true }));
    for (let round = 0; round < 10; round++) {
      await clock.advanceAsync(40_000);
      await clock.until(server.close());
      await clock.advanceAsync(5_000);
      pvs.x.post({ value: 100 + round });
      server = new Server({ network: serverHost, clock, pvs, config: resolveServerConfig({ processEnvironment: {} }) });
      await clock.until(server.listen());
    }
    await clock.advanceAsync(40_000);
    const values = seen.flatMap((event) => (event.kind === 'update' ? [event.value['value']] : []));
    expect(values).toEqual([1.5, ...Array.from({ length: 10 }, (_, round) => 100 + round)]);
    expect(seen.filter(({ kind }) => kind === 'disconnected')).toHaveLength(10);
    await end({ ...world, server });
  });

  it('two of one host are both found', async () => {
    const world = await makeWorld();
    const { clock, context, serverHost } = world;
    const second = new Server({
      network: serverHost,
      clock,
      pvs: { y: new SharedPV(ntScalar(double), { initial: { value: 2 } }) },
      config: resolveServerConfig({ processEnvironment: {} }),
    });
    await clock.until(second.listen());
    const [x, y] = await clock.until(context.getMany(['x', 'y']));
    expect([x, y]).toMatchObject([
      { ok: true, result: { value: { value: 1.5 } } },
      { ok: true, result: { value: { value: 2 } } },
    ]);
    await clock.until(second.close());
    await end(world);
  });
});
