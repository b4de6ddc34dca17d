// Which fields do the messages of operations have? GET, PUT, PUT_GET, MONITOR, ARRAY, RPC and PROCESS.
//
// Spec: Protocol-Messages; where peers differ from it, see the modules of messages/.

import { operationOf, type DecodeContext, type OperationCommand } from '../messages/message-module.ts';
import {
  isInit,
  SUBCOMMAND_DESTROY,
  SUBCOMMAND_GET,
  SUBCOMMAND_GET_PUT,
  SUBCOMMAND_PIPELINE,
  SUBCOMMAND_PROCESS,
} from '../messages/subcommand.ts';
import type { TypeDesc } from '../types/type-desc.ts';
import type { BodyLayout, CommandLayout } from './layout.ts';
import type { NoteTaker } from './notes.ts';
import { subcommandWords } from './subcommand-words.ts';
import { noteType } from './type-notes.ts';
import { noteBits, noteTypeAndValue, noteUpdate, noteValue } from './value-notes.ts';

/** What stands in front of every operation's messages. */
interface Head {
  readonly ioid: number;
  readonly subcommand: number;
}

/** The part of a body behind its head. */
type Rest = (note: NoteTaker, head: Head, context: DecodeContext) => void;

/** A request; that of INIT is the same for all commands, but for what a monitor puts behind it. */
function request(command: OperationCommand, afterInit: Rest, rest: Rest): BodyLayout {
  return (note, context) => {
    note.u32('serverChannelID');
    const head = readHead(note, command);
    if (!isInit(head.subcommand)) return rest(note, head, context);
    noteTypeAndValue(note, 'pvRequestIF', 'pvRequest');
    afterInit(note, head, context);
  };
}

/** A reply with a status; what follows is there only if that is a success. */
function reply(command: OperationCommand, init: Rest, rest: Rest): BodyLayout {
  return (note, context) => {
    const head = readHead(note, command);
    if (!note.status()) return;
    if (isInit(head.subcommand)) init(note, head, context);
    else rest(note, head, context);
  };
}

function readHead(note: NoteTaker, command: OperationCommand): Head {
  const ioid = note.u32('requestID');
  const subcommand = note.u8('subcommand', (byte) => subcommandWords(command, byte));
  return { ioid, subcommand };
}

const nothing: Rest = () => {};

/** A reply to INIT that says which type the data will have. */
function typeOfData(name: string): Rest {
  return (note) => void noteType(note, name);
}

// --- GET, PUT and PUT_GET --------------------------------------------------------------------------------------

function changedData(command: OperationCommand): Rest {
  return (note, { ioid }, context) => {
    const operation = operationOf(context, ioid, command);
    if (operation !== undefined) noteUpdate(note, 'changedBitSet', 'pvStructureData', operation.type);
  };
}

const putRequest: Rest = (note, { ioid, subcommand }, context) => {
  if ((subcommand & SUBCOMMAND_GET) !== 0) return;
  const operation = operationOf(context, ioid, 'PUT');
  if (operation !== undefined) noteUpdate(note, 'toPutBitSet', 'pvPutStructureData', operation.type);
};

const putReply: Rest = (note, head, context) => {
  if ((head.subcommand & SUBCOMMAND_GET) !== 0) changedData('PUT')(note, head, context);
};

const putGetRequest: Rest = (note, { ioid, subcommand }, context) => {
  if ((subcommand & (SUBCOMMAND_GET | SUBCOMMAND_GET_PUT)) !== 0) return;
  const putType = operationOf(context, ioid, 'PUT_GET')?.putType ?? null;
  if (putType !== null) noteUpdate(note, 'toPutBitSet', 'pvPutStructureData', putType);
};

const putGetInitReply: Rest = (note) => {
  noteType(note, 'pvPutStructureIF');
  noteType(note, 'pvGetStructureIF');
};

const putGetReply: Rest = (note, { ioid, subcommand }, context) => {
  const operation = operationOf(context, ioid, 'PUT_GET');
  // pvAccessCPP looks at 0x40 first.
  const isGetPut = (subcommand & SUBCOMMAND_GET) === 0 && (subcommand & SUBCOMMAND_GET_PUT) !== 0;
  const type = (isGetPut ? operation?.putType : operation?.type) ?? null;
  const valueLabel = isGetPut ? 'pvPutStructureData' : 'pvGetStructureData';
  if (type !== null) noteUpdate(note, 'changedBitSet', valueLabel, type);
};

