// Do core-pva (the implementation of Phoebus) and pvkit understand each other: its `pvaclient` with our server, our client
// with its server?

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { Context } from '../../src/client/context.ts';
import { getLines } from './support/cli-json.ts';
import { pvkit } from './support/command.ts';
import { EVERY_TYPE, everyTypeConfig, MORE_NAMES } from './support/every-type.ts';
import { inputOf, wordOf } from './support/inputs.ts';
import { contextOf, taggedGet } from './support/library.ts';
import { endEverything, LineProcess, type Environment } from './support/line-process.ts';
import { clientEnvironment, freeUdpPort, LOOPBACK, nameServerEnvironment } from './support/loopback.ts';
import { startJavaServer, startOddServer, startPvkit, type ServedAt } from './support/peers.ts';
import {
  blocksOf,
  javaEnvironment,
  javaTypeLines,
  javaReadingLines,
  plainLines,
  pvaclient,
  PVACLIENT,
} from './support/pvaclient.ts';
import { fieldAt, type Tagged } from './support/tagged.ts';

afterAll(endEverything);

const EVERY_NAME = [...EVERY_TYPE.map(({ pvName }) => pvName), ...MORE_NAMES];
/** Those that rest, or stay for a while. */
const DEMO_NAMES = ['demo:enum', 'demo:string', 'demo:int64', 'demo:slow', 'demo:setpoint', 'demo:add'];

describe('pvaclient and pvkit serve', () => {
  let server: ServedAt;
  let udp: Environment;
  let context: Context;

  beforeAll(async () => {
    server = await startPvkit([everyTypeConfig(), '--demo']);
    udp = clientEnvironment(server.udpPort);
    context = contextOf(udp);
  });
  afterAll(async () => {
    await context.close();
    expect(await server.process.end('SIGTERM')).toBe(0);
  });

  async function expectReads(names: readonly string[], environment: Environment): Promise<void> {
    const { stdout } = await pvaclient(['get', ...names], environment);
    const blocks = blocksOf(stdout);
    for (const pvName of names) {
      const reading = await context.getUpdate(pvName);
      expect(plainLines(blocks.get(pvName) ?? []), pvName).toEqual(javaReadingLines(reading));
    }
  }

  it('get reads a PV of every type as pvkit does, found by a UDP search', async () => {
    await expectReads([...EVERY_NAME, ...DEMO_NAMES], udp);
  });

  it('get reads a PV of every type as pvkit does, found by a name server over TCP', async () => {
    await expectReads(EVERY_NAME, nameServerEnvironment(server.tcpPort, await freeUdpPort()));
  });

  it('info prints the types of all demo PVs', async () => {
    const names = [
      ...EVERY_NAME,
      ...DEMO_NAMES,
      'demo:table',
      'demo:struct',
      'demo:image',
      'demo:sine',
      'demo:waveform',
    ];
    const { stdout } = await pvaclient(['info', ...names], udp);
    const blocks = blocksOf(stdout);
    for (const pvName of names) {
      const { type } = await context.info(pvName);
      expect(blocks.get(pvName), pvName).toEqual(javaTypeLines(type));
    }
  });

  it('info prints the type of one field', async () => {
    const { stdout } = await pvaclient(['info', '-r', 'display', 'demo:setpoint'], udp);
    const { type } = await context.info('demo:setpoint', { subField: 'display' });
    expect(blocksOf(stdout).get('demo:setpoint')).toEqual(javaTypeLines(type));
  });

  it('get prints a table, an image and a structure with a union that move', async () => {
    const { stdout } = await pvaclient(['get', 'demo:table', 'demo:image', 'demo:struct'], udp);
    const blocks = blocksOf(stdout);
    expect(blocks.get('demo:table')).toContain('        string[] magnet [QF1, QD1, QF2, QD2, BEND]');
    expect(blocks.get('demo:image')?.join('\n')).toMatch(/ubyte\[\] ubyteValue \[(\d+, ){3071}\d+\]/u);
    expect(blocks.get('demo:struct')?.join('\n')).toMatch(/(idle|ramp|hold) entered/u);
  });

  it.each([
    { pvName: 'every:double', word: '-12.5', seen: -12.5 },
    { pvName: 'every:int', word: '77', seen: 77 },
    { pvName: 'every:string', word: 'by Java', seen: 'by Java' },
    { pvName: 'demo:setpoint', word: '33.25', seen: 33.25 },
  ])('put writes $pvName', async ({ pvName, word, seen }) => {
    await pvaclient(['put', '--', pvName, word], udp);
    expect(fieldAt(await taggedGet(context, pvName), 'value')).toBe(seen);
  });

  it('put chooses of an enum', async () => {
    await pvaclient(['put', '-r', 'value.index', 'more:enum', '2'], udp);
    expect(fieldAt(await taggedGet(context, 'more:enum'), 'value', 'index')).toBe(2);
  });

  it.each([
    { pvName: 'demo:setpoint', word: '200', sentence: 'value 200 is outside of the limits 0 to 100' },
    { pvName: 'more:readonly', word: '1', sentence: 'read-only' },
  ])('put to $pvName is refused with a sentence', async ({ pvName, word, sentence }) => {
    const before = await context.get(pvName);
    const { stdout, stderr } = await pvaclient(['put', pvName, word], udp);
    expect(stdout + stderr).toContain(sentence);
    expect(await context.get(pvName)).toEqual(before);
  });

  it('monitor shows what pvkit puts', async () => {
    const monitor = new LineProcess('java', [...PVACLIENT, 'monitor', 'every:long'], javaEnvironment(udp));
    await monitor.lineWith('long value ');
    for (const value of [5n, 2n ** 62n, -1n]) {
      await context.put('every:long', value);
      expect(await monitor.lineWith('long value ')).toBe(`    long value ${value}`);
    }
    await monitor.end('SIGKILL');
  });

  it('monitor follows a counter', async () => {
    const monitor = new LineProcess(
      'java',
      [...PVACLIENT, 'monitor', '-r', 'value', 'demo:fast'],
      javaEnvironment(udp),
    );
    const counts: number[] = [];
    while (counts.length < 30) counts.push(Number((await monitor.lineWith('uint value ')).split(' ').at(-1)));
    for (const [index, count] of counts.slice(1).entries()) expect(count).toBeGreaterThan(counts[index] ?? Infinity);
    await monitor.end('SIGKILL');
  });
});

