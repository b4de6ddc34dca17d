// Does a server with workers behave like one without, also when a worker falls behind, ends, or breaks its rules?

import { describe, expect, test } from 'vitest';
import { AccessRules } from '../../src/channels/access/access-rules.ts';
import type { PutRequest } from '../../src/channels/channel.ts';
import { SharedPV } from '../../src/channels/shared-pv.ts';
import type { Source } from '../../src/channels/source.ts';
import { DEFAULT_LIMITS } from '../../src/protocol/limits.ts';
import { SEARCH_MUST_REPLY } from '../../src/protocol/messages/search.ts';
import { OK, STATUS_ERROR } from '../../src/protocol/status.ts';
import { arrayOf, string, structure, type StructureType } from '../../src/protocol/types/type-desc.ts';
import { begin, makeCrew, prepare, SCALAR, scalarPv, valuesOf, watch, WAVE } from '../support/crew-world.ts';
import { hitsLimit } from '../support/hits-limit.ts';
import { WireClient } from '../support/wire-client.ts';

describe('connections', () => {
  test('spread evenly, also after some have gone', async () => {
    const { connect, workersOf, settle, server, close } = await makeCrew();
    const clients: WireClient[] = [];
    for (let count = 0; count < 6; count++) clients.push(await connect());
    const counts = () => workersOf().map(({ connections }) => [...connections].length);
    expect(counts()).toEqual([3, 3]);
    const [first] = workersOf();
    for (const connection of first?.connections ?? []) connection.destroy();
    await settle();
    expect(server.linkCount).toBe(3);
    for (let count = 0; count < 3; count++) await connect();
    expect(counts()).toEqual([6, 3]);
    expect(server.counters).toMatchObject({ linksOpened: 9, linksClosed: 3 });
    await close();
  });

  test('are limited for all workers together', async () => {
    hitsLimit('maxLinks');
    const limits = { ...DEFAULT_LIMITS, maxLinks: 3 };
    const { connect, clock, host, server, notices, settle, close } = await makeCrew({ config: { limits } });
    const clients = [await connect(), await connect(), await connect()];
    const refused = await clock.until(WireClient.connect(host, server.tcpPort, { settle }));
    await settle();
    expect([refused.isClosed, server.linkCount, server.counters.linksRefused]).toEqual([true, 3, 1]);
    expect(notices.at(-1)).toMatchObject({ kind: 'linkRefused', text: expect.stringContaining('3 links') as string });
    clients[0]?.connection.destroy();
    await settle();
    await connect();
    expect(server.linkCount).toBe(3);
    await close();
  });
});

describe('links of one host', () => {
  test('are limited for all workers together, whichever has them and however they end', async () => {
    const limits = { ...DEFAULT_LIMITS, maxLinksPerHost: 3 };
    const { clock, connect, host, server, notices, settle, workersOf, close } = await makeCrew({ config: { limits } });
    const clients = [await connect(), await connect(), await connect()];
    const refused = async (): Promise<boolean> => {
      const client = await clock.until(WireClient.connect(host, server.tcpPort, { settle }));
      await settle();
      return client.isClosed;
    };
    expect(await refused()).toBe(true);
    expect(notices.at(-1)?.text).toMatch(/refused, 3 links of this host are open$/u);
    clients[0]?.connection.destroy();
    await settle();
    await connect();
    expect(await refused()).toBe(true);
    // A worker that ends takes its links with it.
    workersOf()[0]?.kill();
    await clock.advanceAsync(1_000);
    expect(server.linkCount).toBeLessThan(3);
    await connect();
    await close();
  });
});

describe('a server with workers that is asked to end', () => {
  test('has what is under way finished by all of them, and takes nothing new', async () => {
    let release = (): void => undefined;
    const x = scalarPv();
    const slow = new SharedPV(SCALAR, {
      initial: { value: 1 },
      onPut: (put, pv) => new Promise<void>((resolve) => (release = () => resolve(pv.post(put)))),
    });
    const { clock, connect, server, settle, close } = await makeCrew({ pvs: { x, slow } });
    const [busy, idle] = [await connect(), await connect()];
    await watch(idle, 'x');
    const sid = await busy.createChannel('slow');
    const ioid = await begin(busy, 'PUT', sid);
    await busy.put(sid, ioid, { value: 2 });
    let isOver = false;
    const over = server.drain().then(() => (isOver = true));
    await clock.advanceAsync(500);
    expect([busy.isClosed, idle.isClosed, isOver]).toEqual([false, true, false]);
    await busy.send({ command: 'CREATE_CHANNEL', channels: [{ cid: 77, pvName: 'x' }] });
    expect(busy.heard.map(({ command }) => command)).not.toContain('CREATE_CHANNEL');
    release();
    await clock.until(over);
    await settle();
    expect(busy.take('PUT')).toMatchObject({ status: OK });
    expect(busy.isClosed).toBe(true);
    await close();
  });

  test('does not wait for a worker that is gone, or that does not say it is done', async () => {
    const { clock, connect, server, workersOf, close } = await makeCrew({ pvs: { x: scalarPv() } });
    await connect();
    const [first] = workersOf();
    first?.farPipe.pause();
    let isOver = false;
    const over = server.drain(1_000).then(() => (isOver = true));
    await clock.advanceAsync(1_400);
    expect(isOver).toBe(false);
    await clock.until(over);
    first?.kill();
    await close();
  });
});

