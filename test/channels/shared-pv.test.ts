// Does a PV in memory keep its value, tell its subscribers, and change nothing when it refuses?
import { describe, expect, test } from 'vitest';
import type { CallRequest, ChannelUpdate, PutRequest, Subscriber } from '../../src/channels/channel.ts';
import { anonymousPeer } from '../../src/channels/peer.ts';
import { SharedPV } from '../../src/channels/shared-pv.ts';
import { BitSet } from '../../src/protocol/bit-set.ts';
import { LocalProtocolError } from '../../src/protocol/errors.ts';
import { enumValue, ntEnum } from '../../src/protocol/normative/nt-enum.ts';
import { ntScalar, ntScalarArray } from '../../src/protocol/normative/nt-scalar.ts';
import { OK, warning } from '../../src/protocol/status.ts';
import { double, int, long, string, structure } from '../../src/protocol/types/type-desc.ts';
import { ManualClock } from '../../src/transport/manual-clock.ts';

const SCALAR = ntScalar(double);
const REQUEST = {
  peer: anonymousPeer({ address: '127.0.0.1', port: 1 }),
  pvRequest: null,
  signal: new AbortController().signal,
  tell: () => {},
};
const putOf = (changed: BitSet, value: ChannelUpdate['value']): PutRequest => ({ ...REQUEST, changed, value });

function makeSubscriber() {
  const told: (ChannelUpdate | 'finished')[] = [];
  const subscriber: Subscriber = {
    update: (update) => told.push(update),
    finish: () => told.push('finished'),
  };
  return { told, subscriber };
}

describe('the value', () => {
  test('begins with defaults, nothing of which counts as set', () => {
    const pv = new SharedPV(SCALAR);
    expect(pv.value).toMatchObject({ value: 0, alarm: { severity: 0, message: '' } });
    expect(pv.state.changed.isEmpty()).toBe(true);
    expect(pv.type).toBe(SCALAR);
  });

  test('begins with what is given, which counts', () => {
    const pv = new SharedPV(SCALAR, { initial: { value: 3, alarm: { severity: 1 } } });
    expect(pv.value).toMatchObject({ value: 3, alarm: { severity: 1 } });
    expect([...pv.state.changed]).toEqual([1, 3]);
  });

  test('is a new one after each post, which shares what did not change', () => {
    const pv = new SharedPV(SCALAR, { initial: { value: 1 } });
    const before = pv.value;
    const state = pv.state;
    pv.post({ value: 2 });
    expect(pv.value).not.toBe(before);
    expect(before.value).toBe(1);
    expect(pv.value.alarm).toBe(before.alarm);
    expect([...state.changed]).toEqual([1]);
  });

  test('takes an update as well, of which only the marked fields count', () => {
    const pv = new SharedPV(SCALAR, { initial: { value: 1, alarm: { severity: 2 } } });
    pv.post({
      changed: BitSet.of(1),
      value: { ...pv.value, value: 5, alarm: { severity: 0, status: 0, message: '' } },
    });
    expect(pv.value).toMatchObject({ value: 5, alarm: { severity: 2 } });
    // A structure's bit stands for all below it.
    pv.post({ changed: BitSet.of(2), value: { ...pv.value, alarm: { severity: 3, status: 1, message: 'm' } } });
    expect(pv.value).toMatchObject({ value: 5, alarm: { severity: 3, status: 1, message: 'm' } });
    expect([...pv.state.changed]).toEqual([1, 3, 4, 5]);
  });

  test.each([
    ['a wrong type', { value: 'warm' }],
    ['a field that is not there', { temperature: 3 }],
    ['a field of no structure', { value: { celsius: 3 } }],
  ])('is not changed by %s', (_, patch) => {
    const pv: SharedPV = new SharedPV(SCALAR, { initial: { value: 1 } });
    const before = pv.state;
    const { told, subscriber } = makeSubscriber();
    pv.subscribe(subscriber);
    expect(() => pv.post(patch)).toThrow(LocalProtocolError);
    expect(pv.state).toBe(before);
    expect(told).toHaveLength(1);
  });

  test('an initial value that does not fit is refused', () => {
    expect(() => new SharedPV(ntScalar(int), { initial: { value: 1.5 } })).toThrow(LocalProtocolError);
  });
});

