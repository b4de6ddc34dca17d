// Does a server put, process and read in one step, of the fields that the client asked for, and refuse with a sentence?

import { describe, expect, test } from 'vitest';
import type { PutRequest } from '../../src/channels/channel.ts';
import { SharedPV } from '../../src/channels/shared-pv.ts';
import { BitSet } from '../../src/protocol/bit-set.ts';
import { ntScalar } from '../../src/protocol/normative/nt-scalar.ts';
import { error, OK } from '../../src/protocol/status.ts';
import { double, int, string, structure } from '../../src/protocol/types/type-desc.ts';
import type { PvValue } from '../../src/protocol/types/value-of.ts';
import { coercePartial } from '../../src/protocol/values/coerce.ts';
import { makeWorld } from '../support/server-world.ts';

const TYPE = structure('three_t', { value: int, text: string, count: int });
const LAST = 0x10;

/** A status with this in its message. */
const saying = (text: string) => ({ message: expect.stringContaining(text) as unknown });
const GET_GET = 0x40;
const GET_PUT = 0x80;

async function makePutGet(pv: SharedPV<typeof TYPE>, request = '') {
  const world = await makeWorld({ pvs: { x: pv } });
  const client = await world.validated();
  const sid = await client.createChannel('x');
  const ioid = await client.init('PUT_GET', sid, request);
  const putGet = async (patch: unknown, subcommand = 0) => {
    const update = { type: TYPE, ...coercePartial(TYPE, patch) };
    await client.send({ command: 'PUT_GET', phase: 'exec', sid, ioid, subcommand, update });
  };
  const read = (phase: 'getGet' | 'getPut', subcommand: number) =>
    client.send({ command: 'PUT_GET', phase, sid, ioid, subcommand });
  return { world, client, sid, ioid, putGet, read };
}

const full = { value: 1, text: 'one', count: 5 };
const make = (options: Partial<ConstructorParameters<typeof SharedPV<typeof TYPE>>[1]> = {}) =>
  new SharedPV(TYPE, { initial: full, onPut: (put, pv) => pv.post(put), ...options });

describe('INIT of PUT_GET', () => {
  test('offers the type of the channel for both halves', async () => {
    const { client, ioid } = await makePutGet(make(), 'putField(value)getField(text)');
    expect(client.take('PUT_GET')).toEqual({
      command: 'PUT_GET',
      phase: 'init',
      ioid,
      subcommand: 0x08,
      status: OK,
      putType: TYPE,
      getType: TYPE,
    });
  });

  test.each(['putField(nosuch)', 'getField(nosuch)', 'field(nosuch)'])('%s selects nothing', async (request) => {
    const { client, sid, ioid } = await makePutGet(make(), request);
    const reply = client.take('PUT_GET');
    expect(reply).toMatchObject({ phase: 'init', putType: null, getType: null });
    expect('status' in reply && reply.status.message).toContain("there is no 'nosuch'");
    await client.send({ command: 'PUT_GET', phase: 'getGet', sid, ioid, subcommand: GET_GET });
    expect(client.heard).toEqual([]);
  });
});

