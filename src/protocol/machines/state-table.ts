// How is a state machine written down? As a table: for each state, where each legal event leads.
//
// A cell that is not there is an event that must not happen in that state. Tests visit every cell, and the diagrams of
// the documentation are printed from the tables.

import { LocalProtocolError } from '../errors.ts';

export type StateTable<State extends string, Event extends string> = {
  readonly [S in State]: { readonly [E in Event]?: State };
};

export interface Machine<State extends string, Event extends string> {
  /** What the states are of, for error messages: 'client link'. */
  readonly name: string;
  readonly initial: State;
  readonly table: StateTable<State, Event>;
}

/**
 * Where `event` leads from `state`.
 * @throws LocalProtocolError naming machine, state and event, when the table has no such cell
 */
export function nextState<State extends string, Event extends string>(
  machine: Machine<State, Event>,
  state: State,
  event: Event,
): State {
  const next = machine.table[state][event];
  if (next === undefined) {
    const legal = Object.keys(machine.table[state]).join(', ');
    throw new LocalProtocolError(
      `${machine.name}: '${event}' is not possible while ${state}, ${legal === '' ? 'nothing' : legal} is`,
    );
  }
  return next;
}

/** Whether the table has a cell for `event` in `state`: how a peer's event is judged before it is followed. */
export function isPossible<State extends string, Event extends string>(
  machine: Machine<State, Event>,
  state: State,
  event: Event,
): boolean {
  return machine.table[state][event] !== undefined;
}