describe('subscribers', () => {
  test('are told the state, then the very same object of each post', () => {
    const pv = new SharedPV(SCALAR, { initial: { value: 1 } });
    const [a, b] = [makeSubscriber(), makeSubscriber()];
    pv.subscribe(a.subscriber);
    pv.subscribe(b.subscriber);
    expect(a.told).toEqual([pv.state]);
    pv.post({ value: 2 });
    expect(a.told[1]).toBe(b.told[1]);
    expect(a.told[1]).toMatchObject({ value: { value: 2 } });
    expect([...((a.told[1] as ChannelUpdate | undefined)?.changed ?? [])]).toEqual([1]);
  });

  test('are counted: the first and the last are noticed', () => {
    const seen: string[] = [];
    const pv = new SharedPV(SCALAR, {
      onFirstSubscriber: () => seen.push('first'),
      onLastUnsubscribe: () => seen.push('last'),
    });
    const leaveA = pv.subscribe(makeSubscriber().subscriber);
    const leaveB = pv.subscribe(makeSubscriber().subscriber);
    expect(pv.subscriberCount).toBe(2);
    leaveA();
    leaveA();
    leaveB();
    leaveB();
    const leaveC = pv.subscribe(makeSubscriber().subscriber);
    leaveC();
    expect(seen).toEqual(['first', 'last', 'first', 'last']);
  });

  test('may leave while they are told', () => {
    const pv = new SharedPV(SCALAR);
    const other = makeSubscriber();
    let leave: () => void = () => undefined;
    let count = 0;
    leave = pv.subscribe({
      update: () => {
        if (++count === 2) leave();
      },
      finish: () => undefined,
    });
    pv.subscribe(other.subscriber);
    pv.post({ value: 1 });
    pv.post({ value: 2 });
    expect(count).toBe(2);
    expect(other.told).toHaveLength(3);
  });

  test('finish ends them all; new ones may come', () => {
    const pv = new SharedPV(SCALAR);
    const { told, subscriber } = makeSubscriber();
    pv.subscribe(subscriber);
    pv.finish(warning('enough'));
    pv.post({ value: 1 });
    expect(told.slice(1)).toEqual(['finished']);
    expect(pv.subscriberCount).toBe(0);
    pv.finish();
    expect(pv.isClosed).toBe(false);
  });
});

describe('close', () => {
  test('is told once, and ends everything', () => {
    const seen: string[] = [];
    const pv = new SharedPV(SCALAR, { onLastUnsubscribe: () => seen.push('last') });
    pv.onClosed(() => seen.push('closed'));
    const stop = pv.onClosed(() => seen.push('never'));
    stop();
    pv.subscribe(makeSubscriber().subscriber);
    pv.close();
    pv.close();
    expect(seen).toEqual(['closed', 'last']);
    expect(pv.isClosed).toBe(true);
    expect(() => pv.post({ value: 1 })).toThrow('post to a PV that is closed');
  });
});

describe('put', () => {
  test('without a handler is refused', () => {
    const pv = new SharedPV(SCALAR);
    expect(() => pv.put(putOf(BitSet.of(1), pv.value))).toThrow('this PV is read-only');
  });

  test('hands the request and the PV to the handler, and gives what it returns', async () => {
    const seen: unknown[] = [];
    const pv = new SharedPV(SCALAR, {
      onPut: async (put, self) => {
        seen.push(put.value, self);
        await Promise.resolve();
        self.post(put);
      },
    });
    const put = putOf(BitSet.of(1), { ...pv.value, value: 9 });
    await pv.put(put);
    expect(seen).toEqual([put.value, pv]);
    expect(pv.value.value).toBe(9);
  });

  test('a mailbox stamps with the time of its clock', async () => {
    const clock = new ManualClock(1_700_000_000_000);
    const pv = SharedPV.mailbox(SCALAR, { clock });
    clock.advance(1_500);
    await pv.put(putOf(BitSet.of(1), { ...pv.value, value: 9 }));
    expect(pv.value).toMatchObject({
      value: 9,
      timeStamp: { secondsPastEpoch: 1_700_000_001n, nanoseconds: 500_000_000 },
    });
    expect([...pv.state.changed]).toEqual([1, 7, 8]);
  });

  test.each([
    ['no time stamp', structure({ value: int })],
    ['one of another kind', structure({ value: int, timeStamp: string })],
    ['one without seconds', structure({ value: int, timeStamp: structure({ nanoseconds: int }) })],
    [
      'one with other seconds',
      structure({ value: int, timeStamp: structure({ secondsPastEpoch: double, nanoseconds: int }) }),
    ],
  ])('a mailbox leaves a type with %s alone', async (_, type) => {
    const pv = SharedPV.mailbox(type);
    await pv.put(putOf(BitSet.of(1), { ...pv.value, value: 4 }));
    expect(pv.state.value['value']).toBe(4);
    expect([...pv.state.changed]).toEqual([1]);
  });

  test('an enum is checked before the handler sees it', async () => {
    const pv = SharedPV.mailbox(ntEnum, { initial: { value: enumValue(['Off', 'On']) } });
    const withIndex = (index: number) => putOf(BitSet.of(2), { ...pv.value, value: { ...pv.value.value, index } });
    await pv.put(withIndex(1));
    expect(pv.value.value.index).toBe(1);
    expect(() => pv.put(withIndex(2))).toThrow(/^value\.index: one of 'Off', 'On', or an index from 0 to 1 expected/);
    expect(() => pv.put(withIndex(-1))).toThrow(LocalProtocolError);
    expect(pv.value.value.index).toBe(1);
    // Whoever serves an enum says what there is to choose.
    const others = { index: 1, choices: ['a', 'b', 'c'] };
    expect(() => pv.put(putOf(BitSet.of(1), { ...pv.value, value: others }))).toThrow('the choices cannot be written');
    expect(pv.value.value).toEqual({ index: 1, choices: ['Off', 'On'] });
    // What does not touch the enum is not checked.
    await pv.put(putOf(BitSet.of(5), { ...pv.value, alarm: { severity: 1, status: 0, message: '' } }));
    expect(pv.value.alarm.severity).toBe(1);
  });
});

