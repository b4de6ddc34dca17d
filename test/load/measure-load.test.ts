// Does a load count what happened, and find every fault? Against our own server and against servers that lie, in memory.

import { describe, expect, it } from 'vitest';
import { SharedPV } from '../../src/channels/shared-pv.ts';
import type { LoadResult } from '../../src/load/load.ts';
import { measureLoad } from '../../src/load/measure-load.ts';
import { BitSet } from '../../src/protocol/bit-set.ts';
import type { ClientMessage } from '../../src/protocol/messages/index.ts';
import { ntScalar, ntScalarArray } from '../../src/protocol/normative/nt-scalar.ts';
import { error, OK } from '../../src/protocol/status.ts';
import { byte, double, int, long, string } from '../../src/protocol/types/type-desc.ts';
import { ManualClock } from '../../src/transport/manual-clock.ts';
import { MemoryNetwork } from '../../src/transport/memory-network.ts';
import type { FakeHandler, FakeLink } from '../support/fake-server.ts';
import { FAULTLESS, loadFake, loadPvkit, mailbox, type LoadOptions } from '../support/load-world.ts';

describe('a load of our own server', () => {
  it('gets, with every reply counted and compared', async () => {
    const result = await loadPvkit({ a: mailbox(double, 1), b: mailbox(string, 'text') }, 'get', {
      names: ['a', 'b'],
      clients: 3,
      depth: 2,
    });
    expect(result).toMatchObject({ ...FAULTLESS, scenario: 'get', clients: 3, depth: 2, names: 2, changed: 0 });
    expect(result.operations).toBeGreaterThan(100);
    expect(result.seconds).toBeCloseTo(0.2, 3);
    expect(result.perSecond).toBeCloseTo(result.operations / result.seconds, 3);
    expect(result.latencyUs.min).toBeGreaterThanOrEqual(1_000);
    expect(result.serverCpuSeconds).toBeNull();
  });

  it('keeps to a rate', async () => {
    const result = await loadPvkit({ a: mailbox(double, 1) }, 'get', { names: ['a'], clients: 2, rate: 200 });
    expect(result).toMatchObject(FAULTLESS);
    expect(result.operations).toBeGreaterThanOrEqual(38);
    expect(result.operations).toBeLessThanOrEqual(41);
  });

  it('takes a PV that changes for what it is', async () => {
    const pv = mailbox(double, 1);
    const result = await loadPvkit({ a: pv }, 'get', { names: ['a'] }, (tick) => pv.post({ value: tick }));
    expect(result).toMatchObject(FAULTLESS);
    expect(result.changed).toBeGreaterThan(10);
  });

  it.each([
    ['double', double, 0],
    ['int', int, 0],
    ['long', long, 0n],
    ['byte', byte, 0],
    ['string', string, ''],
  ] as const)('puts a %s, and finds the last value there', async (_name, type, value) => {
    const pvs = { p0: mailbox(type, value), p1: mailbox(type, value) };
    const result = await loadPvkit(pvs, 'put', { names: ['p0', 'p1'], clients: 4 });
    expect(result).toMatchObject(FAULTLESS);
    expect(result.operations).toBeGreaterThan(50);
  });

  it('tells when a PV does not keep what was put', async () => {
    const pv = new SharedPV(ntScalar(double), { initial: { value: 0 }, onPut: () => {} });
    const result = await loadPvkit({ p: pv }, 'put', { names: ['p'] });
    expect(result.wrong).toBe(1);
    expect(result.problems).toEqual([expect.stringMatching(/^p: 0 is read where \d+ was put last$/u)]);
  });

  it('counts puts that are refused', async () => {
    const pv = new SharedPV(ntScalar(double), { initial: { value: 0 } });
    const result = await loadPvkit({ p: pv }, 'put', { names: ['p'] });
    expect(result.errors).toBeGreaterThan(0);
    expect(result.operations).toBe(0);
  });

  it.each([
    ['int', int, (tick: number) => tick],
    ['byte', byte, (tick: number) => ((tick + 100) % 256) - 128],
    ['long', long, (tick: number) => BigInt(tick)],
    ['double', double, (tick: number) => tick],
  ] as const)('follows a counter of type %s', async (_name, type, valueOf) => {
    const pv = mailbox(type, valueOf(0));
    const result = await loadPvkit({ c: pv }, 'monitor', { names: ['c'], clients: 3 }, (tick) =>
      pv.post({ value: valueOf(tick) }),
    );
    expect(result).toMatchObject({ ...FAULTLESS, squashed: 0 });
    expect(result.operations).toBeGreaterThan(100);
  });

  it('finds updates that are missing without a word, and counters that go back', async () => {
    const pv = mailbox(int, 0);
    let value = 0;
    const result = await loadPvkit({ c: pv }, 'monitor', { names: ['c'] }, (tick) => {
      value += tick === 20 ? 4 : tick === 30 ? -2 : 1;
      pv.post({ value });
    });
    expect(result).toMatchObject({ lost: 3, wrong: 1 });
  });

  it('says which PVs it could not check', async () => {
    const pv = mailbox(string, '');
    const result = await loadPvkit({ c: pv }, 'monitor', { names: ['c'] }, (tick) => pv.post({ value: `${tick}` }));
    expect(result).toMatchObject({ wrong: 0, lost: 0, errors: 0 });
    expect(result.problems).toEqual(['1 of the PVs do not count up: their updates are counted, not checked']);
  });

  it('gets an array, and compares all of it', async () => {
    const pv = SharedPV.mailbox(ntScalarArray(double), { initial: { value: new Float64Array(300) } });
    const result = await loadPvkit({ w: pv }, 'array', { names: ['w'] });
    expect(result).toMatchObject(FAULTLESS);
    expect(result.bytes).toBeGreaterThan(result.operations * 2_400);
  });

  it('connects many clients at once', async () => {
    const result = await loadPvkit({ a: mailbox(double, 1) }, 'connect', { names: ['a'], clients: 30 });
    expect(result).toMatchObject({ ...FAULTLESS, operations: 30 });
    expect(result.seconds).toBeLessThan(1);
  });

  it('creates channels on one link again and again', async () => {
    const result = await loadPvkit({ a: mailbox(double, 1) }, 'connect', { names: ['a'], channels: 20 });
    expect(result).toMatchObject(FAULTLESS);
    expect(result.operations).toBeGreaterThan(100);
  });

  it('searches, many names in each datagram', async () => {
    const result = await loadPvkit({ a: mailbox(double, 1), b: mailbox(double, 1) }, 'search', {
      names: ['a', 'b'],
      namesPerDatagram: 10,
      depth: 2,
    });
    expect(result).toMatchObject(FAULTLESS);
    expect(result.operations).toBeGreaterThan(500);
  });

  it('counts names that nobody answers, and goes on', async () => {
    const result = await loadPvkit({}, 'search', { names: ['nosuch'], seconds: 2 });
    expect(result).toMatchObject({
      operations: 0,
      wrong: 0,
      problems: ['names were not answered within 250 ms by UDP port 127.0.0.1:5076'],
    });
    expect(result.lost).toBeGreaterThan(5);
  });

  it('does not begin when the server has no such PV', async () => {
    await expect(loadPvkit({}, 'get', { names: ['nosuch'] })).rejects.toThrow('nosuch: CREATE_CHANNEL refused by');
  });

  it('does not put what it cannot count', async () => {
    const pv = SharedPV.mailbox(ntScalarArray(double), { initial: { value: [1] } });
    await expect(loadPvkit({ w: pv }, 'put', { names: ['w'] })).rejects.toThrow('its value is no number and no string');
  });
});

