// Watching a PV: updates, the end from either side, slow readers, lost connections.

import { describe, expect, it } from 'vitest';
import type { MonitorEvent } from '../../src/client/monitor.ts';
import { BitSet } from '../../src/protocol/bit-set.ts';
import { LocalProtocolError, StatusError, TimeoutError } from '../../src/protocol/errors.ts';
import { DEFAULT_LIMITS } from '../../src/protocol/limits.ts';
import { ntScalar } from '../../src/protocol/normative/nt-scalar.ts';
import { error, OK } from '../../src/protocol/status.ts';
import { double, structure, string } from '../../src/protocol/types/type-desc.ts';
import { codecOf } from '../../src/protocol/values/codec.ts';
import { clientConfig, makeWorld, type ClientWorld } from '../support/client-world.ts';
import { FakeServer, type FakeLink } from '../support/fake-server.ts';

const TYPE = ntScalar(double);
const VALUE_BIT = 1;

/** A server whose monitors send what the test says. */
interface Feed {
  readonly server: FakeServer;
  /** Monitors that are started: link and ioid. */
  readonly started: { readonly link: FakeLink; readonly ioid: number }[];
  readonly send: (value: number, changed?: BitSet, overrun?: BitSet) => void;
}

async function feed(world: ClientWorld, server?: FakeServer): Promise<Feed> {
  const own = server ?? (await FakeServer.start(world.serverHost));
  own.pvNames.add('x');
  const started: { link: FakeLink; ioid: number }[] = [];
  own.on((message, link) => {
    if (message.command !== 'MONITOR') return false;
    const { ioid, subcommand } = message;
    if (message.phase === 'init') {
      link.send({ command: 'MONITOR', phase: 'init', ioid, subcommand, status: OK, type: TYPE });
    } else if (subcommand === 0x44) {
      started.push({ link, ioid });
    }
    return true;
  });
  return {
    server: own,
    started,
    send(value, changed = BitSet.of(VALUE_BIT), overrun = BitSet.empty()) {
      const last = started.at(-1);
      if (last === undefined) throw new Error('no monitor is started');
      const update = { type: TYPE, changed, value: { ...codecOf(TYPE).defaultValue(), value } };
      last.link.send({ command: 'MONITOR', phase: 'update', ioid: last.ioid, subcommand: 0, update, overrun });
    },
  };
}

/** Reads a monitor into a list, until it ends. */
function collect(monitor: AsyncIterable<MonitorEvent>): { readonly seen: MonitorEvent[]; readonly end: Promise<void> } {
  const seen: MonitorEvent[] = [];
  const end = (async () => {
    for await (const event of monitor) seen.push(event);
  })();
  end.catch(() => {});
  return { seen, end };
}

function valuesOf(seen: readonly MonitorEvent[]): unknown[] {
  return seen.map((event) => (event.kind === 'update' ? event.value['value'] : event.kind));
}

function destroyCount(server: FakeServer): number {
  return server.links.flatMap(({ received }) => received).filter(({ command }) => command === 'DESTROY_REQUEST').length;
}

