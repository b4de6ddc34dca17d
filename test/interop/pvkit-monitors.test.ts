// Do pvkit's monitors keep up with a server of p4p: in order, with a window, across a restart, on the command line?

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { Context } from '../../src/client/context.ts';
import { startCommand } from './support/command.ts';
import { contextOf } from './support/library.ts';
import { endEverything, type Environment } from './support/line-process.ts';
import { clientEnvironment } from './support/loopback.ts';
import { P4pClient } from './support/p4p-client.ts';
import { startP4pServer, type ServedAt } from './support/peers.ts';

let server: ServedAt;
let environment: Environment;
let context: Context;

beforeAll(async () => {
  server = await startP4pServer();
  environment = clientEnvironment(server.udpPort);
  context = contextOf(environment);
});
afterAll(async () => {
  await context.close();
  await endEverything();
});

function expectRising(counts: readonly number[]): void {
  for (const [index, count] of counts.slice(1).entries()) expect(count).toBeGreaterThan(counts[index] ?? Infinity);
}

describe('a monitor of pvkit', () => {
  it.each([
    { kind: 'by itself', options: {} },
    { kind: 'with a queue of two', options: { queueSize: 2 } },
    { kind: 'with a window', options: { queueSize: 4, pipeline: true } },
    { kind: 'asked for with a window in the pvRequest', options: { request: 'record[pipeline=true,queueSize=4]' } },
  ])('$kind counts up without going back', async ({ options }) => {
    const counts: number[] = [];
    for await (const { value } of context.monitor('peer:counter', options)) {
      counts.push(Number(value['value']));
      if (counts.length === 30) break;
    }
    expectRising(counts);
    // It counts 20 times a second, and who keeps up misses next to nothing.
    expect((counts.at(-1) ?? Infinity) - (counts[0] ?? 0)).toBeLessThan(40);
  });

  it('with a window goes on after its reader has rested', async () => {
    const counts: number[] = [];
    for await (const { value } of context.monitor('peer:counter', { queueSize: 4, pipeline: true })) {
      counts.push(Number(value['value']));
      if (counts.length % 5 === 0) await rest(300);
      if (counts.length === 20) break;
    }
    expectRising(counts);
  });

  it('carries full values, and says which fields changed', async () => {
    const updates = context.monitor('peer:counter');
    const { value: first } = await updates.next();
    const { value: second } = await updates.next();
    await updates.return();
    expect(first?.value).toHaveProperty('alarm.severity', 0);
    expect(second?.value).toHaveProperty('alarm.severity', 0);
    // Bit 1 is `value`; the alarm, bits 2 to 5, did not change.
    expect(second?.changed.has(1)).toBe(true);
    expect(second?.changed.hasAny(2, 6)).toBe(false);
  });

  it('of an array of 5 000 elements shows every put', async () => {
    const p4p = await P4pClient.start(environment);
    let round = 0;
    for await (const { value } of context.monitor('peer:doubles', { request: 'field(value)' })) {
      const array = value['value'];
      expect(array).toHaveLength(5_000);
      if (round > 0) expect(array).toEqual(Float64Array.from({ length: 5_000 }, (_, index) => index * round));
      round++;
      if (round > 3) break;
      const items = Array.from({ length: 5_000 }, (_, index) => index * round);
      await p4p.put('peer:doubles', { value: { array: 'float64', items } });
    }
    await p4p.end();
  });

  it('continues when its server comes back, and says what happened', async () => {
    const first = await startP4pServer();
    const { tcpPort, udpPort } = first;
    const lasting = contextOf(clientEnvironment(udpPort));
    const events: string[] = [];
    let second: ServedAt | undefined;
    for await (const event of lasting.monitor('peer:longs', { events: true })) {
      events.push(event.kind);
      if (event.kind === 'connected') expect(event.server).toBe(`127.0.0.1:${tcpPort}`);
      if (event.kind === 'update')
        expect(event.value['value']).toEqual(BigInt64Array.of(-(2n ** 63n), 0n, 2n ** 63n - 1n));
      if (event.kind === 'update' && second !== undefined) break;
      if (event.kind === 'update') await first.process.end();
      if (event.kind === 'disconnected') second = await startP4pServer({ tcpPort, udpPort });
    }
    expect(events).toEqual(['connected', 'update', 'disconnected', 'connected', 'update']);
    await lasting.close();
    await second?.process.end();
  });
});

describe('pvkit monitor', () => {
  it.each([
    { how: 'by itself', options: [] },
    { how: 'with a window', options: ['-r', 'record[pipeline=true,queueSize=4]'] },
  ])('$how prints a line of JSON for each update, as many as asked for', async ({ options }) => {
    const monitor = startCommand(['monitor', '--json', '-n', '10', ...options, 'peer:counter'], environment);
    const lines: unknown[] = [];
    for (let left = 10; left > 0; left--) lines.push(JSON.parse(await monitor.line()));
    expect(await monitor.end()).toBe(0);
    expect(lines[0]).toMatchObject({ name: 'peer:counter', overrun: [] });
    expect(lines[1]).toMatchObject({
      name: 'peer:counter',
      changed: ['value', 'timeStamp.secondsPastEpoch', 'timeStamp.nanoseconds'],
    });
    expectRising(lines.map((line) => countIn(line)));
  });

  it('watches until it is interrupted, which is no failure', async () => {
    const monitor = startCommand(['monitor', '-r', 'value', 'peer:counter', 'peer:string'], environment);
    await monitor.lineWith('peer:string');
    await monitor.lineWith('value string = "Grüße, κόσμε"');
    await monitor.lineWith('value int64_t = ');
    expect(await monitor.end('SIGINT')).toBe(0);
    expect(monitor.stderr).toContain(`peer:counter Connected to 127.0.0.1:${server.tcpPort}`);
  });
});

/** The field `value` in the value of a line of `pvkit monitor --json`. */
function countIn(line: unknown): number {
  const { value } = line as { readonly value: { readonly value: number } }; // the test above has looked
  return value.value;
}

function rest(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