describe('statistics', () => {
  test('are those of all workers', async () => {
    const { clock, connect, server, workersOf, close } = await makeCrew({ pvs: { x: scalarPv() } });
    for (let count = 0; count < 4; count++) await watch(await connect(), 'x');
    await clock.advanceAsync(1_100);
    expect(server.statistics).toMatchObject({ links: 4, monitors: 4, squashed: 0, refused: 0 });
    workersOf()[0]?.kill();
    await clock.advanceAsync(1_100);
    expect(server.statistics).toMatchObject({ links: 2, monitors: 2 });
    await close();
  });

  test('add up memory, and show the worst delay', async () => {
    const vitals = { take: () => ({ memoryBytes: 1_000, loopDelayMs: 5 }) };
    const world = prepare({ pvs: { x: scalarPv() }, vitals });
    const { clock, server, processes } = world;
    processes.vitals = { take: () => ({ memoryBytes: 500, loopDelayMs: 7 }) };
    await clock.until(server.listen());
    await clock.advanceAsync(1_100);
    expect(server.statistics).toMatchObject({ memoryBytes: 1_000 + 2 * 500, loopDelayMs: 7 });
    await clock.until(server.close());
  });
});

describe('channels', () => {
  test('are followed while somebody has them open, and for a while after that', async () => {
    const [x, y] = [scalarPv(), scalarPv()];
    const { connect, clock, close } = await makeCrew({ pvs: { x, y } });
    const [one, two] = [await connect(), await connect()];
    const sid = await one.createChannel('x');
    await one.createChannel('x');
    await two.createChannel('x');
    expect([x.subscriberCount, y.subscriberCount]).toEqual([2, 0]);
    two.connection.destroy();
    await clock.advanceAsync(3_000);
    expect(x.subscriberCount).toBe(2);
    await clock.advanceAsync(6_000);
    expect(x.subscriberCount).toBe(1);
    await one.send({ command: 'DESTROY_CHANNEL', sid, cid: 0 });
    await clock.advanceAsync(10_000);
    expect(x.subscriberCount).toBe(1);
    await close();
    expect(x.subscriberCount).toBe(0);
  });

  test('opened again while they are given back are the same as ever', async () => {
    const x = scalarPv();
    // The pipe takes its time, so that giving back and opening pass each other.
    const { connect, clock, close } = await makeCrew({ pvs: { x }, pipe: { delayMs: [300, 300] } });
    const client = await connect();
    for (let turn = 0; turn < 30; turn++) {
      const cid = client.newId();
      await client.send({ command: 'CREATE_CHANNEL', channels: [{ cid, pvName: 'x' }] });
      await clock.advanceAsync(700);
      const created = client.heard.find((message) => message.command === 'CREATE_CHANNEL');
      expect(created).toMatchObject({ cid, status: OK });
      client.heard.length = 0;
      if (created?.command !== 'CREATE_CHANNEL') return;
      x.post({ value: turn });
      await clock.advanceAsync(301);
      const ioid = await begin(client, 'GET', created.sid);
      expect(await client.get(created.sid, ioid)).toMatchObject({ update: { value: { value: turn } } });
      await client.send({ command: 'DESTROY_CHANNEL', sid: created.sid, cid: 0 });
      client.heard.length = 0;
      await clock.advanceAsync(4_000 + turn * 100);
    }
    await close();
  });

  test('are found at the port for MessagePack by who searches for that over the link of a worker', async () => {
    const { connect, server, close } = await makeCrew({ pvs: { x: scalarPv() }, config: { msgpackPort: 0 } });
    const client = await connect();
    await client.send({ command: 'SEARCH', ...search(['x'], ['msgpack', 'tcp']) });
    expect(client.take('SEARCH_RESPONSE')).toMatchObject({
      found: true,
      instanceIds: [0],
      guid: server.guid,
      protocol: 'msgpack',
      serverPort: server.msgpackPort,
    });
    await client.send({ command: 'SEARCH', ...search(['x'], ['tcp', 'msgpack']) });
    expect(client.take('SEARCH_RESPONSE')).toMatchObject({ protocol: 'tcp', serverPort: server.tcpPort });
    await close();
  });

  test('that are added, removed, closed or made anew later are so for the clients of workers', async () => {
    const x = scalarPv();
    const { connect, clock, settle, server, close } = await makeCrew({ pvs: { x } });
    const client = await connect();
    await client.createChannel('x');
    server.add('later', scalarPv({ initial: { value: 7 } }));
    const sid = await client.createChannel('later');
    const ioid = await begin(client, 'GET', sid);
    expect(await client.get(sid, ioid)).toMatchObject({ update: { value: { value: 7 } } });
    await clock.advanceAsync(200);
    await client.send({ command: 'SEARCH', ...search(['later', 'x', 'none']) });
    expect(client.take('SEARCH_RESPONSE')).toMatchObject({ found: true, instanceIds: [0, 1], guid: server.guid });

    server.remove('later');
    await settle();
    expect(client.takeAll('DESTROY_CHANNEL')).toMatchObject([{ sid }]);
    await client.send({ command: 'SEARCH', ...search(['later', 'x']) });
    expect(client.take('SEARCH_RESPONSE')).toMatchObject({ found: true, instanceIds: [1] });

    x.close();
    await settle();
    expect(client.takeAll('DESTROY_CHANNEL')).toHaveLength(1);
    server.remove('x');
    server.add('x', SharedPV.mailbox<StructureType>(WAVE, { initial: { value: [3] } }));
    const again = await client.createChannel('x');
    expect(await client.get(again, await begin(client, 'GET', again))).toMatchObject({
      update: { value: { value: Float64Array.of(3) } },
    });
    await close();
  });

  test('may be refused by a source that throws, rejects or has none', async () => {
    const source: Source = {
      has: () => true,
      names: () => [],
      revision: 0,
      open: (pvName) => {
        if (pvName === 'throws') throw new Error('not today');
        if (pvName === 'rejects') return Promise.reject(new Error('not tomorrow'));
        return pvName === 'later' ? Promise.resolve(scalarPv()) : undefined;
      },
    };
    const { connect, close } = await makeCrew({ sources: [source] });
    const client = await connect();
    await client.createChannel('later');
    const channels = ['throws', 'rejects', 'none'].map((pvName, cid) => ({ cid, pvName }));
    for (const channel of channels) await client.send({ command: 'CREATE_CHANNEL', channels: [channel] });
    expect(client.takeAll('CREATE_CHANNEL').map(({ status }) => [status.type, status.message])).toEqual([
      [STATUS_ERROR, 'not today'],
      [STATUS_ERROR, 'not tomorrow'],
      [STATUS_ERROR, "there is no PV 'none' here"],
    ]);
    await close();
  });

  test('whose value no wire takes are refused, or end, and the others go on', async () => {
    const [good, bad] = [scalarPv(), scalarPv()];
    const { connect, settle, close } = await makeCrew({ pvs: { good, bad } });
    const client = await connect();
    await watch(client, 'good');
    await watch(client, 'bad');
    client.heard.length = 0;
    // An update is believed: its value was not looked at.
    const unfit = { changed: bad.state.changed, value: { ...bad.state.value, value: 'text' } };
    bad.post(unfit);
    good.post({ value: 2 });
    await settle();
    expect(client.takeAll('DESTROY_CHANNEL')).toHaveLength(1);
    expect(valuesOf(client)).toMatchObject([{ value: 2 }]);
    await client.send({ command: 'CREATE_CHANNEL', channels: [{ cid: 50, pvName: 'bad' }] });
    expect(client.take('CREATE_CHANNEL')).toMatchObject({ cid: 50, status: { type: STATUS_ERROR } });
    await close();
  });

  test('whose value is made of more objects than one message of a client may be are served', async () => {
    const columns = structure({ a: arrayOf(string), b: arrayOf(string) });
    const texts = Array.from({ length: 60 }, () => 'x');
    const x = SharedPV.mailbox(columns, { initial: { a: texts, b: texts } });
    const limits = { ...DEFAULT_LIMITS, maxValueNodes: 100 };
    const { connect, settle, close } = await makeCrew({ pvs: { x }, config: { limits } });
    const client = await connect();
    const sid = await client.createChannel('x');
    const ioid = await begin(client, 'GET', sid);
    await client.send({ command: 'GET', phase: 'exec', sid, ioid, subcommand: 0 });
    await settle();
    expect(client.take('GET')).toMatchObject({ phase: 'exec', update: { value: { a: texts, b: texts } } });
    await close();
  });

  test('with a deadband show every value to readers, and tell subscribers what they tell without workers', async () => {
    const x = scalarPv({ deadband: 1 });
    const { connect, settle, close } = await makeCrew({ pvs: { x } });
    const client = await connect();
    const sid = await watch(client, 'x');
    client.heard.length = 0;
    x.post({ value: 1.5 });
    await settle();
    expect(client.heard).toEqual([]);
    expect(await client.get(sid, await begin(client, 'GET', sid))).toMatchObject({ update: { value: { value: 1.5 } } });
    x.post({ value: 3 });
    await settle();
    expect(valuesOf(client)).toMatchObject([{ value: 3 }]);
    await close();
  });

  test('whose subscriptions the program finishes serve those who come after that', async () => {
    const x = scalarPv();
    const { connect, settle, close } = await makeCrew({ pvs: { x } });
    const client = await connect();
    await watch(client, 'x');
    client.heard.length = 0;
    x.post({ value: 2 });
    x.finish();
    x.post({ value: 3 });
    await settle();
    expect(client.takeAll('MONITOR')).toMatchObject([{ phase: 'update' }, { phase: 'final', status: OK }]);
    await watch(client, 'x');
    x.post({ value: 4 });
    await settle();
    expect(valuesOf(client)).toMatchObject([{ value: 3 }, { value: 4 }]);
    await close();
  });
});

