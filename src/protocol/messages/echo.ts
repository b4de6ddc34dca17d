// CMD_ECHO (0x02), either direction: are you there? The reply carries the payload of the request.
//
//   byte[] payload
//
// Spec: Protocol-Messages, "CMD_ECHO". Servers of version 1 answer without the payload.

import type { Body } from './message-module.ts';

export interface Echo {
  readonly command: 'ECHO';
  /** As read, a view into the frame: copy it to keep it. */
  readonly payload: Uint8Array;
}

const eitherWay: Body<Echo> = {
  encode(fields, message) {
    fields.payload(message.payload);
  },
  decode: (fields) => ({ command: 'ECHO', payload: fields.payload() }),
};

export const echo = { command: 'ECHO', code: 0x02, fromClient: eitherWay, fromServer: eitherWay } as const;
