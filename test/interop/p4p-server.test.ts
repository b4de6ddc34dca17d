// Does pvkit, as a library and on the command line, read, write, watch and call a server of p4p (pvxs underneath)?

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { Context } from '../../src/client/context.ts';
import { getLines } from './support/cli-json.ts';
import { expectCommandReads } from './support/command-reads.ts';
import { pvkit } from './support/command.ts';
import { inputOf, wordOf } from './support/inputs.ts';
import { contextOf, firstTagged, p4pInfo, taggedGet } from './support/library.ts';
import { endEverything, type Environment } from './support/line-process.ts';
import { clientEnvironment, freeUdpPort, LOOPBACK, nameServerEnvironment } from './support/loopback.ts';
import { P4pClient } from './support/p4p-client.ts';
import { startP4pServer, type ServedAt } from './support/peers.ts';
import { expectSame } from './support/same.ts';
import { fieldAt, taggedOf, withoutChanged, type Tagged } from './support/tagged.ts';

let server: ServedAt;
let udp: Environment;
let tcp: Environment;
let p4p: P4pClient;

beforeAll(async () => {
  server = await startP4pServer();
  udp = clientEnvironment(server.udpPort);
  tcp = nameServerEnvironment(server.tcpPort, await freeUdpPort());
  p4p = await P4pClient.start(udp);
});
afterAll(endEverything);

/** All PVs that rest. */
function restingNames(): readonly string[] {
  return server.names.filter((name) => name !== 'peer:counter');
}

describe.each([
  { how: 'a UDP search', environment: () => udp },
  { how: 'a name server over TCP', environment: () => tcp },
])('a client of pvkit that finds p4p by $how', ({ environment }) => {
  let context: Context;

  beforeAll(() => {
    context = contextOf(environment());
  });
  afterAll(async () => {
    await context.close();
  });

  it('reads every PV as p4p does', async () => {
    for (const pvName of server.names) {
      await expectSame(
        pvName,
        () => taggedGet(context, pvName),
        async () => withoutChanged(await p4p.get(pvName)),
      );
    }
  });

  it('learns the type that p4p sees', async () => {
    const types = await p4p.types(server.names);
    for (const [index, pvName] of server.names.entries()) {
      expect(await p4pInfo(context, pvName), pvName).toEqual(types[index]);
    }
  });

  it('reads every PV as p4p does, on the command line', async () => {
    await expectCommandReads(restingNames(), `${LOOPBACK}:${server.tcpPort}`, environment(), p4p);
  });

  it('begins a monitor of every PV with what p4p reads', async () => {
    for (const pvName of restingNames()) {
      const seen = withoutChanged(await p4p.get(pvName));
      expect(await firstTagged(context, pvName), pvName).toEqual(seen);
      expect(await firstTagged(context, pvName, { pipeline: true, queueSize: 4 }), pvName).toEqual(seen);
    }
  });

  it('watches a put of p4p', async () => {
    const seen: Tagged[] = [];
    for await (const { type, value } of context.monitor('peer:double', { request: 'field(value)' })) {
      seen.push(fieldAt(taggedOf(type, value), 'value') ?? null);
      if (seen.length === 1) await p4p.put('peer:double', { value: 1.25 });
      if (seen.length === 2) await p4p.put('peer:double', { value: 6.02e23 });
      if (seen.length === 3) break;
    }
    expect(seen).toEqual([6.02e23, 1.25, 6.02e23]);
  });

  it('calls a service', async () => {
    const sum = await context.rpc('peer:add', { lhs: 2, rhs: 3.5 });
    expect(sum?.type).toMatchObject({ id: 'epics:nt/NTScalar:1.0' });
    expect(sum?.value).toMatchObject({ value: 5.5 });
  });
});

