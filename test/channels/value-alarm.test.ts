// When does a PV set its alarm by its own limits, and who else may set it?

import { describe, expect, it } from 'vitest';

import { valueAlarmOf, type AlarmLimits } from '../../src/channels/limit-alarm.ts';
import { SharedPV, type SharedPVOptions } from '../../src/channels/shared-pv.ts';
import { BitSet } from '../../src/protocol/bit-set.ts';
import { alarm } from '../../src/protocol/normative/alarm.ts';
import { ntScalar, ntScalarArray } from '../../src/protocol/normative/nt-scalar.ts';
import { alarmType, valueAlarmType } from '../../src/protocol/normative/substructures.ts';
import { boolean, double, long, structure } from '../../src/protocol/types/type-desc.ts';
import { putRequestFor, putTo } from '../support/put-to.ts';
import { watch } from '../support/watch.ts';

const TYPE = ntScalar(double, { valueAlarm: true });
const LIMITS: AlarmLimits = { low: 5, lowWarning: 10, highWarning: 60, high: 80, hysteresis: 2 };

function make(value: number, options: Partial<SharedPVOptions<typeof TYPE>> = {}) {
  return SharedPV.mailbox(TYPE, {
    limitAlarms: true,
    initial: { value, valueAlarm: valueAlarmOf(LIMITS) },
    ...options,
  });
}

describe('a PV with limit alarms', () => {
  it('is in alarm from the beginning when its value is, and says so when it is not', () => {
    expect(make(90).value.alarm).toEqual(alarm('MAJOR', 'DEVICE', 'HIHI'));
    const calm = make(30);
    expect(calm.value.alarm.severity).toBe(0);
    // The alarm counts as set: readers are told that there is none.
    expect([...calm.state.changed].slice(0, 4)).toEqual([1, 3, 4, 5]);
  });

  it('tells the alarm with the value that brings it, whole, and only when it changes', () => {
    const pv = make(30);
    const { paths, alarms } = watch(pv);
    for (const value of [61, 70, 81, 79, 77, 30]) pv.post({ value });
    expect(alarms()).toEqual(['HIGH', 'HIGH', 'HIHI', 'HIHI', 'HIGH', '']);
    expect(paths()).toEqual([
      ['value', 'alarm.severity', 'alarm.status', 'alarm.message'],
      ['value'],
      ['value', 'alarm.severity', 'alarm.status', 'alarm.message'],
      ['value'],
      ['value', 'alarm.severity', 'alarm.status', 'alarm.message'],
      ['value', 'alarm.severity', 'alarm.status', 'alarm.message'],
    ]);
  });

  it('follows limits that change', () => {
    const pv = make(30);
    pv.post({ valueAlarm: { highWarningLimit: 25 } });
    expect(pv.value.alarm.message).toBe('HIGH');
    pv.post({ valueAlarm: { highWarningSeverity: 3 } });
    expect(pv.value.alarm.severity).toBe(3);
    pv.post({ valueAlarm: { active: false } });
    expect(pv.value.alarm).toEqual({ severity: 0, status: 0, message: '' });
    pv.post({ value: 100 });
    expect(pv.value.alarm.severity).toBe(0);
  });

  it('leaves the alarm alone when something else changes', () => {
    const pv = make(30);
    pv.post({ alarm: alarm('INVALID', 'DRIVER', 'no device') });
    pv.post({ timeStamp: { userTag: 3 } });
    expect(pv.value.alarm.message).toBe('no device');
  });

  it('keeps an alarm that is posted with a value, and judges the next one again', () => {
    const pv = make(30);
    pv.post({ value: 90, alarm: alarm('INVALID', 'DRIVER', 'no device') });
    expect(pv.value.alarm.message).toBe('no device');
    pv.post({ value: 90 });
    expect(pv.value.alarm.message).toBe('HIHI');
  });

  it('goes by the last alarm of a limit, not by what somebody else wrote', async () => {
    const pv = make(90);
    await putTo(pv, { alarm: { message: 'HIGH' } });
    pv.post({ value: 79 });
    // 79 is inside of the hysteresis of HIHI.
    expect(pv.value.alarm.message).toBe('HIHI');
  });

  it('does not take the alarm that a client puts back with a value', async () => {
    const pv = make(90);
    const stale = { ...putRequestFor(pv, { value: 30 }), changed: BitSet.of(1, 3, 4, 5) };
    await pv.put(stale);
    expect(pv.value).toMatchObject({ value: 30, alarm: { severity: 0, message: '' } });
  });

  it('is INVALID while its value is no number', () => {
    const pv = make(30);
    pv.post({ value: Number.NaN });
    expect(pv.value.alarm).toEqual(alarm('INVALID', 'DEVICE', 'NaN'));
    pv.post({ value: 30 });
    expect(pv.value.alarm.severity).toBe(0);
  });

  it('judges integers of 64 bits exactly', () => {
    const high = 9_007_199_254_740_993n;
    const pv = new SharedPV(ntScalar(long, { valueAlarm: true }), {
      limitAlarms: true,
      initial: { value: high - 1n, valueAlarm: valueAlarmOf({ high }) },
    });
    expect(pv.value.alarm.severity).toBe(0);
    pv.post({ value: high });
    expect(pv.value.alarm.message).toBe('HIHI');
  });

  it('needs a type with one number, limits and an alarm', () => {
    const withLimits = { valueAlarm: valueAlarmType(double) };
    for (const type of [ntScalarArray(double, { valueAlarm: true }), structure({ value: boolean, ...withLimits })]) {
      expect(() => new SharedPV(type, { limitAlarms: true })).toThrow('limitAlarms: the type has no field value');
    }
    expect(() => new SharedPV(ntScalar(double), { limitAlarms: true })).toThrow('no field valueAlarm');
    for (const other of [{}, { alarm: double }, { alarm: structure({ severity: double }) }]) {
      const type = structure({ value: double, ...withLimits, ...other });
      expect(() => new SharedPV(type, { limitAlarms: true })).toThrow('limitAlarms: the type has no field alarm');
    }
    const own = structure({ alarm: alarmType, value: double, ...withLimits });
    const pv = new SharedPV(own, { limitAlarms: true, initial: { value: 90, valueAlarm: valueAlarmOf(LIMITS) } });
    expect(pv.value.alarm.message).toBe('HIHI');
  });
});

describe('a PV without them', () => {
  it('has the alarm that it is given, whatever its limits say', () => {
    const pv = new SharedPV(TYPE, { initial: { value: 90, valueAlarm: valueAlarmOf(LIMITS) } });
    expect(pv.value.alarm.severity).toBe(0);
    const timeStamps = new SharedPV(TYPE, {
      timeStamps: 'auto',
      initial: { value: 90, valueAlarm: valueAlarmOf(LIMITS) },
    });
    expect(timeStamps.value.alarm.severity).toBe(0);
  });
});
