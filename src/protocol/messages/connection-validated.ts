// CMD_CONNECTION_VALIDATED (0x09), from the server: the client is accepted, or not.
//
//   Status status
//
// Spec: Protocol-Messages, "CMD_CONNECTION_VALIDATED", which says from the client; every peer has it from the server.

import type { Status } from '../status.ts';
import type { Body } from './message-module.ts';

export interface ConnectionValidated {
  readonly command: 'CONNECTION_VALIDATED';
  readonly status: Status;
}

const fromServer: Body<ConnectionValidated> = {
  encode(fields, message) {
    fields.status(message.status);
  },
  decode: (fields) => ({ command: 'CONNECTION_VALIDATED', status: fields.status() }),
};

export const connectionValidated = { command: 'CONNECTION_VALIDATED', code: 0x09, fromServer } as const;
