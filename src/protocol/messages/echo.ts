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
  encode(writer, message) {
    writer.bytes(message.payload);
  },
  decode: (reader) => ({ command: 'ECHO', payload: reader.view(reader.remaining) }),
};

export const echo = { command: 'ECHO', code: 0x02, fromClient: eitherWay, fromServer: eitherWay } as const;
