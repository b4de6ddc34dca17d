// CMD_CANCEL_REQUEST (0x15), from the client: gives up what an operation is doing, not the operation. No reply.
//
//   int32 serverChannelID; int32 requestID
//
// Spec: Protocol-Messages, "CMD_CANCEL_REQUEST".

import type { Body } from './message-module.ts';

export interface CancelRequest {
  readonly command: 'CANCEL_REQUEST';
  readonly sid: number;
  readonly ioid: number;
}

const fromClient: Body<CancelRequest> = {
  encode(fields, message) {
    fields.u32(message.sid);
    fields.u32(message.ioid);
  },
  decode: (fields) => ({ command: 'CANCEL_REQUEST', sid: fields.u32(), ioid: fields.u32() }),
};

export const cancelRequest = { command: 'CANCEL_REQUEST', code: 0x15, fromClient } as const;