describe('pvaclient and a big-endian server of pvkit', () => {
  it('reads, calls, and is told why a call fails', async () => {
    const server = await startOddServer('big');
    const udp = clientEnvironment(server.udpPort);
    const context = contextOf(udp);
    const names = [
      'odd:double',
      'odd:doubles',
      'odd:table',
      'odd:image',
      'odd:union',
      'odd:namevalue',
      'odd:unset-scalar',
    ];
    const blocks = blocksOf((await pvaclient(['get', ...names], udp)).stdout);
    for (const pvName of names) {
      const reading = await context.getUpdate(pvName);
      expect(plainLines(blocks.get(pvName) ?? []), pvName).toEqual(javaReadingLines(reading));
    }
    const called = await pvaclient(['call', 'odd:hello'], udp);
    expect(called.stdout).toContain('string value hello');
    const failed = await pvaclient(['call', 'odd:fail'], udp);
    expect(failed.stdout + failed.stderr).toContain('this service always fails');
    await context.close();
    expect(await server.process.end()).toBe(0);
  });
});

const PUTS: readonly { readonly pvName: string; readonly puts: readonly Tagged[] }[] = [
  { pvName: 'java:boolean', puts: [false, true] },
  { pvName: 'java:byte', puts: [127, -128] },
  { pvName: 'java:ubyte', puts: [0, 255] },
  { pvName: 'java:short', puts: [32_767, -32_768] },
  { pvName: 'java:ushort', puts: [0, 65_535] },
  { pvName: 'java:int', puts: [2_147_483_647, -2_147_483_648] },
  { pvName: 'java:uint', puts: [0, 4_294_967_295] },
  { pvName: 'java:long', puts: [{ int: '9223372036854775807' }, { int: '-9223372036854775808' }] },
  { pvName: 'java:ulong', puts: [0, { int: '18446744073709551615' }] },
  { pvName: 'java:float', puts: [Math.fround(0.1), 1.5] },
  { pvName: 'java:double', puts: [5e-324, 6.02e23] },
  { pvName: 'java:string', puts: ['日本', 'Grüße, κόσμε'] },
  {
    pvName: 'java:doubles',
    puts: [{ array: 'float64', items: Array.from({ length: 5_000 }, (_, index) => index / 3) }],
  },
  { pvName: 'java:longs', puts: [{ array: 'int64', items: [{ int: '9223372036854775807' }, 0, -1] }] },
  { pvName: 'java:ints', puts: [{ array: 'int32', items: [7, -7] }] },
  { pvName: 'java:strings', puts: [['a b', '', 'c']] },
];

