// What does a client keep of what servers tell it, and what is let go of when there is too much?

import { describe, expect, it } from 'vitest';
import type { DiscoveredServer } from '../../src/client/discovery.ts';
import { NoticeBoard } from '../../src/client/notices.ts';
import { HOLD_OFF_MS, Servers } from '../../src/client/servers.ts';
import { BitSet } from '../../src/protocol/bit-set.ts';
import { DisconnectedError } from '../../src/protocol/errors.ts';
import { CLIENT_LIMITS, LINK_LIMITS } from '../../src/protocol/limits.ts';
import { error, OK } from '../../src/protocol/status.ts';
import { double, structure } from '../../src/protocol/types/type-desc.ts';
import { makeWorld, type ClientWorld } from '../support/client-world.ts';
import { FakeServer } from '../support/fake-server.ts';
import { hitsLimit } from '../support/hits-limit.ts';
import { definition, wideType } from '../support/type-definitions.ts';

const TYPE = structure({ value: double });
const UPDATE = { changed: BitSet.of(1), value: { value: 1 } };
const { maxEndedOperations } = LINK_LIMITS;
const { maxKeptGets, maxLostServers, maxWaitingDiscoveries, nameServerPauseBytes } = CLIENT_LIMITS;

/** An answer to a GET whose BitSet claims five bytes that are not there: it closes the link of whoever reads it. */
const cutAnswer = (ioid: number): string => {
  const id = Buffer.alloc(4);
  id.writeUInt32LE(ioid);
  return `ca02400a 07000000 ${id.toString('hex')} 00 ff 05`;
};

/** A client's links to servers, by themselves. */
function makeServers(world: ClientWorld): Servers {
  const { clientHost, clock } = world;
  const identity = { user: 'tester', host: 'client' };
  const handlers = { searchResponse: () => {}, validated: () => {} };
  return new Servers(
    { network: clientHost, clock, identity, connectionTimeoutMs: 40_000 },
    new NoticeBoard(),
    handlers,
  );
}

describe('operations that have ended', () => {
  it('are known by their type to late answers, but only the newest thousand', async () => {
    hitsLimit('maxEndedOperations');
    const world = makeWorld();
    const server = await FakeServer.start(world.serverHost);
    server.serve('x', TYPE, () => UPDATE);
    const ioids: number[] = [];
    server.on((message) => {
      if (message.command === 'GET' && message.phase === 'exec') ioids.push(message.ioid);
      return false;
    });
    for (let round = 0; round * 100 <= maxEndedOperations; round++) {
      await world.clock.until(world.context.getMany(Array.from({ length: 100 }, () => 'x')));
    }
    const [forgotten = 0] = ioids;
    const oldestKept = ioids.at(-maxEndedOperations) ?? 0;
    server.link.sendHex(cutAnswer(forgotten));
    await world.clock.advanceAsync(10);
    expect(server.link.isClosed).toBe(false);
    server.link.sendHex(cutAnswer(oldestKept));
    await world.clock.advanceAsync(10);
    expect(server.links.map(({ isClosed }) => isClosed)).toEqual([true]);
    await world.context.close();
  });
});

