// Does a put that was decoded over the value of a PV make of it what merging would make? For any type and any mask.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DecodedPut } from '../../src/channels/decoded-put.ts';
import { anonymousPeer } from '../../src/channels/peer.ts';
import { PutWith } from '../../src/channels/request-with.ts';
import { SharedPV } from '../../src/channels/shared-pv.ts';
import { requireStructure } from '../../src/channels/standard-fields.ts';
import { BitSet } from '../../src/protocol/bit-set.ts';
import { decodeUpdate, encodeUpdate } from '../../src/protocol/messages/data.ts';
import { ntScalar } from '../../src/protocol/normative/nt-scalar.ts';
import { Reader } from '../../src/protocol/reader.ts';
import { double } from '../../src/protocol/types/type-desc.ts';
import { encodeType, TypeReceiver } from '../../src/protocol/types/wire.ts';
import { leafMask } from '../../src/protocol/values/leaf-mask.ts';
import { Writer } from '../../src/protocol/writer.ts';
import { ManualClock } from '../../src/transport/manual-clock.ts';
import { masksOf, structureTypes, valuesOf } from '../support/arbitraries.ts';

const KNOWN = {
  peer: anonymousPeer({ address: '127.0.0.1', port: 1 }),
  pvRequest: null,
  tell: () => undefined,
  signal: new AbortController().signal,
};

describe('a put decoded over the value of a PV', () => {
  test('makes the value that merging makes', async () => {
    const cases = structureTypes().chain((type) =>
      fc.tuple(fc.constant(type), valuesOf(type), valuesOf(type), masksOf(type)),
    );
    await fc.assert(
      fc.asyncProperty(cases, async ([type, initial, put, mask]) => {
        const writer = new Writer(false);
        encodeUpdate(writer, { type, changed: mask, value: put }, encodeType);
        const whole = { changed: leafMask(type, BitSet.of(0)), value: requireStructure(initial) };
        const options = { initial: whole, clock: new ManualClock() };
        const [fast, plain] = [SharedPV.mailbox(type, options), SharedPV.mailbox(type, options)];
        const base = fast.state.value;
        const update = decodeUpdate(new Reader(writer.detach(0), false), type, new TypeReceiver(), base);
        const changed = leafMask(type, update.changed);
        const value = requireStructure(update.value);
        await fast.put(new DecodedPut(KNOWN, changed, value, base));
        await plain.put(new PutWith(KNOWN, changed, value));
        expect(fast.state).toEqual(plain.state);
      }),
      { numRuns: 500 },
    );
  });

  const type = ntScalar(double);
  const { value: base } = new SharedPV(type, { initial: { value: 1 } }).state;
  const made = (): DecodedPut => new DecodedPut(KNOWN, BitSet.of(1), { ...base, value: 2 }, base);

  test('is none of another value', () => {
    expect(made().over(base)).toEqual({ changed: BitSet.of(1), value: { ...base, value: 2 } });
    expect(made().over({ ...base })).toBeUndefined();
  });

  test('is no longer whole once its handler has taken leaves out', () => {
    const put = made();
    put.changed.delete(1);
    expect(put.over(base)).toBeUndefined();
  });

  test('says no more than it does when its handler changes the mask afterwards', () => {
    const put = made();
    const update = put.over(base);
    put.changed.add(2);
    expect(update?.changed).toEqual(BitSet.of(1));
  });

  test('makes its signal when it is asked for, aborted if it was given up before', () => {
    const put = made();
    expect(put.signal.aborted).toBe(false);
    const given = made();
    given.controller.abort('late');
    expect([given.signal.aborted, given.signal.reason]).toEqual([true, 'late']);
  });
});
