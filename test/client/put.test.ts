// Writing: what is sent for what was given, and what is never sent twice.

import { describe, expect, it } from 'vitest';
import { BitSet } from '../../src/protocol/bit-set.ts';
import { DisconnectedError, LocalProtocolError } from '../../src/protocol/errors.ts';
import { enumValue, ntEnum } from '../../src/protocol/normative/nt-enum.ts';
import { ntScalar } from '../../src/protocol/normative/nt-scalar.ts';
import { error, OK } from '../../src/protocol/status.ts';
import { double, type StructureType } from '../../src/protocol/types/type-desc.ts';
import type { StructureValue } from '../../src/protocol/types/value-of.ts';
import { codecOf } from '../../src/protocol/values/codec.ts';
import type { Update } from '../../src/protocol/values/update.ts';
import { makeWorld, type ClientWorld } from '../support/client-world.ts';
import { FakeServer } from '../support/fake-server.ts';

const TYPE = ntScalar(double);

interface Puttable {
  readonly server: FakeServer;
  /** What arrived: changed bits and value. */
  readonly puts: Update[];
}

async function puttable(world: ClientWorld, type: StructureType = TYPE, current?: StructureValue): Promise<Puttable> {
  const server = await FakeServer.start(world.serverHost);
  const puts: Update[] = [];
  server.pvNames.add('x');
  server.on((message, link) => {
    if (message.command !== 'PUT') return false;
    const { ioid, subcommand, phase } = message;
    const value = current ?? codecOf<StructureType>(type).defaultValue();
    if (phase === 'init') link.send({ command: 'PUT', phase, ioid, subcommand, status: OK, type });
    if (phase === 'get') {
      link.send({
        command: 'PUT',
        phase,
        ioid,
        subcommand,
        status: OK,
        update: { type, changed: BitSet.of(0), value },
      });
    }
    if (phase === 'exec') {
      puts.push(message.update);
      link.send({ command: 'PUT', phase, ioid, subcommand, status: OK });
    }
    return true;
  });
  return { server, puts };
}

function phases(server: FakeServer): readonly string[] {
  return server.links.flatMap(({ commands }) => commands.filter((command) => command.startsWith('PUT')));
}

