// CMD_CREATE_CHANNEL (0x07), both directions: opens channels to PVs by name.
//
//   request   int16 count; { int32 clientChannelID; string channelName }[count]
//   reply     int32 clientChannelID; int32 serverChannelID; Status status
//
// Spec: Protocol-Messages, "CMD_CREATE_CHANNEL". The count is 16 bits wide, not a size. The specification's access
// rights behind the status are sent by no peer. All peers send one channel a message and answer each by itself.

import { LocalProtocolError, TruncatedError } from '../errors.ts';
import { decodeStatus, encodeStatus, type Status } from '../status.ts';
import type { Body } from './message-module.ts';

const MAX_COUNT = 0xffff;
/** Bytes of a channel at least: its id and the size of its name. */
const CHANNEL_BYTES = 5;

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
  encode(writer, { channels }) {
    if (channels.length > MAX_COUNT) {
      throw new LocalProtocolError(`${channels.length} channels in one message, at most ${MAX_COUNT} fit`);
    }
    writer.u16(channels.length);
    for (const { cid, pvName } of channels) {
      writer.u32(cid);
      writer.string(pvName);
    }
  },
  decode(reader) {
    const count = reader.u16();
    if (count * CHANNEL_BYTES > reader.remaining) {
      throw new TruncatedError(`${count} channels claimed, ${reader.remaining} bytes are there`, reader.offset);
    }
    const channels: ChannelToCreate[] = [];
    for (let index = 0; index < count; index++) channels.push({ cid: reader.u32(), pvName: reader.string() });
    return { command: 'CREATE_CHANNEL', channels };
  },
};

const fromServer: Body<CreateChannelReply> = {
  encode(writer, message) {
    writer.u32(message.cid);
    writer.u32(message.sid);
    encodeStatus(writer, message.status);
  },
  decode: (reader) => ({
    command: 'CREATE_CHANNEL',
    cid: reader.u32(),
    sid: reader.u32(),
    status: decodeStatus(reader),
  }),
};

export const createChannel = { command: 'CREATE_CHANNEL', code: 0x07, fromClient, fromServer } as const;