describe('GETs that are kept for the next reading', () => {
  /** A server that serves every name, and the operations that it holds. */
  async function serving(world: ClientWorld) {
    const server = await FakeServer.start(world.serverHost);
    const held = new Set<number>();
    server.on((message, link) => {
      if (message.command === 'DESTROY_REQUEST') held.delete(message.ioid);
      if (message.command !== 'GET' && message.command !== 'MONITOR') return false;
      const { command, phase, ioid, subcommand } = message;
      if (phase === 'init') {
        held.add(ioid);
        link.send({ command, phase, ioid, subcommand, status: OK, type: TYPE });
      } else if (command === 'GET') {
        link.send({ command, phase: 'exec', ioid, subcommand, status: OK, update: { type: TYPE, ...UPDATE } });
      }
      return true;
    });
    return { server, held };
  }

  it('are thousands for each server, those read last', async () => {
    hitsLimit('maxKeptGets');
    const world = makeWorld();
    const { server, held } = await serving(world);
    const names = Array.from({ length: maxKeptGets + 1 }, (_, index) => String(index));
    for (const name of names) server.pvNames.add(name);
    // Channels in use are not closed for being idle.
    for (const name of names) world.context.monitor(name);
    const read = (name: string) => world.clock.until(world.context.get(name));
    for (const name of names) await read(name).then(() => read(name));
    await world.clock.advanceAsync(10);
    expect(held.size).toBe(names.length + maxKeptGets);
    const initCount = (): number => server.link.commands.filter((command) => command === 'GET init').length;
    const before = initCount();
    await read(names.at(-1) ?? '');
    await read(names[1] ?? '');
    expect(initCount()).toBe(before);
    await read(names[0] ?? '');
    expect(initCount()).toBe(before + 1);
    await world.context.close();
  });

  it('make room once for a call that is refused, and half of them stay', async () => {
    const world = makeWorld();
    const { server, held } = await serving(world);
    for (const name of ['a', 'b', 'c', 'd']) server.pvNames.add(name);
    server.on((message, link) => {
      if (message.command !== 'PUT' || message.phase !== 'init') return false;
      const { ioid, subcommand } = message;
      link.send({ command: 'PUT', phase: 'init', ioid, subcommand, status: error('read only'), type: null });
      return true;
    });
    for (const name of ['a', 'a', 'b', 'b', 'c', 'c', 'd', 'd']) await world.clock.until(world.context.get(name));
    await world.clock.advanceAsync(1);
    expect(held.size).toBe(4);
    await expect(world.clock.until(world.context.put('a', 1))).rejects.toThrow('read only');
    await world.clock.advanceAsync(1);
    expect(server.link.commands.filter((command) => command === 'PUT init')).toHaveLength(2);
    expect(held.size).toBe(2);
    await world.context.close();
  });

  it('are as many as before once a server has refused a few calls for another reason than room', async () => {
    const world = makeWorld();
    const { server, held } = await serving(world);
    const names = ['a', 'b', 'c', 'd'];
    for (const name of names) server.pvNames.add(name);
    server.on((message, link) => {
      if (message.command !== 'RPC' || message.phase !== 'init') return false;
      const { ioid, subcommand } = message;
      link.send({ command: 'RPC', phase: 'init', ioid, subcommand, status: error('takes no calls') });
      return true;
    });
    const readAll = async () => {
      for (const name of names) await world.clock.until(world.context.get(name));
      await world.clock.advanceAsync(1);
    };
    await readAll().then(readAll);
    for (let count = 0; count < 8; count++) {
      const calls = ['a', 'b'].map((name) => world.clock.until(world.context.rpc(name, null)).catch(String));
      expect(await Promise.all(calls)).toEqual([0, 1].map(() => expect.stringContaining('takes no calls') as unknown));
    }
    await readAll().then(readAll);
    expect(held.size).toBe(names.length);
    const sent = server.link.commands.length;
    await readAll();
    expect(server.link.commands.slice(sent)).toEqual(names.map(() => 'GET exec'));
    await world.context.close();
  });
});

describe('servers that were lost', () => {
  it('are left alone for a while, but only as many as are remembered', async () => {
    hitsLimit('maxLostServers');
    const world = makeWorld();
    const servers = makeServers(world);
    const at = (port: number) => ({ address: '10.0.0.2', port });
    const lose = async (ports: readonly number[]): Promise<void> => {
      const links = ports.map((port) => servers.link(at(port)));
      await world.clock.advanceAsync(10);
      // Nobody listens there.
      expect(new Set(links.map(({ connection }) => connection.state))).toEqual(new Set(['closed']));
    };
    await lose(Array.from({ length: maxLostServers }, (_, index) => index + 1));
    const accepted: number[] = [];
    for (const port of [1, 2]) {
      await world.serverHost.listenTcp({ address: '0.0.0.0', port }, () => accepted.push(port));
    }
    const patient = servers.link(at(1));
    await world.clock.advanceAsync(10);
    expect(accepted).toEqual([]);
    patient.close(new DisconnectedError('not wanted any more'));
    await lose([maxLostServers + 1]);
    servers.link(at(1));
    servers.link(at(2));
    await world.clock.advanceAsync(10);
    expect(accepted).toEqual([1]);
    await world.clock.advanceAsync(HOLD_OFF_MS);
    expect(accepted).toEqual([1, 2]);
    servers.close();
    await world.context.close();
  });
});

