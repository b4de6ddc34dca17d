// What do clients see of channels that come and go while their server runs, with worker processes and without?

import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import {
  AccessRules,
  ChannelManager,
  Context,
  MemoryStore,
  resolveClientConfig,
  resolveServerConfig,
  Server,
  StoredChannels,
  type MonitorEvent,
} from '../../src/index.ts';
import { ManualClock } from '../../src/transport/manual-clock.ts';
import { MemoryNetwork } from '../../src/transport/memory-network.ts';
import { MemoryProcesses } from '../support/memory-processes.ts';

// Loaded by the first call of a server otherwise, which takes a time that no manual clock knows of.
await import('../../src/server/manage-operations.ts');
await import('../../src/server/create-arguments.ts');

async function makeWorld(workers: number) {
  const clock = new ManualClock();
  const network = new MemoryNetwork({ clock });
  const host = network.host('server');
  const store = new MemoryStore();
  const channels = await StoredChannels.open(store, { clock });
  const server = new Server({
    network: host,
    clock,
    sources: [channels],
    access: new AccessRules([], { otherwise: ['all', 'manage'] }),
    processes: new MemoryProcesses(clock, host),
    config: { ...resolveServerConfig({ processEnvironment: {} }), workers },
  });
  server.manage(new ChannelManager({ channels }));
  await clock.until(server.listen());
  const contexts = ['one', 'two', 'three'].map(
    (name) =>
      new Context({ network: network.host(name), clock, config: resolveClientConfig({ processEnvironment: {} }) }),
  );
  const [one, two, three] = contexts;
  if (one === undefined || two === undefined || three === undefined) throw new Error('three clients expected');
  const call = async (context: Context, args: Readonly<Record<string, string>>): Promise<unknown> => {
    const called = context.rpc('server', args, { server: '10.0.0.1:5075', timeoutMs: 60_000 });
    const ended = { isDone: false };
    const end = (): void => void (ended.isDone = true);
    called.then(end, end);
    while (!ended.isDone) {
      await setImmediate();
      await clock.advanceAsync(1);
    }
    return (await called)?.value;
  };
  const end = async (): Promise<void> => {
    for (const context of contexts) await context.close();
    await clock.until(server.close());
    channels.close();
    await store.close();
    await clock.advanceAsync(10_000);
    expect(clock.timerCount).toBe(0);
  };
  return { clock, network, server, store, channels, one, two, three, call, end };
}

describe.each([
  { workers: 1, name: 'a server' },
  { workers: 2, name: 'a server with two workers' },
])('$name', ({ workers }) => {
  it('is found soon by clients that have long searched for what is created', async () => {
    const { clock, one, two, call, end } = await makeWorld(workers);
    const waiting = two.get('lab:x', { timeoutMs: Infinity });
    let foundAt: number | undefined;
    waiting.then(
      () => (foundAt = clock.now()),
      () => undefined,
    );
    // By now it searches every 30 s.
    await clock.advanceAsync(600_000);
    expect(foundAt).toBeUndefined();
    const createdAt = clock.now();
    await call(one, { op: 'create', name: 'lab:x', type: 'double', value: '2.5' });
    await clock.advanceAsync(7_000);
    expect(foundAt).toBeDefined();
    expect((foundAt ?? 0) - createdAt).toBeLessThan(7_000);
    expect((await waiting).value).toBe(2.5);
    await end();
  });

  it('lets others use what one client creates, and tells all of them when it is destroyed', async () => {
    const { clock, one, two, three, call, end } = await makeWorld(workers);
    expect(await call(one, { op: 'create', name: 'lab:x', type: 'int' })).toMatchObject({ name: 'lab:x', type: 'int' });
    const seen = [two, three].map((context) => {
      const events: MonitorEvent[] = [];
      (async () => {
        for await (const event of context.monitor('lab:x', { events: true })) events.push(event);
      })().catch(() => {});
      return events;
    });
    await clock.advanceAsync(1_000);
    await clock.until(one.put('lab:x', 7));
    await clock.advanceAsync(1_000);
    await call(one, { op: 'destroy', name: 'lab:x' });
    await clock.advanceAsync(1_000);
    for (const events of seen) {
      expect(events.map(({ kind }) => kind)).toEqual(['connected', 'update', 'update', 'disconnected']);
    }
    // The same name may mean something else afterwards; who has waited for it gets that.
    await call(three, { op: 'create', name: 'lab:x', type: 'string', value: 'new' });
    await clock.advanceAsync(60_000);
    for (const events of seen) {
      expect(events.slice(4)).toMatchObject([{ kind: 'connected' }, { kind: 'update', value: { value: 'new' } }]);
    }
    await end();
  });

  it('refuses what the access rules do not allow, and has nothing left of it', async () => {
    const { server, one, call, end, store } = await makeWorld(workers);
    server.setAccess(new AccessRules([{ channel: 'tmp:*', allow: ['all', 'manage'] }, { allow: 'all' }]));
    await expect(call(one, { op: 'create', name: 'lab:x', type: 'int' })).rejects.toThrow(
      "needs manage access to 'lab:x'",
    );
    await call(one, { op: 'create', name: 'tmp:x', type: 'int' });
    await call(one, { op: 'destroy', name: 'tmp:x' });
    for await (const { definition } of store.scan()) expect.unreachable(definition.name);
    expect(server.names()).toEqual([]);
    await end();
  });
});
