// Is what all links hold together bounded: half-received messages, and updates in queues?

import { describe, expect, test } from 'vitest';
import { SharedPV } from '../../src/channels/shared-pv.ts';
import { DEFAULT_LIMITS } from '../../src/protocol/limits.ts';
import { ntScalarArray } from '../../src/protocol/normative/nt-scalar.ts';
import { arrayOf, double, structure } from '../../src/protocol/types/type-desc.ts';
import { LinkLedger } from '../../src/server/link-ledger.ts';
import { makeWorld } from '../support/server-world.ts';
import { fromHex } from '../support/vectors.ts';
import { hitsLimit } from '../support/hits-limit.ts';

const WAVE = ntScalarArray(double);
const START = 0x44;
/** A link that nothing is wanted of. */
const QUIET = { silentMs: () => 0, holdBack: () => undefined, goOn: () => undefined, shed: () => undefined };

describe('half-received messages', () => {
  /** The head of a PUT whose body of 1 MiB never comes whole. */
  const HEAD = fromHex('ca02000b00001000');

  test('of all links have a bound, and the link that holds most is closed', async () => {
    hitsLimit('maxReceivingBytes');
    const limits = { ...DEFAULT_LIMITS, maxReceivingBytes: 100_000 };
    const world = await makeWorld({ config: { limits } });
    const [small, large, last] = [await world.validated(), await world.validated(), await world.validated()];
    await small.sendBytes(HEAD);
    await small.sendBytes(new Uint8Array(20_000));
    await large.sendBytes(HEAD);
    await large.sendBytes(new Uint8Array(50_000));
    expect([small.isClosed, large.isClosed]).toEqual([false, false]);
    await last.sendBytes(HEAD);
    for (let index = 0; index < 10 && !large.isClosed; index++) await last.sendBytes(new Uint8Array(4_000));
    await world.clock.advanceAsync(DEFAULT_LIMITS.crowdedStallMs + 1_000);
    expect([small.isClosed, large.isClosed, last.isClosed]).toEqual([false, true, false]);
    expect(world.notices.at(-1)?.text).toMatch(
      /all links hold \d+ bytes of what their clients sent, 100000 are allowed, and this one has most of them$/u,
    );
    expect(world.server.counters.linksShed).toBe(1);
  });

  test('of clients that send come to their end, one after the other, though all would take too much', async () => {
    const limits = { ...DEFAULT_LIMITS, maxReceivingBytes: 100_000 };
    const world = await makeWorld({ config: { limits } });
    const clients = [];
    for (let index = 0; index < 4; index++) clients.push(await world.validated());
    // ECHO of 80 000 bytes, in eight pieces, and one that is larger than all that is allowed.
    for (const client of clients) await client.sendBytes(fromHex('ca02000280380100'));
    for (let piece = 0; piece < 8; piece++) {
      for (const client of clients) await client.sendBytes(new Uint8Array(10_000));
    }
    await world.clock.advanceAsync(10);
    expect(clients.map((client) => client.takeAll('ECHO').length)).toEqual([1, 1, 1, 1]);
    const [client] = clients;
    await client?.sendBytes(fromHex('ca020002801a0600'));
    for (let piece = 0; piece < 40; piece++) await client?.sendBytes(new Uint8Array(10_000));
    expect(client?.takeAll('ECHO')).toHaveLength(1);
    expect(world.server.counters.linksShed).toBe(0);
  });

  test('that end are counted no more, whole or not', async () => {
    const limits = { ...DEFAULT_LIMITS, maxReceivingBytes: 200_000 };
    const world = await makeWorld({ config: { limits } });
    for (let round = 0; round < 5; round++) {
      const client = await world.validated();
      await client.sendBytes(HEAD);
      await client.sendBytes(new Uint8Array(60_000));
      expect(client.isClosed).toBe(false);
      client.connection.destroy();
      await world.settle();
    }
    const client = await world.validated();
    for (let round = 0; round < 5; round++) {
      // ECHO of 80 000 bytes, in two pieces.
      await client.sendBytes(fromHex('ca02000280380100'));
      await client.sendBytes(new Uint8Array(60_000));
      await client.sendBytes(new Uint8Array(20_000));
    }
    expect(client.takeAll('ECHO')).toHaveLength(5);
    expect(world.server.counters.linksShed).toBe(0);
  });

  test('count with the large pvRequests that operations keep, as long as they do', async () => {
    const limits = { ...DEFAULT_LIMITS, maxReceivingBytes: 100_000 };
    const pvs = { w: new SharedPV(WAVE, { initial: { value: new Float64Array(1) } }) };
    const world = await makeWorld({ pvs, config: { limits } });
    const client = await world.validated();
    const sid = await client.createChannel('w');
    const type = structure({ junk: arrayOf(double) });
    const pvRequest = { type, value: { junk: new Float64Array(5_000) } };
    const init = async (): Promise<number> => {
      const ioid = client.newId();
      await client.send({ command: 'RPC', phase: 'init', sid, ioid, subcommand: 0x08, pvRequest });
      return ioid;
    };
    for (let round = 0; round < 5; round++) {
      const ioids = [await init(), await init()];
      for (const ioid of ioids) await client.send({ command: 'DESTROY_REQUEST', sid, ioid });
    }
    for (let round = 0; round < 200; round++) await client.init('RPC', sid);
    expect(client.isClosed).toBe(false);
    for (let index = 0; index < 3; index++) await init();
    expect(client.isClosed).toBe(true);
    expect(world.notices.at(-1)?.text).toContain('100000 are allowed, and this one has most of them');
  });

  test('that wait because their client does not read count as well', async () => {
    const limits = { ...DEFAULT_LIMITS, monitorPauseBytes: 1_000, readPauseBytes: 1_000, maxReceivingBytes: 30_000 };
    const world = await makeWorld({ config: { limits } }, { chunkBytes: [65_536, 65_536] });
    const client = await world.validated();
    client.connection.pause();
    for (let index = 0; index < 40 && !client.isClosed; index++) {
      await client.send({ command: 'ECHO', payload: new Uint8Array(20_000) });
    }
    // What is held is one read at most: the client's own buffer fills, and nothing is closed.
    expect(world.server.linkCount).toBe(1);
  });
});

