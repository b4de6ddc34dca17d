// Is a large value encoded once for all who are sent it, and are its many forms gone when nobody is?
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { Selection } from '../../src/channels/encoded-cache.ts';
import { SharedPV } from '../../src/channels/shared-pv.ts';
import { BitSet } from '../../src/protocol/bit-set.ts';
import { msgpack } from '../../src/protocol/codecs/msgpack.ts';
import { pva } from '../../src/protocol/codecs/pva.ts';
import { ntScalarArray } from '../../src/protocol/normative/nt-scalar.ts';
import { double } from '../../src/protocol/types/type-desc.ts';

const TYPE = ntScalarArray(double);
/** `value`, beside which each has other fields. */
const SELECTIONS = Array.from({ length: 5 }, (_, index) => new Selection(TYPE, BitSet.of(1, 3 + index)));

setFlagsFromString('--expose-gc');

/** Collects what nobody has any more: what was looked at through a weak reference in this turn is kept for it. */
async function collect(): Promise<void> {
  await new Promise(setImmediate);
  runInNewContext('gc()');
}

function stateOf(length: number) {
  return new SharedPV(TYPE, { initial: { value: new Float64Array(length).fill(1.5), alarm: { message: 'm' } } }).state;
}

describe('a large value', () => {
  test('is encoded once for each selection however many are sent it in a turn', () => {
    const state = stateOf(100_000);
    const first = SELECTIONS.map((selection) => selection.encode(state, false).bytes);
    for (let round = 0; round < 3; round++) {
      const again = SELECTIONS.map((selection) => selection.encode(state, false));
      for (const [index, { bytes }] of again.entries()) expect(bytes).toBe(first[index]);
      expect(again[0]).toMatchObject({ codec: 'pva', bigEndian: false, type: TYPE });
    }
    expect(new Set(first).size).toBe(SELECTIONS.length);
  });

  test('keeps one form for each codec and byte order, the newest, once nobody is sent the others', async () => {
    const state = stateOf(100_000);
    const orders = [
      [false, pva],
      [true, pva],
      [true, msgpack],
    ] as const;
    const seen = orders.map(([bigEndian, codec]) =>
      SELECTIONS.map((selection) => new WeakRef(selection.encode(state, bigEndian, codec).bytes)),
    );
    await collect();
    for (const refs of seen) {
      expect(refs.map((ref) => ref.deref() !== undefined)).toEqual([false, false, false, false, true]);
    }
    // It is found, and what is gone is encoded anew and found then.
    expect(SELECTIONS[4]?.encode(state, false).bytes).toBe(seen[0]?.[4]?.deref());
    const anew = SELECTIONS[0]?.encode(state, false);
    expect(SELECTIONS[0]?.encode(state, false)).toBe(anew);
  });

  test('is not encoded again for a selection as long as a link holds its bytes', async () => {
    const state = stateOf(100_000);
    const [held] = SELECTIONS.map((selection) => selection.encode(state, false).bytes);
    await collect();
    expect(SELECTIONS[0]?.encode(state, false).bytes).toBe(held);
  });

  test('finds room for a new selection however many there were', async () => {
    const state = stateOf(10_000);
    const encodedTwice = (bits: number): readonly [Uint8Array, Uint8Array] => {
      const extra = [0, 1, 2, 3, 4, 5].filter((bit) => (bits >> bit) & 1).map((bit) => 3 + bit);
      const selection = new Selection(TYPE, BitSet.of(1, ...extra));
      return [selection.encode(state, false).bytes, selection.encode(state, false).bytes];
    };
    for (let bits = 1; bits < 60; bits++) {
      encodedTwice(bits);
      if (bits % 10 === 0) await collect();
    }
    await collect();
    const [first, second] = encodedTwice(60);
    expect(second).toBe(first);
  });
});

describe('a small value', () => {
  test('keeps its forms, which take next to nothing', async () => {
    const state = stateOf(100);
    const seen = SELECTIONS.map((selection) => new WeakRef(selection.encode(state, false)));
    await collect();
    for (const [index, selection] of SELECTIONS.entries()) {
      expect(selection.encode(state, false)).toBe(seen[index]?.deref());
    }
  });
});
