// In which phase is one operation of a client, and which reply may come now?
//
// GET, PUT, RPC and MONITOR share the table. GET_FIELD has no INIT: it goes from waiting to executing.
// Spec: Protocol-Prose, "Channel life-cycle" and the messages of each operation.

import type { Machine } from './state-table.ts';

export type ClientOperationState =
  /** The channel is not active; nothing was sent. */
  | 'waiting'
  /** INIT was sent. */
  | 'initializing'
  /** INIT was answered; nothing is under way. */
  | 'idle'
  /** A request was sent whose reply is awaited; for a monitor: started, updates come. */
  | 'executing'
  | 'done';

export type ClientOperationEvent =
  | 'init'
  /** The server accepted INIT. */
  | 'initialized'
  /** A request, or the start of a monitor, was sent. */
  | 'execute'
  /** The reply, or the stop of a monitor. */
  | 'executed'
  /** An update of a monitor; one that was under way when it was stopped is possible, too. */
  | 'update'
  /** The link or the channel went away: from the beginning. */
  | 'lose'
  /** By result, by error, or because the caller gave up. */
  | 'end';

export const CLIENT_OPERATION: Machine<ClientOperationState, ClientOperationEvent> = {
  name: 'client operation',
  initial: 'waiting',
  table: {
    waiting: { init: 'initializing', execute: 'executing', lose: 'waiting', end: 'done' },
    initializing: { initialized: 'idle', lose: 'waiting', end: 'done' },
    idle: { execute: 'executing', update: 'idle', lose: 'waiting', end: 'done' },
    executing: { executed: 'idle', update: 'executing', lose: 'waiting', end: 'done' },
    done: { lose: 'done', end: 'done' },
  },
};
