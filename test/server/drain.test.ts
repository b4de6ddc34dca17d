// Does a server that is asked to end finish what is under way, take nothing new, and not wait for ever?

import { describe, expect, test } from 'vitest';
import { SharedPV } from '../../src/channels/shared-pv.ts';
import type { Source } from '../../src/channels/source.ts';
import { DEFAULT_LIMITS } from '../../src/protocol/limits.ts';
import { encodeMessage, type ClientMessageToSend } from '../../src/protocol/messages/index.ts';
import { SEARCH_MUST_REPLY, SEARCH_UNICAST } from '../../src/protocol/messages/search.ts';
import { ntScalar, ntScalarArray } from '../../src/protocol/normative/nt-scalar.ts';
import { OK } from '../../src/protocol/status.ts';
import { double } from '../../src/protocol/types/type-desc.ts';
import { coercePartial } from '../../src/protocol/values/coerce.ts';
import { Writer } from '../../src/protocol/writer.ts';
import type { Server } from '../../src/server/server.ts';
import { makeWorld } from '../support/server-world.ts';
import { hitsLimit } from '../support/hits-limit.ts';

const SCALAR = ntScalar(double);
const START = 0x44;

/** A PV whose puts stand still until `release`. */
function standingPv() {
  let release = (): void => undefined;
  const pv = new SharedPV(SCALAR, {
    initial: { value: 1 },
    onPut: (put, own) => new Promise<void>((resolve) => (release = () => resolve(own.post(put)))),
  });
  return { pv, release: () => release() };
}

/** Whether the drain is over, as it is now. */
function drainOf(server: Server) {
  const seen = { isOver: false };
  const over = server.drain().then(() => (seen.isOver = true));
  return { seen, over };
}

function putOf(sid: number, ioid: number, value: number): ClientMessageToSend {
  const update = { type: SCALAR, ...coercePartial(SCALAR, { value }) };
  return { command: 'PUT', phase: 'exec', sid, ioid, subcommand: 0, update };
}

function getOf(sid: number, ioid: number): ClientMessageToSend {
  return { command: 'GET', phase: 'exec', sid, ioid, subcommand: 0 };
}

function encoded(message: ClientMessageToSend): Uint8Array {
  const writer = new Writer(false);
  encodeMessage(writer, message, { fromServer: false });
  return writer.detach(0);
}

