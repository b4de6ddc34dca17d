// What does the server tell of itself to pvxlist, pvlist and people?
import { describe, expect, test } from 'vitest';
import { SharedPV } from '../../src/channels/shared-pv.ts';
import { ntScalar } from '../../src/protocol/normative/nt-scalar.ts';
import { OK, STATUS_ERROR } from '../../src/protocol/status.ts';
import { double, string, structure } from '../../src/protocol/types/type-desc.ts';
import type { AnyValue } from '../../src/protocol/types/value-of.ts';
import { makeWorld } from '../support/server-world.ts';
import packageJson from '../../package.json' with { type: 'json' };

const PLAIN = structure({ op: string });
const URI = structure('epics:nt/NTURI:1.0', { scheme: string, path: string, query: structure({ op: string }) });
const plain = (op: string): AnyValue => ({ type: PLAIN, value: { op } });
const uri = (op: string): AnyValue => ({ type: URI, value: { scheme: 'pva', path: 'server', query: { op } } });

async function makeServer() {
  const pv = () => new SharedPV(ntScalar(double));
  const world = await makeWorld({ pvs: { 'lab:b': pv(), 'lab:a': pv() } });
  const client = await world.validated();
  const sid = await client.createChannel('server');
  const ioid = await client.init('RPC', sid);
  client.take('RPC');
  async function call(argument: AnyValue) {
    await client.send({ command: 'RPC', phase: 'exec', sid, ioid, subcommand: 0, argument });
    const reply = client.take('RPC');
    return { status: reply.status, result: 'result' in reply ? reply.result : null };
  }
  return { world, client, sid, call };
}

describe('RPC on server', () => {
  test.each([
    ['plain', plain],
    ['in an NTURI', uri],
  ])('op=channels lists the names, sorted (%s)', async (_, ask) => {
    const { call, world } = await makeServer();
    expect(await call(ask('channels'))).toMatchObject({ status: OK, result: { value: { value: ['lab:a', 'lab:b'] } } });
    world.server.add('lab:c', new SharedPV(ntScalar(double)));
    expect(await call(ask('channels'))).toMatchObject({ result: { value: { value: ['lab:a', 'lab:b', 'lab:c'] } } });
  });

  test('op=channels is an NTScalarArray of text, op=help an NTScalar', async () => {
    const { call } = await makeServer();
    expect((await call(plain('channels'))).result?.type).toMatchObject({ id: 'epics:nt/NTScalarArray:1.0' });
    const help = await call(plain('help'));
    expect(help.result?.type).toMatchObject({ id: 'epics:nt/NTScalar:1.0' });
    expect(help).toMatchObject({
      status: OK,
      result: { value: { value: expect.stringContaining('op=channels') as unknown } },
    });
  });

  test('an argument help is answered whatever it holds', async () => {
    const { call } = await makeServer();
    const asked = await call({ type: structure({ help: double }), value: { help: 1 } });
    expect(asked).toMatchObject({ status: OK, result: { type: { id: 'epics:nt/NTScalar:1.0' } } });
  });

  test('op=info tells language and version', async () => {
    const { call } = await makeServer();
    expect(await call(uri('info'))).toMatchObject({
      status: OK,
      result: { value: { implLang: 'typescript', version: packageJson.version } },
    });
  });

  test.each([
    [
      'another op',
      plain('reboot'),
      "op 'reboot' is not known; channels, info, describe, definitions, create, destroy, help are",
    ],
    ['an op that is a name of every object', plain('constructor'), "op 'constructor' is not known"],
    [
      'no op',
      { type: structure({ x: double }), value: { x: 1 } },
      "the argument 'op' is missing; channels, info, describe, definitions, create, destroy, help are",
    ],
    ['nothing', null, "the argument 'op' is missing"],
  ])('%s is an error that lists what there is', async (_, argument, expected) => {
    const { call } = await makeServer();
    const { status, result } = await call(argument);
    expect(status.type).toBe(STATUS_ERROR);
    expect(status.message).toContain(expected);
    expect(result).toBeNull();
  });
});

describe('server as any other PV', () => {
  test('can be read and watched, not written', async () => {
    const { client, sid } = await makeServer();
    const get = await client.init('GET', sid);
    client.take('GET');
    expect(await client.get(sid, get)).toMatchObject({ update: { value: { implLang: 'typescript' } } });
    const ioid = await client.initMonitor(sid);
    await client.steer(sid, ioid, 0x44);
    client.take('MONITOR');
    expect(client.updates(ioid)).toMatchObject([{ value: { implLang: 'typescript' } }]);
    await client.steer(sid, ioid, 0x10);
    const put = await client.init('PUT', sid);
    client.take('PUT');
    await client.put(sid, put, { version: '9' });
    expect(client.take('PUT')).toMatchObject({ status: { type: STATUS_ERROR } });
  });

  test('is not among the names', async () => {
    const { world } = await makeServer();
    expect(world.server.names()).toEqual(['lab:a', 'lab:b']);
  });
});
