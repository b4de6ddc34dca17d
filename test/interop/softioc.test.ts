// Does pvkit, as a library and on the command line, read, write and watch the records of a real IOC?

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { Context } from '../../src/client/context.ts';
import { expectCommandReads } from './support/command-reads.ts';
import { pvkit } from './support/command.ts';
import { contextOf, firstTagged, p4pInfo, taggedGet } from './support/library.ts';
import { endEverything, type Environment } from './support/line-process.ts';
import { clientEnvironment, freeUdpPort, LOOPBACK, nameServerEnvironment } from './support/loopback.ts';
import { P4pClient } from './support/p4p-client.ts';
import { startSoftIoc, type ServedAt } from './support/peers.ts';
import { expectSame } from './support/same.ts';
import { fieldAt, taggedOf, withoutChanged, type Tagged } from './support/tagged.ts';
import { nextUpdate } from './support/updates.ts';

const RESTING = [
  'ioc:ai',
  'ioc:ao',
  'ioc:longin',
  'ioc:int64',
  'ioc:string',
  'ioc:mbbo',
  'ioc:bo',
  'ioc:waveform',
  'ioc:disabled',
  'ioc:grp:x',
  'ioc:grp:n',
  'ioc:group',
  // Any field of a record is a PV, too.
  'ioc:ai.DESC',
  'ioc:ai.HIHI',
  'ioc:ao.DRVH',
];

let server: ServedAt;
let udp: Environment;
let tcp: Environment;
let p4p: P4pClient;

beforeAll(async () => {
  server = await startSoftIoc();
  udp = clientEnvironment(server.udpPort);
  tcp = nameServerEnvironment(server.tcpPort, await freeUdpPort());
  p4p = await P4pClient.start(udp);
});
afterAll(endEverything);

describe.each([
  { how: 'a UDP search', environment: () => udp },
  { how: 'a name server over TCP', environment: () => tcp },
])('a client of pvkit that finds an IOC by $how', ({ environment }) => {
  let context: Context;

  beforeAll(() => {
    context = contextOf(environment());
  });
  afterAll(async () => {
    await context.close();
  });

  it('reads every record as p4p does', async () => {
    for (const pvName of [...RESTING, 'ioc:counter']) {
      await expectSame(
        pvName,
        () => taggedGet(context, pvName),
        async () => withoutChanged(await p4p.get(pvName)),
      );
    }
  });

  it('learns the type that p4p sees', async () => {
    const types = await p4p.types(RESTING);
    for (const [index, pvName] of RESTING.entries())
      expect(await p4pInfo(context, pvName), pvName).toEqual(types[index]);
  });

  it('reads every record as p4p does, on the command line', async () => {
    await expectCommandReads(RESTING, `${LOOPBACK}:${server.tcpPort}`, environment(), p4p);
  });

  it('begins a monitor of every record as p4p does', async () => {
    for (const pvName of RESTING) {
      const monitor = await p4p.monitor(pvName);
      const seen = withoutChanged(await nextUpdate(monitor));
      await monitor.stop();
      expect(await firstTagged(context, pvName), pvName).toEqual(seen);
    }
  });

  it('reads integers of 64 bits exactly', async () => {
    expect(await context.get('ioc:int64')).toMatchObject({ value: 9_007_199_254_740_993n });
    const { stdout } = await pvkit(['get', '-r', 'value', 'ioc:int64'], environment());
    expect(stdout).toContain('value int64_t = 9007199254740993');
  });

  it.each([
    { kind: 'a monitor', options: {} },
    { kind: 'a pipeline monitor', options: { pipeline: true, queueSize: 4 } },
  ])('watches a record that is scanned, in $kind', async ({ options }) => {
    const counts: number[] = [];
    for await (const { value } of context.monitor('ioc:counter', options)) {
      counts.push(Number(value['value']));
      if (counts.length === 10) break;
    }
    expect(counts).toEqual(counts.map((_, index) => (counts[0] ?? 0) + index));
  });

  it('watches a group', async () => {
    const seen: Tagged[] = [];
    for await (const { type, value } of context.monitor('ioc:group')) {
      seen.push(fieldAt(taggedOf(type, value), 'x', 'value') ?? null);
      if (seen.length === 1) await p4p.put('ioc:grp:x', 7.5);
      if (seen.length === 2) await p4p.put('ioc:grp:x', 1.25);
      if (seen.length === 3) break;
    }
    expect(seen).toEqual([1.25, 7.5, 1.25]);
  });
});

