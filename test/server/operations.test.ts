// Does a server answer GET, PUT, RPC and GET_FIELD as clients expect, and refuse what it cannot do with a sentence?
import { describe, expect, test } from 'vitest';
import { SharedPV } from '../../src/channels/shared-pv.ts';
import { enumValue, ntEnum } from '../../src/protocol/normative/nt-enum.ts';
import { ntScalar, ntScalarArray } from '../../src/protocol/normative/nt-scalar.ts';
import { MESSAGE_WARNING } from '../../src/protocol/messages/message.ts';
import { error, OK, STATUS_ERROR } from '../../src/protocol/status.ts';
import { arrayOf, boundedString, double, int, string, structure } from '../../src/protocol/types/type-desc.ts';
import type { AnyValue, TypedStructure } from '../../src/protocol/types/value-of.ts';
import { parsePvRequest } from '../../src/protocol/pv-request.ts';
import { ManualClock } from '../../src/transport/manual-clock.ts';
import { hitsLimit } from '../support/hits-limit.ts';
import { configWith, makeWorld } from '../support/server-world.ts';

const SCALAR = ntScalar(double);
const LAST = 0x10;

/** A promise whose end is in the test's hands. */
function handle<T>() {
  let resolve: (value: T) => void = () => undefined;
  let reject: (reason: unknown) => void = () => undefined;
  const promise = new Promise<T>((onValue, onError) => {
    resolve = onValue;
    reject = onError;
  });
  return { promise, resolve, reject };
}

describe('GET', () => {
  const makePv = () => new SharedPV(SCALAR, { initial: { value: 4.5, alarm: { severity: 1 } } });

  test.each([false, true])('answers the full type and the fields that were ever set (big endian: %s)', async (big) => {
    const world = await makeWorld({ pvs: { x: makePv() }, byteOrder: big ? 'big' : 'little' });
    const client = await world.validated({ bigEndian: big });
    const sid = await client.createChannel('x');
    const ioid = await client.init('GET', sid);
    expect(client.take('GET')).toEqual({
      command: 'GET',
      phase: 'init',
      ioid,
      subcommand: 0x08,
      status: OK,
      type: SCALAR,
    });
    const { update, ...reply } = { update: null, ...(await client.get(sid, ioid)) };
    expect(reply).toEqual({ command: 'GET', phase: 'exec', ioid, subcommand: 0, status: OK });
    expect([...(update?.changed ?? [])]).toEqual([1, 3]);
    expect(update?.value).toMatchObject({ value: 4.5, alarm: { severity: 1, message: '' } });
  });

  test('answers what a field(...) selects of them', async () => {
    const world = await makeWorld({ pvs: { x: makePv() } });
    const client = await world.validated();
    const sid = await client.createChannel('x');
    const ioid = await client.init('GET', sid, 'field(alarm,timeStamp)');
    client.take('GET');
    const reply = await client.get(sid, ioid);
    expect('update' in reply && reply.update !== null && [...reply.update.changed]).toEqual([3]);
  });

  test('repeats the subcommand of the request; 0x10 is the last', async () => {
    const world = await makeWorld({ pvs: { x: makePv() } });
    const client = await world.validated();
    const sid = await client.createChannel('x');
    const ioid = await client.init('GET', sid);
    client.take('GET');
    expect((await client.get(sid, ioid, 0x40)).subcommand).toBe(0x40);
    expect((await client.get(sid, ioid, 0x50)).subcommand).toBe(0x50);
    await client.send({ command: 'GET', phase: 'exec', sid, ioid, subcommand: 0 });
    expect(client.heard).toEqual([]);
    expect(world.server.counters.unknownIds).toBe(1);
    // The id is free again.
    await client.send({ command: 'GET', phase: 'init', sid, ioid, subcommand: 0x08, pvRequest: null });
    expect(client.take('GET').phase).toBe('init');
  });

  test('refuses a pvRequest that names no field of the PV', async () => {
    const world = await makeWorld({ pvs: { x: makePv() } });
    const client = await world.validated();
    const sid = await client.createChannel('x');
    const ioid = await client.init('GET', sid, 'field(nosuch)');
    const reply = client.take('GET');
    expect(reply).toMatchObject({ phase: 'init', ioid, status: { type: STATUS_ERROR } });
    expect('status' in reply && reply.status.message).toContain("there is no 'nosuch'");
    // The operation does not exist: what is asked of it is ignored.
    await client.send({ command: 'GET', phase: 'exec', sid, ioid, subcommand: 0 });
    expect(client.heard).toEqual([]);
  });

  test('warns of a field that is not there beside one that is', async () => {
    const world = await makeWorld({ pvs: { x: makePv() } });
    const client = await world.validated();
    const sid = await client.createChannel('x');
    const ioid = await client.init('GET', sid, 'field(value,nosuch)');
    expect(client.take('GET')).toMatchObject({ status: OK });
    const { text, ...warning } = client.take('MESSAGE');
    expect(warning).toEqual({ command: 'MESSAGE', ioid, severity: MESSAGE_WARNING });
    expect(text).toMatch(/^pvRequest.*'nosuch'/);
  });

  test('a value that no wire takes is an error, not the end of the link', async () => {
    const type = structure({ label: boundedString(3) });
    const pv = new SharedPV(type);
    const world = await makeWorld({ pvs: { x: pv } });
    const client = await world.validated();
    const sid = await client.createChannel('x');
    const ioid = await client.init('GET', sid);
    client.take('GET');
    pv.post({ changed: new SharedPV(type, { initial: { label: 'abc' } }).state.changed, value: { label: 'too long' } });
    expect(await client.get(sid, ioid)).toMatchObject({ status: { type: STATUS_ERROR }, update: null });
  });
});