// --- MONITOR ---------------------------------------------------------------------------------------------------

/** The bits that say "with a status" in a reply; see messages/monitor.ts. */
const MONITOR_STATUS = SUBCOMMAND_DESTROY | SUBCOMMAND_PROCESS | SUBCOMMAND_GET | SUBCOMMAND_PIPELINE;

const window: Rest = (note, { subcommand }) => {
  if ((subcommand & SUBCOMMAND_PIPELINE) !== 0 && note.reader.remaining > 0) note.u32('nfree');
};

const monitorReply: BodyLayout = (note, context) => {
  const head = readHead(note, 'MONITOR');
  if (isInit(head.subcommand)) {
    if (note.status()) noteType(note, 'pvStructureIF');
    return;
  }
  const isLast = (head.subcommand & MONITOR_STATUS) !== 0;
  if (isLast && (!note.status() || note.reader.remaining === 0)) return;
  const operation = operationOf(context, head.ioid, 'MONITOR');
  if (operation === undefined) return;
  noteUpdate(note, 'changedBitSet', 'pvStructureData', operation.type);
  noteBits(note, 'overrunBitSet', operation.type);
};

// --- ARRAY -----------------------------------------------------------------------------------------------------

function noteArray(note: NoteTaker, type: TypeDesc | undefined): void {
  if (type !== undefined) noteValue(note, 'pvArrayData', type);
}

const arrayRequest: Rest = (note, { ioid, subcommand }, context) => {
  if ((subcommand & SUBCOMMAND_GET) !== 0) {
    note.size('offset');
    note.size('count');
    note.size('stride');
  } else if ((subcommand & SUBCOMMAND_GET_PUT) !== 0) {
    note.size('length');
  } else if ((subcommand & SUBCOMMAND_PROCESS) === 0) {
    const operation = operationOf(context, ioid, 'ARRAY');
    if (operation === undefined) return;
    note.size('offset');
    note.size('stride');
    noteArray(note, operation.type);
  }
};

const arrayReply: Rest = (note, { ioid, subcommand }, context) => {
  if ((subcommand & SUBCOMMAND_GET) !== 0) noteArray(note, operationOf(context, ioid, 'ARRAY')?.type);
  else if ((subcommand & SUBCOMMAND_GET_PUT) === 0 && (subcommand & SUBCOMMAND_PROCESS) !== 0) note.size('length');
};

// --- RPC -------------------------------------------------------------------------------------------------------

const rpcRequest: Rest = (note) => noteTypeAndValue(note, 'pvStructureIF', 'pvStructureData');
const rpcReply: Rest = (note) => noteTypeAndValue(note, 'pvResponseIF', 'pvResponseData');

/** By the name that the modules of messages/ give to a command. */
export const OPERATION_LAYOUTS: Readonly<Record<OperationCommand, CommandLayout>> = {
  GET: {
    fromClient: request('GET', nothing, nothing),
    fromServer: reply('GET', typeOfData('pvStructureIF'), changedData('GET')),
  },
  PUT: {
    fromClient: request('PUT', nothing, putRequest),
    fromServer: reply('PUT', typeOfData('pvPutStructureIF'), putReply),
  },
  PUT_GET: {
    fromClient: request('PUT_GET', nothing, putGetRequest),
    fromServer: reply('PUT_GET', putGetInitReply, putGetReply),
  },
  MONITOR: { fromClient: request('MONITOR', window, window), fromServer: monitorReply },
  ARRAY: {
    fromClient: request('ARRAY', nothing, arrayRequest),
    fromServer: reply('ARRAY', typeOfData('pvArrayIF'), arrayReply),
  },
  RPC: { fromClient: request('RPC', nothing, rpcRequest), fromServer: reply('RPC', nothing, rpcReply) },
  PROCESS: { fromClient: request('PROCESS', nothing, nothing), fromServer: reply('PROCESS', nothing, nothing) },
};