describe('pvkit and a server of core-pva', () => {
  let server: ServedAt;
  let udp: Environment;
  let context: Context;

  beforeAll(async () => {
    server = await startJavaServer();
    udp = clientEnvironment(server.udpPort);
    context = contextOf(udp);
  });
  afterAll(async () => {
    await context.close();
    await server.process.end();
  });

  async function javaLines(pvName: string): Promise<readonly string[]> {
    return plainLines(blocksOf((await pvaclient(['get', pvName], udp)).stdout).get(pvName) ?? []);
  }

  it.each([
    { how: 'a UDP search', environment: () => Promise.resolve(udp) },
    { how: 'a name server', environment: async () => nameServerEnvironment(server.tcpPort, await freeUdpPort()) },
  ])('find each other by $how and see the same values and types', async ({ environment }) => {
    const client = contextOf(await environment());
    const names = server.names.filter((name) => name !== 'java:counter');
    const values = blocksOf((await pvaclient(['get', ...names], udp)).stdout);
    const types = blocksOf((await pvaclient(['info', ...names], udp)).stdout);
    for (const pvName of names) {
      expect(javaReadingLines(await client.getUpdate(pvName)), pvName).toEqual(plainLines(values.get(pvName) ?? []));
      expect(javaTypeLines((await client.info(pvName)).type), pvName).toEqual(types.get(pvName));
    }
    await client.close();
  });

  it('agree about unions, any and structures in lists', async () => {
    const odd = await taggedGet(context, 'java:odd');
    expect(odd).toEqual({
      structure: 'odd_t',
      fields: {
        any: 7,
        choice: 'chosen',
        rows: [
          { structure: 'row_t', fields: { x: 1, label: 'one' } },
          { structure: 'row_t', fields: { x: 2, label: 'two' } },
        ],
        inner: {
          structure: 'inner_t',
          fields: { flag: true, deep: { structure: 'structure', fields: { leaf: { int: '4611686018427387904' } } } },
        },
      },
    });
  });

  it.each(PUTS)('agree about what pvkit puts into $pvName', async ({ pvName, puts }) => {
    for (const value of puts) {
      await context.put(pvName, { value: inputOf(value) });
      const reading = await context.getUpdate(pvName);
      expect(fieldAt(await taggedGet(context, pvName), 'value')).toEqual(value);
      expect(await javaLines(pvName)).toEqual(javaReadingLines(reading));
    }
  });

  it('choose of an enum by its label', async () => {
    await context.put('java:enum', 'Fault');
    expect(await javaLines('java:enum')).toContain('        int index 2');
    expect(await pvkit(['put', 'java:enum', 'Off'], udp)).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(await javaLines('java:enum')).toContain('        int index 0');
  });

  it('write, read and describe on the command line', async () => {
    expect(await pvkit(['put', 'java:long', wordOf({ int: '9007199254740993' })], udp)).toMatchObject({
      code: 0,
      stderr: '',
    });
    const get = await pvkit(['get', '--json', 'java:long', 'java:ulong'], udp);
    expect(get).toMatchObject({ code: 0, stderr: '' });
    expect(getLines(get.stdout)).toMatchObject([
      { name: 'java:long', value: { value: '9007199254740993' } },
      { name: 'java:ulong', value: { value: '18446744073709551615' } },
    ]);
    const info = await pvkit(['info', 'java:long'], udp);
    expect(info).toMatchObject({ code: 0, stderr: '' });
    expect(info.stdout).toContain(`java:long from ${LOOPBACK}:${server.tcpPort}`);
  });

  it.each([
    { pvName: 'java:readonly', sentence: 'No write access to java:readonly' },
    { pvName: 'java:picky', sentence: 'Write failed' },
  ])('refuse a put to $pvName with exit code 1 and the sentence of core-pva', async ({ pvName, sentence }) => {
    await expect(context.put(pvName, 101)).rejects.toThrow(sentence);
    const { code, stdout, stderr } = await pvkit(['put', pvName, '101'], udp);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(sentence);
    expect(fieldAt(await taggedGet(context, pvName), 'value')).not.toBe(101);
  });

  it('call a service', async () => {
    const sum = await context.rpc('java:add', { lhs: 2, rhs: 3.5 });
    expect(sum?.value).toMatchObject({ value: 5.5 });
    const { code, stdout } = await pvkit(['call', '--json', 'java:add', 'lhs=2', 'rhs=3.5'], udp);
    expect(code).toBe(0);
    expect(getLines(stdout)).toMatchObject([{ name: 'java:add', value: { value: 5.5 } }]);
    await expect(context.rpc('java:add', { lhs: 2 })).rejects.toThrow(/rhs/u);
  });

  it('find that core-pva ignores monitors with a window, and say so', async () => {
    // Its server compares the subcommand 0x88 with 0x08, logs a warning, and does not answer.
    const updates = context.monitor('java:counter', { pipeline: true, queueSize: 4, timeoutMs: 1_000 });
    await expect(updates.next()).rejects.toThrow(/java:counter: timed out after 1 s: .*no reply to MONITOR INIT/u);
  });

  it('count up without going back in a monitor', async () => {
    const counts: number[] = [];
    for await (const { value } of context.monitor('java:counter')) {
      counts.push(Number(value['value']));
      if (counts.length === 30) break;
    }
    for (const [index, count] of counts.slice(1).entries()) expect(count).toBeGreaterThan(counts[index] ?? Infinity);
  });

  it('list the server', async () => {
    const { code, stdout } = await pvkit(['list', '-w', '1'], udp);
    expect(code).toBe(0);
    expect(stdout).toContain(`:${server.tcpPort}`);
  });
});
