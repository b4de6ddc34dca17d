// CMD_ARRAY (0x0e), both directions: reads and writes parts of an array, reads and sets its length.
//
//   request   int32 serverChannelID; int32 requestID; int8 subcommand;
//             INIT 0x08: FieldDesc pvRequestIF; PVField pvRequest
//             0x40 get: size offset; size count; size stride
//             0x80 set length: size length
//             0x04 get length: nothing
//             0x00 put: size offset; size stride; PVField array
//   reply     int32 requestID; int8 subcommand; Status status; and if the status is a success
//             INIT: FieldDesc pvArrayIF
//             0x40: PVField array
//             0x04: size length
//             0x80 and 0x00: nothing
//
// Spec: Protocol-Messages, "CMD_ARRAY", which knows neither stride nor get length. pvAccessCPP, the only peer that has
// the command, sends and expects both (responseHandlers.cpp, clientContextImpl.cpp), and so do we.

import { LocalProtocolError } from '../errors.ts';
import { isSuccess, type Status } from '../status.ts';
import type { TypeDesc } from '../types/type-desc.ts';
import type { AnyValue } from '../types/value-of.ts';
import { readTypeAfter, writeTypeAfter } from './after-status.ts';
import type { FieldReader } from './fields.ts';
import { operationOf, type Body, type ToSend, type TypedOperation } from './message-module.ts';
import { isInit, SUBCOMMAND_GET, SUBCOMMAND_GET_PUT, SUBCOMMAND_PROCESS } from './subcommand.ts';

/** An array with its type. */
export type ArrayData = NonNullable<AnyValue>;

interface Request {
  readonly command: 'ARRAY';
  readonly sid: number;
  readonly ioid: number;
  readonly subcommand: number;
}

export interface ArrayInitRequest extends Request {
  readonly phase: 'init';
  readonly pvRequest: AnyValue;
}

export interface ArrayGetRequest extends Request {
  readonly phase: 'get';
  /** Index of the first element. */
  readonly offset: number;
  /** Elements at most; 0 for all up to the end. */
  readonly count: number;
  /** Distance between elements: 1 for each, 2 for every other. */
  readonly stride: number;
}

export interface ArrayPutRequest extends Request {
  readonly phase: 'put';
  readonly offset: number;
  readonly stride: number;
  readonly array: ArrayData;
}

export interface ArraySetLengthRequest extends Request {
  readonly phase: 'setLength';
  readonly length: number;
}

export interface ArrayGetLengthRequest extends Request {
  readonly phase: 'getLength';
}

/** Data for an operation that is not alive: late, and no error. */
export interface ArrayOutOfScopeRequest extends Request {
  readonly phase: 'outOfScope';
}

export type ArrayRequest =
  | ArrayInitRequest
  | ArrayGetRequest
  | ArrayPutRequest
  | ArraySetLengthRequest
  | ArrayGetLengthRequest
  | ArrayOutOfScopeRequest;

interface Reply {
  readonly command: 'ARRAY';
  readonly ioid: number;
  readonly subcommand: number;
}

export interface ArrayInitReply extends Reply {
  readonly phase: 'init';
  readonly status: Status;
  /** null if the status is no success. */
  readonly type: TypeDesc | null;
}

export interface ArrayGetReply extends Reply {
  readonly phase: 'get';
  readonly status: Status;
  /** null if the status is no success. */
  readonly array: ArrayData | null;
}

export interface ArrayGetLengthReply extends Reply {
  readonly phase: 'getLength';
  readonly status: Status;
  /** null if the status is no success. */
  readonly length: number | null;
}

export interface ArrayDoneReply extends Reply {
  readonly phase: 'put' | 'setLength';
  readonly status: Status;
}

/** Data for an operation that is not alive: late, and no error. */
export interface ArrayOutOfScopeReply extends Reply {
  readonly phase: 'outOfScope';
}

