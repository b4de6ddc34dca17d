// Would the kill tests notice a put that was lost, or applied by half?

import { describe, expect, it } from 'vitest';

import { ntScalarArray } from '../../src/protocol/normative/nt-scalar.ts';
import { int } from '../../src/protocol/types/type-desc.ts';
import { coerce } from '../../src/protocol/values/coerce.ts';
import { Ledger } from './support/ledger.ts';
import { originOf, payloadOf } from './support/payload.ts';

const type = ntScalarArray(int);
const LEAVES = ['value', 'alarm', 'timeStamp'];

describe('a value', () => {
  it('tells which put it is of', () => {
    expect(originOf(coerce(type, {}))).toEqual({ writer: 0, put: 0 });
    for (let put = 1; put <= 1_000; put++) {
      expect(originOf(coerce(type, payloadOf({ writer: 3, put })))).toEqual({ writer: 3, put });
    }
  });

  it('of two puts is noticed, whichever leaf is of the other one', () => {
    for (let put = 1; put <= 200; put++) {
      const one = payloadOf({ writer: 1, put });
      for (const other of [payloadOf({ writer: 1, put: put + 1 }), payloadOf({ writer: 2, put: put + 7 })]) {
        for (const leaf of LEAVES) {
          expect(() => originOf(coerce(type, { ...one, [leaf]: other[leaf] }))).toThrow('half of a put');
        }
      }
    }
  });

  it('of which only a leaf was put is noticed', () => {
    const whole = payloadOf({ writer: 1, put: 9 });
    for (const leaf of LEAVES) {
      expect(() => originOf(coerce(type, { [leaf]: whole[leaf] }))).toThrow('half of a put');
    }
  });
});

describe('the ledger', () => {
  function ledgerAfter(...outcomes: readonly ('acknowledged' | 'refused' | 'uncertain')[]): Ledger {
    const ledger = new Ledger();
    for (const outcome of outcomes) {
      const origin = { writer: 1, put: ledger.begin('pv', 1) };
      if (outcome === 'acknowledged') ledger.acknowledge('pv', origin);
      else if (outcome === 'refused') ledger.refuse('pv', origin, 'no');
      else ledger.doubt('pv', origin, 'gone');
    }
    return ledger;
  }

  it('takes the newest acknowledged put, and an uncertain one after it, whether it is there or not', () => {
    ledgerAfter('acknowledged', 'acknowledged').check('pv', { writer: 1, put: 2 });
    const ledger = ledgerAfter('acknowledged', 'uncertain');
    ledger.check('pv', { writer: 1, put: 1 });
    ledger.check('pv', { writer: 1, put: 2 });
    // Once it was seen it has to stay.
    expect(() => ledger.check('pv', { writer: 1, put: 1 })).toThrow('put 2 was acknowledged and lost');
  });

  it.each([
    [
      'an older put than the one that was acknowledged',
      ledgerAfter('acknowledged', 'acknowledged'),
      1,
      'put 2 was acknowledged and lost',
    ],
    [
      'nothing where a put was acknowledged',
      ledgerAfter('acknowledged'),
      0,
      'put 1 of writer 1 was acknowledged and lost',
    ],
    ['a put that was refused', ledgerAfter('acknowledged', 'refused'), 2, 'though it was refused'],
    ['a put that nobody sent', ledgerAfter('acknowledged'), 2, 'was never sent'],
  ])('does not take %s', (_, ledger, put, reason) => {
    expect(() => ledger.check('pv', { writer: put === 0 ? 0 : 1, put })).toThrow(reason);
  });

  it('takes a put of either of two writers, if it is not older than what that one was acknowledged', () => {
    const ledger = ledgerAfter('acknowledged');
    const other = { writer: 2, put: ledger.begin('pv', 2) };
    ledger.acknowledge('pv', other);
    expect(() => ledger.check('pv', { writer: 1, put: 1 })).not.toThrow();
    expect(() => ledger.check('pv', other)).not.toThrow();
  });
});
