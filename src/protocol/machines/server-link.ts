// What may a server's TCP connection do, and when? From accept until closed.
//
// Spec: Protocol-Prose, "Connection establishment". At accept the server has sent SET_BYTE_ORDER and
// CONNECTION_VALIDATION; who the client is stays unknown until it answers.

import type { Machine } from './state-table.ts';

export type ServerLinkState =
  /** The client has not said who it is: it counts as anonymous. */
  | 'awaitingValidation'
  /** The client has said who it is, and was answered. */
  | 'validated'
  /** Nothing is read or sent any more. */
  | 'closed';

export type ServerLinkEvent =
  /** The client's CONNECTION_VALIDATION; answered with CONNECTION_VALIDATED. */
  | 'validation'
  /** Any other message of the client. */
  | 'message'
  | 'close';

export const SERVER_LINK: Machine<ServerLinkState, ServerLinkEvent> = {
  name: 'server link',
  initial: 'awaitingValidation',
  table: {
    // Neither C++ server insists on validation before the first CREATE_CHANNEL.
    awaitingValidation: { validation: 'validated', message: 'awaitingValidation', close: 'closed' },
    // pvxs lets a client say anew who it is; channels that are open keep the peer they were opened for.
    validated: { validation: 'validated', message: 'validated', close: 'closed' },
    closed: { close: 'closed' },
  },
};