export type ArrayReply = ArrayInitReply | ArrayGetReply | ArrayGetLengthReply | ArrayDoneReply | ArrayOutOfScopeReply;

const fromClient: Body<ToSend<ArrayRequest>, ArrayRequest> = {
  encode(fields, message) {
    fields.u32(message.sid);
    fields.u32(message.ioid);
    fields.u8(message.subcommand);
    switch (message.phase) {
      case 'init':
        return fields.any(message.pvRequest);
      case 'get':
        fields.size(message.offset);
        fields.size(message.count);
        return fields.size(message.stride);
      case 'put':
        fields.size(message.offset);
        fields.size(message.stride);
        return fields.value(message.array.type, message.array.value);
      case 'setLength':
        return fields.size(message.length);
      case 'getLength':
    }
  },
  decode(fields, context) {
    const sid = fields.u32();
    const ioid = fields.u32();
    const subcommand = fields.u8();
    const head = { command: 'ARRAY', sid, ioid, subcommand } as const;
    const phase = phaseOf(subcommand);
    switch (phase) {
      case 'init':
        return { ...head, phase, pvRequest: fields.any() };
      case 'get':
        return { ...head, phase, offset: fields.size(), count: fields.size(), stride: fields.size() };
      case 'setLength':
        return { ...head, phase, length: fields.size() };
      case 'getLength':
        return { ...head, phase };
      case 'put': {
        const operation = operationOf(context, ioid, 'ARRAY');
        if (operation === undefined) return { ...head, phase: 'outOfScope' };
        const offset = fields.size();
        const stride = fields.size();
        return { ...head, phase, offset, stride, array: readArray(fields, operation) };
      }
    }
  },
};

const fromServer: Body<ToSend<ArrayReply>, ArrayReply> = {
  encode(fields, message) {
    fields.u32(message.ioid);
    fields.u8(message.subcommand);
    fields.status(message.status);
    if (!isSuccess(message.status)) return;
    switch (message.phase) {
      case 'init':
        return writeTypeAfter(fields, message.status, message.type);
      case 'get':
        if (message.array === null) throw new LocalProtocolError('reply of success without an array');
        return fields.value(message.array.type, message.array.value);
      case 'getLength':
        if (message.length === null) throw new LocalProtocolError('reply of success without a length');
        return fields.size(message.length);
      case 'put':
      case 'setLength':
    }
  },
  decode(fields, context) {
    const ioid = fields.u32();
    const subcommand = fields.u8();
    const status = fields.status();
    const head = { command: 'ARRAY', ioid, subcommand } as const;
    const phase = phaseOf(subcommand);
    switch (phase) {
      case 'init':
        return { ...head, phase, status, type: readTypeAfter(fields, status) };
      case 'get': {
        if (!isSuccess(status)) return { ...head, phase, status, array: null };
        const operation = operationOf(context, ioid, 'ARRAY');
        if (operation === undefined) return { ...head, phase: 'outOfScope' };
        return { ...head, phase, status, array: readArray(fields, operation) };
      }
      case 'getLength':
        return { ...head, phase, status, length: isSuccess(status) ? fields.size() : null };
      case 'put':
      case 'setLength':
        return { ...head, phase, status };
    }
  },
};

export const array = { command: 'ARRAY', code: 0x0e, fromClient, fromServer } as const;

type Phase = 'init' | 'get' | 'put' | 'setLength' | 'getLength';

/** In the order in which pvAccessCPP looks at the bits. */
function phaseOf(subcommand: number): Phase {
  if (isInit(subcommand)) return 'init';
  if ((subcommand & SUBCOMMAND_GET) !== 0) return 'get';
  if ((subcommand & SUBCOMMAND_GET_PUT) !== 0) return 'setLength';
  return (subcommand & SUBCOMMAND_PROCESS) === 0 ? 'put' : 'getLength';
}

function readArray(fields: FieldReader, { type }: TypedOperation): ArrayData {
  return { type, value: fields.value(type) };
}