describe('PUT', () => {
  async function makePut(pv: SharedPV) {
    const world = await makeWorld({ pvs: { x: pv } });
    const client = await world.validated();
    const sid = await client.createChannel('x');
    const ioid = await client.init('PUT', sid);
    expect(client.take('PUT')).toMatchObject({ phase: 'init', subcommand: 0x08, status: OK, type: pv.type });
    return { world, client, sid, ioid };
  }

  test('a mailbox takes it, stamps it and gives it back with 0x40', async () => {
    const pv = SharedPV.mailbox(SCALAR, { clock: new ManualClock(1_700_000_000_250) });
    const { client, sid, ioid } = await makePut(pv);
    await client.put(sid, ioid, { value: 12.5 });
    expect(client.take('PUT')).toEqual({ command: 'PUT', phase: 'exec', ioid, subcommand: 0, status: OK });
    await client.send({ command: 'PUT', phase: 'get', sid, ioid, subcommand: 0x40 });
    expect(client.take('PUT')).toMatchObject({
      phase: 'get',
      ioid,
      subcommand: 0x40,
      status: OK,
      update: { value: { value: 12.5, timeStamp: { secondsPastEpoch: 1_700_000_000n, nanoseconds: 250_000_000 } } },
    });
    expect(pv.value.value).toBe(12.5);
  });

  test('a time stamp that the client puts stays', async () => {
    const pv = SharedPV.mailbox(SCALAR);
    const { client, sid, ioid } = await makePut(pv);
    await client.put(sid, ioid, { value: 1, timeStamp: { secondsPastEpoch: 5 } });
    expect(pv.value.timeStamp).toEqual({ secondsPastEpoch: 5n, nanoseconds: 0, userTag: 0 });
  });

  test('with 0x10 it is the last, and the reply says so too', async () => {
    const pv = SharedPV.mailbox(SCALAR);
    const { world, client, sid, ioid } = await makePut(pv);
    await client.put(sid, ioid, { value: 3 }, LAST);
    expect(client.take('PUT')).toMatchObject({ subcommand: LAST, status: OK });
    await client.put(sid, ioid, { value: 4 });
    expect(client.heard).toEqual([]);
    expect(pv.value.value).toBe(3);
    expect(world.server.counters.unknownIds).toBe(1);
  });

  test('only the fields that came are changed', async () => {
    const pv = SharedPV.mailbox(SCALAR, { initial: { value: 1, alarm: { severity: 2, message: 'high' } } });
    const { client, sid, ioid } = await makePut(pv);
    await client.put(sid, ioid, { alarm: { severity: 0 } });
    expect(pv.value).toMatchObject({ value: 1, alarm: { severity: 0, message: 'high' } });
  });

  test('what the handler sees: the fields, the merged value, the client, the options, and what it throws is the answer', async () => {
    const seen: unknown[] = [];
    const pv = new SharedPV(SCALAR, {
      initial: { value: 1, alarm: { severity: 2 } },
      onPut: ({ changed, value, peer, pvRequest }) => {
        seen.push({ changed: [...changed], value, peer, options: pvRequest?.value });
        throw new Error('not while the beam is on');
      },
    });
    const { client, sid, ioid } = await makePut(pv);
    const before = pv.state;
    await client.put(sid, ioid, { value: 7 });
    expect(client.take('PUT')).toMatchObject({
      status: { type: STATUS_ERROR, message: 'not while the beam is on', callTree: '' },
    });
    expect(pv.state).toBe(before);
    expect(seen).toMatchObject([
      {
        changed: [1],
        value: { value: 7, alarm: { severity: 2 } },
        peer: { user: 'anonymous', method: 'anonymous', address: '127.0.0.1' },
        options: { field: {} },
      },
    ]);
    // The operation lives on.
    await client.put(sid, ioid, { value: 8 });
    expect(client.take('PUT')).toMatchObject({ status: { type: STATUS_ERROR } });
  });

  test('a PV without a handler is read-only', async () => {
    const pv = new SharedPV(SCALAR, { initial: { value: 1 } });
    const { client, sid, ioid } = await makePut(pv);
    await client.put(sid, ioid, { value: 2 });
    expect(client.take('PUT')).toMatchObject({ status: { type: STATUS_ERROR, message: 'this PV is read-only' } });
    expect(pv.value.value).toBe(1);
  });

  test('an enum takes the index of a choice and no other', async () => {
    const pv = SharedPV.mailbox(ntEnum, { initial: { value: enumValue(['Off', 'On']) } });
    const { client, sid, ioid } = await makePut(pv);
    await client.put(sid, ioid, { 'value.index': 1 });
    expect(client.take('PUT')).toMatchObject({ status: OK });
    for (const index of [2, -1, 1000]) {
      const value = { ...pv.value, value: { index, choices: [] } };
      const update = {
        type: ntEnum,
        changed: new SharedPV(ntEnum, { initial: { 'value.index': 0 } }).state.changed,
        value,
      };
      await client.send({ command: 'PUT', phase: 'exec', sid, ioid, subcommand: 0, update });
      const reply = client.take('PUT');
      expect('status' in reply && reply.status.message).toMatch(/^value\.index: .*'Off', 'On'/);
    }
    expect(pv.value.value).toEqual({ index: 1, choices: ['Off', 'On'] });
  });

  test('an asynchronous handler is answered when it is done, and meanwhile a second put is refused', async () => {
    const done = handle<void>();
    const pv = new SharedPV(SCALAR, { onPut: () => done.promise });
    const { client, sid, ioid, world } = await makePut(pv);
    await client.put(sid, ioid, { value: 1 });
    expect(client.heard).toEqual([]);
    await client.put(sid, ioid, { value: 2 });
    const refused = client.take('PUT');
    expect('status' in refused && refused.status.message).toContain('still being carried out');
    done.resolve();
    await world.settle();
    expect(client.take('PUT')).toMatchObject({ status: OK });
  });

  test('an asynchronous handler that rejects is an error', async () => {
    const pv = new SharedPV(SCALAR, { onPut: () => Promise.reject(new Error('device is away')) });
    const { client, sid, ioid } = await makePut(pv);
    await client.put(sid, ioid, { value: 1 });
    expect(client.take('PUT')).toMatchObject({ status: { type: STATUS_ERROR, message: 'device is away' } });
  });

  test.each(['CANCEL_REQUEST', 'DESTROY_REQUEST'] as const)(
    '%s aborts the handler; what it says to that is not the answer',
    async (command) => {
      const done = handle<void>();
      const signals: AbortSignal[] = [];
      const pv = new SharedPV(SCALAR, {
        onPut: ({ signal }) => {
          signals.push(signal);
          return done.promise;
        },
      });
      const { client, sid, ioid, world } = await makePut(pv);
      await client.put(sid, ioid, { value: 1 });
      await client.send({ command, sid, ioid });
      expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
      done.reject(new Error('aborted'));
      await world.settle();
      // A request that is cancelled is answered, as the specification has it; one that is destroyed is not.
      const status = error('PUT was cancelled by its client');
      const answer = { command: 'PUT', phase: 'exec', ioid, subcommand: 0, status };
      expect(client.takeAll('PUT')).toEqual(command === 'CANCEL_REQUEST' ? [answer] : []);
      // Cancelled, the operation can be used again; destroyed, it is gone.
      await client.send({ command: 'PUT', phase: 'get', sid, ioid, subcommand: 0x40 });
      expect(client.heard.length).toBe(command === 'CANCEL_REQUEST' ? 1 : 0);
    },
  );

  test('the end of the link aborts the handler', async () => {
    const signals: AbortSignal[] = [];
    const pv = new SharedPV(SCALAR, {
      onPut: ({ signal }) => {
        signals.push(signal);
        return handle<void>().promise;
      },
    });
    const { client, sid, ioid, world } = await makePut(pv);
    await client.put(sid, ioid, { value: 1 });
    client.connection.destroy();
    await world.settle();
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
    expect(world.server.linkCount).toBe(0);
  });
});