describe('servers that are heard of', () => {
  const BROADCAST = { address: '10.0.0.255', port: 5076 };
  const guidOf = (number: number): string => number.toString(16).padStart(24, '0');

  it('wait for a slow reader, the newest ten thousand', async () => {
    hitsLimit('maxWaitingDiscoveries');
    const world = makeWorld();
    const server = await FakeServer.start(world.serverHost);
    server.answer = () => {};
    const discovered = world.context.discover({ timeoutMs: 1_000 });
    await world.clock.advanceAsync(10);
    // At one address: each but the first says that the one before is gone.
    const count = maxWaitingDiscoveries / 2 + 1;
    for (let number = 1; number <= count; number++) server.sendBeacon(BROADCAST, guidOf(number));
    await world.clock.advanceAsync(1_000);
    const seen: DiscoveredServer[] = [];
    for await (const event of discovered) seen.push(event);
    expect(seen).toHaveLength(maxWaitingDiscoveries);
    expect(seen[0]).toMatchObject({ kind: 'offline', guid: guidOf(1) });
    expect(seen.at(-1)).toMatchObject({ kind: 'online', guid: guidOf(count) });
    await world.context.close();
  });
});

describe('a name server that does not read', () => {
  it('is sent no more searches until it does', async () => {
    hitsLimit('nameServerPauseBytes');
    const environment = { EPICS_PVA_NAME_SERVERS: 'server:5075', EPICS_PVA_AUTO_ADDR_LIST: 'NO' };
    const world = makeWorld({ environment });
    const server = await FakeServer.start(world.serverHost);
    server.on(({ command }) => command === 'SEARCH');
    // A call begins the search for nothing that is there.
    const names = Array.from({ length: 400 }, (_, index) => `${index}:`.padEnd(490, 'x'));
    const calls = Promise.allSettled(names.map((name) => world.context.get(name, { timeoutMs: 100_000 })));
    await world.clock.advanceAsync(1_000);
    server.link.tcp.pause();
    await world.clock.advanceAsync(30_000);
    const link = [...world.network.connections].find(({ local }) => local.address === '10.0.0.1');
    const unsent = link?.bufferedBytes ?? 0;
    expect(unsent).toBeGreaterThan(nameServerPauseBytes);
    await world.clock.advanceAsync(5_000);
    expect(link?.bufferedBytes).toBe(unsent);
    server.link.tcp.resume();
    await world.clock.advanceAsync(60_000);
    expect(link?.bufferedBytes).toBe(0);
    await world.context.close();
    await calls;
  });

  it('is told no more than that of all that is searched for when it has just connected', async () => {
    const environment = { EPICS_PVA_NAME_SERVERS: 'server:5075', EPICS_PVA_AUTO_ADDR_LIST: 'NO' };
    const world = makeWorld({ environment });
    const names = Array.from({ length: 5_000 }, (_, index) => `${index}:`.padEnd(100, 'x'));
    const calls = Promise.allSettled(names.map((name) => world.context.get(name, { timeoutMs: 200_000 })));
    await world.clock.advanceAsync(11_000);
    const asked = new Set<string>();
    const server = await FakeServer.start(world.serverHost);
    let isReading = false;
    server.on((message, link) => {
      if (message.command === 'CONNECTION_VALIDATION') {
        link.send({ command: 'CONNECTION_VALIDATED', status: OK });
        if (!isReading) link.tcp.pause();
        return true;
      }
      if (message.command !== 'SEARCH') return false;
      for (const { pvName } of message.names) asked.add(pvName);
      return true;
    });
    await world.clock.advanceAsync(12_000);
    const link = [...world.network.connections].find(({ local }) => local.address === '10.0.0.1');
    // Of the kernel's buffers a memory network has 64 KiB; one message more may be begun.
    expect(link?.bufferedBytes).toBeLessThan(nameServerPauseBytes + 5_000);
    isReading = true;
    server.link.tcp.resume();
    await world.clock.advanceAsync(120_000);
    expect(asked.size).toBe(names.length);
    await world.context.close();
    await calls;
  });
});

describe('types that a server names by ids', () => {
  it('may be many more than a client has for a server, as of thousands of channels that each have their own', async () => {
    const world = makeWorld();
    const server = await FakeServer.start(world.serverHost);
    server.serve('x', TYPE, () => UPDATE);
    await world.clock.until(world.context.get('x'));
    for (let id = 1; id <= 7; id++) {
      server.link.sendHex(Buffer.from(definition(id, wideType(`s${id}_`, 9_000), true)).toString('hex'));
      await world.clock.advanceAsync(10);
    }
    expect(server.links.map(({ isClosed }) => isClosed)).toEqual([false]);
    await world.context.close();
  });
});
