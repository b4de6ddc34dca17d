// CMD_RPC (0x14), both directions: calls a function of a channel.
//
//   request   int32 serverChannelID; int32 requestID; int8 subcommand;
//             INIT 0x08: FieldDesc pvRequestIF; PVField pvRequest
//             0x00, with 0x10 for the last: FieldDesc argumentIF; PVField argument
//   reply     int32 requestID; int8 subcommand; Status status;
//             INIT: nothing
//             else, if the status is a success: FieldDesc resultIF; PVField result
//
// Spec: Protocol-Messages, "CMD_RPC". A function without a result answers the null type 0xff.

import { decodeStatus, encodeStatus, isSuccess, type Status } from '../status.ts';
import type { AnyValue } from '../types/value-of.ts';
import { decodeAny, encodeAny } from './data.ts';
import type { Body } from './message-module.ts';
import { isInit } from './subcommand.ts';

interface Request {
  readonly command: 'RPC';
  readonly sid: number;
  readonly ioid: number;
  readonly subcommand: number;
}

export interface RpcInitRequest extends Request {
  readonly phase: 'init';
  readonly pvRequest: AnyValue;
}

export interface RpcExecRequest extends Request {
  readonly phase: 'exec';
  readonly argument: AnyValue;
}

export type RpcRequest = RpcInitRequest | RpcExecRequest;

interface Reply {
  readonly command: 'RPC';
  readonly ioid: number;
  readonly subcommand: number;
  readonly status: Status;
}

export interface RpcInitReply extends Reply {
  readonly phase: 'init';
}

export interface RpcExecReply extends Reply {
  readonly phase: 'exec';
  /** null if there is none, or if the status is no success. */
  readonly result: AnyValue;
}

export type RpcReply = RpcInitReply | RpcExecReply;

const fromClient: Body<RpcRequest> = {
  encode(writer, message, encodeType) {
    writer.u32(message.sid);
    writer.u32(message.ioid);
    writer.u8(message.subcommand);
    encodeAny(writer, message.phase === 'init' ? message.pvRequest : message.argument, encodeType);
  },
  decode(reader, context) {
    const sid = reader.u32();
    const ioid = reader.u32();
    const subcommand = reader.u8();
    const data = decodeAny(reader, context);
    if (isInit(subcommand)) return { command: 'RPC', phase: 'init', sid, ioid, subcommand, pvRequest: data };
    return { command: 'RPC', phase: 'exec', sid, ioid, subcommand, argument: data };
  },
};

const fromServer: Body<RpcReply> = {
  encode(writer, message, encodeType) {
    writer.u32(message.ioid);
    writer.u8(message.subcommand);
    encodeStatus(writer, message.status);
    if (message.phase === 'exec' && isSuccess(message.status)) encodeAny(writer, message.result, encodeType);
  },
  decode(reader, context) {
    const ioid = reader.u32();
    const subcommand = reader.u8();
    const status = decodeStatus(reader);
    if (isInit(subcommand)) return { command: 'RPC', phase: 'init', ioid, subcommand, status };
    const result = isSuccess(status) ? decodeAny(reader, context) : null;
    return { command: 'RPC', phase: 'exec', ioid, subcommand, status, result };
  },
};

export const rpc = { command: 'RPC', code: 0x14, fromClient, fromServer } as const;