describe('PUT_GET', () => {
  test('puts what came and answers with the fields of getField', async () => {
    const pv = make();
    const { client, ioid, putGet } = await makePutGet(pv, 'putField(value)getField(value,count)');
    client.take('PUT_GET');
    await putGet({ value: 7 });
    const reply = client.take('PUT_GET');
    expect(reply).toMatchObject({ phase: 'exec', ioid, subcommand: 0, status: OK, update: { type: TYPE } });
    expect(shown(reply)).toEqual({ changed: [1, 3], value: { value: 7, text: '', count: 5 } });
    expect(pv.value).toEqual({ value: 7, text: 'one', count: 5 });
  });

  test('`field` stands for the halves that are not named', async () => {
    const { client, putGet } = await makePutGet(make(), 'field(value,text)getField(count)');
    client.take('PUT_GET');
    await putGet({ text: 'two' });
    expect(shown(client.take('PUT_GET'))).toEqual({ changed: [3], value: { value: 0, text: '', count: 5 } });
  });

  test('leaves what putField does not select as it is', async () => {
    const seen: PutRequest[] = [];
    const pv = make({
      onPut: (put, self) => {
        seen.push(put);
        self.post(put);
      },
    });
    const { client, putGet } = await makePutGet(pv, 'putField(value)');
    client.take('PUT_GET');
    await putGet({ value: 7, text: 'seven', count: 9 });
    expect(client.take('PUT_GET')).toMatchObject({ status: OK });
    expect(pv.value).toEqual({ value: 7, text: 'one', count: 5 });
    // A handler that takes the whole value does not see the rest either.
    expect(seen.map(({ changed, value }) => [[...changed], value])).toEqual([[[1], { ...full, value: 7 }]]);
  });

  test('refuses a put of nothing that putField selects', async () => {
    const pv = make();
    const { client, putGet } = await makePutGet(pv, 'putField(value)');
    client.take('PUT_GET');
    await putGet({ text: 'seven', count: 9 });
    expect(client.take('PUT_GET')).toMatchObject({
      phase: 'exec',
      status: error('nothing to put: putField does not select text, count'),
      update: null,
    });
    expect(pv.value).toEqual(full);
  });

  test('get-put and get-get read without an effect', async () => {
    const calls: string[] = [];
    const pv = make({ onPut: () => void calls.push('put'), onProcess: () => void calls.push('process') });
    const { client, read } = await makePutGet(pv, 'putField(value)getField(text)');
    client.take('PUT_GET');
    await read('getPut', GET_PUT);
    const put = client.take('PUT_GET');
    expect(put).toMatchObject({ phase: 'getPut', subcommand: GET_PUT, status: OK });
    expect(shown(put)).toEqual({ changed: [1], value: { value: 1, text: '', count: 0 } });
    await read('getGet', GET_GET);
    const got = client.take('PUT_GET');
    expect(got).toMatchObject({ phase: 'getGet', subcommand: GET_GET });
    expect(shown(got)).toEqual({ changed: [2], value: { value: 0, text: 'one', count: 0 } });
    expect(calls).toEqual([]);
  });

  test.each([
    ['exec', LAST],
    ['getGet', GET_GET | LAST],
    ['getPut', GET_PUT | LAST],
  ] as const)('%s with 0x10 is the last', async (phase, subcommand) => {
    const { world, client, putGet, read } = await makePutGet(make());
    client.take('PUT_GET');
    if (phase === 'exec') await putGet({ value: 2 }, subcommand);
    else await read(phase, subcommand);
    expect(client.take('PUT_GET')).toMatchObject({ phase, subcommand, status: OK });
    await read('getGet', GET_GET);
    expect(client.heard).toEqual([]);
    expect(world.server.counters.unknownIds).toBe(1);
  });

  test.each([
    ['', ['put 7', 'process'], 14],
    ['record[process=true]', ['put 7', 'process'], 14],
    ['record[process=false]', ['put 7'], 7],
  ])('"%s": %j', async (request, expected, value) => {
    const calls: string[] = [];
    const pv = make({
      onPut: (put, self) => {
        calls.push(`put ${Number(put.value['value'])}`);
        self.post(put);
      },
      onProcess: (_, self) => {
        calls.push('process');
        self.post({ value: self.value.value * 2 });
      },
    });
    const { client, putGet } = await makePutGet(pv, request);
    client.take('PUT_GET');
    await putGet({ value: 7 });
    expect(shown(client.take('PUT_GET')).value).toMatchObject({ value });
    expect(calls).toEqual(expected);
  });

  test('of nothing processes and reads, even where nothing may be put', async () => {
    const pv = new SharedPV(TYPE, {
      initial: full,
      onProcess: (_, self) => self.post({ count: self.value.count + 1 }),
    });
    const { client, putGet } = await makePutGet(pv);
    client.take('PUT_GET');
    await putGet({});
    expect(shown(client.take('PUT_GET')).value).toMatchObject({ count: 6 });
    await putGet({ value: 1 });
    expect(client.take('PUT_GET')).toMatchObject({ status: saying('read-only') });
    expect(pv.value.count).toBe(6);
  });

  test('waits for an asynchronous put before it processes, and for that before it answers', async () => {
    const calls: string[] = [];
    const { releasePut, releaseProcess, pv } = makeSlow(calls);
    const { client, putGet, world } = await makePutGet(pv);
    client.take('PUT_GET');
    await putGet({ value: 2 });
    expect([calls, client.heard]).toEqual([['put'], []]);
    // A second request before the answer to the first.
    await putGet({ value: 3 });
    expect(client.take('PUT_GET')).toMatchObject({
      status: saying('still being carried'),
    });
    releasePut();
    await world.settle();
    expect([calls, client.heard]).toEqual([['put', 'process'], []]);
    releaseProcess();
    await world.settle();
    expect(client.take('PUT_GET')).toMatchObject({ phase: 'exec', status: OK });
  });

  test('that is cancelled during the put is answered so, and not processed', async () => {
    const calls: string[] = [];
    const { releasePut, pv } = makeSlow(calls);
    const { client, putGet, sid, ioid, world } = await makePutGet(pv);
    client.take('PUT_GET');
    await putGet({ value: 2 });
    await client.send({ command: 'CANCEL_REQUEST', sid, ioid });
    expect(client.take('PUT_GET')).toMatchObject({
      status: error('PUT_GET was cancelled by its client'),
      update: null,
    });
    releasePut();
    await world.settle();
    expect([calls, client.heard]).toEqual([['put'], []]);
  });

  test('that is refused by either handler is answered with the reason', async () => {
    const pv = make({
      onPut: ({ value }) => {
        if (value['value'] === 13) throw new Error('not 13');
      },
      onProcess: () => Promise.reject(new Error('device is away')),
    });
    const { client, putGet, world } = await makePutGet(pv);
    client.take('PUT_GET');
    await putGet({ value: 13 });
    expect(client.take('PUT_GET')).toMatchObject({ status: error('not 13'), update: null });
    await putGet({ value: 14 });
    await world.settle();
    expect(client.take('PUT_GET')).toMatchObject({ status: error('device is away'), update: null });
  });

  test('ends with its channel, in the middle of everything', async () => {
    const signals: AbortSignal[] = [];
    const pv = make({
      onPut: ({ signal }) => {
        signals.push(signal);
        return new Promise(() => {});
      },
    });
    const { client, putGet, world } = await makePutGet(pv);
    client.take('PUT_GET');
    const before = world.clock.timerCount;
    await putGet({ value: 2 });
    pv.close();
    await world.settle();
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
    expect(client.heard.map(({ command }) => command)).toEqual(['DESTROY_CHANNEL']);
    expect(world.clock.timerCount).toBe(before);
  });
});