const PUTS: readonly { readonly pvName: string; readonly puts: readonly Tagged[] }[] = [
  { pvName: 'peer:boolean', puts: [false, true] },
  { pvName: 'peer:byte', puts: [127, -128] },
  { pvName: 'peer:ubyte', puts: [255, 0] },
  { pvName: 'peer:short', puts: [32_767, -32_768] },
  { pvName: 'peer:ushort', puts: [65_535, 0] },
  { pvName: 'peer:int', puts: [2_147_483_647, -2_147_483_648] },
  { pvName: 'peer:uint', puts: [4_294_967_295, 0] },
  { pvName: 'peer:long', puts: [{ int: '9223372036854775807' }, { int: '-9223372036854775808' }, -1] },
  { pvName: 'peer:ulong', puts: [{ int: '18446744073709551615' }, { int: '9007199254740993' }] },
  { pvName: 'peer:float', puts: [Math.fround(0.1), -1.5] },
  { pvName: 'peer:double', puts: [5e-324, -1.7976931348623157e308, 6.02e23] },
  { pvName: 'peer:string', puts: ['say "日本"\nand\ttab', 'Grüße, κόσμε'] },
  {
    pvName: 'peer:doubles',
    puts: [{ array: 'float64', items: Array.from({ length: 5_000 }, (_, index) => index / 3) }],
  },
  { pvName: 'peer:longs', puts: [{ array: 'int64', items: [{ int: '9223372036854775807' }, 0] }] },
  { pvName: 'peer:shorts', puts: [{ array: 'int16', items: [1, -2, 3] }] },
  { pvName: 'peer:strings', puts: [['a b', '', '"']] },
  { pvName: 'peer:booleans', puts: [{ array: 'bool', items: [true, true, false, true] }] },
];

describe('puts to a p4p server', () => {
  let context: Context;

  beforeAll(() => {
    context = contextOf(udp);
  });
  afterAll(async () => {
    await context.close();
  });

  it.each(PUTS)('by the library change $pvName, which p4p and pvkit then read', async ({ pvName, puts }) => {
    for (const value of puts) {
      await context.put(pvName, { value: inputOf(value) });
      expect(fieldAt(await p4p.get(pvName), 'value')).toEqual(value);
      expect(fieldAt(await taggedGet(context, pvName), 'value')).toEqual(value);
    }
  });

  it.each(PUTS)('on the command line change $pvName, which p4p then reads', async ({ pvName, puts }) => {
    for (const value of puts.toReversed()) {
      expect(await pvkit(['put', '--', pvName, wordOf(value)], udp)).toEqual({ code: 0, stdout: '', stderr: '' });
      expect(fieldAt(await p4p.get(pvName), 'value')).toEqual(value);
    }
  });

  it('choose of an enum by label and by index', async () => {
    await context.put('peer:enum', 'Fault');
    expect(fieldAt(await p4p.get('peer:enum'), 'value', 'index')).toBe(2);
    await context.put('peer:enum', 0);
    expect(fieldAt(await p4p.get('peer:enum'), 'value', 'index')).toBe(0);
    expect(await pvkit(['put', 'peer:enum', 'Fault'], udp)).toMatchObject({ code: 0, stderr: '' });
    expect(fieldAt(await p4p.get('peer:enum'), 'value', 'index')).toBe(2);
    expect(await pvkit(['put', 'peer:enum', '1'], udp)).toMatchObject({ code: 0, stderr: '' });
    expect(fieldAt(await p4p.get('peer:enum'), 'value', 'index')).toBe(1);
  });

  it('of a label that an enum does not have fail before anything is sent', async () => {
    await expect(context.put('peer:enum', 'Broken')).rejects.toThrow(/'Off', 'On', 'Fault'.*'Broken'/u);
    const { code, stderr } = await pvkit(['put', 'peer:enum', 'Broken'], udp);
    expect(code).toBe(1);
    expect(stderr).toMatch(/'Off', 'On', 'Fault'.*'Broken'/u);
    expect(fieldAt(await p4p.get('peer:enum'), 'value', 'index')).toBe(1);
  });

  it('reach members of unions, contents of any, lists of structures and inner fields', async () => {
    const { type, value } = await context.getUpdate('peer:longs');
    await context.put('peer:odd', {
      any: { type, value },
      choice: { select: 'number', value: 2.5 },
      rows: [{ x: 3, label: 'three' }],
      inner: { deep: { leaf: -(2n ** 63n) } },
    });
    const odd = withoutChanged(await p4p.get('peer:odd'));
    expect(odd).toEqual(await taggedGet(context, 'peer:odd'));
    expect(fieldAt(odd, 'any')).toEqual(taggedOf(type, value));
    expect(fieldAt(odd, 'choice')).toBe(2.5);
    expect(fieldAt(odd, 'rows')).toEqual([{ structure: 'row_t', fields: { x: 3, label: 'three' } }]);
    expect(fieldAt(odd, 'inner', 'deep', 'leaf')).toEqual({ int: '-9223372036854775808' });
    expect(fieldAt(odd, 'inner', 'flag')).toBe(true);
  });

  it('of FIELD=VALUE and of JSON set the fields that they name, and no others', async () => {
    expect(
      await pvkit(['put', 'peer:odd', 'inner.flag=false', 'choice={"select":"text","value":"cli"}'], udp),
    ).toMatchObject({ code: 0, stderr: '' });
    expect(await pvkit(['put', 'peer:odd', '{"inner":{"deep":{"leaf":"4611686018427387905"}}}'], udp)).toMatchObject({
      code: 0,
      stderr: '',
    });
    const odd = await p4p.get('peer:odd');
    expect(fieldAt(odd, 'inner', 'flag')).toBe(false);
    expect(fieldAt(odd, 'choice')).toBe('cli');
    expect(fieldAt(odd, 'inner', 'deep', 'leaf')).toEqual({ int: '4611686018427387905' });
  });

  it.each([
    { pvName: 'peer:picky', value: '101', sentence: 'more than 100 is too much' },
    { pvName: 'peer:readonly', value: '1', sentence: 'Put not supported' },
  ])('that $pvName refuses end with exit code 1 and the sentence of p4p', async ({ pvName, value, sentence }) => {
    const before = await p4p.get(pvName);
    await expect(p4p.put(pvName, { value: Number(value) })).rejects.toThrow(sentence);
    await expect(context.put(pvName, { value: Number(value) })).rejects.toThrow(sentence);
    const { code, stdout, stderr } = await pvkit(['put', pvName, value], udp);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(sentence);
    expect(stderr).toContain(pvName);
    expect(withoutChanged(await p4p.get(pvName))).toEqual(withoutChanged(before));
  });

  it('that do not fit the type fail before anything is sent', async () => {
    const { code, stderr } = await pvkit(['put', 'peer:ubyte', '256'], udp);
    expect(code).toBe(1);
    expect(stderr).toMatch(/peer:ubyte.*256/u);
    await expect(context.put('peer:ubyte', 256)).rejects.toThrow(/256/u);
    await expect(context.put('peer:ubyte', { valeu: 1 })).rejects.toThrow(/valeu/u);
  });
});

