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
import type { Reader } from '../reader.ts';
import { decodeStatus, encodeStatus, isSuccess, type Status } from '../status.ts';
import type { TypeDesc } from '../types/type-desc.ts';
import type { AnyValue } from '../types/value-of.ts';
import { anyCodecOf } from '../values/codec.ts';
import { decodeAny, decodeTypeAfter, encodeAny, encodeTypeAfter } from './data.ts';
import { operationOf, type Body, type DecodeContext, type ToSend, type TypedOperation } from './message-module.ts';
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
  encode(writer, message, encodeType) {
    writer.u32(message.sid);
    writer.u32(message.ioid);
    writer.u8(message.subcommand);
    switch (message.phase) {
      case 'init':
        return encodeAny(writer, message.pvRequest, encodeType);
      case 'get':
        writer.size(message.offset);
        writer.size(message.count);
        return writer.size(message.stride);
      case 'put':
        writer.size(message.offset);
        writer.size(message.stride);
        return anyCodecOf(message.array.type).encode(writer, message.array.value, encodeType);
      case 'setLength':
        return writer.size(message.length);
      case 'getLength':
    }
  },
  decode(reader, context) {
    const sid = reader.u32();
    const ioid = reader.u32();
    const subcommand = reader.u8();
    const head = { command: 'ARRAY', sid, ioid, subcommand } as const;
    const phase = phaseOf(subcommand);
    switch (phase) {
      case 'init':
        return { ...head, phase, pvRequest: decodeAny(reader, context) };
      case 'get':
        return { ...head, phase, offset: reader.size(), count: reader.size(), stride: reader.size() };
      case 'setLength':
        return { ...head, phase, length: reader.size() };
      case 'getLength':
        return { ...head, phase };
      case 'put': {
        const operation = operationOf(context, ioid, 'ARRAY');
        if (operation === undefined) return { ...head, phase: 'outOfScope' };
        const offset = reader.size();
        const stride = reader.size();
        return { ...head, phase, offset, stride, array: decodeArray(reader, operation, context) };
      }
    }
  },
};

const fromServer: Body<ToSend<ArrayReply>, ArrayReply> = {
  encode(writer, message, encodeType) {
    writer.u32(message.ioid);
    writer.u8(message.subcommand);
    encodeStatus(writer, message.status);
    if (!isSuccess(message.status)) return;
    switch (message.phase) {
      case 'init':
        return encodeTypeAfter(writer, message.status, message.type, encodeType);
      case 'get':
        if (message.array === null) throw new LocalProtocolError('reply of success without an array');
        return anyCodecOf(message.array.type).encode(writer, message.array.value, encodeType);
      case 'getLength':
        if (message.length === null) throw new LocalProtocolError('reply of success without a length');
        return writer.size(message.length);
      case 'put':
      case 'setLength':
    }
  },
  decode(reader, context) {
    const ioid = reader.u32();
    const subcommand = reader.u8();
    const status = decodeStatus(reader);
    const head = { command: 'ARRAY', ioid, subcommand } as const;
    const phase = phaseOf(subcommand);
    switch (phase) {
      case 'init':
        return { ...head, phase, status, type: decodeTypeAfter(reader, status, context) };
      case 'get': {
        if (!isSuccess(status)) return { ...head, phase, status, array: null };
        const operation = operationOf(context, ioid, 'ARRAY');
        if (operation === undefined) return { ...head, phase: 'outOfScope' };
        return { ...head, phase, status, array: decodeArray(reader, operation, context) };
      }
      case 'getLength':
        return { ...head, phase, status, length: isSuccess(status) ? reader.size() : null };
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

function decodeArray(reader: Reader, { type }: TypedOperation, context: DecodeContext): ArrayData {
  return { type, value: anyCodecOf(type).decode(reader, context.types) };
}
