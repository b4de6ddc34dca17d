// CMD_DESTROY_CHANNEL (0x08), either direction: closes a channel, or says that it is closed.
//
//   int32 serverChannelID; int32 clientChannelID
//
// Spec: Protocol-Messages, "CMD_DESTROY_CHANNEL". The ids stand the other way round than in CREATE_CHANNEL. A server
// sends it unasked when a PV goes away.

import type { Body } from './message-module.ts';

export interface DestroyChannel {
  readonly command: 'DESTROY_CHANNEL';
  readonly sid: number;
  readonly cid: number;
}

const eitherWay: Body<DestroyChannel> = {
  encode(fields, message) {
    fields.u32(message.sid);
    fields.u32(message.cid);
  },
  decode: (fields) => ({ command: 'DESTROY_CHANNEL', sid: fields.u32(), cid: fields.u32() }),
};

export const destroyChannel = {
  command: 'DESTROY_CHANNEL',
  code: 0x08,
  fromClient: eitherWay,
  fromServer: eitherWay,
} as const;
