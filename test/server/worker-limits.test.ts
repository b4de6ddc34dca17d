// Is what a client makes large refused where it asks, and never a fault of the worker that it happens to be with?

import { describe, expect, test } from 'vitest';
import { SharedPV } from '../../src/channels/shared-pv.ts';
import { DEFAULT_LIMITS } from '../../src/protocol/limits.ts';
import { OK, STATUS_ERROR } from '../../src/protocol/status.ts';
import { arrayOf, string, structure } from '../../src/protocol/types/type-desc.ts';
import { parsePvRequest } from '../../src/protocol/pv-request.ts';
import type { AnyValue } from '../../src/protocol/types/value-of.ts';
import { makeCrew, scalarPv, SCALAR, watch } from '../support/crew-world.ts';
import { hitsLimit } from '../support/hits-limit.ts';
import { makeWorld } from '../support/server-world.ts';
import type { WireClient } from '../support/wire-client.ts';

const STRINGS = structure('', { value: arrayOf(string) });
/** So many objects of a message. */
const strings = (count: number): AnyValue => ({
  type: STRINGS,
  value: { value: Array.from({ length: count }, () => '') },
});

async function call(client: WireClient, sid: number, pvRequest: AnyValue, argument: AnyValue) {
  const ioid = client.newId();
  await client.send({ command: 'RPC', phase: 'init', sid, ioid, subcommand: 0x08, pvRequest });
  expect(client.take('RPC')).toMatchObject({ phase: 'init', status: OK });
  await client.send({ command: 'RPC', phase: 'exec', sid, ioid, subcommand: 0, argument });
  return client.take('RPC');
}

describe('a worker', () => {
  test('has a call carried out whose request and argument are each as large as is allowed', async () => {
    hitsLimit('maxValueNodes');
    const limits = { ...DEFAULT_LIMITS, maxValueNodes: 100 };
    const echo = new SharedPV(SCALAR, { onCall: ({ argument }) => argument });
    const { connect, clock, processes, notices, close } = await makeCrew({ pvs: { echo }, config: { limits } });
    const client = await connect();
    const sid = await client.createChannel('echo');
    expect(await call(client, sid, strings(95), strings(95))).toMatchObject({ status: OK });
    await clock.advanceAsync(1_000);
    expect(notices.filter(({ level }) => level === 'error')).toEqual([]);
    expect([client.isClosed, processes.startedCount]).toEqual([false, 2]);
    await close();
  });

  test('refuses the one call whose result is larger than it takes', async () => {
    const limits = { ...DEFAULT_LIMITS, maxValueNodes: 100 };
    const generous = new SharedPV(SCALAR, { onCall: () => strings(1_000) });
    const { connect, clock, processes, close } = await makeCrew({ pvs: { generous }, config: { limits } });
    const client = await connect();
    const sid = await client.createChannel('generous');
    const { status } = await call(client, sid, parsePvRequest(''), null);
    expect(status.type).toBe(STATUS_ERROR);
    expect(status.message).toMatch(/maxValueNodes/u);
    await clock.advanceAsync(1_000);
    expect([client.isClosed, processes.startedCount]).toEqual([false, 2]);
    await close();
  });

  test('allows its links its share of the channels and operations of all', async () => {
    const limits = { ...DEFAULT_LIMITS, maxOpenBytes: 20_000 };
    const { connect, notices, clock, close } = await makeCrew({ pvs: { x: scalarPv() }, config: { limits } });
    const client = await connect();
    for (let index = 0; index < 15; index++) await client.createChannel('x');
    expect(client.isClosed).toBe(false);
    await client.send({ command: 'ECHO', payload: new Uint8Array() });
    await clock.advanceAsync(100);
    expect(client.isClosed).toBe(true);
    const texts = notices.map(({ text }) => text);
    expect(texts.find((text) => text.includes('10000 are allowed'))).toContain('bytes of channels and operations');
    await close();
  });

  test('whose client says more than one message takes goes on', async () => {
    const limits = { ...DEFAULT_LIMITS, maxBodyBytes: 10_000, maxMessageCharacters: 9_000 };
    const { connect, clock, processes, close } = await makeCrew({ config: { limits } });
    const client = await connect();
    // Each of these characters takes six in JSON.
    await client.send({ command: 'MESSAGE', ioid: 1, severity: 0, text: '\u0001'.repeat(9_000) });
    await clock.advanceAsync(1_000);
    expect([client.isClosed, processes.startedCount]).toEqual([false, 2]);
    await close();
  });

  test('is told of more names than one message takes', async () => {
    const limits = { ...DEFAULT_LIMITS, maxBodyBytes: 10_000 };
    const { connect, clock, server, processes, workersOf, close } = await makeCrew({ config: { limits } });
    for (let count = 0; count < 3_000; count++) server.add(`area:device:number:${count}`, scalarPv());
    await clock.advanceAsync(200);
    await watch(await connect(), 'area:device:number:2999');
    // One that comes later gets all of them at once.
    workersOf()[0]?.kill();
    await clock.advanceAsync(1_000);
    expect([processes.startedCount, workersOf().length]).toEqual([3, 2]);
    for (let count = 0; count < 3_000; count++) server.remove(`area:device:number:${count}`);
    await clock.advanceAsync(200);
    expect(processes.startedCount).toBe(3);
    await close();
  });
});

describe('why a link is closed', () => {
  test('is logged as far as a sentence goes, whatever of it the client has said', async () => {
    const world = await makeWorld();
    const client = await world.validated();
    const name = Buffer.alloc(50_000, 'x');
    const size = Buffer.from([0xfe, 0, 0, 0xc3, 0x50]);
    // Credentials: a structure of two fields of one name.
    const type = [Buffer.from([0x80, 0, 2]), size, name, Buffer.from([0x43]), size, name, Buffer.from([0x43])];
    const body = Buffer.concat([Buffer.from([0, 1, 0, 0, 0x7f, 0xff, 0, 0, 2]), Buffer.from('ca'), ...type]);
    const header = Buffer.from([0xca, 2, 0x80, 1, 0, 0, 0, 0]);
    header.writeUInt32BE(body.length, 4);
    await client.sendBytes(Buffer.concat([header, body]));
    expect(client.isClosed).toBe(true);
    const { text = '' } = world.notices.at(-1) ?? {};
    expect(text).toContain("two fields named 'xxx");
    expect(text.length).toBeLessThan(1_100);
  });
});

describe('what a client says to a person', () => {
  test('is logged as far as a sentence goes', async () => {
    hitsLimit('maxMessageCharacters');
    const world = await makeWorld();
    const client = await world.validated();
    await client.send({ command: 'MESSAGE', ioid: 1, severity: 0, text: 'x'.repeat(1_000) });
    expect(world.notices.at(-1)?.text).toMatch(/request 1: x{1000}$/u);
    await client.send({ command: 'MESSAGE', ioid: 1, severity: 0, text: 'x'.repeat(100_000) });
    expect(world.notices.at(-1)?.text).toMatch(/request 1: x{1000}\.\.\. \(100000 characters\)$/u);
  });
});