describe('a worker that falls behind', () => {
  test('is told the last value of each PV, and which fields changed more than once', async () => {
    const wave = SharedPV.mailbox(WAVE, { initial: { value: [0] } });
    const x = scalarPv();
    const { connect, clock, server, workersOf, close } = await makeCrew({
      pvs: { wave, x },
      // 40 KB of an array take 40 ms.
      pipe: { bytesPerMs: 1_000, kernelBytes: 10_000 },
      config: { limits: { ...DEFAULT_LIMITS, monitorPauseBytes: 60_000 } },
    });
    const client = await connect();
    for (const pvName of ['wave', 'x']) await watch(client, pvName);
    await clock.advanceAsync(100);
    client.heard.length = 0;
    for (let count = 1; count <= 50; count++) {
      wave.post({ value: new Float64Array(5_000).fill(count) });
      x.post({ value: count });
      const waiting = workersOf().map(({ pipe }) => pipe.bufferedBytes);
      expect(Math.max(...waiting)).toBeLessThan(200_000);
      await clock.advanceAsync(1);
    }
    await clock.advanceAsync(1_000);
    const updates = client.takeAll('MONITOR').flatMap((message) => (message.phase === 'update' ? [message] : []));
    const firsts = updates.map(({ update }): readonly [name: string, value: number] => {
      const { value } = fieldsOf(update);
      return value instanceof Float64Array ? ['wave', value[0] ?? Number.NaN] : ['x', Number(value)];
    });
    expect(updates.length).toBeLessThan(80);
    for (const name of ['wave', 'x']) {
      const seen = firsts.filter(([of]) => of === name).map(([, value]) => value);
      expect(seen).toEqual(seen.toSorted((a, b) => a - b));
      expect(seen.at(-1)).toBe(50);
    }
    expect(updates.some(({ overrun }) => overrun.has(1))).toBe(true);
    expect(server.linkCount).toBe(1);
    await close();
  });

  test('answers no put before its client can read what was put', async () => {
    const wave = SharedPV.mailbox(WAVE, { initial: { value: [0] } });
    const x = scalarPv();
    const { connect, clock, close } = await makeCrew({
      pvs: { wave, x },
      pipe: { bytesPerMs: 1_000, kernelBytes: 10_000 },
      config: { limits: { ...DEFAULT_LIMITS, monitorPauseBytes: 60_000 } },
    });
    const client = await connect();
    await watch(client, 'wave');
    const sid = await client.createChannel('x');
    const put = await begin(client, 'PUT', sid);
    const get = await begin(client, 'GET', sid);
    for (let count = 2; count < 20; count++) {
      for (let post = 0; post < 5; post++) wave.post({ value: new Float64Array(5_000).fill(post) });
      client.heard.length = 0;
      await client.put(sid, put, { value: count });
      for (let ms = 0; ms < 2_000 && !client.heard.some(({ command }) => command === 'PUT'); ms++) {
        await clock.advanceAsync(1);
      }
      expect(client.takeAll('PUT')).toMatchObject([{ status: OK }]);
      expect(await client.get(sid, get)).toMatchObject({ update: { value: { value: count } } });
    }
    await close();
  });

  test('stops reading from its clients while the server does not take their puts', async () => {
    const taken: PutRequest[] = [];
    const wave = new SharedPV(WAVE, {
      initial: { value: [0] },
      onPut: (put, pv) => {
        taken.push(put);
        pv.post(put);
      },
    });
    const limits = { ...DEFAULT_LIMITS, monitorPauseBytes: 5_000, readPauseBytes: 30_000 };
    const { connect, clock, workersOf, close } = await makeCrew({
      pvs: { wave },
      pipe: { bytesPerMs: 1_000, kernelBytes: 10_000 },
      config: { limits },
    });
    const client = await connect();
    const sid = await client.createChannel('wave');
    const ioids: number[] = [];
    for (let count = 0; count < 25; count++) ioids.push(await begin(client, 'PUT', sid));
    client.heard.length = 0;
    for (const ioid of ioids) {
      await client.put(sid, ioid, { value: new Float64Array(500).fill(ioid) });
      const waiting = workersOf().map(({ farPipe }) => farPipe.bufferedBytes);
      expect(Math.max(...waiting)).toBeLessThan(60_000);
    }
    await clock.advanceAsync(500);
    expect(taken).toHaveLength(25);
    expect(client.takeAll('PUT').filter((reply) => 'status' in reply && reply.status === OK)).toHaveLength(25);
    await close();
  });
});

