// Does a channel of the configuration become the PV that it describes?

import { describe, expect, it } from 'vitest';

import type { ChannelDefinition } from '../../src/config/channel-definition.ts';
import { anonymousPeer } from '../../src/channels/peer.ts';
import { coercePartial } from '../../src/protocol/values/coerce.ts';
import { double, int, long, string, type StructureType } from '../../src/protocol/types/type-desc.ts';
import type { PvValue, StructureValue } from '../../src/protocol/types/value-of.ts';
import { ntEnum } from '../../src/protocol/normative/nt-enum.ts';
import { ntScalar, ntScalarArray } from '../../src/protocol/normative/nt-scalar.ts';
import { formatDelta } from '../../src/protocol/values/format-delta.ts';
import { configuredPv } from '../../src/server/configured-pv.ts';
import { ManualClock } from '../../src/transport/manual-clock.ts';

const PLAIN: ChannelDefinition = {
  name: 'lab:x',
  type: { kind: 'scalar', scalar: 'double' },
  value: undefined,
  units: undefined,
  description: undefined,
  display: undefined,
  control: undefined,
  alarm: undefined,
  readOnly: false,
  origin: 'lab.toml:1',
};

const TEMPERATURE: ChannelDefinition = {
  ...PLAIN,
  value: 21.5,
  units: 'C',
  display: { low: -20, high: 120, precision: 2, format: 'engineering' },
  control: { low: 0, high: 100, minStep: undefined },
  alarm: { low: 5, lowWarning: 10, highWarning: 60, high: 80, hysteresis: undefined },
};

function make(definition: ChannelDefinition) {
  const clock = new ManualClock(1_700_000_000_250);
  const pv = configuredPv(definition, clock);
  /** What a client's put does. */
  async function put(patch: unknown): Promise<void> {
    const { changed, value } = coercePartial(pv.type, patch, pv.value);
    // The value of a structure type is a structure.
    const put = { changed, value: value as StructureValue };
    const peer = anonymousPeer({ address: '127.0.0.1', port: 1 });
    await pv.put({ ...put, peer, pvRequest: null, signal: new AbortController().signal, tell: () => {} });
  }
  return { clock, pv, put };
}

function shown(type: StructureType, value: PvValue): string[] {
  return formatDelta(type, value).split('\n').slice(0, -1);
}

describe('a configured PV', () => {
  it('has type, value, limits and a time stamp as described', () => {
    const { pv } = make(TEMPERATURE);
    expect(pv.type).toBe(ntScalar(double, { form: true, control: true, valueAlarm: true }));
    expect(shown(pv.type, pv.value).filter((line) => !line.includes('choices'))).toEqual([
      'value double = 21.5',
      'alarm.severity int32_t = 0',
      'alarm.status int32_t = 0',
      'alarm.message string = ""',
      'timeStamp.secondsPastEpoch int64_t = 1700000000',
      'timeStamp.nanoseconds int32_t = 250000000',
      'timeStamp.userTag int32_t = 0',
      'display.limitLow double = -20',
      'display.limitHigh double = 120',
      'display.description string = ""',
      'display.units string = "C"',
      'display.precision int32_t = 2',
      'display.form.index int32_t = 6',
      'control.limitLow double = 0',
      'control.limitHigh double = 100',
      'control.minStep double = 0',
      'valueAlarm.active bool = true',
      'valueAlarm.lowAlarmLimit double = 5',
      'valueAlarm.lowWarningLimit double = 10',
      'valueAlarm.highWarningLimit double = 60',
      'valueAlarm.highAlarmLimit double = 80',
      'valueAlarm.lowAlarmSeverity int32_t = 2',
      'valueAlarm.lowWarningSeverity int32_t = 1',
      'valueAlarm.highWarningSeverity int32_t = 1',
      'valueAlarm.highAlarmSeverity int32_t = 2',
      'valueAlarm.hysteresis double = 0',
    ]);
  });

  it.each<[string, Partial<ChannelDefinition>, StructureType, PvValue]>([
    ['a double without more', {}, ntScalar(double), 0],
    ['a string', { type: { kind: 'scalar', scalar: 'string' }, value: 'x' }, ntScalar(string), 'x'],
    [
      'a string with units',
      { type: { kind: 'scalar', scalar: 'string' }, units: 'u' },
      ntScalar(string, { display: true }),
      '',
    ],
    ['a long', { type: { kind: 'scalar', scalar: 'long' }, value: 5n }, ntScalar(long), 5n],
    ['an array', { type: { kind: 'array', element: 'int' }, value: [1, 2] }, ntScalarArray(int), Int32Array.of(1, 2)],
    ['an array without a value', { type: { kind: 'array', element: 'string' } }, ntScalarArray(string), []],
    [
      'an enum',
      { type: { kind: 'enum', choices: ['Off', 'On'] }, value: 1 },
      ntEnum,
      { index: 1, choices: ['Off', 'On'] },
    ],
    ['an enum without a value', { type: { kind: 'enum', choices: ['a'] } }, ntEnum, { index: 0, choices: ['a'] }],
  ])('is %s', (_what, definition, type, value) => {
    const { pv } = make({ ...PLAIN, ...definition });
    expect(pv.type).toBe(type);
    expect(pv.value['value']).toEqual(value);
  });

  it('is in alarm from the beginning when its value is', () => {
    const { pv } = make({ ...TEMPERATURE, value: 90 });
    expect(pv.value['alarm']).toEqual({ severity: 2, status: 1, message: 'HIHI' });
  });

  it('of an integer type has whole limits that let through what the given ones do, no further out than the type reaches', () => {
    const { pv } = make({
      ...PLAIN,
      type: { kind: 'scalar', scalar: 'ubyte' },
      display: { low: -5, high: 1e9, precision: undefined, format: undefined },
      control: { low: undefined, high: 99.5, minStep: 0.2 },
      alarm: { low: 2.5, lowWarning: undefined, highWarning: undefined, high: undefined, hysteresis: 0.5 },
    });
    expect(shown(pv.type, pv.value).filter((line) => line.includes('imit'))).toEqual([
      'display.limitLow uint8_t = 0',
      'display.limitHigh uint8_t = 255',
      'control.limitLow uint8_t = 0',
      'control.limitHigh uint8_t = 99',
      'valueAlarm.lowAlarmLimit uint8_t = 2',
      'valueAlarm.lowWarningLimit uint8_t = 0',
      'valueAlarm.highWarningLimit uint8_t = 0',
      'valueAlarm.highAlarmLimit uint8_t = 0',
    ]);
  });
});

