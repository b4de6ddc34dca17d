// Servers that lie: every call ends by result, error or abort, nobody else notices, and nothing stays behind.

import { describe, expect, it } from 'vitest';
import { BitSet } from '../../src/protocol/bit-set.ts';
import type { ClientMessage } from '../../src/protocol/messages/index.ts';
import { ntScalar } from '../../src/protocol/normative/nt-scalar.ts';
import { OK } from '../../src/protocol/status.ts';
import { double, string, structure } from '../../src/protocol/types/type-desc.ts';
import { codecOf } from '../../src/protocol/values/codec.ts';
import { makeWorld, type ClientWorld } from '../support/client-world.ts';
import { FakeServer, type FakeLink } from '../support/fake-server.ts';

const TYPE = ntScalar(double);
const OTHER_TYPE = structure({ text: string });
const UPDATE = { type: TYPE, changed: BitSet.of(0), value: codecOf(TYPE).defaultValue() };
const OTHER_UPDATE = { type: OTHER_TYPE, changed: BitSet.of(0), value: { text: 'lies' } };

type Exec = Extract<ClientMessage, { command: 'GET' }>;

interface Lie {
  readonly name: string;
  /** Answers a GET request; true if that was all. */
  readonly answer: (message: Exec, link: FakeLink) => boolean;
  /** Whether the connection is to be closed for it. */
  readonly closes: boolean;
}

const LIES: readonly Lie[] = [
  {
    name: 'answers INIT twice',
    closes: true,
    answer({ ioid, subcommand, phase }, link) {
      const reply = { command: 'GET', phase: 'init', ioid, subcommand, status: OK, type: TYPE } as const;
      if (phase === 'init') link.send(reply, reply);
      return true;
    },
  },
  {
    name: 'sends data before INIT is answered',
    closes: true,
    answer({ ioid, phase }, link) {
      if (phase === 'init')
        link.send({ command: 'GET', phase: 'exec', ioid, subcommand: 0, status: OK, update: UPDATE });
      return true;
    },
  },
  {
    name: 'sends data nobody asked for after INIT, in one go',
    closes: true,
    answer({ ioid, subcommand, phase }, link) {
      const data = { command: 'GET', phase: 'exec', ioid, subcommand: 0, status: OK, update: UPDATE } as const;
      if (phase === 'init')
        link.send({ command: 'GET', phase: 'init', ioid, subcommand, status: OK, type: TYPE }, data, data);
      return true;
    },
  },
  {
    name: 'answers INIT with no type',
    closes: false,
    answer({ ioid, subcommand }, link) {
      link.send({ command: 'GET', phase: 'init', ioid, subcommand, status: OK, type: null });
      return true;
    },
  },
  {
    name: 'answers INIT with a scalar type',
    closes: false,
    answer({ ioid, subcommand }, link) {
      link.send({ command: 'GET', phase: 'init', ioid, subcommand, status: OK, type: double });
      return true;
    },
  },
  {
    name: 'sends data of another type than agreed',
    closes: true,
    answer({ ioid, subcommand, phase }, link) {
      if (phase === 'init') link.send({ command: 'GET', phase: 'init', ioid, subcommand, status: OK, type: TYPE });
      else link.send({ command: 'GET', phase: 'exec', ioid, subcommand, status: OK, update: OTHER_UPDATE });
      return true;
    },
  },
  {
    name: 'answers a GET with a PUT reply',
    closes: true,
    answer({ ioid, subcommand }, link) {
      link.send({ command: 'PUT', phase: 'init', ioid, subcommand, status: OK, type: TYPE });
      return true;
    },
  },
  {
    name: 'answers a GET with monitor updates',
    closes: true,
    answer({ ioid }, link) {
      link.send({ command: 'MONITOR', phase: 'update', ioid, subcommand: 0, update: UPDATE, overrun: BitSet.empty() });
      return true;
    },
  },
  {
    name: 'answers other requests than ours',
    closes: false,
    answer({ ioid, subcommand, phase }, link) {
      for (let id = 1; id < 50; id++) {
        if (phase === 'init') link.send({ command: 'GET', phase, ioid: ioid + id, subcommand, status: OK, type: TYPE });
      }
      return true;
    },
  },
  {
    name: 'destroys channels and requests that are not there',
    closes: false,
    answer(_message, link) {
      for (let sid = 5_000; sid < 5_050; sid++) link.send({ command: 'DESTROY_CHANNEL', sid, cid: 1 });
      return true;
    },
  },
  {
    name: 'closes in the middle of a message',
    closes: true,
    answer(_message, link) {
      link.sendHex('ca02400a ff000000 01');
      link.tcp.end();
      return true;
    },
  },
  {
    name: 'speaks as a client does',
    closes: true,
    answer(_message, link) {
      link.sendHex('ca02000a 04000000 01020304');
      return true;
    },
  },
  {
    name: 'claims a message of 2 GiB',
    closes: true,
    answer(_message, link) {
      link.sendHex('ca02400a ffffff7f 01');
      return true;
    },
  },
  {
    name: 'floods us with noise that is allowed',
    closes: false,
    answer(_message, link) {
      const echo = { command: 'ECHO', payload: new Uint8Array(100) } as const;
      for (let time = 0; time < 2_000; time++) link.send(echo);
      return true;
    },
  },
  {
    name: 'uses type ids that it never defined',
    closes: true,
    answer({ ioid }, link) {
      const id = ioid.toString(16).padStart(2, '0');
      link.sendHex(`ca02400a 09000000 ${id}000000 08 ff fe 0700`);
      return true;
    },
  },
];

