// What does a client get where the answer would be more than any peer reads in one message?

import { describe, expect, test } from 'vitest';

import { SharedPV } from '../../src/channels/shared-pv.ts';
import { msgpack } from '../../src/protocol/codecs/msgpack.ts';
import { pva } from '../../src/protocol/codecs/pva.ts';
import { DEFAULT_LIMITS } from '../../src/protocol/limits.ts';
import { OK, STATUS_ERROR } from '../../src/protocol/status.ts';
import { arrayOf, structure, ubyte } from '../../src/protocol/types/type-desc.ts';
import { hitsLimit } from '../support/hits-limit.ts';
import { makeWorld } from '../support/server-world.ts';
import { WireClient } from '../support/wire-client.ts';

const TYPE = structure({ value: arrayOf(ubyte) });
const LARGE = new Uint8Array(DEFAULT_LIMITS.maxBodyBytes);
const MSGPACK_PORT = 5099;

const refused = {
  type: STATUS_ERROR,
  message: expect.stringMatching(/message to send: \d+ asked, maxBodyBytes allows \d+/u) as unknown,
};

async function makeClient(codec = pva, maxBodyBytes = DEFAULT_LIMITS.maxBodyBytes) {
  const pv = new SharedPV(TYPE, {
    initial: { value: LARGE },
    onPut: (put, self) => self.post(put),
    onCall: () => ({ type: TYPE, value: { value: LARGE } }),
  });
  const limits = { ...DEFAULT_LIMITS, maxBodyBytes };
  const world = await makeWorld({ pvs: { x: pv }, config: { msgpackPort: MSGPACK_PORT, limits } });
  const { host, settle, clock } = world;
  const port = codec === pva ? world.server.tcpPort : MSGPACK_PORT;
  const client = await clock.until(WireClient.connect(host, port, { codec, settle }));
  client.take('CONNECTION_VALIDATION');
  await client.validate();
  return { client, pv, sid: await client.createChannel('x') };
}

describe.each([pva, msgpack])('as $name', (codec) => {
  test('GET, and the reading of PUT and PUT_GET, are answered with an error, and the link goes on', async () => {
    hitsLimit('maxBodyBytes');
    const { client, pv, sid } = await makeClient(codec);
    const get = await client.init('GET', sid);
    client.take('GET');
    expect(await client.get(sid, get)).toMatchObject({ status: refused, update: null });
    const put = await client.init('PUT', sid);
    client.take('PUT');
    await client.send({ command: 'PUT', phase: 'get', sid, ioid: put, subcommand: 0x40 });
    expect(client.take('PUT')).toMatchObject({ status: refused, update: null });
    const putGet = await client.init('PUT_GET', sid);
    client.take('PUT_GET');
    await client.send({ command: 'PUT_GET', phase: 'getGet', sid, ioid: putGet, subcommand: 0x40 });
    expect(client.take('PUT_GET')).toMatchObject({ status: refused, update: null });
    pv.post({ value: new Uint8Array(3) });
    expect(await client.get(sid, get)).toMatchObject({ status: OK, update: { value: { value: new Uint8Array(3) } } });
  });

  test('RPC is answered with an error', async () => {
    hitsLimit('maxBodyBytes');
    const { client, sid } = await makeClient(codec);
    const ioid = await client.init('RPC', sid);
    client.take('RPC');
    await client.send({ command: 'RPC', phase: 'exec', sid, ioid, subcommand: 0, argument: null });
    expect(client.take('RPC')).toMatchObject({ phase: 'exec', status: refused, result: null });
    expect(client.isClosed).toBe(false);
  });

  test('a monitor ends with an error', async () => {
    hitsLimit('maxBodyBytes');
    const { client, sid } = await makeClient(codec);
    const ioid = await client.initMonitor(sid);
    client.take('MONITOR');
    await client.steer(sid, ioid, 0x44);
    expect(client.take('MONITOR')).toMatchObject({ phase: 'final', status: refused });
  });
});

test('a part of a large array is read with ARRAY', async () => {
  const { client, sid } = await makeClient();
  const ioid = await client.init('ARRAY', sid, 'field(value)');
  client.take('ARRAY');
  const get = { command: 'ARRAY', phase: 'get', sid, ioid, subcommand: 0x40, offset: 0, stride: 1 } as const;
  await client.send({ ...get, count: 0 });
  expect(client.take('ARRAY')).toMatchObject({ status: refused, array: null });
  await client.send({ ...get, count: 4 });
  expect(client.take('ARRAY')).toMatchObject({ status: OK, array: { value: new Uint8Array(4) } });
});

test('a server that reads less than others sends as much as they read', async () => {
  const { client, pv, sid } = await makeClient(pva, 1_000);
  pv.post({ value: new Uint8Array(100_000) });
  const ioid = await client.init('GET', sid);
  client.take('GET');
  expect(await client.get(sid, ioid)).toMatchObject({ status: OK });
});