const TYPE = ntScalar(double);
const stamped = { value: 1, timeStamp: { secondsPastEpoch: 5n, nanoseconds: 7 } };
type Get = Extract<ClientMessage, { command: 'GET' }>;

/** A load of a server that answers each GET as the test likes. */
function loadLiar(
  answer: (get: Get, link: FakeLink, count: number) => void,
  options: Partial<LoadOptions> = {},
): Promise<LoadResult> {
  let count = 0;
  const handle: FakeHandler = (message, link) => {
    if (message.command !== 'GET') return false;
    if (message.phase === 'init') {
      link.send({ command: 'GET', phase: 'init', ioid: message.ioid, subcommand: 0x08, status: OK, type: TYPE });
    } else answer(message, link, ++count);
    return true;
  };
  return loadFake(handle, 'get', options);
}

function valueReply({ ioid }: Get, value: number, seconds = 5n): Parameters<FakeLink['send']>[0] {
  const timeStamp = { ...stamped.timeStamp, secondsPastEpoch: seconds, userTag: 0 };
  const full = { value, alarm: { severity: 0, status: 0, message: '' }, timeStamp };
  return {
    command: 'GET',
    phase: 'exec',
    ioid,
    subcommand: 0,
    status: OK,
    update: { type: TYPE, changed: BitSet.of(0), value: full },
  };
}

