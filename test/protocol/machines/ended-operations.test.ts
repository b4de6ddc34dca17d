// With which types is read what comes late for an operation?

import { describe, expect, test } from 'vitest';
import { LINK_LIMITS } from '../../../src/protocol/limits.ts';
import { EndedOperations } from '../../../src/protocol/machines/ended-operations.ts';
import { double, structure } from '../../../src/protocol/types/type-desc.ts';
import { hitsLimit } from '../../support/hits-limit.ts';

const TYPE = structure({ value: double });

describe('an operation that has ended', () => {
  test('is known by its types, and not by its value', () => {
    const ended = new EndedOperations();
    ended.add(1, { command: 'PUT', type: TYPE, base: { value: 1 } });
    ended.add(2, { command: 'PUT_GET', type: TYPE, putType: TYPE });
    expect(ended.typesOf(1)).toEqual({ command: 'PUT', type: TYPE, putType: null });
    expect(ended.typesOf(2)).toEqual({ command: 'PUT_GET', type: TYPE, putType: TYPE });
    expect(ended.typesOf(3)).toBeUndefined();
  });

  test('is forgotten when its id is used again, and all are with their link', () => {
    const ended = new EndedOperations();
    for (const ioid of [1, 2]) ended.add(ioid, { command: 'PUT', type: TYPE });
    ended.delete(1);
    expect([1, 2].map((ioid) => ended.typesOf(ioid)?.command)).toEqual([undefined, 'PUT']);
    ended.clear();
    expect(ended.typesOf(2)).toBeUndefined();
  });

  test('is forgotten when a thousand have ended since', () => {
    hitsLimit('maxEndedOperations');
    const ended = new EndedOperations();
    const { maxEndedOperations } = LINK_LIMITS;
    for (let ioid = 0; ioid <= maxEndedOperations; ioid++) ended.add(ioid, { command: 'PUT', type: TYPE });
    expect([0, 1, maxEndedOperations].map((ioid) => ended.typesOf(ioid)?.command)).toEqual([undefined, 'PUT', 'PUT']);
  });
});
