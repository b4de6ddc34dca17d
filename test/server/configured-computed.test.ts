// Which PVs do computed channels of the configuration become, and how do numbers fit the types of their values?

import { describe, expect, it } from 'vitest';

import type { ChannelDefinition, ChannelType, ChannelValue } from '../../src/config/channel-definition.ts';
import type { ScalarName } from '../../src/protocol/types/type-desc.ts';
import type { PvValue } from '../../src/protocol/types/value-of.ts';
import { configuredPv, configuredPvs } from '../../src/server/configured-pv.ts';
import { ManualClock } from '../../src/transport/manual-clock.ts';

function scalarType(scalar: ScalarName): ChannelType {
  return { kind: 'scalar', scalar };
}

function definition(name: string, type: ChannelType, more: Partial<ChannelDefinition> = {}): ChannelDefinition {
  return {
    name,
    type,
    value: undefined,
    units: undefined,
    description: undefined,
    display: undefined,
    control: undefined,
    alarm: undefined,
    readOnly: false,
    origin: 'lab.toml:1',
    ...more,
  };
}

/** A channel computed from others that have their own names in the expression. */
function computedFrom(
  name: string,
  type: ChannelType,
  expression: string,
  inputs: readonly string[],
): ChannelDefinition {
  const byName = Object.fromEntries(inputs.map((input) => [input, input]));
  return definition(name, type, { computed: { expression, inputs: byName, maximizeSeverity: true } });
}

/** Value and alarm of an expression of one input. */
function result(of: ChannelType, value: ChannelValue, type: ChannelType, expression: string): readonly unknown[] {
  const pvs = configuredPvs(
    [definition('a', of, { value }), computedFrom('c', type, expression, ['a'])],
    new ManualClock(),
  );
  const shown: Record<string, PvValue> = { ...pvs.get('c')?.value };
  return [shown['value'], (shown['alarm'] as { message?: unknown }).message];
}

const DOUBLE = scalarType('double');
const LONG = scalarType('long');
const SWITCH: ChannelType = { kind: 'enum', choices: ['Off', 'On', 'Tripped'] };

describe('the value of a computed channel', () => {
  it.each<[ChannelType, ChannelValue, ChannelType, string, unknown, string | RegExp]>([
    [DOUBLE, 2.5, DOUBLE, 'a * 2', 5, ''],
    [DOUBLE, 0, DOUBLE, 'a / a', Number.NaN, 'NaN'],
    [DOUBLE, 0.1, scalarType('float'), 'a', Math.fround(0.1), ''],
    [DOUBLE, 2.5, scalarType('int'), 'round(a)', 3, ''],
    [DOUBLE, 2.5, scalarType('int'), 'a', 0, /^value: .*2\.5/],
    [DOUBLE, 300, scalarType('ubyte'), 'a', 0, /^value: .*300/],
    [DOUBLE, 2.5, LONG, 'floor(a)', 2n, ''],
    [LONG, 9_007_199_254_740_993n, LONG, 'a + 1', 9_007_199_254_740_994n, ''],
    [LONG, 9_223_372_036_854_775_807n, LONG, 'a + 1', 0n, /^value: .*9223372036854775808/],
    [LONG, 9_007_199_254_740_993n, DOUBLE, 'a', 9_007_199_254_740_992, ''],
    [scalarType('ulong'), 3n, scalarType('ushort'), 'a * 2', 6, ''],
    [DOUBLE, 2, scalarType('boolean'), 'a > 1', true, ''],
    [DOUBLE, 0, scalarType('boolean'), 'a', false, ''],
    [LONG, 0n, scalarType('boolean'), 'a', false, ''],
    [DOUBLE, 0, scalarType('boolean'), 'a / a', false, 'NaN is neither true nor false'],
    [scalarType('boolean'), true, DOUBLE, 'a + 1', 2, ''],
    [SWITCH, 2, DOUBLE, 'a * 10', 20, ''],
    [DOUBLE, 1, SWITCH, 'a + 1', { index: 2, choices: ['Off', 'On', 'Tripped'] }, ''],
    [LONG, 1n, SWITCH, 'a', { index: 1, choices: ['Off', 'On', 'Tripped'] }, ''],
    [DOUBLE, 2, SWITCH, 'a + 1', { index: 0, choices: ['Off', 'On', 'Tripped'] }, /^value: one of 'Off'/],
    // Only a --pv that replaces a channel of the file can bring this about.
    [scalarType('string'), 'x', DOUBLE, 'a', Number.NaN, 'NaN'],
  ])('of %o being %o, as %o, with %s is %o', (of, value, type, text, expected, message) => {
    const [shown, alarm] = result(of, value, type, text);
    expect(shown).toEqual(expected);
    if (typeof message === 'string') expect(alarm).toBe(message);
    else expect(alarm).toMatch(message);
  });
});

