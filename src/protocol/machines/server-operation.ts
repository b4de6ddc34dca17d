// In which phase is one operation of a server's client, and which request may come now?
//
// All operations share the table; for a monitor, executing means started. Requests of the client are judged
// with `isPossible` before they are followed: an exec before the reply to INIT closes the link, as in pvxs.
// Spec: Protocol-Prose, "Channel life-cycle" and the messages of each operation.

import type { Machine } from './state-table.ts';

export type ServerOperationState =
  /** INIT has come and is not answered yet. */
  | 'initializing'
  /** INIT is answered with success; nothing is under way. */
  | 'idle'
  /** A request is carried out; a monitor: started. */
  | 'executing'
  | 'destroyed';

export type ServerOperationEvent =
  /** INIT was answered with success. */
  | 'accept'
  /** A request to be carried out. */
  | 'execute'
  /** The request is answered. */
  | 'complete'
  /** A monitor's start. */
  | 'start'
  /** A monitor's stop. */
  | 'stop'
  /** The client's CANCEL_REQUEST; a request that was under way is completed with an answer before. */
  | 'cancel'
  /** By the client, by the end of the channel or link, or because INIT was refused. */
  | 'destroy';

export const SERVER_OPERATION: Machine<ServerOperationState, ServerOperationEvent> = {
  name: 'server operation',
  initial: 'initializing',
  table: {
    initializing: { accept: 'idle', cancel: 'initializing', destroy: 'destroyed' },
    idle: { execute: 'executing', start: 'executing', stop: 'idle', cancel: 'idle', destroy: 'destroyed' },
    // A second request before the answer to the first is answered with an error, and the first goes on.
    executing: { complete: 'idle', start: 'executing', stop: 'idle', cancel: 'idle', destroy: 'destroyed' },
    destroyed: { cancel: 'destroyed', destroy: 'destroyed' },
  },
};
