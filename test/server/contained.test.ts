// Does a fault in what a program gives a server (a handler, a source, a listener) stay with the request that met it?

import { describe, expect, test } from 'vitest';
import type { ChannelUpdate } from '../../src/channels/channel.ts';
import { SharedPV } from '../../src/channels/shared-pv.ts';
import { StaticSource, type Source } from '../../src/channels/source.ts';
import { ntScalar } from '../../src/protocol/normative/nt-scalar.ts';
import { STATUS_ERROR } from '../../src/protocol/status.ts';
import { double } from '../../src/protocol/types/type-desc.ts';
import type { AnyValue } from '../../src/protocol/types/value-of.ts';
import { makeWorld, type World } from '../support/server-world.ts';

const SCALAR = ntScalar(double);
const START = 0x44;
const FAULT = 'the handler is broken';

/** Ways for a handler to go wrong. */
const WAYS: readonly (readonly [string, () => never | Promise<never>])[] = [
  [
    'throws',
    () => {
      throw new TypeError(FAULT);
    },
  ],
  ['rejects', () => Promise.reject(new RangeError(FAULT))],
  [
    'throws after an await',
    async () => {
      await Promise.resolve();
      throw new Error(FAULT);
    },
  ],
  ['rejects from a timer', () => new Promise<never>((_, reject) => setTimeout(() => reject(new Error(FAULT)), 0))],
];

/** Whether the server serves another client as if nothing had been. */
async function servesOn(world: World): Promise<void> {
  const other = await world.validated();
  const sid = await other.createChannel('good');
  const ioid = await other.init('GET', sid);
  other.take('GET');
  expect(await other.get(sid, ioid)).toMatchObject({ update: { value: { value: 7 } } });
}

const good = () => new SharedPV(SCALAR, { initial: { value: 7 } });

describe.each(WAYS)('a handler that %s', (_, fail) => {
  test.each(['PUT', 'PROCESS', 'RPC'] as const)('of %s is an answer, and the link goes on', async (command) => {
    const bad = new SharedPV(SCALAR, { initial: { value: 1 }, onPut: fail, onProcess: fail, onCall: fail });
    const world = await makeWorld({ pvs: { bad, good: good() } });
    const client = await world.validated();
    const sid = await client.createChannel('bad');
    const ioid = await client.init(command, sid);
    client.take(command);
    const argument: AnyValue = null;
    for (let turn = 0; turn < 2; turn++) {
      if (command === 'PUT') await client.put(sid, ioid, { value: 2 });
      else if (command === 'PROCESS') await client.send({ command, phase: 'exec', sid, ioid, subcommand: 0 });
      else await client.send({ command, phase: 'exec', sid, ioid, subcommand: 0, argument });
      // One way takes a real timer.
      await new Promise((resolve) => setTimeout(resolve, 2));
      await world.settle();
      expect(client.take(command)).toMatchObject({ status: { type: STATUS_ERROR, message: FAULT } });
    }
    expect(client.isClosed).toBe(false);
    await servesOn(world);
  });

  test('of a source that opens channels is a refusal', async () => {
    const source: Source = { has: () => true, open: fail, names: () => [], revision: 0 };
    const world = await makeWorld({ pvs: { good: good() }, sources: [source] });
    const client = await world.validated();
    await client.send({ command: 'CREATE_CHANNEL', channels: [{ cid: 1, pvName: 'bad' }] });
    await new Promise((resolve) => setTimeout(resolve, 2));
    await world.settle();
    expect(client.take('CREATE_CHANNEL').status).toMatchObject({ type: STATUS_ERROR });
    expect(client.isClosed).toBe(false);
    await servesOn(world);
  });
});