describe('puts to an IOC', () => {
  let context: Context;

  beforeAll(() => {
    context = contextOf(udp);
  });
  afterAll(async () => {
    await context.close();
  });

  async function valueOf(pvName: string): Promise<Tagged | undefined> {
    return fieldAt(await p4p.get(pvName), 'value');
  }

  it.each([
    { pvName: 'ioc:ao', input: 42.5, seen: 42.5 },
    // Past DRVH the record goes no further.
    { pvName: 'ioc:ao', input: 1_000, seen: 100 },
    { pvName: 'ioc:longin', input: -2_147_483_648, seen: -2_147_483_648 },
    { pvName: 'ioc:int64', input: -9_223_372_036_854_775_807n, seen: { int: '-9223372036854775807' } },
    { pvName: 'ioc:int64', input: 9_007_199_254_740_993n, seen: { int: '9007199254740993' } },
    { pvName: 'ioc:string', input: 'Grüße', seen: 'Grüße' },
  ])('change $pvName to $input', async ({ pvName, input, seen }) => {
    await context.put(pvName, input);
    expect(await valueOf(pvName)).toEqual(seen);
    expect(fieldAt(await taggedGet(context, pvName), 'value')).toEqual(seen);
  });

  it('on the command line change a record, and print what it was and is', async () => {
    await context.put('ioc:ao', 3);
    expect(await pvkit(['put', 'ioc:ao', '4.5'], udp)).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(await valueOf('ioc:ao')).toBe(4.5);
    const { code, stdout } = await pvkit(['put', '-v', 'ioc:ao', '5'], udp);
    expect(code).toBe(0);
    expect(stdout).toMatch(/Old:\s+value double = 4\.5\s+New:\s+value double = 5/u);
  });

  it.each([
    { pvName: 'ioc:mbbo', label: 'Fault', index: 2 },
    { pvName: 'ioc:mbbo', label: 'Off', index: 0 },
    { pvName: 'ioc:bo', label: 'Open', index: 1 },
  ])('choose $label of $pvName by its label', async ({ pvName, label, index }) => {
    await context.put(pvName, label);
    expect(fieldAt(await p4p.get(pvName), 'value', 'index')).toBe(index);
    await context.put(pvName, 1 - (index % 2));
    expect(await pvkit(['put', pvName, label], udp)).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(fieldAt(await p4p.get(pvName), 'value', 'index')).toBe(index);
  });

  it('fill a waveform of 5 000 elements', async () => {
    const items = Array.from({ length: 5_000 }, (_, index) => index / 7);
    await context.put('ioc:waveform', items);
    expect(await valueOf('ioc:waveform')).toEqual({ array: 'float64', items });
    expect(fieldAt(await taggedGet(context, 'ioc:waveform'), 'value')).toEqual({ array: 'float64', items });
    expect(await pvkit(['put', 'ioc:waveform', '[1, 2.5]'], udp)).toMatchObject({ code: 0, stderr: '' });
    expect(await valueOf('ioc:waveform')).toEqual({ array: 'float64', items: [1, 2.5] });
  });

  it('wait for the record where the pvRequest asks for it', async () => {
    await context.put('ioc:ao', 8, { request: 'record[process=true,block=true]field(value)' });
    expect(await valueOf('ioc:ao')).toBe(8);
  });

  it('change a group at once, although the IOC sends messages about it', async () => {
    await context.put('ioc:group', { x: { value: 3.5 }, n: 11 });
    expect(await valueOf('ioc:grp:x')).toBe(3.5);
    expect(await valueOf('ioc:grp:n')).toBe(11);
    await context.put('ioc:group', { x: { value: 1.25 }, n: 7 }, { request: 'record[atomic=false]' });
    expect(await valueOf('ioc:grp:x')).toBe(1.25);
  });

  it('that the IOC refuses end with exit code 1 and its sentence', async () => {
    const sentence = await p4p.put('ioc:disabled', 5).then(
      () => 'not refused',
      (refused: unknown) => (refused instanceof Error ? refused.message : ''),
    );
    expect(sentence).toMatch(/disabled/iu);
    await expect(context.put('ioc:disabled', 5)).rejects.toThrow(sentence);
    const { code, stdout, stderr } = await pvkit(['put', 'ioc:disabled', '5'], udp);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('ioc:disabled');
    expect(stderr).toContain(sentence);
    expect(await valueOf('ioc:disabled')).toBe(3);
  });
});

describe('pvkit list', () => {
  it('finds the IOC, and names its records', async () => {
    const servers = await pvkit(['list', '-w', '1'], udp);
    expect(servers).toMatchObject({ code: 0, stderr: '' });
    expect(servers.stdout).toContain(`${LOOPBACK}:${server.tcpPort}`);
    const { code, stdout } = await pvkit(['list', `${LOOPBACK}:${server.tcpPort}`], udp);
    expect(code).toBe(0);
    const names = stdout.trim().split('\n');
    for (const pvName of RESTING.filter((name) => !name.includes('.'))) expect(names).toContain(pvName);
  });
});
