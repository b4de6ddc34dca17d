// What may happen on a server's link and to an operation, in which order? Every cell of both tables.
import { describe, expect, test } from 'vitest';
import { LocalProtocolError } from '../../../src/protocol/errors.ts';
import { SERVER_LINK } from '../../../src/protocol/machines/server-link.ts';
import { SERVER_OPERATION } from '../../../src/protocol/machines/server-operation.ts';
import { isPossible, nextState, type Machine } from '../../../src/protocol/machines/state-table.ts';

/** `state event next`, one a line; what is not listed must not happen. */
const LINK = `
  awaitingValidation validation validated
  awaitingValidation message    awaitingValidation
  awaitingValidation close      closed
  validated          validation validated
  validated          message    validated
  validated          close      closed
  closed             close      closed
`;
const OPERATION = `
  initializing accept   idle
  initializing cancel   initializing
  initializing destroy  destroyed
  idle         execute  executing
  idle         start    executing
  idle         stop     idle
  idle         cancel   idle
  idle         destroy  destroyed
  executing    complete idle
  executing    start    executing
  executing    stop     idle
  executing    cancel   idle
  executing    destroy  destroyed
  destroyed    cancel   destroyed
  destroyed    destroy  destroyed
`;

function cellsOf(text: string): Map<string, string> {
  const rows = text
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/));
  return new Map(rows.map(([state = '', event = '', next = '']) => [`${state} ${event}`, next]));
}

function expectEveryCell<S extends string, E extends string>(machine: Machine<S, E>, text: string): void {
  const expected = cellsOf(text);
  // The tables name every state and, taken together, every event.
  const states = Object.keys(machine.table) as S[];
  const events = [...new Set(Object.values<object>(machine.table).flatMap((row) => Object.keys(row)))] as E[];
  let count = 0;
  for (const state of states) {
    for (const event of events) {
      const next = expected.get(`${state} ${event}`);
      if (next !== undefined) count++;
      expect(isPossible(machine, state, event), `${state} ${event}`).toBe(next !== undefined);
      if (next === undefined) expect(() => nextState(machine, state, event)).toThrow(LocalProtocolError);
      else expect(nextState(machine, state, event), `${state} ${event}`).toBe(next);
    }
  }
  expect(count).toBe(expected.size);
}

describe('tables of the server', () => {
  test('a link awaits validation, is validated, is closed', () => expectEveryCell(SERVER_LINK, LINK));
  test('an operation is initializing, idle, executing, destroyed', () => expectEveryCell(SERVER_OPERATION, OPERATION));
  test('a link begins unvalidated and an operation unanswered', () => {
    expect(SERVER_LINK.initial).toBe('awaitingValidation');
    expect(SERVER_OPERATION.initial).toBe('initializing');
  });
});
