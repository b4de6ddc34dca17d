// What becomes of a client when servers move, die and come back: how soon it is there again, and what it leaves alone.

import { describe, expect, it } from 'vitest';
import type { MonitorEvent } from '../../src/client/monitor.ts';
import { IDLE_MS } from '../../src/client/channel.ts';
import { resolveServerConfig, Server, SharedPV } from '../../src/index.ts';
import { BitSet } from '../../src/protocol/bit-set.ts';
import { ntScalar } from '../../src/protocol/normative/nt-scalar.ts';
import { CLIENT_LIMITS } from '../../src/protocol/limits.ts';
import { OK } from '../../src/protocol/status.ts';
import { double } from '../../src/protocol/types/type-desc.ts';
import { codecOf } from '../../src/protocol/values/codec.ts';
import type { MemoryHost } from '../../src/transport/memory-network.ts';
import { makeWorld, type ClientWorld } from '../support/client-world.ts';
import { FakeServer } from '../support/fake-server.ts';
import { hitsLimit } from '../support/hits-limit.ts';

const TYPE = ntScalar(double);
const UPDATE = { type: TYPE, changed: BitSet.of(1), value: codecOf(TYPE).defaultValue() };

function pvOf({ clock }: ClientWorld, value = 1): SharedPV<typeof TYPE> {
  return SharedPV.mailbox(TYPE, { clock, initial: { value } });
}

async function serve(
  { clock }: ClientWorld,
  host: MemoryHost,
  pvs: Readonly<Record<string, SharedPV<typeof TYPE>>>,
  tcpPort = '5075',
): Promise<Server> {
  const config = resolveServerConfig({ processEnvironment: {}, flags: { tcpPort } });
  const server = new Server({ network: host, clock, pvs, config });
  await clock.until(server.listen());
  return server;
}

interface Watched {
  readonly seen: readonly string[];
  /** When each came, in milliseconds. */
  readonly at: readonly number[];
}

function watch({ clock }: ClientWorld, monitor: AsyncIterable<MonitorEvent>): Watched {
  const seen: string[] = [];
  const at: number[] = [];
  (async () => {
    for await (const event of monitor) {
      seen.push(event.kind === 'update' ? String(Number(event.value['value'])) : `${event.kind} ${event.server}`);
      at.push(clock.now());
    }
  })().catch((error: unknown) => seen.push(String(error)));
  return { seen, at };
}

async function end(world: ClientWorld, ...servers: readonly Server[]): Promise<void> {
  await world.context.close();
  for (const server of servers) await world.clock.until(server.close());
  await world.clock.advanceAsync(20_000);
  expect(world.clock.timerCount).toBe(0);
}

describe('a server that moves', () => {
  it.each([
    ['to another port', '10.0.0.2:6001'],
    ['to another host', '10.0.0.3:5075'],
  ])('%s is found there within a second and a half', async (_where, expected) => {
    const world = makeWorld();
    const third = world.network.host('third', '10.0.0.3/24');
    const x = pvOf(world);
    const old = await serve(world, world.serverHost, { x });
    const { seen, at } = watch(world, world.context.monitor('x', { events: true }));
    await world.clock.advanceAsync(5_000);
    await world.clock.until(old.close());
    const closedAt = world.clock.now();
    x.post({ value: 2 });
    const isPort = expected.startsWith('10.0.0.2');
    const moved = await serve(world, isPort ? world.serverHost : third, { x }, isPort ? '6001' : '5075');
    await world.clock.advanceAsync(5_000);
    expect(seen).toEqual(['connected 10.0.0.2:5075', '1', 'disconnected 10.0.0.2:5075', `connected ${expected}`, '2']);
    expect((at.at(-1) ?? Infinity) - closedAt).toBeLessThan(1_500);
    await end(world, moved);
  });

  it('without a word is noticed by its silence, 40 s at most, and found at its new place', async () => {
    const world = makeWorld();
    const third = world.network.host('third', '10.0.0.3/24');
    const x = pvOf(world);
    const old = await serve(world, world.serverHost, { x });
    const { seen, at } = watch(world, world.context.monitor('x', { events: true }));
    await world.clock.advanceAsync(5_000);
    // Half-open: our side of the connection is fine, and nobody is at the other end.
    world.network.partition(world.clientHost, world.serverHost);
    const lostAt = world.clock.now();
    const moved = await serve(world, third, { x });
    x.post({ value: 2 });
    await world.clock.advanceAsync(50_000);
    expect(seen.slice(2)).toEqual(['disconnected 10.0.0.2:5075', 'connected 10.0.0.3:5075', '2']);
    expect((at.at(-1) ?? Infinity) - lostAt).toBeLessThan(42_000);
    world.network.heal(world.clientHost, world.serverHost);
    await end(world, old, moved);
  });
});

