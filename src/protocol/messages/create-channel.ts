// CMD_CREATE_CHANNEL (0x07), both directions: opens channels to PVs by name.
//
//   request   int16 count; { int32 clientChannelID; string channelName }[count]
//   reply     int32 clientChannelID; int32 serverChannelID; Status status
//
// Spec: Protocol-Messages, "CMD_CREATE_CHANNEL". The count is 16 bits wide, not a size. The specification's access
// rights behind the status are sent by no peer. All peers send one channel a message and answer each by itself.

import type { Status } from '../status.ts';
import type { ListShape } from './fields.ts';
import type { Body } from './message-module.ts';

/** A channel takes its id and the size of its name at least. */
const CHANNELS: ListShape = { counter: 'u16', fieldsEach: 2, bytesEach: 5, what: 'channels' };

export interface ChannelToCreate {
  readonly cid: number;
  readonly pvName: string;
}

export interface CreateChannelRequest {
  readonly command: 'CREATE_CHANNEL';
  readonly channels: readonly ChannelToCreate[];
}

export interface CreateChannelReply {
  readonly command: 'CREATE_CHANNEL';
  readonly cid: number;
  /** Means something only if the status is a success. */
  readonly sid: number;
  readonly status: Status;
}

const fromClient: Body<CreateChannelRequest> = {
  encode(fields, { channels }) {
    fields.list(CHANNELS, channels, ({ cid, pvName }) => {
      fields.u32(cid);
      fields.string(pvName);
    });
  },
  decode(fields) {
    const channels = fields.list(CHANNELS, (): ChannelToCreate => ({ cid: fields.u32(), pvName: fields.string() }));
    return { command: 'CREATE_CHANNEL', channels };
  },
};

const fromServer: Body<CreateChannelReply> = {
  encode(fields, message) {
    fields.u32(message.cid);
    fields.u32(message.sid);
    fields.status(message.status);
  },
  decode: (fields) => ({
    command: 'CREATE_CHANNEL',
    cid: fields.u32(),
    sid: fields.u32(),
    status: fields.status(),
  }),
};

export const createChannel = { command: 'CREATE_CHANNEL', code: 0x07, fromClient, fromServer } as const;
