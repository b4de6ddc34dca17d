// Does a load over MessagePack count what happened and find every fault, as one over pvAccess does? In memory.

import { describe, expect, it } from 'vitest';

import { SharedPV } from '../../src/channels/shared-pv.ts';
import { BitSet } from '../../src/protocol/bit-set.ts';
import { ntScalar, ntScalarArray } from '../../src/protocol/normative/nt-scalar.ts';
import { OK } from '../../src/protocol/status.ts';
import {
  boolean,
  byte,
  double,
  float,
  int,
  long,
  short,
  string,
  ubyte,
  uint,
  ulong,
  ushort,
} from '../../src/protocol/types/type-desc.ts';
import { FAULTLESS, loadFake, loadPvkit, mailbox } from '../support/load-world.ts';

const codec = 'msgpack';

describe('a load over MessagePack', () => {
  it('gets, with every reply counted and compared', async () => {
    const pvs = { a: mailbox(double, 1), b: mailbox(string, 'text') };
    const result = await loadPvkit(pvs, 'get', { codec, names: ['a', 'b'], clients: 2, depth: 200 });
    expect(result).toMatchObject({ ...FAULTLESS, codec, changed: 0 });
    expect(result.operations).toBeGreaterThan(1_000);
  });

  it('takes a PV that changes for what it is', async () => {
    const pv = mailbox(double, 1);
    const result = await loadPvkit({ a: pv }, 'get', { codec, names: ['a'] }, (tick) => pv.post({ value: tick }));
    expect(result).toMatchObject(FAULTLESS);
    expect(result.changed).toBeGreaterThan(10);
  });

  it.each([
    ['boolean', boolean, false],
    ['byte', byte, 0],
    ['ubyte', ubyte, 0],
    ['short', short, 0],
    ['ushort', ushort, 0],
    ['int', int, 0],
    ['uint', uint, 0],
    ['long', long, 0n],
    ['ulong', ulong, 0n],
    ['float', float, 0],
    ['double', double, 0],
    ['string', string, ''],
  ] as const)('puts a %s, and finds the last value there', async (_name, type, value) => {
    const result = await loadPvkit({ p: mailbox(type, value) }, 'put', { codec, names: ['p'], clients: 2 });
    expect(result).toMatchObject(FAULTLESS);
    expect(result.operations).toBeGreaterThan(20);
  });

  it('tells when a PV does not keep what was put', async () => {
    const pv = new SharedPV(ntScalar(double), { initial: { value: 0 }, onPut: () => {} });
    const result = await loadPvkit({ p: pv }, 'put', { codec, names: ['p'] });
    expect(result.wrong).toBe(1);
    expect(result.problems).toEqual([expect.stringMatching(/^p: 0 is read where \d+ was put last$/u)]);
  });

  it.each([
    ['int', int, (tick: number) => tick],
    ['int that is less than 0', int, (tick: number) => tick - 40],
    ['byte', byte, (tick: number) => ((tick + 100) % 256) - 128],
    ['long of more than 32 bits', long, (tick: number) => 2n ** 32n - 20n + BigInt(tick)],
    ['double', double, (tick: number) => tick],
  ] as const)('follows a counter of type %s', async (_name, type, valueOf) => {
    const pv = mailbox(type, valueOf(0));
    const options = { codec, names: ['c'], clients: 3, seconds: 1 } as const;
    const result = await loadPvkit({ c: pv }, 'monitor', options, (tick) => pv.post({ value: valueOf(tick) }));
    expect(result).toMatchObject({ ...FAULTLESS, squashed: 0 });
    expect(result.operations).toBeGreaterThan(500);
  });

  it('finds updates that are missing without a word, and counters that go back', async () => {
    const pv = mailbox(int, 0);
    let value = 500;
    const result = await loadPvkit({ c: pv }, 'monitor', { codec, names: ['c'] }, (tick) => {
      value += tick === 20 ? 4 : tick === 30 ? -2 : 1;
      pv.post({ value });
    });
    expect(result).toMatchObject({ lost: 3, wrong: 1 });
  });

  it('gets an array, and compares all of it', async () => {
    const pv = SharedPV.mailbox(ntScalarArray(double), { initial: { value: new Float64Array(300) } });
    const result = await loadPvkit({ w: pv }, 'array', { codec, names: ['w'] });
    expect(result).toMatchObject(FAULTLESS);
    expect(result.bytes).toBeGreaterThan(result.operations * 2_400);
  });

  it('connects many clients at once', async () => {
    const result = await loadPvkit({ a: mailbox(double, 1) }, 'connect', { codec, names: ['a'], clients: 30 });
    expect(result).toMatchObject({ ...FAULTLESS, operations: 30 });
  });

  it('creates channels on one link again and again, with ids of every width', async () => {
    const result = await loadPvkit({ a: mailbox(double, 1) }, 'connect', { codec, names: ['a'], channels: 300 });
    expect(result).toMatchObject(FAULTLESS);
    expect(result.operations).toBeGreaterThan(600);
  });

  it.each(['connect-storm', 'slow-readers', 'churn'] as const)('does %s', async (scenario) => {
    const options = { codec, names: ['a'], clients: 3, rate: 100, seed: 1 } as const;
    expect(await loadPvkit({ a: mailbox(double, 1) }, scenario, options)).toMatchObject(FAULTLESS);
  });

  it('soaks, with garbage that is like MessagePack', async () => {
    const options = { codec, names: ['a'], clients: 4, seconds: 3, seed: 1 } as const;
    const result = await loadPvkit({ a: mailbox(double, 1) }, 'soak', options);
    expect(result).toMatchObject(FAULTLESS);
    expect(result.figures['garbageLinks']).toBeGreaterThanOrEqual(5);
  });
});

describe('a server that lies in MessagePack', () => {
  it('is told of a value that changed under the same time stamp', async () => {
    const type = ntScalar(double);
    let count = 0;
    const result = await loadFake(
      (message, link) => {
        if (message.command !== 'GET') return false;
        const { ioid } = message;
        if (message.phase === 'init') {
          link.send({ command: 'GET', phase: 'init', ioid, subcommand: 0x08, status: OK, type });
          return true;
        }
        const value = {
          value: ++count === 10 ? 2 : 1,
          alarm: { severity: 0, status: 0, message: '' },
          timeStamp: { secondsPastEpoch: 5n, nanoseconds: 7, userTag: 0 },
        };
        const update = { type, changed: BitSet.of(0), value };
        link.send({ command: 'GET', phase: 'exec', ioid, subcommand: 0, status: OK, update });
        return true;
      },
      'get',
      { codec },
    );
    expect(result.wrong).toBe(1);
    expect(result.problems).toEqual(['x: another value with the same time stamp 5.000000007']);
  });
});