describe('a server that was away for long', () => {
  it('is found within a fast turn of the ring after its first beacon, however rare searches have become', async () => {
    const world = makeWorld();
    const x = pvOf(world);
    const old = await serve(world, world.serverHost, { x });
    const { seen, at } = watch(world, world.context.monitor('x', { events: true }));
    await world.clock.advanceAsync(1_000);
    await world.clock.until(old.close());
    await world.clock.advanceAsync(1_800_000);
    const startedAt = world.clock.now();
    const back = await serve(world, world.serverHost, { x });
    await world.clock.advanceAsync(30_000);
    expect(seen.slice(3)).toEqual(['connected 10.0.0.2:5075', '1']);
    // 30 buckets at 0.2 s.
    expect((at.at(-1) ?? Infinity) - startedAt).toBeLessThan(6_500);
    await end(world, back);
  });

  it('is not asked for more than twice a minute by one client', async () => {
    const world = makeWorld();
    const listening = await FakeServer.start(world.serverHost);
    const { seen } = watch(world, world.context.monitor('x'));
    await world.clock.advanceAsync(1_200_000);
    const before = listening.searches.length;
    await world.clock.advanceAsync(600_000);
    expect(listening.searches.length - before).toBeLessThanOrEqual(20 * 2);
    expect(seen).toEqual([]);
    await end(world);
  });
});

describe('a dead host', () => {
  it('stalls nobody: others are read meanwhile, and what it had is found elsewhere', async () => {
    const world = makeWorld();
    const third = world.network.host('third', '10.0.0.3/24');
    const dead = world.network.host('dead', '10.0.0.4/24');
    const x = pvOf(world);
    const y = pvOf(world, 7);
    const other = await serve(world, world.serverHost, { y });
    const liar = await FakeServer.start(third);
    // It says that x is on a host where nobody answers.
    liar.pvNames.add('x');
    liar.answer = (search, to) => {
      const response = liar.response(search, [search.names[0]?.instanceId ?? 0], 5075);
      if (search.names.some(({ pvName }) => pvName === 'x') && response.command === 'SEARCH_RESPONSE') {
        liar.sendDatagram(to, { ...response, serverAddress: '10.0.0.4' });
      }
    };
    world.network.partition(world.clientHost, dead);
    const { seen } = watch(world, world.context.monitor('x', { events: true }));
    await world.clock.advanceAsync(100);
    const startedAt = world.clock.now();
    const reading = world.context.getMany(['y', 'x'], { timeoutMs: 2_000 });
    const [yOutcome, xOutcome] = await world.clock.until(reading);
    expect(yOutcome).toMatchObject({ pvName: 'y', ok: true, result: { value: { value: 7 } } });
    expect(xOutcome).toMatchObject({
      pvName: 'x',
      ok: false,
      error: { message: 'x: timed out after 2 s: found at 10.0.0.4:5075, no TCP connection' },
    });
    expect(world.clock.now() - startedAt).toBe(2_000);
    await expect(world.clock.until(world.context.get('y'))).resolves.toMatchObject({ value: 7 });
    await liar.stop();
    const alive = await serve(world, third, { x });
    // The connection is given up after 5 s, the search goes on 10 turns later.
    await world.clock.advanceAsync(16_000);
    expect(seen).toEqual(['connected 10.0.0.3:5075', '1']);
    await end(world, other, alive);
  });
});

