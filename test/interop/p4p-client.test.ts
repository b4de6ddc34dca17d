// Do p4p's clients (pvxs underneath) read, write, watch and call what `pvkit serve` serves, and see what pvkit sees?

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { Context } from '../../src/client/context.ts';
import { EVERY_TYPE, everyTypeConfig, MORE_NAMES } from './support/every-type.ts';
import { expectCommandReads } from './support/command-reads.ts';
import { contextOf, p4pInfo, taggedGet } from './support/library.ts';
import { endEverything, type Environment } from './support/line-process.ts';
import { clientEnvironment, freeUdpPort, LOOPBACK, nameServerEnvironment } from './support/loopback.ts';
import { P4pClient } from './support/p4p-client.ts';
import { startPvkit, type ServedAt } from './support/peers.ts';
import { expectSame } from './support/same.ts';
import { changedOf, fieldAt, withoutChanged } from './support/tagged.ts';
import { counted, nextUpdate } from './support/updates.ts';

const STATIC_NAMES = [...EVERY_TYPE.map(({ pvName }) => pvName), ...MORE_NAMES];
const DEMO_NAMES = [
  'demo:sine',
  'demo:counter',
  'demo:waveform',
  'demo:enum',
  'demo:string',
  'demo:table',
  'demo:image',
  'demo:struct',
  'demo:int64',
  'demo:slow',
  'demo:fast',
  'demo:setpoint',
  'demo:add',
];

let server: ServedAt;
let udp: Environment;
let tcp: Environment;
let spread: ServedAt;
let workers: Environment;

beforeAll(async () => {
  server = await startPvkit([everyTypeConfig(), '--demo']);
  udp = clientEnvironment(server.udpPort);
  spread = await startPvkit([everyTypeConfig(), '--demo', '--workers', '2']);
  workers = clientEnvironment(spread.udpPort);
  tcp = nameServerEnvironment(server.tcpPort, await freeUdpPort());
});
afterAll(endEverything);

describe.each([
  { how: 'a UDP search', served: () => server, environment: () => udp },
  { how: 'a name server over TCP', served: () => server, environment: () => tcp },
  { how: 'a UDP search, with two workers', served: () => spread, environment: () => workers },
])('a p4p client that finds pvkit by $how', ({ served, environment }) => {
  let p4p: P4pClient;
  let context: Context;

  beforeAll(async () => {
    p4p = await P4pClient.start(environment());
    context = contextOf(environment());
  });
  afterAll(async () => {
    await p4p.end();
    await context.close();
  });

  it('reads a PV of every type as pvkit does', async () => {
    const values = await p4p.getAll(STATIC_NAMES);
    for (const [index, pvName] of STATIC_NAMES.entries()) {
      const seen = withoutChanged(values[index] ?? null);
      expect(seen, pvName).toEqual(await taggedGet(context, pvName));
    }
  });

  it('reads what the configuration says', async () => {
    for (const { pvName, initial } of EVERY_TYPE) {
      expect(fieldAt(await p4p.get(pvName), 'value'), pvName).toEqual(initial);
    }
    const limits = await p4p.get('more:limits');
    expect(fieldAt(limits, 'display', 'units')).toBe('C');
    expect(fieldAt(limits, 'display', 'limitHigh')).toBe(120);
    expect(fieldAt(limits, 'control', 'limitHigh')).toBe(100);
    expect(fieldAt(limits, 'valueAlarm', 'highAlarmLimit')).toBe(80);
    expect(fieldAt(await p4p.get('more:enum'), 'value', 'choices')).toEqual(['Off', 'On', 'Fault']);
  });

  it('reads every demo PV as pvkit does', async () => {
    for (const pvName of DEMO_NAMES) {
      await expectSame(
        pvName,
        () => taggedGet(context, pvName),
        async () => withoutChanged(await p4p.get(pvName)),
      );
    }
  });

  it('reads what the command line prints', async () => {
    await expectCommandReads(STATIC_NAMES, `${LOOPBACK}:${served().tcpPort}`, environment(), p4p);
  });

  it('is told the type that pvkit is told without a value', async () => {
    const names = [...STATIC_NAMES, ...DEMO_NAMES];
    const types = await p4p.types(names);
    for (const [index, pvName] of names.entries()) {
      expect(types[index], pvName).toEqual(await p4pInfo(context, pvName));
    }
  });

  it('gets the fields that a pvRequest selects', async () => {
    const value = await p4p.get('more:limits', { request: 'field(value,alarm.severity)' });
    expect(value).toMatchObject({ changed: ['alarm.severity', 'value'] });
    expect(fieldAt(value, 'value')).toBe(21.5);
  });

  it('sees what it and pvkit put, in a monitor', async () => {
    const monitor = await p4p.monitor('demo:setpoint');
    await nextUpdate(monitor);
    await p4p.put('demo:setpoint', 41.5);
    const first = await nextUpdate(monitor);
    expect(fieldAt(first, 'value')).toBe(41.5);
    expect(changedOf(first)).toContain('value');
    expect(changedOf(first)).toContain('timeStamp.secondsPastEpoch');
    expect(changedOf(first)).not.toContain('display.units');
    await context.put('demo:setpoint', 21.5);
    expect(fieldAt(await nextUpdate(monitor), 'value')).toBe(21.5);
    await monitor.stop();
  });

  it('begins every monitor with the value that a get has', async () => {
    for (const pvName of STATIC_NAMES) {
      const monitor = await p4p.monitor(pvName);
      expect(await nextUpdate(monitor), pvName).toEqual(await p4p.get(pvName));
      await monitor.stop();
    }
  });

  it('watches every demo PV that moves', async () => {
    for (const pvName of ['demo:sine', 'demo:counter', 'demo:waveform', 'demo:table', 'demo:image', 'demo:fast']) {
      const monitor = await p4p.monitor(pvName);
      const first = await nextUpdate(monitor);
      expect(await nextUpdate(monitor), pvName).not.toEqual(first);
      await monitor.stop();
    }
  });

  it.each([
    { kind: 'a monitor', request: 'field(value)' },
    { kind: 'a pipeline monitor', request: 'record[pipeline=true,queueSize=4]field(value)' },
  ])('counts up without going back in $kind', async ({ request }) => {
    const monitor = await p4p.monitor('demo:fast', { request });
    const counts = await counted(monitor, 40);
    for (const [index, count] of counts.slice(1).entries()) expect(count).toBeGreaterThan(counts[index] ?? Infinity);
    await monitor.stop();
  });

  it('calls a service', async () => {
    const sum = await p4p.rpc('demo:add', [
      ['lhs', 'd', 2],
      ['rhs', 'd', 3.5],
    ]);
    expect(sum).toMatchObject({ structure: 'epics:nt/NTScalar:1.0' });
    expect(fieldAt(sum, 'value')).toBe(5.5);
    // pvxcall sends every argument as a text.
    const ofTexts = await p4p.rpc('demo:add', [
      ['lhs', 's', '2'],
      ['rhs', 's', '1e3'],
    ]);
    expect(fieldAt(ofTexts, 'value')).toBe(1002);
  });

  it('is told why a service fails', async () => {
    await expect(p4p.rpc('demo:add', [['lhs', 'd', 2]])).rejects.toThrow(/rhs is not a number/u);
  });
});

