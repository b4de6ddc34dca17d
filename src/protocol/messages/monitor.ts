// CMD_MONITOR (0x0d), both directions: subscribes to the updates of a channel.
//
//   request   int32 serverChannelID; int32 requestID; int8 subcommand;
//             INIT 0x08: FieldDesc pvRequestIF; PVField pvRequest; with 0x80: int32 nfree
//             else: with 0x80: int32 nfree; 0x44 start, 0x04 stop, 0x10 the last
//   reply     int32 requestID; int8 subcommand;
//             INIT: Status status; FieldDesc pvStructureIF, if the status is a success
//             0x00: BitSet changed; PVField data; BitSet overrun
//             0x10: Status status; and if anything follows: BitSet changed; PVField data; BitSet overrun
//
// Spec: Protocol-Operation-Monitor. Updates have no status.

import { BitSet } from '../bit-set.ts';
import { isSuccess, type Status } from '../status.ts';
import type { TypeDesc } from '../types/type-desc.ts';
import type { AnyValue } from '../types/value-of.ts';
import type { TypedUpdate } from '../values/update.ts';
import { readTypeAfter, writeTypeAfter } from './after-status.ts';
import type { UpdateToSend } from './data.ts';
import { operationOf, type Body, type ToSend } from './message-module.ts';
import { isInit, SUBCOMMAND_DESTROY, SUBCOMMAND_GET, SUBCOMMAND_PIPELINE, SUBCOMMAND_PROCESS } from './subcommand.ts';

/** What says "with a status" in a reply; the bits beside 0x10 are seen only when a request is refused. */
const STATUS_BITS = SUBCOMMAND_DESTROY | SUBCOMMAND_PROCESS | SUBCOMMAND_GET | SUBCOMMAND_PIPELINE;

interface Request {
  readonly command: 'MONITOR';
  readonly sid: number;
  readonly ioid: number;
  readonly subcommand: number;
}

export interface MonitorInitRequest extends Request {
  readonly phase: 'init';
  readonly pvRequest: AnyValue;
  /** Updates that may be sent before the first acknowledgement; sent only if the subcommand has 0x80. */
  readonly window: number;
}

/** Any of acknowledge, start, stop and last at once: see `monitorAction` and `isLast`. */
export interface MonitorExecRequest extends Request {
  readonly phase: 'exec';
  /** Updates by which the window grows; sent only if the subcommand has 0x80. */
  readonly acknowledged: number;
}

export type MonitorRequest = MonitorInitRequest | MonitorExecRequest;

interface Reply {
  readonly command: 'MONITOR';
  readonly ioid: number;
  readonly subcommand: number;
}

export interface MonitorInitReply extends Reply {
  readonly phase: 'init';
  readonly status: Status;
  /** null if the status is no success. */
  readonly type: TypeDesc | null;
}

export interface MonitorUpdateReply<U = TypedUpdate> extends Reply {
  readonly phase: 'update';
  readonly update: U;
  /** Fields that changed more than once since the update before. */
  readonly overrun: BitSet;
}

/** The subscription is over; a last update may come along. */
export interface MonitorFinalReply<U = TypedUpdate> extends Reply {
  readonly phase: 'final';
  readonly status: Status;
  readonly update: U | null;
  readonly overrun: BitSet;
}

/** Data for an operation that is not alive: late, and no error. */
export interface MonitorOutOfScopeReply extends Reply {
  readonly phase: 'outOfScope';
}

export type MonitorReply<U = TypedUpdate> =
  | MonitorInitReply
  | MonitorUpdateReply<U>
  | MonitorFinalReply<U>
  | MonitorOutOfScopeReply;

const fromClient: Body<MonitorRequest> = {
  encode(fields, message) {
    fields.u32(message.sid);
    fields.u32(message.ioid);
    fields.u8(message.subcommand);
    if (message.phase === 'init') fields.any(message.pvRequest);
    if (isPipeline(message.subcommand)) fields.u32(message.phase === 'init' ? message.window : message.acknowledged);
  },
  decode(fields) {
    const sid = fields.u32();
    const ioid = fields.u32();
    const subcommand = fields.u8();
    if (!isInit(subcommand)) {
      const acknowledged = isPipeline(subcommand) ? fields.u32() : 0;
      return { command: 'MONITOR', phase: 'exec', sid, ioid, subcommand, acknowledged };
    }
    const pvRequest = fields.any();
    // A window that is announced but missing counts as 0: pvxs logs it and goes on.
    const window = isPipeline(subcommand) && fields.hasMore ? fields.u32() : 0;
    return { command: 'MONITOR', phase: 'init', sid, ioid, subcommand, pvRequest, window };
  },
};

const fromServer: Body<ToSend<MonitorReply<UpdateToSend>>, MonitorReply> = {
  encode(fields, message) {
    fields.u32(message.ioid);
    fields.u8(message.subcommand);
    if (message.phase !== 'update') fields.status(message.status);
    if (message.phase === 'init') return writeTypeAfter(fields, message.status, message.type);
    if (message.update === null) return;
    fields.update(message.update);
    fields.mask(message.update.type, message.overrun);
  },
  decode(fields, context) {
    const ioid = fields.u32();
    const subcommand = fields.u8();
    if (isInit(subcommand)) {
      const status = fields.status();
      const type = readTypeAfter(fields, status);
      return { command: 'MONITOR', phase: 'init', ioid, subcommand, status, type };
    }
    if ((subcommand & STATUS_BITS) !== 0) {
      // pvAccessCPP answers a start, stop or acknowledgement of an operation it does not know with the request's
      // subcommand and a status, which would make no sense as a BitSet. For the subscriber it is over as with 0x10.
      const status = fields.status();
      const isEmpty = !isSuccess(status) || !fields.hasMore;
      if (isEmpty) {
        return { command: 'MONITOR', phase: 'final', ioid, subcommand, status, update: null, overrun: BitSet.empty() };
      }
      const operation = operationOf(context, ioid, 'MONITOR');
      if (operation === undefined) return { command: 'MONITOR', phase: 'outOfScope', ioid, subcommand };
      const update = fields.update(operation.type, operation.base);
      const overrun = fields.mask(operation.type);
      return { command: 'MONITOR', phase: 'final', ioid, subcommand, status, update, overrun };
    }
    const operation = operationOf(context, ioid, 'MONITOR');
    if (operation === undefined) return { command: 'MONITOR', phase: 'outOfScope', ioid, subcommand };
    const update = fields.update(operation.type, operation.base);
    const overrun = fields.mask(operation.type);
    return { command: 'MONITOR', phase: 'update', ioid, subcommand, update, overrun };
  },
};

export const monitor = { command: 'MONITOR', code: 0x0d, fromClient, fromServer } as const;

function isPipeline(subcommand: number): boolean {
  return (subcommand & SUBCOMMAND_PIPELINE) !== 0;
}