describe('the ledger', () => {
  const LIMITS = { ...DEFAULT_LIMITS, maxReceivingBytes: 100, maxQueuedBytesPerLink: 50, maxQueuedBytes: 80 };

  test('closes the worst only while it grows', () => {
    const ledger = new LinkLedger(LIMITS);
    const shed: string[] = [];
    const [a, b] = ['a', 'b'].map((name) => {
      const account = ledger.open({
        ...QUIET,
        shed: () => {
          shed.push(name);
          account.keeps(0, 0);
        },
      });
      return account;
    });
    a?.keeps(60, 0);
    b?.keeps(40, 0);
    expect(shed).toEqual([]);
    b?.keeps(50, 0);
    expect(shed).toEqual(['a']);
    expect(ledger.receivingBytes).toBe(50);
    b?.keeps(20, 0);
    expect(ledger.receivingBytes).toBe(20);
  });

  test('has room for so much of one link, and so much of all', () => {
    const ledger = new LinkLedger(LIMITS);
    const [a, b] = [ledger.open(QUIET), ledger.open(QUIET)];
    expect([a.has(50), a.has(51)]).toEqual([true, false]);
    a.add(50);
    expect([a.has(1), b.has(30), b.has(31)]).toEqual([false, true, false]);
    a.add(-50);
    expect([ledger.queuedBytes, b.has(50)]).toEqual([0, true]);
  });

  test('holds nothing of a link that is closed, whatever is told of it afterwards', () => {
    const ledger = new LinkLedger(DEFAULT_LIMITS);
    const account = ledger.open(QUIET);
    account.add(50);
    account.arrived(10);
    account.begun(15);
    account.keeps(5, 0);
    account.opens(1, 2);
    expect([ledger.queuedBytes, ledger.receivingBytes, ledger.opened.bytes]).toEqual([50, 30, 2_700]);
    expect(account.heldBytes).toBe(2_780);
    account.close();
    account.add(-50);
    account.ended(15);
    account.keeps(1, 0);
    account.opens(1, 1);
    expect([ledger.queuedBytes, ledger.receivingBytes, ledger.opened.bytes]).toEqual([0, 0, 0]);
    expect(account.heldBytes).toBe(0);
  });
});

describe('queued updates', () => {
  /** Two monitors with room for many updates each, of a client that takes none. */
  async function makeQueues(limits: Partial<typeof DEFAULT_LIMITS>) {
    const pv = new SharedPV(WAVE, { initial: { value: new Float64Array(1_000) } });
    const world = await makeWorld({
      pvs: { w: pv },
      config: { limits: { ...DEFAULT_LIMITS, monitorPauseBytes: 20_000, ...limits } },
    });
    const client = await world.validated();
    const sid = await client.createChannel('w');
    const ioids: number[] = [];
    for (let index = 0; index < 2; index++) {
      const ioid = await client.initMonitor(sid, 'record[queueSize=100]field()');
      await client.steer(sid, ioid, START);
      client.updates(ioid);
      ioids.push(ioid);
    }
    client.connection.pause();
    const post = async (count: number): Promise<void> => {
      for (let index = 1; index <= count; index++) pv.post({ value: new Float64Array(1_000).fill(index) });
      await world.settle();
    };
    const drain = async (): Promise<number[][]> => {
      client.connection.resume();
      await world.clock.advanceAsync(5_000);
      const heard = client.takeAll('MONITOR').flatMap((message) => (message.phase === 'update' ? [message] : []));
      return ioids.map((ioid) =>
        heard.flatMap((message) => (message.ioid === ioid ? [firstOf(message.update.value)] : [])),
      );
    };
    return { world, client, post, drain };
  }

  test('squash where the queues of a link or of all links are full together; the last value always comes', async () => {
    hitsLimit('maxQueuedBytesPerLink', 'maxQueuedBytes');
    for (const name of ['maxQueuedBytesPerLink', 'maxQueuedBytes'] as const) {
      const { world, post, drain } = await makeQueues({ [name]: 100_000 });
      await post(60);
      expect(world.server.counters.updatesSquashed).toBeGreaterThan(50);
      const taken = await drain();
      for (const values of taken) {
        expect(values.length).toBeLessThan(60);
        expect(values.at(-1)).toBe(60);
      }
      // Emptied, there is room again.
      const before = world.server.counters.updatesSquashed;
      await post(3);
      expect(world.server.counters.updatesSquashed).toBe(before);
    }
  });

  test('with the limits as they are by default are all kept', async () => {
    const { world, post, drain } = await makeQueues({});
    await post(60);
    expect(world.server.counters.updatesSquashed).toBe(0);
    for (const values of await drain()) expect(values.at(-1)).toBe(60);
  });
});

function firstOf(value: unknown): number {
  const { value: wave } = value as { readonly value: Float64Array };
  return wave[0] ?? Number.NaN;
}