describe('put', () => {
  it('sends the fields that a patch names, without reading first', async () => {
    const world = makeWorld();
    const { server, puts } = await puttable(world);
    await world.clock.until(world.context.put('x', { value: 3, alarm: { severity: 1 } }));
    expect(puts.map(({ changed }) => [...changed])).toEqual([[1, 3]]);
    expect(puts[0]?.value).toMatchObject({ value: 3, alarm: { severity: 1 } });
    expect(phases(server)).toEqual(['PUT init', 'PUT exec']);
    await world.context.close();
  });

  it('takes a bare value for a normative type', async () => {
    const world = makeWorld();
    const { puts } = await puttable(world);
    await world.clock.until(world.context.put('x', '-12.5'));
    expect(puts).toMatchObject([{ value: { value: -12.5 } }]);
    await world.context.close();
  });

  it('gives a function the present value', async () => {
    const world = makeWorld();
    const current = { ...codecOf(TYPE).defaultValue(), value: 41 };
    const { server, puts } = await puttable(world, TYPE, current);
    await world.clock.until(world.context.put('x', ({ value }: { value: number }) => ({ value: value + 1 })));
    expect(puts).toMatchObject([{ value: { value: 42 } }]);
    expect(phases(server)).toEqual(['PUT init', 'PUT get', 'PUT exec']);
    await world.context.close();
  });

  it('reads the labels of an enum when it is given one', async () => {
    const world = makeWorld();
    const current = { ...codecOf(ntEnum).defaultValue(), value: enumValue(['Off', 'On'], 'Off') };
    const { server, puts } = await puttable(world, ntEnum, current);
    await world.clock.until(world.context.put('x', 'On'));
    await world.clock.until(world.context.put('x', { value: 'Off' }));
    await world.clock.until(world.context.put('x', 1));
    expect(puts.map(({ changed, value }) => [[...changed], (value as typeof current).value.index])).toEqual([
      [[2], 1],
      [[2], 0],
      [[2], 1],
    ]);
    // A number needs no labels.
    expect(phases(server).filter((phase) => phase === 'PUT get')).toHaveLength(2);
    await expect(world.clock.until(world.context.put('x', 'Sideways'))).rejects.toThrow(/^x: value.*'Off', 'On'/);
    await world.context.close();
  });

  it('reads first when it is told to', async () => {
    const world = makeWorld();
    const { server } = await puttable(world);
    await world.clock.until(world.context.put('x', 1, { readFirst: true }));
    expect(phases(server)).toEqual(['PUT init', 'PUT get', 'PUT exec']);
    await world.context.close();
  });

  it('of an object that contains itself, or a number without end, is refused with a sentence', async () => {
    const world = makeWorld();
    const { server } = await puttable(world);
    const endless: Record<string, unknown> = { value: 1 };
    endless['alarm'] = endless;
    await expect(world.clock.until(world.context.put('x', endless))).rejects.toThrow(
      'x: alarm.value: no such field, alarm_t has severity, status, message',
    );
    await expect(world.clock.until(world.context.put('x', 10n ** 400n))).rejects.toThrow(
      /^x: value: a number that double holds exactly expected, bigint 1000/,
    );
    expect(phases(server)).toEqual(['PUT init', 'PUT init']);
    await world.context.close();
  });

  it('sends nothing when the input does not fit, or the function throws', async () => {
    const world = makeWorld();
    const { server, puts } = await puttable(world);
    await expect(world.clock.until(world.context.put('x', { nosuch: 1 }))).rejects.toThrow(LocalProtocolError);
    await expect(world.clock.until(world.context.put('x', 'text'))).rejects.toThrow(/^x: value: /);
    const throwing = (): never => {
      throw new Error('changed my mind');
    };
    await expect(world.clock.until(world.context.put('x', throwing))).rejects.toThrow('changed my mind');
    expect(puts).toEqual([]);
    await world.clock.advanceAsync(10);
    expect(server.link.commands.filter((command) => command === 'DESTROY_REQUEST')).toHaveLength(3);
    await world.context.close();
  });

  it.each([
    ['nothing, as of a name that is misspelt', undefined],
    ['what a function forgot to return', () => {}],
  ])('refuses %s, where it would do nothing in silence', async (_, input) => {
    const world = makeWorld();
    const { puts } = await puttable(world);
    await expect(world.clock.until(world.context.put('x', input))).rejects.toThrow(
      'x: an object with fields value, alarm, timeStamp expected, nothing given',
    );
    expect(puts).toEqual([]);
    await world.context.close();
  });

  it('that is refused says by whom and why', async () => {
    const world = makeWorld();
    const { server } = await puttable(world);
    server.on((message, link) => {
      if (message.command !== 'PUT' || message.phase !== 'exec') return false;
      const { ioid, subcommand } = message;
      link.send({ command: 'PUT', phase: 'exec', ioid, subcommand, status: error('read only') });
      return true;
    });
    await expect(world.clock.until(world.context.put('x', 1))).rejects.toThrow(
      'x: PUT refused by 10.0.0.2:5075: read only',
    );
    await world.context.close();
  });

  it('passes the pvRequest on', async () => {
    const world = makeWorld();
    const { server } = await puttable(world);
    await world.clock.until(world.context.put('x', 1, { request: 'record[process=true]field(value)' }));
    expect(server.link.received.find(({ command }) => command === 'PUT')).toMatchObject({
      pvRequest: { value: { record: { _options: { process: 'true' } }, field: { value: {} } } },
    });
    await world.context.close();
  });
});