describe('the command line and a p4p server', () => {
  it('prints what a service answers, and why it fails', async () => {
    const { code, stdout } = await pvkit(['call', '--json', 'peer:add', 'lhs=2', 'rhs=3.5'], udp);
    expect(code).toBe(0);
    expect(getLines(stdout)).toMatchObject([{ name: 'peer:add', value: { value: 5.5 } }]);
    const failed = await pvkit(['call', 'peer:add', 'lhs=x', 'rhs=3.5'], udp);
    expect(failed).toMatchObject({ code: 1, stdout: '' });
    expect(failed.stderr).toContain('cannot add:');
  });

  it('times out on a PV that nobody has, with exit code 1 and its name', async () => {
    const { code, stderr } = await pvkit(['get', '-w', '0.5', 'peer:double', 'peer:nobody-has-this'], udp);
    expect(code).toBe(1);
    expect(stderr).toContain('peer:nobody-has-this');
    expect(stderr).not.toContain('peer:double');
  });

  it('finds the server and lists its PVs', async () => {
    const servers = await pvkit(['list', '-w', '1'], udp);
    expect(servers).toMatchObject({ code: 0, stderr: '' });
    expect(servers.stdout).toContain(`${LOOPBACK}:${server.tcpPort}`);
    const names = await pvkit(['list', `${LOOPBACK}:${server.tcpPort}`], udp);
    expect(names).toMatchObject({ code: 0, stderr: '' });
    expect(names.stdout.trim().split('\n').toSorted()).toEqual(server.names.toSorted());
  });

  it('says that the server lives', async () => {
    const began = performance.now();
    expect(await pvkit(['probe', `${LOOPBACK}:${server.udpPort}`], udp)).toMatchObject({ code: 0 });
    expect(performance.now() - began).toBeLessThan(2_000);
    expect(await pvkit(['probe', `${LOOPBACK}:${await freeUdpPort()}`], udp)).toMatchObject({ code: 1 });
  });

  it('measures round-trip times over TCP', async () => {
    const echo = await pvkit(['echo', '-c', '3', `${LOOPBACK}:${server.tcpPort}`], udp);
    expect(echo).toMatchObject({ code: 0, stderr: '' });
    expect(echo.stdout.match(/ms/gu)?.length).toBeGreaterThanOrEqual(3);
  });
});
