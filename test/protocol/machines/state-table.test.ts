// What does a table of states allow, and what is said where it does not?

import { describe, expect, test } from 'vitest';
import { LocalProtocolError } from '../../../src/protocol/errors.ts';
import { isPossible, nextState, type Machine } from '../../../src/protocol/machines/state-table.ts';

const DOOR: Machine<'open' | 'shut' | 'gone', 'push' | 'pull' | 'lose'> = {
  name: 'door',
  initial: 'shut',
  table: { open: { push: 'shut', lose: 'gone' }, shut: { pull: 'open' }, gone: {} },
};

describe('an event', () => {
  test('leads where its cell says', () => {
    expect(nextState(DOOR, 'open', 'push')).toBe('shut');
    expect(nextState(DOOR, 'open', 'lose')).toBe('gone');
    expect(nextState(DOOR, 'shut', 'pull')).toBe('open');
    expect(isPossible(DOOR, 'open', 'push')).toBe(true);
  });

  test.each([
    ['open', 'pull', "door: 'pull' is not possible while open, push, lose is"],
    ['shut', 'push', "door: 'push' is not possible while shut, pull is"],
    ['gone', 'push', "door: 'push' is not possible while gone, nothing is"],
  ] as const)('without a cell is refused, naming what is possible: %s, %s', (state, event, message) => {
    expect(isPossible(DOOR, state, event)).toBe(false);
    expect(() => nextState(DOOR, state, event)).toThrow(LocalProtocolError);
    expect(() => nextState(DOOR, state, event)).toThrow(new LocalProtocolError(message));
  });
});
