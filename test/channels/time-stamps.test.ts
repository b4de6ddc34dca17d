// Which puts and posts get the time of the clock, and which keep their own?

import { describe, expect, it } from 'vitest';

import { SharedPV } from '../../src/channels/shared-pv.ts';
import { ntScalar } from '../../src/protocol/normative/nt-scalar.ts';
import { timeStampOfNanoseconds } from '../../src/protocol/normative/time-stamp.ts';
import { double, structure } from '../../src/protocol/types/type-desc.ts';
import { ManualClock } from '../../src/transport/manual-clock.ts';
import { putTo } from '../support/put-to.ts';
import { watch } from '../support/watch.ts';

const TYPE = ntScalar(double);
const START_MS = 1_700_000_000_250;

describe("a PV with timeStamps: 'auto'", () => {
  it('has the time of each post that brings none', () => {
    const clock = new ManualClock(START_MS);
    const pv = new SharedPV(TYPE, { timeStamps: 'auto', clock, initial: { value: 1 } });
    expect(pv.value.timeStamp).toEqual({ secondsPastEpoch: 1_700_000_000n, nanoseconds: 250_000_000, userTag: 0 });
    const { paths } = watch(pv);
    clock.advance(1_500);
    pv.post({ value: 2 });
    expect(pv.value.timeStamp).toMatchObject({ secondsPastEpoch: 1_700_000_001n, nanoseconds: 750_000_000 });
    expect(paths()).toEqual([['value', 'timeStamp.secondsPastEpoch', 'timeStamp.nanoseconds']]);
  });

  it('keeps a time stamp that is posted or put', async () => {
    const given = timeStampOfNanoseconds(5_000_000_007n);
    const pv = SharedPV.mailbox(TYPE, { timeStamps: 'auto', clock: new ManualClock(START_MS) });
    pv.post({ value: 2, timeStamp: given });
    expect(pv.value.timeStamp).toEqual(given);
    await putTo(pv, { value: 3, timeStamp: { ...given, userTag: 4 } });
    expect(pv.value.timeStamp).toEqual({ ...given, userTag: 4 });
  });

  it('stamps what a handler posts of a put', async () => {
    const pv = new SharedPV(TYPE, {
      timeStamps: 'auto',
      clock: new ManualClock(START_MS),
      onPut: (put, self) => self.post({ value: Number(put.value['value']) / 2 }),
    });
    await putTo(pv, { value: 3 });
    expect(pv.value).toMatchObject({ value: 1.5, timeStamp: { secondsPastEpoch: 1_700_000_000n } });
  });

  it('does without when its type has none', () => {
    const pv = new SharedPV(structure({ value: double }), { timeStamps: 'auto', initial: { value: 1 } });
    expect([...pv.state.changed]).toEqual([1]);
  });
});

describe("a PV with timeStamps: 'given', or without a word", () => {
  it.each([{}, { timeStamps: 'given' } as const])('has the time stamps of its posts', (options) => {
    const pv = new SharedPV(TYPE, { ...options, initial: { value: 1 } });
    expect([...pv.state.changed]).toEqual([1]);
  });
});

describe('a mailbox', () => {
  it('stamps what clients put, and not what is posted', async () => {
    const pv = SharedPV.mailbox(TYPE, { clock: new ManualClock(START_MS), initial: { value: 1 } });
    expect(pv.value.timeStamp.secondsPastEpoch).toBe(0n);
    await putTo(pv, { value: 2 });
    expect(pv.value.timeStamp.secondsPastEpoch).toBe(1_700_000_000n);
  });
});