async function expectGone(world: ClientWorld): Promise<void> {
  await world.context.close();
  await world.clock.advanceAsync(10_000);
  expect(world.clock.timerCount).toBe(0);
}

describe('a server that', () => {
  it.each(LIES)('$name', async ({ answer, closes }) => {
    const world = makeWorld();
    const server = await FakeServer.start(world.serverHost);
    const honest = await FakeServer.start(world.network.host('third', '10.0.0.3/24'), { guid: 'ab'.repeat(12) });
    server.pvNames.add('x');
    honest.serve('y', TYPE, () => UPDATE);
    server.on((message, link) => message.command === 'GET' && answer(message, link));

    const call = world.context.get('x', { timeoutMs: 1_500 });
    call.catch(() => {});
    await world.clock.advanceAsync(200);
    const isClosed = server.links[0]?.isClosed;
    await expect(world.clock.until(call)).rejects.toThrow(/^x: /);
    expect(isClosed).toBe(closes);
    await expect(world.clock.until(world.context.get('y'))).resolves.toBeDefined();
    await expectGone(world);
  });

  it('answers one call twice does not disturb the next', async () => {
    const world = makeWorld();
    const server = await FakeServer.start(world.serverHost);
    server.pvNames.add('x');
    server.on((message, link) => {
      if (message.command !== 'GET') return false;
      const { ioid, subcommand } = message;
      if (message.phase === 'init')
        link.send({ command: 'GET', phase: 'init', ioid, subcommand, status: OK, type: TYPE });
      else {
        const data = { command: 'GET', phase: 'exec', ioid, subcommand, status: OK, update: UPDATE } as const;
        link.send(data);
        // Late, after the request is destroyed: still read, so that types it may define are known.
        world.clock.after(50, () => link.send(data, data));
      }
      return true;
    });
    for (let time = 0; time < 3; time++) {
      await expect(world.clock.until(world.context.get('x'))).resolves.toBeDefined();
      await world.clock.advanceAsync(100);
    }
    expect(server.links).toHaveLength(1);
    await expectGone(world);
  });

  it('answers long after a thousand other calls is ignored', async () => {
    const world = makeWorld();
    const server = await FakeServer.start(world.serverHost);
    server.serve('x', TYPE, () => UPDATE);
    const ioids: number[] = [];
    server.on((message) => {
      if (message.command === 'GET' && message.phase === 'exec') ioids.push(message.ioid);
      return false;
    });
    for (let round = 0; round < 11; round++) {
      await world.clock.until(world.context.getMany(Array.from({ length: 100 }, () => 'x')));
    }
    const late = (ioid: number) =>
      ({ command: 'GET', phase: 'exec', ioid, subcommand: 0, status: OK, update: UPDATE }) as const;
    server.link.send(late(ioids[0] ?? 0), late(ioids.at(-1) ?? 0));
    await world.clock.advanceAsync(10);
    expect(server.link.isClosed).toBe(false);
    await expectGone(world);
  });

  it('gives one channel id twice is left', async () => {
    const world = makeWorld();
    const server = await FakeServer.start(world.serverHost);
    server.on((message, link) => {
      if (message.command !== 'CREATE_CHANNEL') return false;
      for (const { cid } of message.channels) link.send({ command: 'CREATE_CHANNEL', cid, sid: 7, status: OK });
      return true;
    });
    server.pvNames.add('x').add('y');
    const calls = [world.context.get('x', { timeoutMs: 1_000 }), world.context.get('y', { timeoutMs: 1_000 })];
    const settled = Promise.allSettled(calls);
    await world.clock.advanceAsync(200);
    expect(server.links[0]?.isClosed).toBe(true);
    await world.clock.advanceAsync(2_000);
    expect((await settled).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await expectGone(world);
  });

  it('creates one channel twice is told to destroy the second', async () => {
    const world = makeWorld();
    const server = await FakeServer.start(world.serverHost);
    server.serve('x', TYPE, () => UPDATE);
    server.on((message, link) => {
      if (message.command !== 'CREATE_CHANNEL') return false;
      server.createChannel(link, message.channels[0]?.cid ?? 0, 'x');
      server.createChannel(link, message.channels[0]?.cid ?? 0, 'x');
      return true;
    });
    await expect(world.clock.until(world.context.get('x'))).resolves.toBeDefined();
    expect(server.link.received).toContainEqual({ command: 'DESTROY_CHANNEL', sid: 101, cid: 1 });
    await expectGone(world);
  });

  it('creates a channel after nobody wants it any more is told to destroy it', async () => {
    const world = makeWorld();
    const server = await FakeServer.start(world.serverHost);
    server.pvNames.add('x').add('y');
    server.on((message, link) => {
      if (message.command !== 'CREATE_CHANNEL' || message.channels[0]?.pvName !== 'x') return false;
      world.clock.after(2_000, () => server.createChannel(link, message.channels[0]?.cid ?? 0, 'x'));
      return true;
    });
    const other = world.context.monitor('y');
    await expect(world.clock.until(world.context.get('x', { timeoutMs: 1_000 }))).rejects.toThrow(
      'no reply to CREATE_CHANNEL',
    );
    await world.clock.advanceAsync(3_000);
    expect(server.link.commands.filter((command) => command === 'DESTROY_CHANNEL')).toHaveLength(1);
    await other.close();
    await expectGone(world);
  });

  it('closes at once, again and again, is not hammered', async () => {
    const world = makeWorld();
    const server = await FakeServer.start(world.serverHost);
    server.pvNames.add('x');
    server.on((_message, link) => {
      link.tcp.destroy();
      return true;
    });
    const call = world.context.get('x', { timeoutMs: 30_000 });
    await expect(world.clock.until(call)).rejects.toThrow(/^x: timed out after 30 s: .*before that connection to/);
    expect(server.links.length).toBeLessThan(5);
    await expectGone(world);
  });

  it('floods a monitor keeps only what fits the queue', async () => {
    const world = makeWorld();
    const server = await FakeServer.start(world.serverHost);
    server.pvNames.add('x');
    server.on((message, link) => {
      if (message.command !== 'MONITOR') return false;
      const { ioid, subcommand } = message;
      if (message.phase === 'init')
        link.send({ command: 'MONITOR', phase: 'init', ioid, subcommand, status: OK, type: TYPE });
      else if (subcommand === 0x44) {
        const update = {
          command: 'MONITOR',
          phase: 'update',
          ioid,
          subcommand: 0,
          update: UPDATE,
          overrun: BitSet.empty(),
        } as const;
        for (let time = 0; time < 1_000; time++) link.send(update);
      }
      return true;
    });
    const monitor = world.context.monitor('x', { pipeline: true });
    await world.clock.advanceAsync(1_000);
    expect(monitor.counters).toMatchObject({
      receivedCount: 1_000,
      waitingCount: 4,
      windowExcessCount: 996,
      clientSquashCount: 996,
    });
    await monitor.close();
    await expectGone(world);
  });

  it.each(['update before INIT', 'INIT twice', 'another type', 'finish twice'])('sends a monitor %s', async (lie) => {
    const world = makeWorld();
    const server = await FakeServer.start(world.serverHost);
    server.pvNames.add('x');
    server.on((message, link) => {
      if (message.command !== 'MONITOR' || message.phase !== 'init') return false;
      const { ioid, subcommand } = message;
      const init = { command: 'MONITOR', phase: 'init', ioid, subcommand, status: OK, type: TYPE } as const;
      const update = {
        command: 'MONITOR',
        phase: 'update',
        ioid,
        subcommand: 0,
        update: UPDATE,
        overrun: BitSet.empty(),
      } as const;
      const final = {
        command: 'MONITOR',
        phase: 'final',
        ioid,
        subcommand: 0x10,
        status: OK,
        update: null,
        overrun: BitSet.empty(),
      } as const;
      if (lie === 'update before INIT') link.send(update);
      if (lie === 'INIT twice') link.send(init, init);
      if (lie === 'another type') link.send(init, { ...update, update: OTHER_UPDATE });
      if (lie === 'finish twice') link.send(init, final, final);
      return true;
    });
    const seen: unknown[] = [];
    const reading = (async () => {
      for await (const event of world.context.monitor('x', { timeoutMs: 1_500 })) seen.push(event);
    })();
    reading.catch(() => {});
    await world.clock.advanceAsync(200);
    expect(server.links[0]?.isClosed ?? false).toBe(lie !== 'finish twice');
    if (lie === 'finish twice') await expect(world.clock.until(reading)).resolves.toBeUndefined();
    else await expect(world.clock.until(reading)).rejects.toThrow(/^x: timed out/);
    expect(seen).toEqual([]);
    await expectGone(world);
  });
});