describe('a monitor', () => {
  it('gives each update with its full value and what changed', async () => {
    const world = makeWorld();
    const { send } = await feed(world);
    const { seen } = collect(world.context.monitor('x'));
    await world.clock.advanceAsync(100);
    send(1, BitSet.of(0));
    send(2, BitSet.of(VALUE_BIT), BitSet.of(VALUE_BIT));
    await world.clock.advanceAsync(10);

    expect(valuesOf(seen)).toEqual([1, 2]);
    expect(seen[1]).toMatchObject({ pvName: 'x', server: '10.0.0.2:5075', type: TYPE, value: { value: 2 } });
    expect(seen.map((event) => (event.kind === 'update' ? [[...event.changed], [...event.overrun]] : []))).toEqual([
      [[0], []],
      [[VALUE_BIT], [VALUE_BIT]],
    ]);
    await world.context.close();
  });

  it('keeps the fields that an update does not carry', async () => {
    const world = makeWorld();
    const { server, started } = await feed(world);
    const { seen } = collect(world.context.monitor('x', { type: TYPE }));
    await world.clock.advanceAsync(100);
    const [{ link, ioid } = expectStarted()] = started;
    const first = { ...codecOf(TYPE).defaultValue(), value: 5, alarm: { severity: 2, status: 1, message: 'high' } };
    const send = (changed: BitSet, value: typeof first): void =>
      link.send({
        command: 'MONITOR',
        phase: 'update',
        ioid,
        subcommand: 0,
        update: { type: TYPE, changed, value },
        overrun: BitSet.empty(),
      });
    send(BitSet.of(0), first);
    send(BitSet.of(VALUE_BIT), {
      ...codecOf(TYPE).defaultValue(),
      value: 6,
      alarm: { severity: 0, status: 0, message: '' },
    });
    await world.clock.advanceAsync(10);
    expect(seen[1]).toMatchObject({ value: { value: 6, alarm: { severity: 2, message: 'high' } } });
    expect(server.links).toHaveLength(1);
    await world.context.close();
  });

  it.each(['break', 'close', 'abort', 'throw'] as const)('ends the server side once, by %s', async (way) => {
    const world = makeWorld();
    const { server, send } = await feed(world);
    const abort = new AbortController();
    const monitor = world.context.monitor('x', { signal: abort.signal });
    const reading = (async () => {
      for await (const { value } of monitor) {
        if (way === 'break') break;
        if (way === 'throw') throw new Error(`enough of ${typeof value['value']}`);
      }
    })();
    reading.catch(() => {});
    await world.clock.advanceAsync(100);
    send(1);
    await world.clock.advanceAsync(10);
    if (way === 'close') await monitor.close();
    if (way === 'abort') abort.abort(new Error('no longer'));
    await world.clock.advanceAsync(10);

    if (way === 'abort') await expect(reading).rejects.toThrow('no longer');
    else if (way === 'throw') await expect(reading).rejects.toThrow('enough of number');
    else await expect(reading).resolves.toBeUndefined();
    expect(destroyCount(server)).toBe(1);
    await monitor.close();
    await world.context.close();
    await world.clock.advanceAsync(10);
    expect(destroyCount(server)).toBe(1);
    expect(world.clock.timerCount).toBe(0);
  });

  it('ends when the server finishes, after what it sent before', async () => {
    const world = makeWorld();
    const { started, send } = await feed(world);
    const { seen, end } = collect(world.context.monitor('x'));
    await world.clock.advanceAsync(100);
    send(1);
    const [{ link, ioid } = expectStarted()] = started;
    const update = { type: TYPE, changed: BitSet.of(VALUE_BIT), value: { ...codecOf(TYPE).defaultValue(), value: 9 } };
    link.send({
      command: 'MONITOR',
      phase: 'final',
      ioid,
      subcommand: 0x10,
      status: OK,
      update,
      overrun: BitSet.empty(),
    });
    await world.clock.until(end);
    expect(valuesOf(seen)).toEqual([1, 9]);
    await world.context.close();
  });

  it('ends with the error of a server that breaks off', async () => {
    const world = makeWorld();
    const { started, send } = await feed(world);
    const { seen, end } = collect(world.context.monitor('x'));
    await world.clock.advanceAsync(100);
    send(1);
    const [{ link, ioid } = expectStarted()] = started;
    link.send({
      command: 'MONITOR',
      phase: 'final',
      ioid,
      subcommand: 0x10,
      status: error('gone to lunch'),
      update: null,
      overrun: BitSet.empty(),
    });
    await expect(world.clock.until(end)).rejects.toThrow('x: MONITOR refused by 10.0.0.2:5075: gone to lunch');
    expect(valuesOf(seen)).toEqual([1]);
    await world.context.close();
  });

  it('ends with the error of a server that refuses INIT', async () => {
    const world = makeWorld();
    const { server } = await feed(world);
    server.on((message, link) => {
      if (message.command !== 'MONITOR') return false;
      const { ioid, subcommand } = message;
      link.send({ command: 'MONITOR', phase: 'init', ioid, subcommand, status: error('no field'), type: null });
      return true;
    });
    const { end } = collect(world.context.monitor('x', { request: 'field(nosuch)' }));
    await expect(world.clock.until(end)).rejects.toThrow(StatusError);
    expect(destroyCount(server)).toBe(0);
    await world.context.close();
  });

  it('ends with an error when the channel is of another type than expected', async () => {
    const world = makeWorld();
    const { server } = await feed(world);
    const { end } = collect(world.context.monitor('x', { type: structure({ value: string }) }));
    await expect(world.clock.until(end)).rejects.toThrow('x: field value is double, string expected');
    await world.clock.advanceAsync(10);
    expect(destroyCount(server)).toBe(1);
    await world.context.close();
  });

  it('ends with the context', async () => {
    const world = makeWorld();
    await feed(world);
    const { end } = collect(world.context.monitor('x'));
    await world.clock.advanceAsync(100);
    await world.context.close();
    await expect(end).rejects.toThrow('x: the context is closed');
  });

  it('waits for a PV as long as it takes, unless there is a deadline', async () => {
    const world = makeWorld();
    const { end } = collect(world.context.monitor('nowhere', { timeoutMs: 3000 }));
    const patient = collect(world.context.monitor('nowhere'));
    await expect(world.clock.until(end)).rejects.toThrow(TimeoutError);
    await expect(end).rejects.toThrow(/^nowhere: timed out after 3 s: searched \d+ times, no server answered$/);
    await world.clock.advanceAsync(100_000);
    expect(patient.seen).toEqual([]);
    await world.context.close();
  });

  it('has no deadline any more once something came', async () => {
    const world = makeWorld();
    const { send } = await feed(world);
    const { seen } = collect(world.context.monitor('x', { timeoutMs: 1000 }));
    await world.clock.advanceAsync(100);
    send(1);
    await world.clock.advanceAsync(20_000);
    send(2);
    await world.clock.advanceAsync(10);
    expect(valuesOf(seen)).toEqual([1, 2]);
    await world.context.close();
  });
});