describe('a worker that ends', () => {
  test('is replaced; its clients lose their links, the others notice nothing', async () => {
    const x = scalarPv();
    const { connect, clock, workersOf, server, notices, processes, close } = await makeCrew({ pvs: { x } });
    const clients = [await connect(), await connect()];
    for (const client of clients) await watch(client, 'x');
    workersOf()[0]?.kill();
    await clock.advanceAsync(500);
    const [gone, left] = clients.toSorted((a, b) => Number(b.isClosed) - Number(a.isClosed));
    expect([gone?.isClosed, left?.isClosed, server.linkCount, x.subscriberCount]).toEqual([true, false, 1, 1]);
    expect([processes.startedCount, workersOf().length]).toEqual([3, 2]);
    expect(notices.filter(({ level }) => level === 'error')).toMatchObject([
      { kind: 'worker', text: 'worker 1 (process 1) ended with signal SIGKILL, and its 1 link with it' },
    ]);
    const back = await connect();
    await watch(back, 'x');
    if (left !== undefined) left.heard.length = 0;
    x.post({ value: 5 });
    await clock.advanceAsync(10);
    expect([back, left].map((client) => client && valuesOf(client).at(-1))).toMatchObject([{ value: 5 }, { value: 5 }]);
    expect(server.counters).toMatchObject({ linksOpened: 3, linksClosed: 1 });
    await close();
  });

  test('in the middle of a put has its handler told', async () => {
    const signals: AbortSignal[] = [];
    const x = scalarPv();
    const slow = new SharedPV(SCALAR, { onPut: ({ signal }) => (signals.push(signal), new Promise(() => {})) });
    const { connect, clock, workersOf, close } = await makeCrew({ pvs: { x, slow } });
    const client = await connect();
    const sid = await client.createChannel('slow');
    await client.put(sid, await begin(client, 'PUT', sid), { value: 2 });
    expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
    for (const worker of workersOf()) worker.kill();
    await clock.advanceAsync(10);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
    await close();
  });

  test('again and again is replaced ever more slowly, and at once after a long life', async () => {
    const { clock, processes, workersOf, close } = await makeCrew();
    await clock.advanceAsync(60_000);
    const [first] = workersOf();
    first?.kill();
    await clock.advanceAsync(1);
    expect(processes.startedCount).toBe(3);
    processes.failsAtStart = true;
    for (const worker of workersOf()) worker.kill();
    await clock.advanceAsync(60_000);
    expect(processes.startedCount).toBeLessThan(40);
    processes.failsAtStart = false;
    await clock.advanceAsync(20_000);
    expect(workersOf()).toHaveLength(2);
    await close();
  });

  test('leaves none for a connection that comes meanwhile: it is refused, and told', async () => {
    const { clock, host, server, workersOf, settle, notices, processes, close } = await makeCrew();
    processes.failsAtStart = true;
    for (const worker of workersOf()) worker.kill();
    await settle();
    const client = await clock.until(WireClient.connect(host, server.tcpPort, { settle }));
    await settle();
    expect(client.isClosed).toBe(true);
    expect(notices.at(-1)).toMatchObject({ kind: 'linkRefused', text: expect.stringContaining('no worker') as string });
    await close();
  });

  test('before it is ready ends the start of the server', async () => {
    const { clock, processes, server } = prepare({});
    processes.failsAtStart = true;
    await expect(clock.until(server.listen())).rejects.toThrow('worker 1 (process 1) ended with exit code 1');
    await clock.until(server.close());
    expect([processes.workers.size, clock.timerCount]).toEqual([0, 0]);
  });

  test('for a fault of its pipe is told with the fault', async () => {
    const { clock, workersOf, notices, processes, close } = await makeCrew();
    const [broken, deaf] = workersOf();
    broken?.farPipe.write(Uint8Array.of(1, 2, 3));
    // A message with a command that is none.
    deaf?.farPipe.write(Uint8Array.of(0xca, 2, 0, 99, 0, 0, 0, 0));
    await clock.advanceAsync(1_000);
    const faults = notices.filter(({ text }) => text.includes('broke the rules'));
    expect(faults.map(({ text }) => text)).toEqual([
      expect.stringContaining('message starts with 0x01, 0xca expected'),
      expect.stringContaining('message 99 of a worker, which is none'),
    ]);
    expect([processes.startedCount, workersOf().length]).toEqual([4, 2]);
    await close();
  });

  test('because its server sends what is no message ends at once', async () => {
    const { clock, workersOf, processes, close } = await makeCrew();
    workersOf()[0]?.pipe.write(Uint8Array.of(0xca, 2, 0x40, 99, 0, 0, 0, 0));
    await clock.advanceAsync(1_000);
    expect(processes.startedCount).toBe(3);
    await close();
  });
});