describe('RPC', () => {
  const ARGUMENTS = structure({ a: int, b: int });
  const argument = (a: number, b: number): AnyValue => ({ type: ARGUMENTS, value: { a, b } });

  async function makeRpc(onCall?: (argument: AnyValue) => AnyValue | void | Promise<AnyValue | void>) {
    const pv = new SharedPV(SCALAR, onCall === undefined ? {} : { onCall: (call) => onCall(call.argument) });
    const world = await makeWorld({ pvs: { f: pv } });
    const client = await world.validated();
    const sid = await client.createChannel('f');
    const ioid = await client.init('RPC', sid);
    expect(client.take('RPC')).toEqual({ command: 'RPC', phase: 'init', ioid, subcommand: 0x08, status: OK });
    const call = (given: AnyValue, subcommand = 0) =>
      client.send({ command: 'RPC', phase: 'exec', sid, ioid, subcommand, argument: given });
    return { world, client, ioid, call };
  }

  test('answers with a type and a value', async () => {
    const { client, ioid, call } = await makeRpc((given) => {
      expect(given?.type).toBe(ARGUMENTS);
      return { type: structure({ sum: int }), value: { sum: 7 } };
    });
    await call(argument(3, 4), LAST);
    expect(client.take('RPC')).toEqual({
      command: 'RPC',
      phase: 'exec',
      ioid,
      subcommand: LAST,
      status: OK,
      result: { type: structure({ sum: int }), value: { sum: 7 } },
    });
    await call(argument(3, 4));
    expect(client.heard).toEqual([]);
  });

  test('nothing to say is the null type', async () => {
    const { client, call } = await makeRpc(() => undefined);
    await call(null);
    expect(client.take('RPC')).toMatchObject({ status: OK, result: null });
  });

  test('an asynchronous answer comes when it is there', async () => {
    const done = handle<void>();
    const { world, client, call } = await makeRpc(() => done.promise);
    await call(null);
    expect(client.heard).toEqual([]);
    await call(null);
    expect(client.take('RPC')).toMatchObject({ status: { type: STATUS_ERROR }, result: null });
    done.resolve();
    await world.settle();
    expect(client.take('RPC')).toMatchObject({ status: OK, result: null });
  });

  test.each([
    [
      'what it throws',
      () => {
        throw new Error('a is missing');
      },
      'a is missing',
    ],
    [
      'an error without words',
      () => {
        throw new Error('');
      },
      'gave no reason',
    ],
    [
      'a result that does not fit its type',
      () => ({ type: structure({ n: int }), value: { n: 'seven' } }),
      'RPC, field n: ',
    ],
  ] as const)('%s is the answer', async (_, onCall, expected) => {
    const { client, call } = await makeRpc(onCall);
    await call(argument(1, 2));
    const reply = client.take('RPC');
    expect(reply.status.type).toBe(STATUS_ERROR);
    expect(reply.status.message).toContain(expected);
    expect(client.isClosed).toBe(false);
  });

  test('a PV without a handler takes none', async () => {
    const { client, call } = await makeRpc();
    await call(argument(1, 2));
    expect(client.take('RPC')).toMatchObject({ status: { type: STATUS_ERROR, message: 'this PV takes no RPC' } });
  });
});