describe('call', () => {
  const call: CallRequest = { ...REQUEST, argument: null };

  test('without a handler is refused', () => {
    expect(() => new SharedPV(SCALAR).call(call)).toThrow('this PV takes no RPC');
  });

  test('gives what the handler gives, nothing as null, now or later', async () => {
    const result = { type: double, value: 3 };
    expect(new SharedPV(SCALAR, { onCall: () => result }).call(call)).toBe(result);
    expect(new SharedPV(SCALAR, { onCall: () => undefined }).call(call)).toBeNull();
    expect(await new SharedPV(SCALAR, { onCall: () => Promise.resolve(result) }).call(call)).toBe(result);
    expect(await new SharedPV(SCALAR, { onCall: () => Promise.resolve() }).call(call)).toBeNull();
  });
});

test('finishing without a word is OK', () => {
  const statuses: unknown[] = [];
  const pv = new SharedPV(SCALAR);
  pv.subscribe({ update: () => undefined, finish: (status) => statuses.push(status) });
  pv.finish();
  expect(statuses).toEqual([OK]);
});

describe('the compiler', () => {
  const scalar = new SharedPV(SCALAR);
  const counts = new SharedPV(ntScalarArray(long));
  const mode = new SharedPV(ntEnum, { initial: { value: enumValue(['Off', 'On']) } });

  test('takes what may be posted', () => {
    scalar.post(3);
    scalar.post({ value: 3n, alarm: { severity: 1 }, timeStamp: undefined });
    scalar.post({ 'alarm.severity': 2 });
    scalar.post(scalar.state);
    counts.post([1, 2n]);
    counts.post({ value: new BigInt64Array(2) });
    mode.post('On');
    mode.post({ value: { index: 0 } });
    // Of a PV whose type is not known, anything may fit.
    const any: SharedPV = scalar;
    any.post({ value: 4 });
    expect([scalar.value.value, counts.value.value.length, mode.value.value.index]).toEqual([4, 2, 0]);
  });

  test('refuses what does not fit, as the PV does', () => {
    const wrong: readonly (() => void)[] = [
      // @ts-expect-error: the name of the field
      () => scalar.post({ valeu: 3 }),
      // @ts-expect-error: a text
      () => scalar.post({ value: 'warm' }),
      // @ts-expect-error: the same inside
      () => scalar.post({ alarm: { severity: 'MAJOR' } }),
      // @ts-expect-error: no text
      () => counts.post(['one']),
      // @ts-expect-error: a label is no index
      () => mode.post({ value: { index: 'On' } }),
      // @ts-expect-error: the first value, too
      () => new SharedPV(SCALAR, { initial: { valeu: 3 } }),
      // @ts-expect-error: and that of a mailbox
      () => SharedPV.mailbox(SCALAR, { initial: { value: 'warm' } }),
    ];
    for (const post of wrong) expect(post).toThrow(LocalProtocolError);
  });
});