describe('a fault', () => {
  const fail = (): never => {
    throw new Error(FAULT);
  };

  test('of a source that is asked for names is told, and the other sources answer', async () => {
    const source: Source = { has: fail, open: fail, names: fail, revision: 0 };
    const world = await makeWorld({ sources: [source], pvs: { good: good() } });
    await servesOn(world);
    expect(world.server.names()).toEqual(['good']);
  });

  test('of the first or last subscriber of a PV leaves the others', async () => {
    const bad = new SharedPV(SCALAR, { initial: { value: 1 }, onFirstSubscriber: fail });
    const worse = new SharedPV(SCALAR, { initial: { value: 1 }, onLastUnsubscribe: fail });
    const world = await makeWorld({ pvs: { bad, worse, good: good() } });
    const client = await world.validated();
    const [one, two] = [await client.createChannel('bad'), await client.createChannel('worse')];
    await client.initMonitor(one);
    expect(client.take('MONITOR')).toMatchObject({ phase: 'init', status: { type: STATUS_ERROR, message: FAULT } });
    const ioid = await client.initMonitor(two);
    await client.steer(two, ioid, START);
    client.connection.destroy();
    await world.settle();
    expect(world.server.linkCount).toBe(0);
    await servesOn(world);
  });

  test('of a listener of notices, or of the put log, changes nothing', async () => {
    const pv = SharedPV.mailbox(SCALAR, { initial: { value: 7 } });
    const world = await makeWorld({ pvs: { good: pv }, onNotice: fail, onPutLog: fail });
    const client = await world.validated();
    const sid = await client.createChannel('good');
    const ioid = await client.init('PUT', sid);
    client.take('PUT');
    await client.put(sid, ioid, { value: 7 });
    expect(client.take('PUT')).toMatchObject({ status: { message: '' } });
    await servesOn(world);
  });

  test('of a channel that cannot say what it is closes its own link at most', async () => {
    class Broken extends SharedPV<typeof SCALAR> {
      override get state(): ChannelUpdate {
        return fail();
      }
    }
    const broken = new Broken(SCALAR, { initial: { value: 1 } });
    const source = new StaticSource();
    source.add('bad', broken);
    const world = await makeWorld({ pvs: { good: good() }, sources: [source] });
    const client = await world.validated();
    const sid = await client.createChannel('bad');
    const ioid = await client.init('GET', sid);
    await client.send({ command: 'GET', phase: 'exec', sid, ioid, subcommand: 0 });
    await servesOn(world);
    // The other client, and perhaps the one that met the fault.
    expect(world.server.linkCount).toBeGreaterThan(0);
  });
});

describe('a channel of a program', () => {
  const closing = (onClosed: () => () => void): SharedPV => Object.assign(good(), { onClosed });

  test('that throws when a link leaves it lets the link end like any other', async () => {
    const bad = closing(() => () => {
      throw new Error(FAULT);
    });
    const world = await makeWorld({ pvs: { bad, good: good() } });
    const client = await world.validated();
    await client.createChannel('bad');
    await client.createChannel('good');
    const sid = await client.createChannel('bad');
    await client.send({ command: 'DESTROY_CHANNEL', sid, cid: 0 });
    expect(client.take('DESTROY_CHANNEL')).toMatchObject({ sid });
    client.connection.destroy();
    await world.settle();
    expect(world.server.linkCount).toBe(0);
    expect(world.notices.filter(({ level }) => level === 'error').map(({ text }) => text)).toEqual([
      expect.stringContaining(`bad: the end of a wait for its end threw: ${FAULT}`),
      expect.stringContaining(FAULT),
    ]);
    await servesOn(world);
  });

  test('that throws when a link waits for its end is refused', async () => {
    const bad = closing(() => {
      throw new Error(FAULT);
    });
    const world = await makeWorld({ pvs: { bad, good: good() } });
    const client = await world.validated();
    await client.send({ command: 'CREATE_CHANNEL', channels: [{ cid: 1, pvName: 'bad' }] });
    expect(client.take('CREATE_CHANNEL')).toMatchObject({ status: { type: STATUS_ERROR, message: FAULT } });
    expect(client.isClosed).toBe(false);
    await servesOn(world);
  });
});