describe('GET_FIELD', () => {
  async function ask(subField: string) {
    const world = await makeWorld({ pvs: { x: new SharedPV(SCALAR) } });
    const client = await world.validated();
    const sid = await client.createChannel('x');
    await client.send({ command: 'GET_FIELD', sid, ioid: 77, subField });
    return client.take('GET_FIELD');
  }

  test('answers the type of the whole and of fields in it', async () => {
    expect(await ask('')).toEqual({ command: 'GET_FIELD', ioid: 77, status: OK, type: SCALAR });
    expect(await ask('value')).toMatchObject({ status: OK, type: double });
    expect(await ask('alarm.message')).toMatchObject({ status: OK, type: string });
  });

  test.each([
    ['nosuch', "x has no field 'nosuch': the whole has value, alarm, timeStamp"],
    ['alarm.nosuch', 'alarm has severity, status, message'],
    ['value.nosuch', 'value is a scalar, which has no fields'],
    ['alarm..', 'alarm has severity'],
    ['__proto__', 'the whole has value'],
  ])('says of %s that it is not there', async (subField, expected) => {
    const reply = await ask(subField);
    expect(reply).toMatchObject({ status: { type: STATUS_ERROR }, type: null });
    expect(reply.status.message).toContain(expected);
  });
});

describe('rules that all operations share', () => {
  const pvRequest = parsePvRequest('');

  test('a second INIT with a live id closes the link, and no other', async () => {
    const world = await makeWorld({ pvs: { x: new SharedPV(SCALAR) } });
    const client = await world.validated();
    const other = await world.validated();
    const sid = await client.createChannel('x');
    const ioid = await client.init('GET', sid);
    await client.send({ command: 'PUT', phase: 'init', sid, ioid, subcommand: 0x08, pvRequest });
    expect(client.isClosed).toBe(true);
    expect(world.notices.at(-1)).toMatchObject({ kind: 'linkClosed', level: 'warning' });
    expect(world.notices.at(-1)?.text).toContain(`PUT INIT with requestID ${ioid}, which is in use`);
    expect(await other.createChannel('x')).toBeGreaterThan(0);
    expect(world.server.counters.linksFaulted).toBe(1);
  });

  test('a request with the id of another command closes the link', async () => {
    const world = await makeWorld({ pvs: { x: new SharedPV(SCALAR) } });
    const client = await world.validated();
    const sid = await client.createChannel('x');
    const ioid = await client.init('GET', sid);
    await client.send({ command: 'RPC', phase: 'exec', sid, ioid, subcommand: 0, argument: null });
    expect(client.isClosed).toBe(true);
    expect(world.notices.at(-1)?.text).toContain(`RPC with requestID ${ioid}, which belongs to GET`);
  });

  test('requests on channels and operations that are not there are ignored and counted', async () => {
    const world = await makeWorld({ pvs: { x: new SharedPV(SCALAR) } });
    const client = await world.validated();
    const sid = await client.createChannel('x');
    await client.send(
      { command: 'GET', phase: 'init', sid: 999, ioid: 1, subcommand: 0x08, pvRequest },
      { command: 'PUT', phase: 'init', sid: 999, ioid: 1, subcommand: 0x08, pvRequest },
      { command: 'RPC', phase: 'init', sid: 999, ioid: 1, subcommand: 0x08, pvRequest },
      { command: 'MONITOR', phase: 'init', sid: 999, ioid: 1, subcommand: 0x08, pvRequest, window: 0 },
      { command: 'PROCESS', phase: 'init', sid: 999, ioid: 1, subcommand: 0x08, pvRequest },
      { command: 'GET_FIELD', sid: 999, ioid: 1, subField: '' },
      { command: 'GET', phase: 'exec', sid, ioid: 888, subcommand: 0 },
      { command: 'PUT', phase: 'get', sid, ioid: 888, subcommand: 0x40 },
      { command: 'MONITOR', phase: 'exec', sid, ioid: 888, subcommand: 0x44, acknowledged: 0 },
      { command: 'DESTROY_REQUEST', sid, ioid: 888 },
      { command: 'CANCEL_REQUEST', sid, ioid: 888 },
      { command: 'DESTROY_CHANNEL', sid: 999, cid: 1 },
    );
    expect(client.heard).toEqual([]);
    expect(client.isClosed).toBe(false);
    expect(world.server.counters.unknownIds).toBe(12);
  });

  test('an operation is found on its own channel only', async () => {
    const world = await makeWorld({ pvs: { x: new SharedPV(SCALAR), y: new SharedPV(SCALAR) } });
    const client = await world.validated();
    const sid = await client.createChannel('x');
    const otherSid = await client.createChannel('y');
    const ioid = await client.init('GET', sid);
    client.take('GET');
    await client.send({ command: 'GET', phase: 'exec', sid: otherSid, ioid, subcommand: 0 });
    expect(client.heard).toEqual([]);
    expect(world.server.counters.unknownIds).toBe(1);
  });

  test.each(['PUT', 'PUT_GET', 'RPC', 'PROCESS', 'ARRAY'] as const)(
    '%s keeps no pvRequest that is large, in its value or in its type',
    async (command) => {
      hitsLimit('maxPvRequestBytes');
      const x = new SharedPV(ntScalarArray(double), { onProcess: () => undefined });
      const world = await makeWorld({ pvs: { x } });
      const client = await world.validated();
      const sid = await client.createChannel('x');
      const init = async (request: TypedStructure) => {
        await client.send({ command, phase: 'init', sid, ioid: client.newId(), subcommand: 0x08, pvRequest: request });
        const reply = client.take(command);
        return 'status' in reply ? reply.status : undefined;
      };
      const value = parsePvRequest('value');
      const junk = structure({ field: value.type, junk: arrayOf(double) });
      const refused = {
        type: STATUS_ERROR,
        message: expect.stringContaining('maxPvRequestBytes allows 65536') as string,
      };
      expect(await init({ type: junk, value: { field: {}, junk: new Float64Array(8_192) } })).toMatchObject(refused);
      const long = structure({ ['x'.repeat(65_536)]: double });
      expect(await init({ type: structure({ long }), value: { long: {} } })).toMatchObject(refused);
      // What a client asks for that shows a table of many columns.
      const many = Array.from({ length: 1_000 }, (_, index) => `column${index}`).join();
      expect(await init(parsePvRequest(`value,${many}`))).toEqual(OK);
    },
  );

  test('past the limit of operations INIT is refused, until one is gone', async () => {
    hitsLimit('maxOperationsPerLink');
    const { limits } = configWith();
    const world = await makeWorld({
      pvs: { x: new SharedPV(SCALAR) },
      config: { limits: { ...limits, maxOperationsPerLink: 2 } },
    });
    const client = await world.validated();
    const sid = await client.createChannel('x');
    const first = await client.init('GET', sid);
    await client.initMonitor(sid);
    client.heard.length = 0;
    await client.init('GET', sid);
    expect(client.take('GET')).toMatchObject({
      status: { type: STATUS_ERROR, message: 'this link has 2 operations, no more are allowed on one' },
    });
    await client.send({ command: 'DESTROY_REQUEST', sid, ioid: first });
    await client.init('GET', sid);
    expect(client.take('GET')).toMatchObject({ status: OK });
  });
});