describe('a connection that is lost', () => {
  it('before the value was sent: the put is begun anew', async () => {
    const world = makeWorld();
    const { server, puts } = await puttable(world);
    let isFirst = true;
    server.on((message, link) => {
      if (message.command !== 'PUT' || !isFirst) return false;
      isFirst = false;
      link.tcp.destroy();
      return true;
    });
    await world.clock.until(world.context.put('x', 5, { timeoutMs: 60_000 }));
    expect(puts).toHaveLength(1);
    await world.context.close();
  });

  it('after it was sent: nobody knows, and it is not sent again', async () => {
    const world = makeWorld();
    const { server } = await puttable(world);
    let execs = 0;
    server.on((message, link) => {
      if (message.command !== 'PUT' || message.phase !== 'exec') return false;
      execs++;
      link.tcp.destroy();
      return true;
    });
    const call = world.context.put('x', 5, { timeoutMs: 60_000 });
    await expect(world.clock.until(call)).rejects.toThrow(DisconnectedError);
    await expect(call).rejects.toThrow('x: whether PUT was carried out is not known: connection to 10.0.0.2:5075 lost');
    expect(execs).toBe(1);
    await world.context.close();
  });

  it('during an RPC: the same', async () => {
    const world = makeWorld();
    const server = await FakeServer.start(world.serverHost);
    server.pvNames.add('x');
    server.on((message, link) => {
      if (message.command !== 'RPC') return false;
      const { ioid, subcommand } = message;
      if (message.phase === 'init') link.send({ command: 'RPC', phase: 'init', ioid, subcommand, status: OK });
      else link.tcp.destroy();
      return true;
    });
    const call = world.context.rpc('x', { a: 1 });
    await expect(world.clock.until(call)).rejects.toThrow('x: whether RPC was carried out is not known');
    await world.context.close();
  });

  it('during a GET: it is read again', async () => {
    const world = makeWorld();
    const server = await FakeServer.start(world.serverHost);
    server.serve('x', TYPE, () => ({ changed: BitSet.of(0), value: codecOf(TYPE).defaultValue() }));
    let lossCount = 0;
    server.on((message, link) => {
      if (message.command !== 'GET' || lossCount >= 2) return false;
      lossCount++;
      link.tcp.destroy();
      return true;
    });
    await expect(world.clock.until(world.context.get('x', { timeoutMs: 60_000 }))).resolves.toBeDefined();
    expect(server.links).toHaveLength(3);
    await world.context.close();
  });
});

describe('rpc', () => {
  it('sends its arguments as NTURI, a structure as it is, and nothing as nothing', async () => {
    const world = makeWorld();
    const server = await FakeServer.start(world.serverHost);
    server.pvNames.add('x');
    const got: unknown[] = [];
    server.on((message, link) => {
      if (message.command !== 'RPC') return false;
      const { ioid, subcommand } = message;
      if (message.phase === 'exec') {
        got.push(message.argument);
        link.send({ command: 'RPC', phase: 'exec', ioid, subcommand, status: OK, result: null });
      } else link.send({ command: 'RPC', phase: 'init', ioid, subcommand, status: OK });
      return true;
    });
    const call = async (args: Parameters<typeof world.context.rpc>[1]) =>
      world.clock.until(world.context.rpc('x', args));
    await expect(call({ a: 1, b: 'two', c: undefined, d: { type: double, value: 3 } })).resolves.toBeNull();
    await call({ type: TYPE, value: { value: 4 } as never });
    await call(null);
    await call({});
    expect(got).toMatchObject([
      { type: { id: 'epics:nt/NTURI:1.0' }, value: { scheme: 'pva', path: 'x', query: { a: 1, b: 'two', d: 3 } } },
      { type: TYPE, value: { value: 4 } },
      null,
      { value: { query: {} } },
    ]);
    await expect(call({ f: () => {} })).rejects.toThrow(/f/);
    await world.context.close();
  });
});
