// Does a computed PV follow its inputs: value, alarm, order, and what cannot be computed?

import { describe, expect, expectTypeOf, it } from 'vitest';

import { computed, type ComputedPV } from '../../src/channels/behaviours/computed.ts';
import { recomputeSoon } from '../../src/channels/behaviours/wave.ts';
import { expression } from '../../src/channels/expression/expression.ts';
import { valueAlarmOf } from '../../src/channels/limit-alarm.ts';
import { SharedPV } from '../../src/channels/shared-pv.ts';
import { LimitError } from '../../src/protocol/errors.ts';
import { alarm, NO_ALARM } from '../../src/protocol/normative/alarm.ts';
import { enumValue, ntEnum } from '../../src/protocol/normative/nt-enum.ts';
import { ntScalar, ntScalarArray } from '../../src/protocol/normative/nt-scalar.ts';
import { double, int, long, string, structure } from '../../src/protocol/types/type-desc.ts';
import { ManualClock } from '../../src/transport/manual-clock.ts';
import { hitsLimit } from '../support/hits-limit.ts';
import { putTo } from '../support/put-to.ts';
import { watch } from '../support/watch.ts';

const TYPE = ntScalar(double);

function source(value: number) {
  return new SharedPV(TYPE, { initial: { value } });
}

describe('a computed PV', () => {
  it('has its value from the beginning, and after each change of an input', () => {
    const [a, b] = [source(3), source(4)];
    const pv = computed(TYPE, { a, b }, ({ a: x, b: y }) => Math.hypot(x, y));
    const { values } = watch(pv);
    expect(pv.value.value).toBe(5);
    a.post({ value: 8 });
    b.post({ value: 6 });
    expect(values()).toEqual([Math.hypot(8, 4), 10]);
  });

  it('is computed once for a post, however many ways lead to it, and from inputs of one moment', () => {
    const a = source(1);
    const seen: unknown[] = [];
    const double1 = computed(TYPE, { a }, ({ a: x }) => 2 * x);
    const far = computed(TYPE, { double1 }, ({ double1: x }) => x + 1);
    const all = computed(TYPE, { a, far, double1 }, (values) => {
      seen.push(values);
      return values.a + values.far + values.double1;
    });
    const { values } = watch(all);
    seen.length = 0;
    a.post({ value: 10 });
    expect(seen).toEqual([{ a: 10, far: 21, double1: 20 }]);
    expect(values()).toEqual([51]);
    expect([double1.depth, far.depth, all.depth]).toEqual([1, 2, 3]);
  });

  it('gives each input as its field value, or as a whole where it has none', () => {
    const inputs = {
      number: source(1),
      integer: new SharedPV(ntScalar(long), { initial: { value: 5n } }),
      text: new SharedPV(ntScalar(string), { initial: { value: 'x' } }),
      list: new SharedPV(ntScalarArray(double), { initial: { value: [1, 2] } }),
      state: new SharedPV(ntEnum, { initial: { value: enumValue(['Off', 'On'], 1) } }),
      point: new SharedPV(structure({ x: double, y: double }), { initial: { x: 1 } }),
    };
    const pv = computed(ntScalar(string), inputs, (values) => {
      expectTypeOf(values.number).toEqualTypeOf<number>();
      expectTypeOf(values.integer).toEqualTypeOf<bigint>();
      expectTypeOf(values.list).toEqualTypeOf<Float64Array>();
      expectTypeOf(values.state.index).toEqualTypeOf<number>();
      expectTypeOf(values.point.y).toEqualTypeOf<number>();
      const { number, integer, text, list, state, point } = values;
      return [number, integer, text, list.length, state.choices[state.index], point.y].join(' ');
    });
    expect(pv.value.value).toBe('1 5 x 2 On 0');
  });

  it('takes an expression', () => {
    const [a, b] = [source(3), source(4)];
    const pv = computed(TYPE, { a, b }, expression('sqrt(a*a + b*b)', ['a', 'b']));
    a.post({ value: 0 });
    expect(pv.value.value).toBe(4);
  });

  it('takes a patch, an enum label, and nothing for no change', () => {
    const a = source(1);
    const withUnits = computed(ntScalar(double, { display: true }), { a }, ({ a: x }) => ({
      value: x,
      display: { units: x > 1 ? 'kV' : 'V' },
    }));
    const state = computed(ntEnum, { a }, ({ a: x }) => (x > 1 ? 'High' : 'Low'), {
      initial: { value: enumValue(['Low', 'High']) },
    });
    const odd = computed(TYPE, { a }, ({ a: x }) => (x % 2 === 1 ? x : undefined));
    a.post({ value: 2 });
    expect(withUnits.value).toMatchObject({ value: 2, display: { units: 'kV' } });
    expect(state.value.value.index).toBe(1);
    expect(odd.value.value).toBe(1);
  });

  it('cannot be put to', async () => {
    await expect(
      putTo(
        computed(TYPE, { a: source(1) }, ({ a }) => a),
        { value: 3 },
      ),
    ).rejects.toThrow('read-only');
  });

  it('has the time of its computing, or none if that is asked', () => {
    const clock = new ManualClock(1_700_000_000_000);
    const a = source(1);
    const pv = computed(TYPE, { a }, (values) => values.a, { clock });
    clock.advance(2_000);
    a.post({ value: 2 });
    expect(pv.value.timeStamp.secondsPastEpoch).toBe(1_700_000_002n);
    const bare = computed(TYPE, { a }, (values) => values.a, { clock, timeStamps: 'given' });
    expect(bare.value.timeStamp.secondsPastEpoch).toBe(0n);
  });

  it('may have limits and a deadband of its own', () => {
    const a = source(1);
    const pv = computed(ntScalar(double, { valueAlarm: true }), { a }, (values) => values.a, {
      deadband: 1,
      limitAlarms: true,
      initial: { valueAlarm: valueAlarmOf({ high: 10, hysteresis: 2 }) },
    });
    const { values, alarms } = watch(pv);
    for (const value of [1.5, 9, 10, 8.5, 7]) a.post({ value });
    expect(values()).toEqual([9, 10, 8.5, 7]);
    expect(alarms()).toEqual(['', 'HIHI', 'HIHI', '']);
  });

  it('is told of an input only what subscribers are', () => {
    const a = new SharedPV(TYPE, { deadband: 1, initial: { value: 0 } });
    const pv = computed(TYPE, { a }, (values) => values.a);
    a.post({ value: 0.5 });
    expect(pv.value.value).toBe(0);
    a.post({ value: 1.5 });
    expect(pv.value.value).toBe(1.5);
  });

  it('watches its inputs until it is closed', () => {
    const events: string[] = [];
    const a = new SharedPV(TYPE, {
      initial: { value: 1 },
      onFirstSubscriber: () => events.push('first'),
      onLastUnsubscribe: () => events.push('last'),
    });
    const pv = computed(TYPE, { a, same: a }, (values) => values.a + values.same);
    expect(events).toEqual(['first']);
    pv.close();
    expect(events).toEqual(['first', 'last']);
    expect(a.subscriberCount).toBe(0);
    a.post({ value: 5 });
    expect(pv.value.value).toBe(2);
    expect(() => a.close()).not.toThrow();
  });

  it('has a constant value without inputs', () => {
    expect(computed(TYPE, {}, () => 7).value.value).toBe(7);
  });
});

