// CMD_GET_FIELD (0x11), both directions: asks for the type of a channel or of a part of it.
//
//   request   int32 serverChannelID; int32 requestID; string subFieldName
//   reply     int32 requestID; Status status; FieldDesc subFieldIF, if the status is a success
//
// Spec: Protocol-Messages, "CMD_GET_FIELD".

import type { Status } from '../status.ts';
import type { TypeDesc } from '../types/type-desc.ts';
import { readTypeAfter, writeTypeAfter } from './after-status.ts';
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
  encode(fields, message) {
    fields.u32(message.sid);
    fields.u32(message.ioid);
    fields.string(message.subField);
  },
  decode: (fields) => ({
    command: 'GET_FIELD',
    sid: fields.u32(),
    ioid: fields.u32(),
    subField: fields.string(),
  }),
};

const fromServer: Body<GetFieldReply> = {
  encode(fields, message) {
    fields.u32(message.ioid);
    fields.status(message.status);
    writeTypeAfter(fields, message.status, message.type);
  },
  decode(fields) {
    const ioid = fields.u32();
    const status = fields.status();
    return { command: 'GET_FIELD', ioid, status, type: readTypeAfter(fields, status) };
  },
};

export const getField = { command: 'GET_FIELD', code: 0x11, fromClient, fromServer } as const;
