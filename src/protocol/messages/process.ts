// CMD_PROCESS (0x10), both directions: lets a channel process.
//
//   request   int32 serverChannelID; int32 requestID; int8 subcommand;
//             INIT 0x08: FieldDesc pvRequestIF; PVField pvRequest, or the null type alone
//             0x00, with 0x10 for the last: nothing
//   reply     int32 requestID; int8 subcommand; Status status
//
// Spec: Protocol-Messages, "CMD_PROCESS".

import type { Status } from '../status.ts';
import type { AnyValue } from '../types/value-of.ts';
import type { Body } from './message-module.ts';
import { isInit } from './subcommand.ts';

interface Request {
  readonly command: 'PROCESS';
  readonly sid: number;
  readonly ioid: number;
  readonly subcommand: number;
}

export interface ProcessInitRequest extends Request {
  readonly phase: 'init';
  readonly pvRequest: AnyValue;
}

export interface ProcessExecRequest extends Request {
  readonly phase: 'exec';
}

export type ProcessRequest = ProcessInitRequest | ProcessExecRequest;

export interface ProcessReply {
  readonly command: 'PROCESS';
  readonly phase: 'init' | 'exec';
  readonly ioid: number;
  readonly subcommand: number;
  readonly status: Status;
}

const fromClient: Body<ProcessRequest> = {
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
    if (!isInit(subcommand)) return { command: 'PROCESS', phase: 'exec', sid, ioid, subcommand };
    return { command: 'PROCESS', phase: 'init', sid, ioid, subcommand, pvRequest: fields.any() };
  },
};

const fromServer: Body<ProcessReply> = {
  encode(fields, message) {
    fields.u32(message.ioid);
    fields.u8(message.subcommand);
    fields.status(message.status);
  },
  decode(fields) {
    const ioid = fields.u32();
    const subcommand = fields.u8();
    const status = fields.status();
    return { command: 'PROCESS', phase: isInit(subcommand) ? 'init' : 'exec', ioid, subcommand, status };
  },
};

export const process = { command: 'PROCESS', code: 0x10, fromClient, fromServer } as const;