describe('the alarm of a computed PV', () => {
  function made(options: { readonly maximizeSeverity?: boolean } = {}) {
    const [a, b] = [source(1), source(2)];
    return { a, b, pv: computed(TYPE, { a, b }, (values) => values.a + values.b, options) };
  }

  it('is as bad as the worst of its inputs, and says which', () => {
    const { a, b, pv } = made();
    expect(pv.value.alarm).toEqual(NO_ALARM);
    a.post({ alarm: alarm('MINOR', 'DEVICE', 'HIGH') });
    expect(pv.value.alarm).toEqual(alarm('MINOR', 'RECORD', 'a: HIGH'));
    b.post({ alarm: alarm('MAJOR', 'DRIVER') });
    expect(pv.value.alarm).toEqual(alarm('MAJOR', 'RECORD', 'b: MAJOR'));
    b.post({ alarm: NO_ALARM });
    a.post({ alarm: NO_ALARM });
    expect(pv.value.alarm).toEqual(NO_ALARM);
  });

  it('is its own if severities are not maximized', () => {
    const { a, pv } = made({ maximizeSeverity: false });
    a.post({ alarm: alarm('MAJOR', 'DEVICE', 'HIHI') });
    expect(pv.value.alarm).toEqual(NO_ALARM);
  });

  it('is its own where that is as bad', () => {
    const a = source(1);
    const pv = computed(ntScalar(double, { valueAlarm: true }), { a }, (values) => values.a, {
      limitAlarms: true,
      initial: { valueAlarm: valueAlarmOf({ highWarning: 10 }) },
    });
    a.post({ value: 11, alarm: alarm('MINOR', 'DEVICE', 'HIGH') });
    expect(pv.value.alarm.message).toBe('HIGH');
    a.post({ alarm: alarm('INVALID', 'DRIVER', 'no device') });
    expect(pv.value.alarm.message).toBe('a: no device');
    a.post({ alarm: NO_ALARM });
    expect(pv.value.alarm.message).toBe('HIGH');
  });

  it('goes through a chain', () => {
    const { a, pv } = made();
    const next = computed(TYPE, { pv }, (values) => values.pv);
    a.post({ alarm: alarm('MAJOR', 'DEVICE', 'HIHI') });
    expect(next.value.alarm).toEqual(alarm('MAJOR', 'RECORD', 'pv: a: HIHI'));
  });

  it('that the function gives counts, and the worst of the inputs more', () => {
    const a = source(1);
    const pv = computed(TYPE, { a }, (values) => ({ value: values.a, alarm: alarm('MINOR', 'RECORD', 'own') }));
    expect(pv.value.alarm.message).toBe('own');
    a.post({ alarm: alarm('MAJOR', 'DEVICE', 'HIHI') });
    expect(pv.value.alarm.message).toBe('a: HIHI');
  });
});

