// CMD_DESTROY_REQUEST (0x0f), from the client: ends an operation. There is no reply.
//
//   int32 serverChannelID; int32 requestID
//
// Spec: Protocol-Messages, "CMD_DESTROY_REQUEST".

import type { Body } from './message-module.ts';

export interface DestroyRequest {
  readonly command: 'DESTROY_REQUEST';
  readonly sid: number;
  readonly ioid: number;
}

const fromClient: Body<DestroyRequest> = {
  encode(fields, message) {
    fields.u32(message.sid);
    fields.u32(message.ioid);
  },
  decode: (fields) => ({ command: 'DESTROY_REQUEST', sid: fields.u32(), ioid: fields.u32() }),
};

export const destroyRequest = { command: 'DESTROY_REQUEST', code: 0x0f, fromClient } as const;
