// The client's state tables: every cell leads where it says, every other event is refused by name.

import { describe, expect, it } from 'vitest';
import { LocalProtocolError } from '../../../src/protocol/errors.ts';
import { CLIENT_CHANNEL } from '../../../src/protocol/machines/client-channel.ts';
import { CLIENT_LINK } from '../../../src/protocol/machines/client-link.ts';
import { CLIENT_OPERATION } from '../../../src/protocol/machines/client-operation.ts';
import { isPossible, nextState, type Machine } from '../../../src/protocol/machines/state-table.ts';

const MACHINES: readonly Machine<string, string>[] = [CLIENT_LINK, CLIENT_CHANNEL, CLIENT_OPERATION];

function eventsOf(machine: Machine<string, string>): readonly string[] {
  return [...new Set(Object.values(machine.table).flatMap((row) => Object.keys(row)))];
}

describe.each(MACHINES)('$name', (machine) => {
  const cells = Object.keys(machine.table).flatMap((state) =>
    eventsOf(machine).map((event) => [state, event] as const),
  );

  it.each(cells)('%s + %s', (state, event) => {
    const expected = machine.table[state]?.[event];
    expect(isPossible(machine, state, event)).toBe(expected !== undefined);
    if (expected === undefined) {
      expect(() => nextState(machine, state, event)).toThrow(LocalProtocolError);
      expect(() => nextState(machine, state, event)).toThrow(
        new RegExp(`${machine.name}: '${event}' is not possible while ${state}`),
      );
    } else {
      expect(nextState(machine, state, event)).toBe(expected);
    }
  });

  it('reaches every state from the first', () => {
    const reached = new Set([machine.initial]);
    for (const state of reached) {
      for (const next of Object.values(machine.table[state] ?? {})) if (next !== undefined) reached.add(next);
    }
    expect([...reached].toSorted()).toEqual(Object.keys(machine.table).toSorted());
  });
});

describe('the way of a client', () => {
  it('sends no channel before the server has validated the link', () => {
    expect(follow(CLIENT_LINK, ['connected', 'validation', 'validated'])).toBe('validated');
    expect(isPossible(CLIENT_LINK, 'connecting', 'validated')).toBe(false);
  });

  it('searches again when a server that answered a search refuses', () => {
    expect(follow(CLIENT_CHANNEL, ['found', 'create', 'refuse'])).toBe('searching');
  });

  it('waits for a new link when a server named directly refuses', () => {
    expect(follow(CLIENT_CHANNEL, ['found', 'create', 'refuseDirect'])).toBe('refused');
    expect(follow(CLIENT_CHANNEL, ['found', 'refuseDirect'])).toBe('refused');
    expect(follow(CLIENT_CHANNEL, ['found', 'create', 'refuseDirect', 'lose'])).toBe('searching');
  });

  it('begins an operation anew after a lost link', () => {
    expect(follow(CLIENT_OPERATION, ['init', 'initialized', 'execute', 'lose'])).toBe('waiting');
  });
});

function follow<S extends string, E extends string>(machine: Machine<S, E>, events: readonly E[]): S {
  return events.reduce((state, event) => nextState(machine, state, event), machine.initial);
}