describe('what cannot be computed', () => {
  function failing(compute: (value: number) => unknown, type = TYPE): { a: SharedPV<typeof TYPE>; pv: ComputedPV } {
    const a = source(1);
    return { a, pv: computed(type, { a }, (values) => (values.a === 1 ? 1 : compute(values.a))) };
  }

  it.each<[string, (value: number) => unknown, string]>([
    [
      'throws',
      () => {
        throw new Error('no such mode');
      },
      'no such mode',
    ],
    ['gives what does not fit the type', () => 'many', 'value: a number (double) expected'],
    ['gives a field that is not there', () => ({ valeu: 1 }), 'valeu: no such field'],
    ['gives a promise', () => Promise.resolve(2), 'compute gave a promise; a value is expected'],
  ])('is INVALID and keeps the last value when the function %s', (_what, compute, reason) => {
    const { a, pv } = failing(compute);
    a.post({ value: 2 });
    const { alarm: shown, value } = pv.value;
    expect(shown).toMatchObject({ severity: 3, status: 3 });
    expect(String((shown as { message?: unknown }).message)).toContain(reason);
    expect(value).toBe(1);
    a.post({ value: 1 });
    expect(pv.value['alarm']).toEqual(NO_ALARM);
  });

  it('is INVALID when it is NaN, and shows it', () => {
    const { a, pv } = failing(() => Number.NaN);
    a.post({ value: 2 });
    expect(pv.value).toMatchObject({ value: Number.NaN, alarm: alarm('INVALID', 'DEVICE', 'NaN') });
  });

  it('is INVALID when it is no integer but the type is one', () => {
    const a = source(1);
    const pv = computed(ntScalar(int), { a }, ({ a: x }) => x / 2);
    expect(pv.value.alarm.message).toMatch(/^value: .*0\.5/);
    a.post({ value: 4 });
    expect(pv.value).toMatchObject({ value: 2, alarm: { severity: 0 } });
  });

  it('is INVALID until every input has a value', () => {
    const a = new SharedPV(TYPE);
    const b = new SharedPV(structure({ x: double }));
    const pv = computed(TYPE, { a, b }, (values) => values.a + values.b.x);
    expect(pv.value.alarm).toEqual(alarm('INVALID', 'RECORD', 'a has no value yet'));
    a.post({ value: 1 });
    expect(pv.value.alarm.message).toBe('b has no value yet');
    b.post({ x: 2 });
    expect(pv.value).toMatchObject({ value: 3, alarm: NO_ALARM });
  });

  it('is INVALID when an input is closed, or has finished', () => {
    const [a, b] = [source(1), source(2)];
    const pv = computed(TYPE, { a, b }, (values) => values.a + values.b);
    b.finish();
    expect(pv.value).toMatchObject({ value: 3, alarm: { severity: 3, message: 'b has ended' } });
    a.close();
    expect(pv.value.alarm.message).toBe('a has ended');
  });

  it('is refused at once when an input is closed already, or cannot be watched', () => {
    const [a, closed] = [source(1), source(2)];
    closed.close();
    expect(() => computed(TYPE, { a, closed }, () => 1)).toThrow('input closed has ended');
    const broken = new SharedPV(TYPE, {
      onFirstSubscriber: () => {
        throw new Error('no device');
      },
    });
    expect(() => computed(TYPE, { a, broken }, () => 1)).toThrow('no device');
    expect(a.subscriberCount).toBe(0);
  });
});

describe('the wave of computations', () => {
  it('ends with an error when channels go round in a circle by way of handlers', () => {
    hitsLimit('maxComputationsPerPost');
    const a = source(1);
    const pv = computed(TYPE, { a }, (values) => values.a + 1);
    pv.subscribe({ update: ({ value }) => a.post({ value: Number(value['value']) }), finish: () => undefined });
    // The circle is broken at its bound, whoever posts.
    expect(a.value.value).toBeGreaterThan(1);
    expect(() => a.post({ value: 1 })).toThrow(LimitError);
    pv.close();
    const other = computed(TYPE, { a }, (values) => values.a);
    a.post({ value: 5 });
    expect(other.value.value).toBe(5);
  });

  it('begins at once outside of a post', () => {
    let count = 0;
    recomputeSoon({ depth: 3, recompute: () => void count++ });
    expect(count).toBe(1);
  });
});