describe('while a server drains', () => {
  test('a put under way is answered, and its link ended then', async () => {
    const { pv, release } = standingPv();
    const world = await makeWorld({ pvs: { x: pv } });
    const [busy, idle] = [await world.validated(), await world.validated()];
    const sid = await busy.createChannel('x');
    const ioid = await busy.init('PUT', sid);
    busy.take('PUT');
    await busy.put(sid, ioid, { value: 2 });
    const { seen, over } = drainOf(world.server);
    await world.clock.advanceAsync(1_000);
    expect([busy.isClosed, idle.isClosed, seen.isOver]).toEqual([false, true, false]);
    release();
    await world.clock.until(over);
    await world.settle();
    expect(busy.take('PUT')).toMatchObject({ status: OK });
    expect(busy.isClosed).toBe(true);
    expect(pv.value.value).toBe(2);
    await world.clock.until(world.server.close());
    expect(world.clock.timerCount).toBe(0);
  });

  test('what a client begins is left without an answer until its link ends, so that it does so elsewhere', async () => {
    const { pv, release } = standingPv();
    const world = await makeWorld({ pvs: { x: pv } });
    const client = await world.validated();
    const sid = await client.createChannel('x');
    const ioid = await client.init('PUT', sid);
    client.take('PUT');
    await client.put(sid, ioid, { value: 2 });
    const { over } = drainOf(world.server);
    await world.settle();
    await client.send({ command: 'CREATE_CHANNEL', channels: [{ cid: 9, pvName: 'x' }] });
    await client.send({
      command: 'SEARCH',
      sequenceId: 1,
      flags: SEARCH_UNICAST | SEARCH_MUST_REPLY,
      responseAddress: '0.0.0.0',
      responsePort: 0,
      protocols: ['tcp'],
      names: [{ instanceId: 1, pvName: 'x' }],
    });
    client.heard.length = 0;
    for (const command of ['GET', 'PUT', 'RPC', 'PROCESS', 'ARRAY'] as const) await client.init(command, sid);
    await client.initMonitor(sid);
    await world.settle();
    expect(client.heard).toEqual([]);
    release();
    await world.clock.until(over);
    await world.settle();
    expect(client.heard.map(({ command }) => command)).toEqual(['PUT']);
    expect(client.isClosed).toBe(true);
  });

  test('a put that follows its INIT is carried out, and its link ends then', async () => {
    const pv = SharedPV.mailbox(SCALAR, { initial: { value: 1 } });
    const world = await makeWorld({ pvs: { x: pv } });
    const client = await world.validated();
    const sid = await client.createChannel('x');
    const ioid = await client.init('PUT', sid);
    client.take('PUT');
    const { over } = drainOf(world.server);
    await world.clock.advanceAsync(50);
    await client.put(sid, ioid, { value: 2 });
    expect(client.take('PUT')).toMatchObject({ status: OK });
    await client.send({ command: 'DESTROY_REQUEST', sid, ioid });
    const before = world.clock.now();
    await world.clock.until(over);
    expect(world.clock.now() - before).toBeLessThanOrEqual(20);
    expect(pv.value.value).toBe(2);
  });

  test('a put that has come half is read to its end, carried out and answered', async () => {
    const pv = SharedPV.mailbox(SCALAR, { initial: { value: 1 } });
    const world = await makeWorld({ pvs: { x: pv } });
    const client = await world.validated();
    const sid = await client.createChannel('x');
    const ioid = await client.init('PUT', sid);
    client.take('PUT');
    const bytes = encoded(putOf(sid, ioid, 2));
    await client.sendBytes(bytes.subarray(0, 12));
    const { over } = drainOf(world.server);
    await world.clock.advanceAsync(1_000);
    expect(client.isClosed).toBe(false);
    await client.sendBytes(bytes.subarray(12));
    expect(client.take('PUT')).toMatchObject({ status: OK });
    await world.clock.until(over);
    await world.settle();
    expect([client.isClosed, pv.value.value]).toEqual([true, 2]);
  });

  test('a put behind answers that its client has not taken yet is carried out and answered', async () => {
    const wave = new SharedPV(ntScalarArray(double), { initial: { value: new Float64Array(4_000) } });
    const pv = SharedPV.mailbox(SCALAR, { initial: { value: 1 } });
    const limits = { ...DEFAULT_LIMITS, readPauseBytes: 16 * 1_024 };
    const world = await makeWorld({ pvs: { wave, pv }, config: { limits } });
    const client = await world.validated();
    const [waveSid, pvSid] = [await client.createChannel('wave'), await client.createChannel('pv')];
    const [get, put] = [await client.init('GET', waveSid), await client.init('PUT', pvSid)];
    client.heard.length = 0;
    client.connection.pause();
    const gets = Array.from({ length: 6 }, () => getOf(waveSid, get));
    await client.send(...gets, putOf(pvSid, put, 2));
    const { over } = drainOf(world.server);
    await world.clock.advanceAsync(1_000);
    client.connection.resume();
    await world.clock.until(over);
    await world.settle();
    expect([client.takeAll('GET').length, client.take('PUT')]).toMatchObject([6, { status: OK }]);
    expect([client.isClosed, pv.value.value]).toEqual([true, 2]);
  });

  test('one that does not follow is waited for 100 ms', async () => {
    const { pv } = standingPv();
    const world = await makeWorld({ pvs: { x: pv } });
    const client = await world.validated();
    await client.init('PUT', await client.createChannel('x'));
    const before = world.clock.now();
    await world.clock.until(world.server.drain());
    expect(world.clock.now() - before).toBe(100);
  });

  test('nobody finds it and nobody gets in', async () => {
    const { pv } = standingPv();
    const world = await makeWorld({ pvs: { x: pv } });
    const client = await world.validated();
    const sid = await client.createChannel('x');
    const ioid = await client.init('PUT', sid);
    client.take('PUT');
    await client.put(sid, ioid, { value: 2 });
    const { tcpPort, counters } = world.server;
    void drainOf(world.server);
    await world.clock.advanceAsync(100);
    const connecting = world.host.connectTcp({ address: '127.0.0.1', port: tcpPort });
    await expect(world.clock.until(connecting)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    const sent = counters.beaconsSent;
    await world.clock.advanceAsync(4_000);
    expect(world.server.counters.beaconsSent).toBe(sent);
  });

  test('updates that wait for a slow client are sent', async () => {
    const pv = new SharedPV(ntScalarArray(double), { initial: { value: new Float64Array(4_000) } });
    const world = await makeWorld({
      pvs: { w: pv },
      config: { limits: { ...DEFAULT_LIMITS, monitorPauseBytes: 64 * 1_024 } },
    });
    const client = await world.validated();
    const sid = await client.createChannel('w');
    const ioid = await client.initMonitor(sid, 'record[queueSize=50]field()');
    await client.steer(sid, ioid, START);
    client.heard.length = 0;
    client.connection.pause();
    for (let index = 1; index <= 30; index++) pv.post({ value: new Float64Array(4_000).fill(index) });
    await world.settle();
    const { seen, over } = drainOf(world.server);
    await world.clock.advanceAsync(500);
    expect(seen.isOver).toBe(false);
    client.connection.resume();
    await world.clock.until(over);
    await world.clock.until(world.server.close());
    expect(client.updates(ioid)).toHaveLength(30);
    expect(client.isClosed).toBe(true);
  });

  test('a stopped monitor, or one whose window is closed, is not waited for', async () => {
    const pv = new SharedPV(SCALAR, { initial: { value: 1 } });
    const world = await makeWorld({ pvs: { x: pv } });
    const client = await world.validated();
    const sid = await client.createChannel('x');
    await client.initMonitor(sid);
    const ioid = await client.initMonitor(sid, 'record[pipeline=true,queueSize=4]field()', 1);
    await client.steer(sid, ioid, START);
    pv.post({ value: 2 });
    pv.post({ value: 3 });
    await world.settle();
    const before = world.clock.now();
    await world.clock.until(world.server.drain());
    expect(world.clock.now() - before).toBeLessThan(10);
  });

  test('a channel that is being opened is waited for', async () => {
    let give = (): void => undefined;
    const pv = new SharedPV(SCALAR, { initial: { value: 1 } });
    const source: Source = {
      has: () => true,
      open: () => new Promise((resolve) => (give = () => resolve(pv))),
      names: () => [],
      revision: 0,
    };
    const world = await makeWorld({ sources: [source] });
    const client = await world.validated();
    await client.send({ command: 'CREATE_CHANNEL', channels: [{ cid: 1, pvName: 'slow' }] });
    const { seen, over } = drainOf(world.server);
    await world.clock.advanceAsync(300);
    expect(seen.isOver).toBe(false);
    give();
    await world.clock.until(over);
    expect(client.take('CREATE_CHANNEL').status).toEqual(OK);
  });

  test('what never ends is waited for so long and no longer', async () => {
    hitsLimit('drainMs');
    const { pv } = standingPv();
    const world = await makeWorld({ pvs: { x: pv }, config: { limits: { ...DEFAULT_LIMITS, drainMs: 2_000 } } });
    const client = await world.validated();
    const sid = await client.createChannel('x');
    const ioid = await client.init('PUT', sid);
    client.take('PUT');
    await client.put(sid, ioid, { value: 2 });
    const { seen, over } = drainOf(world.server);
    await world.clock.advanceAsync(1_900);
    expect(seen.isOver).toBe(false);
    await world.clock.advanceAsync(200);
    expect(seen.isOver).toBe(true);
    await over;
    await world.clock.until(world.server.close());
    expect(client.isClosed).toBe(true);
    expect(pv.value.value).toBe(1);
  });

  test('who was busy for longer is let go when it is through, to look elsewhere', async () => {
    const { pv, release } = standingPv();
    const world = await makeWorld({ pvs: { x: pv } });
    const client = await world.validated();
    const sid = await client.createChannel('x');
    const ioid = await client.init('PUT', sid);
    client.take('PUT');
    await client.put(sid, ioid, { value: 2 });
    await world.clock.until(world.server.drain(300));
    expect(client.isClosed).toBe(false);
    release();
    await world.clock.advanceAsync(50);
    expect(client.take('PUT')).toMatchObject({ status: OK });
    expect(client.isClosed).toBe(true);
    await world.clock.until(world.server.close());
    expect(world.clock.timerCount).toBe(0);
  });

  test('draining twice is draining once, and without listening it is nothing', async () => {
    const world = await makeWorld();
    expect(world.server.drain()).toBe(world.server.drain());
    await world.clock.until(world.server.close());
    await world.server.drain();
    expect(world.notices.filter(({ kind }) => kind === 'draining')).toHaveLength(1);
  });
});
