// CMD_PUT_GET (0x0c), both directions: writes fields of a channel, lets it process, and reads it, in one step.
//
//   request   int32 serverChannelID; int32 requestID; int8 subcommand;
//             INIT 0x08: FieldDesc pvRequestIF; PVField pvRequest
//             0x40, "get-get", or 0x80, "get-put": nothing
//             0x00, with 0x10 for the last: BitSet toPut; PVField data of the put type
//   reply     int32 requestID; int8 subcommand; Status status; and if the status is a success
//             INIT: FieldDesc pvPutStructureIF; FieldDesc pvGetStructureIF
//             0x80: BitSet changed; PVField data of the put type
//             0x40 and 0x00: BitSet changed; PVField data of the get type
//
// Spec: Protocol-Messages, "CMD_PUT_GET". The specification's replies have no BitSet; those of pvAccessCPP, the only
// peer that has the command, do (responseHandlers.cpp, clientContextImpl.cpp), and so do ours.

import { isSuccess, type Status } from '../status.ts';
import type { TypeDesc } from '../types/type-desc.ts';
import type { AnyValue } from '../types/value-of.ts';
import type { TypedUpdate } from '../values/update.ts';
import { readTypeAfter, writeTypeAfter, writeUpdateAfter } from './after-status.ts';
import type { UpdateToSend } from './data.ts';
import { operationOf, type Body, type ToSend } from './message-module.ts';
import { isInit, SUBCOMMAND_GET, SUBCOMMAND_GET_PUT } from './subcommand.ts';

interface Request {
  readonly command: 'PUT_GET';
  readonly sid: number;
  readonly ioid: number;
  readonly subcommand: number;
}

export interface PutGetInitRequest extends Request {
  readonly phase: 'init';
  readonly pvRequest: AnyValue;
}

export interface PutGetExecRequest<U = TypedUpdate> extends Request {
  readonly phase: 'exec';
  readonly update: U;
}

/** `getGet` asks for the value of the get type, `getPut` for that of the put type. */
export interface PutGetReadRequest extends Request {
  readonly phase: 'getGet' | 'getPut';
}

/** Data for an operation that is not alive: late, and no error. */
export interface PutGetOutOfScopeRequest extends Request {
  readonly phase: 'outOfScope';
}

export type PutGetRequest<U = TypedUpdate> =
  | PutGetInitRequest
  | PutGetExecRequest<U>
  | PutGetReadRequest
  | PutGetOutOfScopeRequest;

interface Reply {
  readonly command: 'PUT_GET';
  readonly ioid: number;
  readonly subcommand: number;
}

export interface PutGetInitReply extends Reply {
  readonly phase: 'init';
  readonly status: Status;
  /** null if the status is no success. */
  readonly putType: TypeDesc | null;
  /** null if the status is no success. */
  readonly getType: TypeDesc | null;
}

export interface PutGetDataReply<U = TypedUpdate> extends Reply {
  readonly phase: 'exec' | 'getGet' | 'getPut';
  readonly status: Status;
  /** Of the put type in phase `getPut`, else of the get type; null if the status is no success. */
  readonly update: U | null;
}

/** Data for an operation that is not alive: late, and no error. */
export interface PutGetOutOfScopeReply extends Reply {
  readonly phase: 'outOfScope';
}

export type PutGetReply<U = TypedUpdate> = PutGetInitReply | PutGetDataReply<U> | PutGetOutOfScopeReply;

const fromClient: Body<ToSend<PutGetRequest<UpdateToSend>>, PutGetRequest> = {
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
      return { command: 'PUT_GET', phase: 'init', sid, ioid, subcommand, pvRequest: fields.any() };
    }
    const phase = phaseOf(subcommand);
    if (phase !== 'exec') return { command: 'PUT_GET', phase, sid, ioid, subcommand };
    const operation = operationOf(context, ioid, 'PUT_GET');
    const putType = operation?.putType ?? null;
    if (putType === null) return { command: 'PUT_GET', phase: 'outOfScope', sid, ioid, subcommand };
    const update = fields.update(putType, operation?.base);
    return { command: 'PUT_GET', phase, sid, ioid, subcommand, update };
  },
};

const fromServer: Body<ToSend<PutGetReply<UpdateToSend>>, PutGetReply> = {
  encode(fields, message) {
    fields.u32(message.ioid);
    fields.u8(message.subcommand);
    fields.status(message.status);
    if (message.phase === 'init') {
      writeTypeAfter(fields, message.status, message.putType);
      writeTypeAfter(fields, message.status, message.getType);
      return;
    }
    writeUpdateAfter(fields, message.status, message.update);
  },
  decode(fields, context) {
    const ioid = fields.u32();
    const subcommand = fields.u8();
    const status = fields.status();
    if (isInit(subcommand)) {
      const putType = readTypeAfter(fields, status);
      const getType = readTypeAfter(fields, status);
      return { command: 'PUT_GET', phase: 'init', ioid, subcommand, status, putType, getType };
    }
    const phase = phaseOf(subcommand);
    if (!isSuccess(status)) return { command: 'PUT_GET', phase, ioid, subcommand, status, update: null };
    const operation = operationOf(context, ioid, 'PUT_GET');
    const type = (phase === 'getPut' ? operation?.putType : operation?.type) ?? null;
    if (type === null) return { command: 'PUT_GET', phase: 'outOfScope', ioid, subcommand };
    const update = fields.update(type);
    return { command: 'PUT_GET', phase, ioid, subcommand, status, update };
  },
};

export const putGet = { command: 'PUT_GET', code: 0x0c, fromClient, fromServer } as const;

/** pvAccessCPP looks at 0x40 first. */
function phaseOf(subcommand: number): 'exec' | 'getGet' | 'getPut' {
  if ((subcommand & SUBCOMMAND_GET) !== 0) return 'getGet';
  return (subcommand & SUBCOMMAND_GET_PUT) === 0 ? 'exec' : 'getPut';
}
