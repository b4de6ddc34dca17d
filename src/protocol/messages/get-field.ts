// CMD_GET_FIELD (0x11), both directions: asks for the type of a channel or of a part of it.
//
//   request   int32 serverChannelID; int32 requestID; string subFieldName
//   reply     int32 requestID; Status status; FieldDesc subFieldIF, if the status is a success
//
// Spec: Protocol-Messages, "CMD_GET_FIELD".

import { decodeStatus, encodeStatus, type Status } from '../status.ts';
import type { TypeDesc } from '../types/type-desc.ts';
import { decodeTypeAfter, encodeTypeAfter } from './data.ts';
import type { Body } from './message-module.ts';

export interface GetFieldRequest {
  readonly command: 'GET_FIELD';
  readonly sid: number;
  readonly ioid: number;
  /** Path of a field, such as `alarm.severity`; '' for the whole. */
  readonly subField: string;
}

export interface GetFieldReply {
  readonly command: 'GET_FIELD';
  readonly ioid: number;
  readonly status: Status;
  /** null if the status is no success. */
  readonly type: TypeDesc | null;
}

const fromClient: Body<GetFieldRequest> = {
  encode(writer, message) {
    writer.u32(message.sid);
    writer.u32(message.ioid);
    writer.string(message.subField);
  },
  decode: (reader) => ({
    command: 'GET_FIELD',
    sid: reader.u32(),
    ioid: reader.u32(),
    subField: reader.string(),
  }),
};

const fromServer: Body<GetFieldReply> = {
  encode(writer, message, encodeType) {
    writer.u32(message.ioid);
    encodeStatus(writer, message.status);
    encodeTypeAfter(writer, message.status, message.type, encodeType);
  },
  decode(reader, context) {
    const ioid = reader.u32();
    const status = decodeStatus(reader);
    return { command: 'GET_FIELD', ioid, status, type: decodeTypeAfter(reader, status, context) };
  },
};

export const getField = { command: 'GET_FIELD', code: 0x11, fromClient, fromServer } as const;