describe('puts of a p4p client', () => {
  let p4p: P4pClient;
  let context: Context;

  beforeAll(async () => {
    p4p = await P4pClient.start(udp);
    context = contextOf(udp);
  });
  afterAll(async () => {
    await p4p.end();
    await context.close();
  });

  it.each(EVERY_TYPE)('change a $type, which p4p and pvkit then read', async ({ pvName, initial, put }) => {
    for (const value of [put, initial]) {
      await p4p.put(pvName, { value });
      expect(fieldAt(await p4p.get(pvName), 'value')).toEqual(value);
      expect(fieldAt(await taggedGet(context, pvName), 'value')).toEqual(value);
    }
  });

  it('set the time stamp', async () => {
    await p4p.put('every:double', { value: 1 });
    const seconds = Number(fieldAt(await p4p.get('every:double'), 'timeStamp', 'secondsPastEpoch'));
    expect(Math.abs(Date.now() / 1000 - seconds)).toBeLessThan(10);
  });

  it('change fields beside the value, and leave the others alone', async () => {
    await p4p.put('every:int', { value: 5, 'alarm.severity': 2, 'alarm.message': 'so it was put' });
    await p4p.put('every:int', { 'alarm.severity': 1 });
    const value = await taggedGet(context, 'every:int');
    expect(fieldAt(value, 'value')).toBe(5);
    expect(fieldAt(value, 'alarm')).toMatchObject({ fields: { severity: 1, message: 'so it was put' } });
  });

  it('choose of an enum by index', async () => {
    await p4p.put('more:enum', { 'value.index': 2 });
    expect(fieldAt(await taggedGet(context, 'more:enum'), 'value', 'index')).toBe(2);
    await p4p.put('demo:enum', { 'value.index': 3 });
    expect(fieldAt(await p4p.get('demo:enum'), 'alarm', 'severity')).toBe(2);
  });

  it.each([
    { pvName: 'more:limits', value: 100.5, sentence: /100\.5 is outside of the limits 0 to 100/u },
    { pvName: 'demo:setpoint', value: -1, sentence: /-1 is outside of the limits 0 to 100/u },
    { pvName: 'more:readonly', value: 1, sentence: /read-only/u },
    { pvName: 'demo:sine', value: 1, sentence: /read-only/u },
  ])('to $pvName that are refused change nothing and say why', async ({ pvName, value, sentence }) => {
    await expect(p4p.put(pvName, { value })).rejects.toThrow(sentence);
    expect(fieldAt(await p4p.get(pvName), 'value')).not.toBe(value);
  });

  it('of an index that an enum does not have are refused', async () => {
    await expect(p4p.put('more:enum', { 'value.index': 3 })).rejects.toThrow(/3/u);
    expect(fieldAt(await p4p.get('more:enum'), 'value', 'index')).not.toBe(3);
  });

  it('that select no field that exists are refused', async () => {
    await expect(p4p.get('every:int', { request: 'field(nothing)' })).rejects.toThrow(/nothing|field/u);
  });
});

describe('a p4p client whose pvkit server goes away', () => {
  it('is told so, and reads on when the server comes back', async () => {
    const pv = ['--pv', 'coming:back=int:7'];
    const first = await startPvkit(pv);
    const { tcpPort, udpPort } = first;
    const p4p = await P4pClient.start(clientEnvironment(udpPort));
    const monitor = await p4p.monitor('coming:back');
    expect(fieldAt(await nextUpdate(monitor), 'value')).toBe(7);
    expect(await first.process.end('SIGTERM')).toBe(0);
    expect(await monitor.next()).toEqual({ event: 'disconnected' });
    const second = await startPvkit(pv, { tcpPort, udpPort });
    expect(second.tcpPort).toBe(tcpPort);
    expect(fieldAt(await nextUpdate(monitor, 20), 'value')).toBe(7);
    await p4p.end();
    await second.process.end('SIGTERM');
  });
});
