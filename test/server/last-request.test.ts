// What becomes of a request that is under way when the last request of its operation comes behind it?

import { describe, expect, test } from 'vitest';
import { SharedPV } from '../../src/channels/shared-pv.ts';
import type { ClientMessageToSend } from '../../src/protocol/messages/index.ts';
import type { OperationCommand } from '../../src/protocol/messages/message-module.ts';
import { ntScalarArray } from '../../src/protocol/normative/nt-scalar.ts';
import { OK, STATUS_ERROR } from '../../src/protocol/status.ts';
import { arrayOf, double } from '../../src/protocol/types/type-desc.ts';
import { coercePartial } from '../../src/protocol/values/coerce.ts';
import { makeWorld } from '../support/server-world.ts';

type Working = Exclude<OperationCommand, 'GET' | 'MONITOR'>;

const TYPE = ntScalarArray(double);
const LAST = 0x10;
const READ = 0x40;
const READ_PUT = 0x80;
const READ_LENGTH = 0x04;

/** A request of each command that takes time. */
function slowRequest(command: Working, sid: number, ioid: number, subcommand: number): ClientMessageToSend {
  const update = { type: TYPE, ...coercePartial(TYPE, { value: [2] }) };
  const array = { type: arrayOf(double), value: Float64Array.of(2) };
  const ids = { sid, ioid, subcommand };
  switch (command) {
    case 'PUT':
    case 'PUT_GET':
      return { command, phase: 'exec', ...ids, update };
    case 'ARRAY':
      return { command, phase: 'put', ...ids, offset: 0, stride: 1, array };
    case 'RPC':
      return { command, phase: 'exec', ...ids, argument: null };
    case 'PROCESS':
      return { command, phase: 'exec', ...ids };
  }
}

/** An operation that has a request under way until `release`. */
async function underWay(command: Working) {
  const signals: AbortSignal[] = [];
  let release = (): void => undefined;
  const stand = ({ signal }: { readonly signal: AbortSignal }): Promise<void> => {
    signals.push(signal);
    return new Promise((resolve) => (release = resolve));
  };
  const pv = new SharedPV(TYPE, { initial: { value: [1] }, onPut: stand, onCall: stand, onProcess: stand });
  const world = await makeWorld({ pvs: { x: pv } });
  const client = await world.validated();
  const sid = await client.createChannel('x');
  // One handler each: PUT_GET would process too.
  const ioid = await client.init(command, sid, 'record[process=false]field()');
  client.heard.length = 0;
  const ask = (subcommand: number): Promise<void> => client.send(slowRequest(command, sid, ioid, subcommand));
  await ask(0);
  expect([client.heard, signals.length]).toEqual([[], 1]);
  const finish = async (): Promise<void> => {
    release();
    await world.settle();
  };
  const isGone = async (): Promise<boolean> => {
    const before = world.server.counters.unknownIds;
    await ask(0);
    return world.server.counters.unknownIds === before + 1;
  };
  return { world, client, sid, ioid, ask, finish, isGone, signals };
}

describe('behind a request that is under way, the last one', () => {
  test.each([
    ['PUT', 'get', READ],
    ['PUT_GET', 'getGet', READ],
    ['PUT_GET', 'getPut', READ_PUT],
    ['ARRAY', 'getLength', READ_LENGTH],
  ] as const)('of %s, which reads (%s), is answered, and so is the other one; then both are over', async (...given) => {
    const [command, phase, what] = given;
    const { client, sid, ioid, finish, isGone, signals } = await underWay(command);
    const subcommand = what | LAST;
    // Each row has a command with a phase of it; the compiler has lost which belong together.
    await client.send({ command, phase, sid, ioid, subcommand } as ClientMessageToSend);
    expect(client.take(command)).toMatchObject({ phase, subcommand, status: OK });
    await finish();
    expect(client.take(command)).toMatchObject({ phase: command === 'ARRAY' ? 'put' : 'exec', status: OK });
    expect([await isGone(), client.heard, signals.map(({ aborted }) => aborted)]).toEqual([true, [], [false]]);
  });

  test('of ARRAY, which reads elements, likewise', async () => {
    const { client, sid, ioid, finish, isGone } = await underWay('ARRAY');
    const subcommand = READ | LAST;
    await client.send({ command: 'ARRAY', phase: 'get', sid, ioid, subcommand, offset: 0, count: 0, stride: 1 });
    expect(client.take('ARRAY')).toMatchObject({ phase: 'get', subcommand, array: { value: Float64Array.of(1) } });
    await finish();
    expect(client.take('ARRAY')).toMatchObject({ phase: 'put', subcommand: 0, status: OK });
    expect(await isGone()).toBe(true);
  });

  test.each(['PUT', 'PUT_GET', 'ARRAY', 'RPC', 'PROCESS'] as const)(
    'of %s, which is refused, ends the operation when the other one is answered: its id is free',
    async (command) => {
      const { client, sid, ioid, ask, finish, isGone, world } = await underWay(command);
      await ask(LAST);
      expect(client.take(command)).toMatchObject({ subcommand: LAST, status: { type: STATUS_ERROR } });
      await finish();
      expect(client.take(command)).toMatchObject({ subcommand: 0, status: OK });
      expect(await isGone()).toBe(true);
      const pvRequest = null;
      await client.send({ command, phase: 'init', sid, ioid, subcommand: 0x08, pvRequest });
      expect(client.take(command)).toMatchObject({ phase: 'init', status: OK });
      expect([client.isClosed, world.server.linkCount]).toEqual([false, 1]);
    },
  );

  test('of PUT, which its client has no right to any more, is refused, and the other one is answered', async () => {
    const { client, ask, finish, isGone, signals, world } = await underWay('PUT');
    world.server.setAccess(() => ({ read: true, write: false, call: false, manage: false }));
    await ask(LAST);
    expect(client.take('PUT')).toMatchObject({ subcommand: LAST, status: { type: STATUS_ERROR } });
    await finish();
    expect(client.take('PUT')).toMatchObject({ subcommand: 0, status: OK });
    expect([await isGone(), signals.map(({ aborted }) => aborted)]).toEqual([true, [false]]);
  });

  test('and CANCEL_REQUEST behind both: the one under way is answered so, and both are over', async () => {
    const { client, sid, ioid, ask, isGone, signals } = await underWay('PUT');
    await ask(LAST);
    client.heard.length = 0;
    await client.send({ command: 'CANCEL_REQUEST', sid, ioid });
    expect(client.take('PUT')).toMatchObject({ subcommand: 0, status: { type: STATUS_ERROR } });
    expect([await isGone(), signals.map(({ aborted }) => aborted)]).toEqual([true, [true]]);
  });
});
