// Does p4p (pvxs) create, use and destroy channels of a running `pvkit serve` through its PV `server`, whatever keeps them?

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { RedisServer } from '../support/redis-server.ts';
import { pvkit } from './support/command.ts';
import { endEverything, type Environment } from './support/line-process.ts';
import { clientEnvironment, LOOPBACK } from './support/loopback.ts';
import { P4pClient, type P4pArgument } from './support/p4p-client.ts';
import { startPvkit, type ServedAt } from './support/peers.ts';
import { fieldAt, type Tagged } from './support/tagged.ts';
import { nextUpdate } from './support/updates.ts';

let folder = '';
let redis: RedisServer;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'pvkit-created-'));
  redis = await RedisServer.start();
});
afterAll(async () => {
  await endEverything();
  await redis.close();
  rmSync(folder, { recursive: true });
});

/** p4p cannot name a server; a name server is asked over TCP, and so is meant. */
function environmentOf({ udpPort, tcpPort }: ServedAt): Environment {
  return { ...clientEnvironment(udpPort), EPICS_PVA_NAME_SERVERS: `${LOOPBACK}:${tcpPort}` };
}

const text = (args: Readonly<Record<string, string>>): readonly P4pArgument[] =>
  Object.entries(args).map(([name, value]) => [name, 's', value]);

/** A field that is text. */
function textAt(value: Tagged, name: string): string {
  const found = fieldAt(value, name);
  if (typeof found !== 'string') throw new Error(`${name} is no text`);
  return found;
}

describe.each<{ where: string; args: () => readonly string[] }>([
  { where: 'in memory', args: () => [] },
  { where: 'in a workspace', args: () => ['--workspace', join(folder, 'ws')] },
  { where: 'in Redis', args: () => ['--store', redis.url] },
  { where: 'in memory, with two workers', args: () => ['--workers', '2'] },
])('channels $where', ({ args }) => {
  let server: ServedAt;
  let p4p: P4pClient;
  let environment: Environment;

  beforeAll(async () => {
    server = await startPvkit(['--manage', '--demo', ...args()]);
    environment = environmentOf(server);
    p4p = await P4pClient.start(environment);
  });
  afterAll(async () => {
    await p4p.end();
    await server.process.end();
  });

  it('are created, described, read, written, watched and destroyed by p4p', async () => {
    const created = await p4p.rpc('server', text({ op: 'create', name: 'p4p:x', type: 'double', value: '2.5' }));
    expect(['name', 'type', 'origin'].map((name) => fieldAt(created, name))).toEqual(['p4p:x', 'double', 'created']);
    expect(fieldAt(await p4p.get('p4p:x'), 'value')).toBe(2.5);
    const monitor = await p4p.monitor('p4p:x');
    expect(fieldAt(await nextUpdate(monitor), 'value')).toBe(2.5);
    await p4p.put('p4p:x', 7);
    expect(fieldAt(await nextUpdate(monitor), 'value')).toBe(7);
    expect((await pvkit(['get', '--json', '-r', 'value', 'p4p:x'], environment)).stdout).toContain('"value":7');

    const described = await p4p.rpc('server', text({ op: 'describe', name: 'p4p:x' }));
    expect(JSON.parse(textAt(described, 'schema'))).toMatchObject({ 'x-pva-id': 'epics:nt/NTScalar:1.0' });
    await expect(p4p.rpc('server', text({ op: 'create', name: 'p4p:x', type: 'double' }))).rejects.toThrow(
      "channel 'p4p:x' cannot be created: the name is taken",
    );

    await p4p.rpc('server', text({ op: 'destroy', name: 'p4p:x' }));
    expect(await monitor.next()).toEqual({ event: 'disconnected' });
    await expect(p4p.rpc('server', text({ op: 'destroy', name: 'p4p:x' }))).rejects.toThrow(
      "there is no channel 'p4p:x' that was created",
    );
    // Whoever watches gets what has the name next.
    await p4p.rpc('server', text({ op: 'create', name: 'p4p:x', type: 'string', value: 'again' }));
    expect(fieldAt(await nextUpdate(monitor, 20), 'value')).toBe('again');
    await monitor.stop();
    await p4p.rpc('server', text({ op: 'destroy', name: 'p4p:x' }));
  });

  it('are made of a JSON Schema, and of numbers and texts as p4p has them', async () => {
    const schema = JSON.stringify({
      properties: {
        position: { type: 'number', default: 1.5 },
        axis: { type: 'string' },
        steps: { items: { type: 'integer' } },
      },
    });
    await p4p.rpc('server', text({ op: 'create', name: 'p4p:motor', schema }));
    await p4p.put('p4p:motor', { axis: 'x' });
    const motor = await p4p.get('p4p:motor');
    expect([fieldAt(motor, 'position'), fieldAt(motor, 'axis')]).toEqual([1.5, 'x']);
    await p4p.rpc('server', [...text({ op: 'create', name: 'p4p:n', type: 'int' }), ['value', 'd', 4]]);
    expect(fieldAt(await p4p.get('p4p:n'), 'value')).toBe(4);
    await expect(
      p4p.rpc('server', text({ op: 'create', name: 'p4p:bad', schema: '{"properties":{"a":{"not":{}}}}' })),
    ).rejects.toThrow('JSON Schema at #/properties/a/not: pvData has no type for this');
    for (const name of ['p4p:motor', 'p4p:n']) await p4p.rpc('server', text({ op: 'destroy', name }));
    const names = (await pvkit(['channel', 'list', '--server', `${LOOPBACK}:${server.tcpPort}`], environment)).stdout;
    expect(names).toBe('');
  });

  it('come and go by the hundred, and nothing of them is left', async () => {
    const names = Array.from({ length: 100 }, (_, number) => `p4p:many:${number}`);
    await Promise.all(names.map((name) => p4p.rpc('server', text({ op: 'create', name, type: 'int' }))));
    expect(await p4p.getAll(names)).toHaveLength(100);
    await Promise.all(names.map((name) => p4p.rpc('server', text({ op: 'destroy', name }))));
    const { stdout } = await pvkit(['list', `${LOOPBACK}:${server.tcpPort}`], environment);
    expect(stdout).not.toContain('p4p:');
  });
});

describe('two servers of one Redis', () => {
  it('both have what p4p creates on one of them', async () => {
    const one = await startPvkit(['--manage', '--store', redis.url]);
    const two = await startPvkit(['--manage', '--store', redis.url]);
    const first = await P4pClient.start(environmentOf(one));
    const second = await P4pClient.start(environmentOf(two));
    await first.rpc('server', text({ op: 'create', name: 'shared:x', type: 'double', value: '3' }));
    expect(fieldAt(await second.get('shared:x'), 'value')).toBe(3);
    const monitor = await second.monitor('shared:x');
    await nextUpdate(monitor);
    await first.put('shared:x', 4);
    expect(fieldAt(await nextUpdate(monitor), 'value')).toBe(4);
    await first.rpc('server', text({ op: 'destroy', name: 'shared:x' }));
    expect(await monitor.next()).toEqual({ event: 'disconnected' });
    await first.end();
    await second.end();
  });
});

describe('a server that does not allow it', () => {
  it('refuses p4p with the sentence', async () => {
    const server = await startPvkit([]);
    const p4p = await P4pClient.start(environmentOf(server));
    await expect(p4p.rpc('server', text({ op: 'create', name: 'x', type: 'int' }))).rejects.toThrow(
      /user '.*' (on host '.+' )?at 127\.0\.0\.1 needs manage access to 'x' and has read, write, call/u,
    );
    await p4p.end();
  });
});