describe('access', () => {
  test('by rules holds in workers as they change; a function cannot be sent', async () => {
    const x = scalarPv();
    const { connect, settle, server, close } = await makeCrew({ pvs: { x } });
    const client = await connect();
    await watch(client, 'x');
    client.heard.length = 0;
    expect(() => server.setAccess(() => ({ read: true, write: true, call: true }))).toThrow('needs AccessRules');
    server.setAccess(new AccessRules([{ channel: 'x', allow: 'call' }]));
    await settle();
    expect(client.takeAll('MONITOR')).toMatchObject([{ phase: 'final', status: { type: STATUS_ERROR } }]);
    server.setAccess(new AccessRules([{ channel: 'other', allow: 'read' }]));
    await settle();
    expect(client.takeAll('DESTROY_CHANNEL')).toHaveLength(1);
    await close();
    expect(() => prepare({ access: () => ({ read: true, write: true, call: true }) })).toThrow('needs AccessRules');
  });

  test('is that of the server from the beginning, whatever holds where no rule fits', async () => {
    const x = scalarPv();
    const access = new AccessRules([], { otherwise: ['read', 'call'] });
    const { connect, close } = await makeCrew({ pvs: { x }, access });
    const client = await connect();
    const sid = await client.createChannel('x');
    expect(client.rights.get(sid)).toBe(0);
    const none = new AccessRules([{ channel: 'y', allow: 'all' }], { otherwise: 'none' });
    const closed = await makeCrew({ pvs: { x }, access: none });
    const other = await closed.connect();
    await other.send({ command: 'CREATE_CHANNEL', channels: [{ cid: 1, pvName: 'x' }] });
    expect(other.take('CREATE_CHANNEL')).toMatchObject({ status: { type: STATUS_ERROR } });
    await close();
    await closed.close();
  });
});

/** What a message of an update holds. */
function fieldsOf(update: object): { readonly value?: unknown } {
  return 'value' in update && typeof update.value === 'object' && update.value !== null ? update.value : {};
}

function search(pvNames: readonly string[], protocols: readonly string[] = ['tcp']) {
  return {
    sequenceId: 1,
    flags: SEARCH_MUST_REPLY,
    responseAddress: '0.0.0.0',
    responsePort: 0,
    protocols,
    names: pvNames.map((pvName, instanceId) => ({ pvName, instanceId })),
  };
}