describe('the PVs of a configuration', () => {
  it('are made in the order in which they depend on each other', () => {
    const pvs = configuredPvs(
      [
        computedFrom('c', DOUBLE, 'b + a', ['b', 'a']),
        computedFrom('b', DOUBLE, 'a * 10', ['a']),
        definition('a', DOUBLE, { value: 1 }),
      ],
      new ManualClock(),
    );
    expect([...pvs.keys()]).toEqual(['a', 'b', 'c']);
    pvs.get('a')?.post({ value: 2 });
    expect(pvs.get('c')?.value).toMatchObject({ value: 22 });
  });

  it('do not depend on themselves, nor on what there is not', () => {
    const circle = [computedFrom('a', DOUBLE, 'b', ['b']), computedFrom('b', DOUBLE, 'a', ['a'])];
    expect(() => configuredPvs(circle, new ManualClock())).toThrow('a depends on itself');
    expect(() => configuredPvs([computedFrom('a', DOUBLE, 'x', ['x'])], new ManualClock())).toThrow(
      'a: there is no channel x',
    );
    expect(() => configuredPv(computedFrom('a', DOUBLE, '1', ['x']), new ManualClock())).toThrow('no channel x');
  });

  it('have limits, units and a deadband of their own when they are computed', () => {
    const computed = {
      ...computedFrom('c', DOUBLE, 'a', ['a']),
      units: 'C',
      alarm: { low: undefined, lowWarning: undefined, highWarning: 5, high: undefined, hysteresis: undefined },
      control: { low: 0, high: 1, minStep: undefined },
      deadband: 2,
    };
    const pvs = configuredPvs([definition('a', DOUBLE, { value: 6 }), computed], new ManualClock());
    expect(pvs.get('c')?.value).toMatchObject({ value: 6, alarm: { message: 'HIGH' }, display: { units: 'C' } });
    const told: unknown[] = [];
    pvs.get('c')?.subscribe({ update: ({ value }) => told.push(value['value']), finish: () => undefined });
    pvs.get('a')?.post({ value: 7 });
    pvs.get('a')?.post({ value: 9 });
    expect(told).toEqual([6, 9]);
  });

  it('have no alarm at a limit that their type does not reach', () => {
    const limits = { low: -1, lowWarning: undefined, highWarning: undefined, high: 300, hysteresis: undefined };
    const pvs = configuredPvs([definition('a', scalarType('ubyte'), { value: 0, alarm: limits })], new ManualClock());
    expect(pvs.get('a')?.value).toMatchObject({
      alarm: { severity: 0 },
      valueAlarm: { lowAlarmSeverity: 0, highAlarmSeverity: 0 },
    });
    pvs.get('a')?.post({ value: 255 });
    expect(pvs.get('a')?.value).toMatchObject({ alarm: { severity: 0 } });
  });

  it('keep limits of 64 bits to the last digit', () => {
    const high = 9_007_199_254_740_993n;
    const alarm = { low: undefined, lowWarning: undefined, highWarning: undefined, high, hysteresis: undefined };
    const control = { low: undefined, high, minStep: undefined };
    const pvs = configuredPvs([definition('a', LONG, { alarm, control, value: high - 1n })], new ManualClock());
    expect(pvs.get('a')?.value).toMatchObject({
      alarm: { severity: 0 },
      control: { limitLow: -(2n ** 63n), limitHigh: high },
      valueAlarm: { highAlarmLimit: high },
    });
    pvs.get('a')?.post({ value: high });
    expect(pvs.get('a')?.value).toMatchObject({ alarm: { message: 'HIHI' } });
  });
});