describe('what is put', () => {
  test('is read over the value as it is when it comes', async () => {
    const pv = SharedPV.mailbox(ntScalar(double), { initial: { value: 1, alarm: { severity: 2, message: 'high' } } });
    const world = await makeWorld({ pvs: { x: pv } });
    const client = await world.validated();
    const sid = await client.createChannel('x');
    const ioid = await client.init('PUT_GET', sid);
    client.take('PUT_GET');
    pv.post({ 'alarm.message': 'higher' });
    const { type } = pv;
    const update = { type, changed: BitSet.of(1), value: { ...pv.value, value: 2 } };
    await client.send({ command: 'PUT_GET', phase: 'exec', sid, ioid, subcommand: 0, update });
    expect(pv.value).toMatchObject({ value: 2, alarm: { severity: 2, message: 'higher' } });
  });
});

/** Handlers that stand still until they are released. */
function makeSlow(calls: string[]) {
  let releasePut = (): void => {};
  let releaseProcess = (): void => {};
  const pv = make({
    onPut: () => {
      calls.push('put');
      return new Promise((resolve) => (releasePut = resolve));
    },
    onProcess: () => {
      calls.push('process');
      return new Promise((resolve) => (releaseProcess = resolve));
    },
  });
  return { pv, releasePut: () => releasePut(), releaseProcess: () => releaseProcess() };
}

function shown(reply: { readonly phase: string; readonly update?: unknown }): { changed: number[]; value: PvValue } {
  const { update } = reply as { update: { changed: BitSet; value: PvValue } | null };
  if (update === null) throw new Error('no data in the reply');
  return { changed: [...update.changed], value: update.value };
}