describe('a slow reader', () => {
  it('gets the last value and the mask of what it missed', async () => {
    const world = makeWorld();
    const { send } = await feed(world);
    const monitor = world.context.monitor('x', { queueSize: 2 });
    await world.clock.advanceAsync(100);
    for (const value of [1, 2, 3, 4, 5]) send(value);
    await world.clock.advanceAsync(10);

    const first = await monitor.next();
    const second = await monitor.next();
    expect([first, second].map(({ value }) => value?.value['value'])).toEqual([1, 5]);
    expect([...(second.value?.overrun ?? [])]).toEqual([VALUE_BIT]);
    expect(monitor.counters).toMatchObject({ receivedCount: 5, deliveredCount: 2, clientSquashCount: 3 });
    await world.context.close();
  });

  it('is not sent more than its window with a pipeline, and acknowledges what it read', async () => {
    const world = makeWorld();
    const { server, send } = await feed(world);
    const monitor = world.context.monitor('x', { pipeline: true, queueSize: 4 });
    await world.clock.advanceAsync(100);
    const acknowledged = (): number[] =>
      server.link.received.flatMap((message) =>
        message.command === 'MONITOR' && message.phase === 'exec' && message.subcommand === 0x80
          ? [message.acknowledged]
          : [],
      );
    expect(server.link.received.find(({ command }) => command === 'MONITOR')).toMatchObject({
      subcommand: 0x88,
      window: 4,
    });
    for (const value of [1, 2, 3, 4]) send(value);
    await world.clock.advanceAsync(10);
    expect(acknowledged()).toEqual([]);
    await monitor.next();
    await monitor.next();
    await world.clock.advanceAsync(10);
    expect(acknowledged()).toEqual([2]);
    await monitor.next();
    await world.clock.advanceAsync(10);
    expect(acknowledged()).toEqual([2]);
    await world.context.close();
  });

  it.each([
    [1, [1, 1, 1, 1, 1, 1]],
    ['50%', [3, 3]],
    [4, [4]],
    ['100%', [6]],
  ])('acknowledges after %s of its window of 6, when told so', async (ackAny, expected) => {
    const world = makeWorld();
    const { server, send } = await feed(world);
    const monitor = world.context.monitor('x', { pipeline: true, queueSize: 6, ackAny });
    await world.clock.advanceAsync(100);
    for (const value of [1, 2, 3, 4, 5, 6]) send(value);
    await world.clock.advanceAsync(10);
    for (let time = 0; time < 6; time++) await monitor.next();
    await world.clock.advanceAsync(10);
    const acknowledged = server.link.received.flatMap((message) =>
      message.command === 'MONITOR' && message.phase === 'exec' && message.subcommand === 0x80
        ? [message.acknowledged]
        : [],
    );
    expect(acknowledged).toEqual(expected);
    await world.context.close();
  });

  it('can pause and resume', async () => {
    const world = makeWorld();
    const { server } = await feed(world);
    const monitor = world.context.monitor('x');
    monitor.pause();
    await world.clock.advanceAsync(100);
    const subcommands = (): number[] =>
      server.link.received.flatMap((message) => (message.command === 'MONITOR' ? [message.subcommand] : []));
    expect(subcommands()).toEqual([0x08]);
    monitor.resume();
    monitor.resume();
    monitor.pause();
    monitor.pause();
    await world.clock.advanceAsync(10);
    expect(subcommands()).toEqual([0x08, 0x44, 0x04]);
    await world.context.close();
  });
});

