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

import { isSuccess, type Status } from '../status.ts';
import type { AnyValue } from '../types/value-of.ts';
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
  encode(fields, message) {
    fields.u32(message.sid);
    fields.u32(message.ioid);
    fields.u8(message.subcommand);
    fields.any(message.phase === 'init' ? message.pvRequest : message.argument);
  },
  decode(fields) {
    const sid = fields.u32();
    const ioid = fields.u32();
    const subcommand = fields.u8();
    const data = fields.any();
    if (isInit(subcommand)) return { command: 'RPC', phase: 'init', sid, ioid, subcommand, pvRequest: data };
    return { command: 'RPC', phase: 'exec', sid, ioid, subcommand, argument: data };
  },
};

const fromServer: Body<RpcReply> = {
  encode(fields, message) {
    fields.u32(message.ioid);
    fields.u8(message.subcommand);
    fields.status(message.status);
    if (message.phase === 'exec' && isSuccess(message.status)) fields.any(message.result);
  },
  decode(fields) {
    const ioid = fields.u32();
    const subcommand = fields.u8();
    const status = fields.status();
    if (isInit(subcommand)) return { command: 'RPC', phase: 'init', ioid, subcommand, status };
    const result = isSuccess(status) ? fields.any() : null;
    return { command: 'RPC', phase: 'exec', ioid, subcommand, status, result };
  },
};

export const rpc = { command: 'RPC', code: 0x14, fromClient, fromServer } as const;
