// CMD_GET (0x0a), both directions: reads the value of a channel.
//
//   request   int32 serverChannelID; int32 requestID; int8 subcommand;
//             INIT 0x08: FieldDesc pvRequestIF; PVField pvRequest
//             0x00 or 0x40, with 0x10 for the last: nothing
//   reply     int32 requestID; int8 subcommand; Status status; and if the status is a success
//             INIT: FieldDesc pvStructureIF
//             else: BitSet changed; PVField data
//
// Spec: Protocol-Messages, "CMD_GET".

import { isSuccess, type Status } from '../status.ts';
import type { TypeDesc } from '../types/type-desc.ts';
import type { AnyValue } from '../types/value-of.ts';
import type { TypedUpdate } from '../values/update.ts';
import { readTypeAfter, writeTypeAfter, writeUpdateAfter } from './after-status.ts';
import type { UpdateToSend } from './data.ts';
import { operationOf, type Body, type ToSend } from './message-module.ts';
import { isInit } from './subcommand.ts';

interface Request {
  readonly command: 'GET';
  readonly sid: number;
  readonly ioid: number;
  readonly subcommand: number;
}

export interface GetInitRequest extends Request {
  readonly phase: 'init';
  readonly pvRequest: AnyValue;
}

export interface GetExecRequest extends Request {
  readonly phase: 'exec';
}

export type GetRequest = GetInitRequest | GetExecRequest;

interface Reply {
  readonly command: 'GET';
  readonly ioid: number;
  readonly subcommand: number;
}

export interface GetInitReply extends Reply {
  readonly phase: 'init';
  readonly status: Status;
  /** null if the status is no success. */
  readonly type: TypeDesc | null;
}

export interface GetExecReply<U = TypedUpdate> extends Reply {
  readonly phase: 'exec';
  readonly status: Status;
  /** null if the status is no success. */
  readonly update: U | null;
}

/** Data for an operation that is not alive: late, and no error. */
export interface GetOutOfScopeReply extends Reply {
  readonly phase: 'outOfScope';
}

export type GetReply<U = TypedUpdate> = GetInitReply | GetExecReply<U> | GetOutOfScopeReply;

const fromClient: Body<GetRequest> = {
  encode(fields, message) {
    fields.u32(message.sid);
    fields.u32(message.ioid);
    fields.u8(message.subcommand);
    if (message.phase === 'init') fields.any(message.pvRequest);
  },
  decode(fields) {
    const sid = fields.u32();
    const ioid = fields.u32();
    const subcommand = fields.u8();
    if (!isInit(subcommand)) return { command: 'GET', phase: 'exec', sid, ioid, subcommand };
    return { command: 'GET', phase: 'init', sid, ioid, subcommand, pvRequest: fields.any() };
  },
};

const fromServer: Body<ToSend<GetReply<UpdateToSend>>, GetReply> = {
  encode(fields, message) {
    fields.u32(message.ioid);
    fields.u8(message.subcommand);
    fields.status(message.status);
    if (message.phase === 'init') return writeTypeAfter(fields, message.status, message.type);
    writeUpdateAfter(fields, message.status, message.update);
  },
  decode(fields, context) {
    const ioid = fields.u32();
    const subcommand = fields.u8();
    const status = fields.status();
    if (isInit(subcommand)) {
      const type = readTypeAfter(fields, status);
      return { command: 'GET', phase: 'init', ioid, subcommand, status, type };
    }
    if (!isSuccess(status)) return { command: 'GET', phase: 'exec', ioid, subcommand, status, update: null };
    const operation = operationOf(context, ioid, 'GET');
    if (operation === undefined) return { command: 'GET', phase: 'outOfScope', ioid, subcommand };
    const update = fields.update(operation.type, operation.base);
    return { command: 'GET', phase: 'exec', ioid, subcommand, status, update };
  },
};

export const get = { command: 'GET', code: 0x0a, fromClient, fromServer } as const;