describe('a lost connection', () => {
  it('is survived: updates go on when the server is back', async () => {
    const world = makeWorld();
    const first = await feed(world);
    const { seen } = collect(world.context.monitor('x', { events: true }));
    await world.clock.advanceAsync(100);
    first.send(1);
    await world.clock.advanceAsync(10);
    await first.server.stop();
    await world.clock.advanceAsync(3000);
    const restarted = await FakeServer.start(world.serverHost, { guid: 'ffffffffffffffffffffffff' });
    const second = await feed(world, restarted);
    await world.clock.advanceAsync(20_000);
    second.send(2);
    await world.clock.advanceAsync(10);

    expect(valuesOf(seen)).toEqual(['connected', 1, 'disconnected', 'connected', 2]);
    expect(seen[2]).toMatchObject({
      pvName: 'x',
      server: '10.0.0.2:5075',
      reason: expect.stringMatching(/10\.0\.0\.2:5075/) as unknown,
    });
    await world.context.close();
  });

  it('says nothing unless events are asked for', async () => {
    const world = makeWorld();
    const { server, send, started } = await feed(world);
    const { seen } = collect(world.context.monitor('x'));
    await world.clock.advanceAsync(100);
    send(1);
    await world.clock.advanceAsync(10);
    server.link.tcp.destroy();
    await world.clock.advanceAsync(20_000);
    expect(started).toHaveLength(2);
    send(2);
    await world.clock.advanceAsync(10);
    expect(valuesOf(seen)).toEqual([1, 2]);
    await world.context.close();
  });

  it('before the server has accepted says nothing, as nothing was connected', async () => {
    const world = makeWorld();
    const { server } = await feed(world);
    let isFirst = true;
    server.on((message, link) => {
      if (message.command !== 'MONITOR' || !isFirst) return false;
      isFirst = false;
      link.tcp.destroy();
      return true;
    });
    const { seen } = collect(world.context.monitor('x', { events: true }));
    await world.clock.advanceAsync(20_000);
    expect(valuesOf(seen)).toEqual(['connected']);
    await world.context.close();
  });

  it('by the server destroying the channel is survived, too', async () => {
    const world = makeWorld();
    const { server, started } = await feed(world);
    const { seen } = collect(world.context.monitor('x', { events: true }));
    await world.clock.advanceAsync(100);
    const [sid] = server.link.pvNameBySid.keys();
    server.link.send({ command: 'DESTROY_CHANNEL', sid: sid ?? 0, cid: 1 });
    await world.clock.advanceAsync(20_000);
    expect(valuesOf(seen)).toEqual(['connected', 'disconnected', 'connected']);
    expect(started).toHaveLength(2);
    await world.context.close();
  });
});

describe('what cannot be', () => {
  it('is refused at once', async () => {
    const { context } = makeWorld({ context: { config: clientConfig() } });
    expect(() => context.monitor('')).toThrow('a PV name is empty');
    expect(() => context.monitor('x', { request: 'field(' })).toThrow(/pvRequest 'field\('/);
    expect(() => context.monitor('x', { queueSize: 1 })).toThrow(/queueSize '1'/);
    expect(() => context.monitor('x', { pipeline: true, queueSize: 0 })).toThrow(/queueSize '0'/);
    expect(() => context.monitor('x', { pipeline: true, ackAny: 'some' })).toThrow(/ackAny 'some'/);
    await context.close();
    expect(() => context.monitor('x')).toThrow('x: the context is closed');
  });

  it('goes by the limits of the context', async () => {
    const limitsOf = (maxMonitorQueue: number) => ({ context: { limits: { ...DEFAULT_LIMITS, maxMonitorQueue } } });
    const { context: generous } = makeWorld(limitsOf(10_000));
    expect(() => generous.monitor('x', { queueSize: 5_000 })).not.toThrow();
    await generous.close();
    const { context: mean } = makeWorld(limitsOf(100));
    expect(() => mean.monitor('x', { queueSize: 500 })).toThrow(
      new LocalProtocolError('queueSize 500 is more than maxMonitorQueue allows, 100'),
    );
    await mean.close();
  });
});

function expectStarted(): never {
  throw new Error('no monitor is started');
}