describe('a load of a server that lies', () => {
  it('finds a value that changed under the same time stamp', async () => {
    const result = await loadLiar((get, link, count) => link.send(valueReply(get, count === 10 ? 2 : 1)));
    expect(result.wrong).toBe(1);
    expect(result.problems).toEqual(['x: another value with the same time stamp 5.000000007']);
  });

  it('finds a reply that comes twice', async () => {
    const result = await loadLiar((get, link, count) => {
      link.send(...(count === 10 ? [valueReply(get, 1), valueReply(get, 1)] : [valueReply(get, 1)]));
    });
    expect(result.wrong).toBe(1);
    expect(result.problems).toEqual(['x: a second reply to one request']);
  });

  it('counts a reply that never comes as lost', async () => {
    const result = await loadLiar((get, link, count) => {
      if (count < 10) link.send(valueReply(get, 1));
    });
    expect(result).toMatchObject({ lost: 1, wrong: 0, problems: ['1 request has no reply after 1 s'] });
  });

  it('counts refusals', async () => {
    const result = await loadLiar(({ ioid }, link) =>
      link.send({ command: 'GET', phase: 'exec', ioid, subcommand: 0, status: error('not now'), update: null }),
    );
    expect(result.errors).toBeGreaterThan(0);
    expect(result.problems).toEqual(['x: GET refused: not now']);
  });

  it('ends early when the link breaks', async () => {
    const result = await loadLiar(
      (get, link, count) => {
        if (count === 10) link.tcp.destroy();
        else link.send(valueReply(get, 1));
      },
      { seconds: 60 },
    );
    expect(result).toMatchObject({ errors: 1, lost: 1 });
    expect(result.seconds).toBeLessThan(2);
  });

  it('closes a link on which garbage comes', async () => {
    const result = await loadLiar((_get, link) => link.sendHex('47 45 54 20 2f 20 48 54 54 50'));
    expect(result).toMatchObject({ errors: 1, operations: 0 });
    expect(result.problems[0]).toContain('message starts with 0x47, 0xca expected');
  });

  it('gives up when the server never speaks', async () => {
    const clock = new ManualClock();
    const host = new MemoryNetwork({ clock }).host('server');
    const listener = await clock.until(
      host.listenTcp({ address: '127.0.0.1', port: 0 }, (tcp) => {
        tcp.listen({ data: () => {}, drain: () => {}, close: () => {} });
      }),
    );
    const load = measureLoad('get', { names: ['x'], timeoutMs: 500, server: listener.local, clock, network: host });
    await expect(clock.until(load)).rejects.toThrow('CONNECTION_VALIDATED: no answer from');
  });

  it('counts updates that the server left out, and said so, apart from those that are lost', async () => {
    const result = await loadMonitor([
      [1, false],
      [2, false],
      [5, true],
      [6, false],
      [9, false],
      [9, false],
    ]);
    expect(result).toMatchObject({ squashed: 2, lost: 2, wrong: 1, operations: 6 });
  });

  it('counts a subscription that the server ends', async () => {
    const result = await loadMonitor([[1, false], 'final']);
    expect(result).toMatchObject({ operations: 1, errors: 1, problems: ['x: the server ended a subscription'] });
  });
});

/** A load of a server that sends these values, with and without an overrun mask. */
async function loadMonitor(values: readonly (readonly [number, boolean] | 'final')[]): Promise<LoadResult> {
  const type = ntScalar(int);
  return loadFake((message, link) => {
    if (message.command !== 'MONITOR') return false;
    const { ioid } = message;
    if (message.phase === 'init') {
      link.send({ command: 'MONITOR', phase: 'init', ioid, subcommand: 0x08, status: OK, type });
      return true;
    }
    for (const each of values) {
      if (each === 'final') {
        const overrun = BitSet.empty();
        link.send({ command: 'MONITOR', phase: 'final', ioid, subcommand: 0x10, status: OK, update: null, overrun });
      } else {
        const [value, isSquashed] = each;
        const update = { type, changed: BitSet.of(1), value: { value } };
        const overrun = isSquashed ? BitSet.of(1) : BitSet.empty();
        link.send({ command: 'MONITOR', phase: 'update', ioid, subcommand: 0, update, overrun });
      }
    }
    return true;
  }, 'monitor');
}
