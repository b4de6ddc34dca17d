// Does a table of PVs know its names, and count its changes?
import { describe, expect, test } from 'vitest';
import { SharedPV } from '../../src/channels/shared-pv.ts';
import { StaticSource } from '../../src/channels/source.ts';
import { Selection } from '../../src/channels/encoded-cache.ts';
import { BitSet } from '../../src/protocol/bit-set.ts';
import { LocalProtocolError } from '../../src/protocol/errors.ts';
import { ntScalar } from '../../src/protocol/normative/nt-scalar.ts';
import { double } from '../../src/protocol/types/type-desc.ts';
import { toHex } from '../support/vectors.ts';

const SCALAR = ntScalar(double);

describe('StaticSource', () => {
  test('opens what was added under a name', () => {
    const pv = new SharedPV(SCALAR);
    const source = new StaticSource().add('a', pv).add('b', pv);
    expect([...source.names()]).toEqual(['a', 'b']);
    expect(source.has('a')).toBe(true);
    expect(source.open('b')).toBe(pv);
    expect(source.has('c')).toBe(false);
    expect(source.open('__proto__')).toBeUndefined();
  });

  test('refuses a name that is taken, and one that is none', () => {
    const source = new StaticSource().add('a', new SharedPV(SCALAR));
    expect(() => source.add('a', new SharedPV(SCALAR))).toThrow(LocalProtocolError);
    expect(() => source.add('', new SharedPV(SCALAR))).toThrow(LocalProtocolError);
  });

  test('counts what is added and removed', () => {
    const source = new StaticSource();
    const pv = new SharedPV(SCALAR);
    source.add('a', pv);
    expect(source.remove('a')).toBe(pv);
    expect(source.remove('a')).toBeUndefined();
    expect(source.revision).toBe(2);
    expect(pv.isClosed).toBe(false);
  });

  test('does not offer a PV that is closed', () => {
    const pv = new SharedPV(SCALAR);
    const source = new StaticSource().add('a', pv);
    pv.close();
    expect(source.has('a')).toBe(false);
  });
});

describe('Selection', () => {
  const state = new SharedPV(SCALAR, { initial: { value: 1.5, alarm: { severity: 2 } } }).state;

  test('encodes an update once for each byte order and set of fields', () => {
    const whole = new Selection(SCALAR, BitSet.of(0));
    const again = new Selection(SCALAR, BitSet.of(0));
    const part = new Selection(SCALAR, BitSet.of(2));
    expect(whole.encode(state, false)).toBe(again.encode(state, false));
    expect(whole.encode(state, false)).not.toBe(whole.encode(state, true));
    expect(whole.encode(state, false)).not.toBe(part.encode(state, false));
    expect(part.encode(state, true)).toBe(new Selection(SCALAR, BitSet.of(3, 4, 5)).encode(state, true));
    // BitSet of bits 1 and 3, 1.5, severity 2; then bit 3 and severity 2 alone
    expect(toHex(whole.encode(state, true).bytes)).toBe('010a3ff800000000000000000002');
    expect(toHex(part.encode(state, true).bytes)).toBe('010800000002');
    expect(toHex(part.encode(state, false).bytes)).toBe('010802000000');
  });

  test('another state is encoded anew', () => {
    const whole = new Selection(SCALAR, BitSet.of(0));
    const other = new SharedPV(SCALAR, { initial: { value: 1.5 } }).state;
    expect(whole.encode(other, false)).not.toBe(whole.encode(state, false));
  });

  test('keeps no more than a few forms of one update', () => {
    const { state: many } = new SharedPV(SCALAR, { initial: { value: 1 } });
    const masks = Array.from({ length: 40 }, (_, index) =>
      BitSet.from([...Array(6).keys()].filter((bit) => (index >> bit) & 1).map((bit) => bit + 1)),
    );
    const selections = masks.map((mask) => new Selection(SCALAR, mask));
    const first = selections.map((selection) => selection.encode(many, false));
    const second = selections.map((selection) => selection.encode(many, false));
    const kept = new Set(first.filter((form, index) => form === second[index]));
    expect(kept.size).toBe(16);
    expect(first.map(({ bytes }) => toHex(bytes))).toEqual(second.map(({ bytes }) => toHex(bytes)));
  });

  test('knows whether an update concerns it', () => {
    const part = new Selection(SCALAR, BitSet.of(2));
    const update = (...bits: number[]) => ({ changed: BitSet.of(...bits), value: state.value });
    expect(part.touches(update(1))).toBe(false);
    expect(part.touches(update(1, 5))).toBe(true);
    expect(new Selection(SCALAR, BitSet.of(0)).touches(update())).toBe(false);
    expect(new Selection(SCALAR, BitSet.of(0)).touches(update(7))).toBe(true);
  });
});
