// What may a client do on its TCP connection to a server, and when? From connecting until closed.
//
// Spec: Protocol-Prose, "Connection establishment". Nothing is sent before the server's CONNECTION_VALIDATION, and no
// channel is created before CONNECTION_VALIDATED.

import type { Machine } from './state-table.ts';

export type ClientLinkState = 'connecting' | 'awaitingValidation' | 'awaitingValidated' | 'validated' | 'closed';

export type ClientLinkEvent =
  /** TCP is established. */
  | 'connected'
  /** The server's CONNECTION_VALIDATION: it lists its methods, we answer with one. */
  | 'validation'
  /** The server's CONNECTION_VALIDATED. */
  | 'validated'
  | 'close';

export const CLIENT_LINK: Machine<ClientLinkState, ClientLinkEvent> = {
  name: 'client link',
  initial: 'connecting',
  table: {
    connecting: { connected: 'awaitingValidation', close: 'closed' },
    // Both C++ clients go on when VALIDATED comes before VALIDATION.
    awaitingValidation: { validation: 'awaitingValidated', validated: 'validated', close: 'closed' },
    // A server that asks twice is answered once and does no harm.
    awaitingValidated: { validation: 'awaitingValidated', validated: 'validated', close: 'closed' },
    validated: { validation: 'validated', validated: 'validated', close: 'closed' },
    closed: { close: 'closed' },
  },
};