describe('a put', () => {
  it('sets value, alarm and time stamp together', async () => {
    const { pv, put, clock } = make(TEMPERATURE);
    const seen: string[][] = [];
    pv.subscribe({
      update: ({ changed, value }) => void seen.push(formatDelta(pv.type, value, changed).split('\n').slice(0, -1)),
      finish: () => {},
    });
    seen.length = 0;
    clock.advance(1_000);
    await put({ value: 61 });
    expect(seen).toEqual([
      [
        'value double = 61',
        'alarm.severity int32_t = 1',
        'alarm.status int32_t = 1',
        'alarm.message string = "HIGH"',
        'timeStamp.secondsPastEpoch int64_t = 1700000001',
        'timeStamp.nanoseconds int32_t = 250000000',
      ],
    ]);
  });

  it('of other fields leaves the alarm alone', async () => {
    const { pv, put } = make({ ...TEMPERATURE, value: 90 });
    await put({ display: { units: 'K' } });
    expect(pv.value).toMatchObject({ display: { units: 'K' }, alarm: { message: 'HIHI' } });
  });

  it.each([
    [101, 'value 101 is outside of the limits 0 to 100'],
    [-0.001, 'value -0.001 is outside of the limits 0 to 100'],
    [Number.NaN, 'value NaN is outside of the limits 0 to 100'],
  ])('of %d, outside of the control limits, is refused and changes nothing', async (value, message) => {
    const { pv, put } = make(TEMPERATURE);
    const before = pv.value;
    await expect(put({ value })).rejects.toThrow(message);
    expect(pv.value).toBe(before);
  });

  it('is held against each element of an array, and against the one limit that there is', async () => {
    const { pv, put } = make({
      ...PLAIN,
      type: { kind: 'array', element: 'long' },
      control: { low: undefined, high: 10, minStep: undefined },
    });
    await put({ value: [1, -99999] });
    await expect(put({ value: [1, 11] })).rejects.toThrow(
      'value 11 is outside of the limits -9223372036854775808 to 10',
    );
    expect(pv.value['value']).toEqual(BigInt64Array.of(1n, -99999n));
  });

  it('on a read-only PV is refused', async () => {
    const { put } = make({ ...PLAIN, readOnly: true });
    await expect(put({ value: 1 })).rejects.toThrow('read-only');
  });

  it('of an enum takes labels', async () => {
    const { pv, put } = make({ ...PLAIN, type: { kind: 'enum', choices: ['Off', 'On'] } });
    await put({ value: 'On' });
    expect(pv.value['value']).toEqual({ index: 1, choices: ['Off', 'On'] });
  });
});