describe('many PVs in one call', () => {
  const COUNT = 3_000;
  const names = Array.from({ length: COUNT }, (_, index) => `many:${index}`);

  it('share datagrams and one connection, and each has an outcome of its own, in order', async () => {
    const world = makeWorld();
    const pvs = Object.fromEntries(names.map((name, index) => [name, pvOf(world, index)]));
    const server = await serve(world, world.serverHost, pvs);
    const missing = 'many:missing';
    const asked = [...names.slice(0, 5), missing, ...names.slice(5)];
    const outcomes = await world.clock.until(world.context.getMany(asked, { timeoutMs: 3_000 }));
    expect(outcomes.map(({ pvName }) => pvName)).toEqual(asked);
    const failed = outcomes.filter(({ ok }) => !ok);
    expect(failed).toMatchObject([
      { pvName: missing, error: { message: expect.stringContaining('no server answered') as unknown } },
    ]);
    const values = outcomes.flatMap((outcome) => (outcome.ok ? [outcome.result.value['value']] : []));
    expect(values).toEqual(names.map((_, index) => index));
    expect(server.linkCount).toBe(1);
    await end(world, server);
  });

  it('are written and described, too', async () => {
    const world = makeWorld();
    const [a, b] = [pvOf(world), pvOf(world)];
    const server = await serve(world, world.serverHost, { a, b });
    const written = await world.clock.until(
      world.context.putMany({ a: 5, b: 'no number', c: 1 }, { timeoutMs: 1_000 }),
    );
    expect(written).toMatchObject([
      { pvName: 'a', ok: true },
      { pvName: 'b', ok: false },
      { pvName: 'c', ok: false },
    ]);
    expect([a.value.value, b.value.value]).toEqual([5, 1]);
    const described = await world.clock.until(world.context.infoMany(['a', 'c'], { timeoutMs: 1_000 }));
    expect(described).toMatchObject([
      { pvName: 'a', ok: true, result: { type: TYPE } },
      { pvName: 'c', ok: false },
    ]);
    await end(world, server);
  });

  it('do not stay on the server without end when each is used once', async () => {
    hitsLimit('maxIdleChannels');
    const world = makeWorld();
    const server = await FakeServer.start(world.serverHost);
    const count = CLIENT_LIMITS.maxIdleChannels + 1_000;
    const surveyed = Array.from({ length: count }, (_, index) => `once:${index}`);
    for (const name of surveyed) server.pvNames.add(name);
    server.on((message, link) => {
      if (message.command !== 'GET') return false;
      const { ioid, phase, subcommand } = message;
      if (phase === 'init') link.send({ command: 'GET', phase, ioid, subcommand, status: OK, type: TYPE });
      else link.send({ command: 'GET', phase: 'exec', ioid, subcommand, status: OK, update: UPDATE });
      return true;
    });
    const held = (): number => {
      const { commands } = server.link;
      const countOf = (command: string): number => commands.filter((each) => each === command).length;
      return countOf('CREATE_CHANNEL') - countOf('DESTROY_CHANNEL');
    };
    for (let start = 0; start < count; start += 500) {
      const outcomes = await world.clock.until(world.context.getMany(surveyed.slice(start, start + 500)));
      expect(outcomes.every(({ ok }) => ok)).toBe(true);
      await world.clock.advanceAsync(100);
      expect(held()).toBe(Math.min(start + 500, CLIENT_LIMITS.maxIdleChannels));
    }
    // Those used last are the ones that are kept.
    await world.clock.until(world.context.get(surveyed.at(-1) ?? ''));
    expect(server.link.commands.filter((command) => command === 'CREATE_CHANNEL')).toHaveLength(count);
    await world.clock.advanceAsync(IDLE_MS + 1_000);
    expect(server.links.map(({ isClosed }) => isClosed)).toEqual([true]);
    await end(world);
  });
});

describe('name servers', () => {
  const environment = { EPICS_PVA_NAME_SERVERS: 'server third:6001', EPICS_PVA_AUTO_ADDR_LIST: 'NO' };

  it('stand in for each other: one is lost, and what it knew is found through the other', async () => {
    const world = makeWorld({ environment });
    const third = world.network.host('third', '10.0.0.3/24');
    const x = pvOf(world);
    const first = await serve(world, world.serverHost, { x });
    const { seen } = watch(world, world.context.monitor('x', { events: true }));
    await world.clock.advanceAsync(1_000);
    await world.clock.until(first.close());
    const second = await serve(world, third, { x }, '6001');
    // It is connected every 10 s, and told at once.
    await world.clock.advanceAsync(11_000);
    expect(seen.slice(2)).toEqual(['disconnected 10.0.0.2:5075', 'connected 10.0.0.3:6001', '1']);
    await end(world, second);
  });

  it('are asked at once when a channel has connected to them first', async () => {
    const world = makeWorld({ environment: { ...environment, EPICS_PVA_NAME_SERVERS: 'server' } });
    const first = await serve(world, world.serverHost, { x: pvOf(world) });
    // Named by the caller: it comes back by itself, after 2 s.
    const direct = watch(world, world.context.monitor('x', { server: 'server', events: true }));
    const searching = watch(world, world.context.monitor('y'));
    await world.clock.advanceAsync(100);
    await world.clock.until(first.close());
    await world.clock.advanceAsync(40_500);
    const y = pvOf(world, 4);
    const back = await serve(world, world.serverHost, { x: pvOf(world), y });
    await world.clock.advanceAsync(10_500);
    expect(direct.seen.at(-1)).toBe('1');
    expect(searching.seen).toEqual(['4']);
    await end(world, back);
  });
});
