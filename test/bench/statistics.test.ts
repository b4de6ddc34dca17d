// Does the bench against other servers compare fairly: ratios of pairs, the middle of them, and only undisturbed ones?

import { describe, expect, it } from 'vitest';
import { judged } from '../../bench/peer/load.ts';
import { measurePairs } from '../../bench/peer/pairs.ts';
import { comparedRow, singleRow } from '../../bench/peer/row.ts';
import { isReached, ratiosOf, spreadOf } from '../../bench/statistics.ts';
import { tableOf } from '../../bench/peer/table.ts';

describe('a spread', () => {
  it('has the least, the middle and the greatest of an odd number of runs, in whatever order they came', () => {
    expect(spreadOf([5, 1, 30])).toEqual({ min: 1, median: 5, max: 30 });
    expect(spreadOf([7])).toEqual({ min: 7, median: 7, max: 7 });
  });

  it('has the mean of the two in the middle of an even number', () => {
    expect(spreadOf([4, 1, 2, 100])).toEqual({ min: 1, median: 3, max: 100 });
  });

  it('is refused when there was no run', () => {
    expect(() => spreadOf([])).toThrow(RangeError);
  });
});

describe('a ratio', () => {
  it('is that of one pair, so that a machine that halves its speed between pairs changes nothing', () => {
    const pairs = [
      { pvkit: 90, pvxs: 100 },
      { pvkit: 45, pvxs: 50 },
    ];
    expect(ratiosOf(pairs)).toEqual([0.9, 0.9]);
  });

  it('reaches its target by its middle', () => {
    const spread = { min: 0.5, median: 0.85, max: 2 };
    expect(isReached(spread, { bound: 'atLeast', value: 0.85 })).toBe(true);
    expect(isReached(spread, { bound: 'atLeast', value: 0.86 })).toBe(false);
    expect(isReached(spread, { bound: 'atMost', value: 0.84 })).toBe(false);
  });
});

describe('pairs', () => {
  /** A machine that does what `readings` say, and takes everything below 85 for slow. */
  function gauge(readings: number[]) {
    return { read: async () => readings.shift() ?? 100, isSlow: (perSecond: number) => perSecond < 85 };
  }

  it('measure the servers in turn', async () => {
    const order: string[] = [];
    const { pairs } = await measurePairs(2, gauge([]), async (name) => order.push(name));
    expect(order).toEqual(['pvkit', 'pvxs', 'pvkit', 'pvxs']);
    expect(pairs).toEqual([
      { pvkit: 1, pvxs: 2, gauge: 100 },
      { pvkit: 3, pvxs: 4, gauge: 100 },
    ]);
  });

  it('are repeated when the machine was slow before or after them', async () => {
    const readings = [100, 99, 40, 98, 97, 96];
    let run = 0;
    const { pairs, repeated, disturbed } = await measurePairs(3, gauge(readings), async () => ++run);
    expect(pairs.map(({ pvkit }) => pvkit)).toEqual([1, 7, 9]);
    expect({ repeated, disturbed }).toEqual({ repeated: 2, disturbed: 0 });
  });

  it('are taken as they are on a machine that stays slow, and said to be so', async () => {
    let run = 0;
    const slow = { read: async () => 10, isSlow: () => true };
    const { pairs, repeated, disturbed } = await measurePairs(3, slow, async () => ++run);
    expect(pairs).toHaveLength(3);
    expect({ repeated, disturbed, run }).toEqual({ repeated: 2, disturbed: 3, run: 10 });
  });
});

describe('a report of the generator', () => {
  const report = {
    scenario: 'get',
    server: '127.0.0.1:5075',
    clients: 1,
    depth: 1,
    names: 1,
    seconds: 1,
    operations: 1000,
    perSecond: 1000,
    latencyUs: { min: 1, p50: 2, p90: 3, p99: 4, p999: 5, max: 6 },
    bytes: 10,
    bytesPerSecond: 10,
    wrong: 0,
    lost: 0,
    squashed: 0,
    errors: 0,
    serverCpuSeconds: 1,
    perServerCpuSecond: 1000,
    clientCpuSeconds: 1,
  };

  it('counts when every value was right', () => {
    const { report: read, faults } = judged(`${JSON.stringify(report)}\n`, 0, '');
    expect(read.perSecond).toBe(1000);
    expect(faults).toEqual([]);
  });

  it.each([
    [{ wrong: 2 }, 1, ['2 wrong']],
    [{ lost: 1, errors: 3 }, 1, ['1 lost', '3 errors']],
    [{ operations: 0 }, 0, ['no operation was done']],
    [{}, 1, ['exit code 1: out of luck']],
  ])('does not count with %j and exit code %i', (change, code, faults) => {
    expect(judged(JSON.stringify({ ...report, ...change }), code, 'out of luck\n').faults).toEqual(faults);
  });

  it('is missed when there is none', () => {
    expect(() => judged('', 2, 'no such server')).toThrow(/ended with 2 and no report: no such server/u);
  });
});

describe('the table', () => {
  const now = { date: '2026-01-01T00:00', commit: 'abc' };
  const measured = { name: 'get-1x1', unit: '/s', notes: [], target: { bound: 'atLeast', value: 0.85 } } as const;

  it('says what was reached, by how much, and what was not', () => {
    const pairs = [{ pvkit: 90_000, pvxs: 100_000 }];
    const rows = [
      comparedRow({ ...measured, faults: [] }, pairs, now),
      comparedRow({ ...measured, faults: [], name: 'put', target: { bound: 'atLeast', value: 1 } }, pairs, now),
      singleRow(
        { ...measured, faults: [], name: 'start', unit: 'ms', target: { bound: 'atMost', value: 300 } },
        [120],
        now,
      ),
    ];
    expect(tableOf(rows).split('\n')).toEqual([
      'work        pvkit     pvxs  ratio  (min .. max)      target',
      'get-1x1  90.0 k/s  100 k/s   0.90  (0.90 .. 0.90)    >= 0.85    reached',
      'put      90.0 k/s  100 k/s   0.90  (0.90 .. 0.90)    >= 1       missed',
      'start      120 ms                  (120.0 .. 120.0)  <= 300 ms  reached',
    ]);
  });

  it('gives no verdict on what is invalid', () => {
    const row = comparedRow({ ...measured, faults: ['pvkit 1 lost'] }, [{ pvkit: 1, pvxs: 1 }], now);
    expect(row.isReached).toBeUndefined();
    expect(tableOf([row])).toContain('INVALID: pvkit 1 lost');
  });
});
