// CMD_PUT (0x0b), both directions: writes fields of a channel, or reads back what was written.
//
//   request   int32 serverChannelID; int32 requestID; int8 subcommand;
//             INIT 0x08: FieldDesc pvRequestIF; PVField pvRequest
//             0x40, "get-put": nothing
//             0x00, with 0x10 for the last: BitSet toPut; PVField data
//   reply     int32 requestID; int8 subcommand; Status status; and if the status is a success
//             INIT: FieldDesc pvPutStructureIF
//             0x40: BitSet changed; PVField data
//             0x00: nothing
//
// Spec: Protocol-Messages, "CMD_PUT". Data comes with 0x10 too: core-pva's client always sends both.

import { isSuccess, type Status } from '../status.ts';
import type { TypeDesc } from '../types/type-desc.ts';
import type { AnyValue } from '../types/value-of.ts';
import type { TypedUpdate } from '../values/update.ts';
import { readTypeAfter, writeTypeAfter, writeUpdateAfter } from './after-status.ts';
import type { UpdateToSend } from './data.ts';
import { operationOf, type Body, type ToSend } from './message-module.ts';
import { isInit, SUBCOMMAND_GET } from './subcommand.ts';

interface Request {
  readonly command: 'PUT';
  readonly sid: number;
  readonly ioid: number;
  readonly subcommand: number;
}

export interface PutInitRequest extends Request {
  readonly phase: 'init';
  readonly pvRequest: AnyValue;
}

/** Asks for the value as it is now. */
export interface PutGetBackRequest extends Request {
  readonly phase: 'get';
}

export interface PutExecRequest<U = TypedUpdate> extends Request {
  readonly phase: 'exec';
  readonly update: U;
}

/** Data for an operation that is not alive: late, and no error. */
export interface PutOutOfScopeRequest extends Request {
  readonly phase: 'outOfScope';
}

export type PutRequest<U = TypedUpdate> = PutInitRequest | PutGetBackRequest | PutExecRequest<U> | PutOutOfScopeRequest;

interface Reply {
  readonly command: 'PUT';
  readonly ioid: number;
  readonly subcommand: number;
}

export interface PutInitReply extends Reply {
  readonly phase: 'init';
  readonly status: Status;
  /** null if the status is no success. */
  readonly type: TypeDesc | null;
}

export interface PutGetBackReply<U = TypedUpdate> extends Reply {
  readonly phase: 'get';
  readonly status: Status;
  /** null if the status is no success. */
  readonly update: U | null;
}

export interface PutExecReply extends Reply {
  readonly phase: 'exec';
  readonly status: Status;
}

/** Data for an operation that is not alive: late, and no error. */
export interface PutOutOfScopeReply extends Reply {
  readonly phase: 'outOfScope';
}

export type PutReply<U = TypedUpdate> = PutInitReply | PutGetBackReply<U> | PutExecReply | PutOutOfScopeReply;

const fromClient: Body<ToSend<PutRequest<UpdateToSend>>, PutRequest> = {
  encode(fields, message) {
    fields.u32(message.sid);
    fields.u32(message.ioid);
    fields.u8(message.subcommand);
    if (message.phase === 'init') fields.any(message.pvRequest);
    if (message.phase === 'exec') fields.update(message.update);
  },
  decode(fields, context) {
    const sid = fields.u32();
    const ioid = fields.u32();
    const subcommand = fields.u8();
    if (isInit(subcommand)) {
      return { command: 'PUT', phase: 'init', sid, ioid, subcommand, pvRequest: fields.any() };
    }
    if ((subcommand & SUBCOMMAND_GET) !== 0) return { command: 'PUT', phase: 'get', sid, ioid, subcommand };
    const operation = operationOf(context, ioid, 'PUT');
    if (operation === undefined) return { command: 'PUT', phase: 'outOfScope', sid, ioid, subcommand };
    const update = fields.update(operation.type, operation.base);
    return { command: 'PUT', phase: 'exec', sid, ioid, subcommand, update };
  },
};

const fromServer: Body<ToSend<PutReply<UpdateToSend>>, PutReply> = {
  encode(fields, message) {
    fields.u32(message.ioid);
    fields.u8(message.subcommand);
    fields.status(message.status);
    if (message.phase === 'init') writeTypeAfter(fields, message.status, message.type);
    if (message.phase === 'get') writeUpdateAfter(fields, message.status, message.update);
  },
  decode(fields, context) {
    const ioid = fields.u32();
    const subcommand = fields.u8();
    const status = fields.status();
    if (isInit(subcommand)) {
      const type = readTypeAfter(fields, status);
      return { command: 'PUT', phase: 'init', ioid, subcommand, status, type };
    }
    if ((subcommand & SUBCOMMAND_GET) === 0) return { command: 'PUT', phase: 'exec', ioid, subcommand, status };
    if (!isSuccess(status)) return { command: 'PUT', phase: 'get', ioid, subcommand, status, update: null };
    const operation = operationOf(context, ioid, 'PUT');
    if (operation === undefined) return { command: 'PUT', phase: 'outOfScope', ioid, subcommand };
    const update = fields.update(operation.type, operation.base);
    return { command: 'PUT', phase: 'get', ioid, subcommand, status, update };
  },
};

export const put = { command: 'PUT', code: 0x0b, fromClient, fromServer } as const;
