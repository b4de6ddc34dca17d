// Where is a client's channel between wanting a PV and having it? From searching until closed.

import type { Machine } from './state-table.ts';

export type ClientChannelState =
  /** No server is known; searches go out. */
  | 'searching'
  /** A server is known; its link is not validated yet. */
  | 'connecting'
  /** CREATE_CHANNEL was sent. */
  | 'creating'
  /** The server gave a sid: operations are possible. */
  | 'active'
  /** A server that was named directly refused the channel, or speaks another codec; only a new link is another chance. */
  | 'refused'
  | 'closed';

export type ClientChannelEvent =
  /** A server answered the search, or was named by the caller. */
  | 'found'
  /** The link is validated and CREATE_CHANNEL goes out. */
  | 'create'
  | 'created'
  /** The server that had answered the search says no: search again, much later. */
  | 'refuse'
  /** The server that was named directly says no, or greets in another codec than it was to speak. */
  | 'refuseDirect'
  /** The link went away, or the server destroyed the channel. */
  | 'lose'
  | 'close';

export const CLIENT_CHANNEL: Machine<ClientChannelState, ClientChannelEvent> = {
  name: 'client channel',
  initial: 'searching',
  table: {
    searching: { found: 'connecting', close: 'closed' },
    connecting: { create: 'creating', refuseDirect: 'refused', lose: 'searching', close: 'closed' },
    creating: { created: 'active', refuse: 'searching', refuseDirect: 'refused', lose: 'searching', close: 'closed' },
    active: { lose: 'searching', close: 'closed' },
    refused: { lose: 'searching', close: 'closed' },
    closed: { close: 'closed' },
  },
};
