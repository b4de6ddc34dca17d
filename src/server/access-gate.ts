// May a client do what it asks for? Asked before the one who answers sees the request; a refusal is answered here, with
// a sentence that says who lacks which right on what.
//
// INIT of what writes is let through: it changes nothing, and the request that follows says what was to be written,
// which belongs into the put log.

import { rightsText, type AccessRights } from '../channels/access/rights.ts';
import type { Peer } from '../channels/peer.ts';
import { requireStructure } from '../channels/standard-fields.ts';
import type { ClientMessage } from '../protocol/messages/index.ts';
import type { OperationCommand } from '../protocol/messages/message-module.ts';
import { error, type Status } from '../protocol/status.ts';
import { leafMask } from '../protocol/values/leaf-mask.ts';
import type { Link, LinkChannel } from './link.ts';
import type { PutData } from './put-log.ts';

/** Requests of an operation, and GET_FIELD. */
type Request = Extract<ClientMessage, { readonly command: OperationCommand | 'GET_FIELD' }>;
type Phase<C extends Request['command']> = Extract<Request, { command: C; phase: string }>['phase'];

interface Need {
  readonly text: string;
  readonly isMet: (rights: AccessRights) => boolean;
  /** Whether it is for the put log. */
  readonly writes?: true;
}

const READ: Need = { text: 'read', isMet: ({ read }) => read };
const CALL: Need = { text: 'call', isMet: ({ call }) => call };
const WRITE: Need = { text: 'write', isMet: ({ write }) => write, writes: true };
const READ_AND_WRITE: Need = { text: 'read and write', isMet: ({ read, write }) => read && write, writes: true };
/** To know the type, and perhaps the value that is there. */
const READ_OR_WRITE: Need = { text: 'read or write', isMet: ({ read, write }) => read || write };

/** What is missing here is late or steers what was allowed before. */
const NEEDS: { readonly [C in Request['command']]: { readonly [P in Phase<C> | 'only']?: Need } } = {
  GET: { init: READ, exec: READ },
  MONITOR: { init: READ },
  GET_FIELD: { only: READ },
  PUT: { init: READ_OR_WRITE, get: READ, exec: WRITE },
  PUT_GET: { init: READ_OR_WRITE, getGet: READ, getPut: READ, exec: READ_AND_WRITE },
  ARRAY: { init: READ_OR_WRITE, get: READ, getLength: READ, put: WRITE, setLength: WRITE },
  PROCESS: { init: READ_OR_WRITE, exec: WRITE },
  RPC: { init: CALL, exec: CALL },
};

/** Whether a request may go on to its handler; if not, it is answered. */
export function admits(link: Link, message: ClientMessage): boolean {
  if (!isRequest(message)) return true;
  const channel = link.channels.get(message.sid);
  // What is late, or wrong, is the handler's to judge.
  if (channel === undefined || !isInTurn(link, message)) return true;
  const need = needOf(message);
  if (need === undefined || need.isMet(channel.rights)) return true;
  const status = error(refusalText(channel.peer, channel.pvName, need.text, channel.rights));
  link.host.notices.ofLink('accessRefused', 'debug', link.remote, status.message);
  if (need.writes === true) logRefused(link, channel, message, status);
  answerRefused(link, message, status);
  if ('subcommand' in message) link.operations.get(message.ioid)?.endAfter(message.subcommand);
  return false;
}

/** The sentence for a client without a right that it needs. */
export function refusalText({ user, host, address }: Peer, pvName: string, needed: string, has: AccessRights): string {
  const where = host === '' ? `at ${address}` : `on host '${host}' at ${address}`;
  return `user '${user}' ${where} needs ${needed} access to '${pvName}' and has ${rightsText(has)}`;
}

function isRequest(message: ClientMessage): message is Request {
  return Object.hasOwn(NEEDS, message.command);
}

/** INIT with a free id, or a request of a live operation of its command and channel. */
function isInTurn(link: Link, message: Request): boolean {
  if (!('phase' in message)) return true;
  const operation = link.operations.get(message.ioid);
  if (message.phase === 'init') return operation === undefined;
  return operation?.command === message.command && operation.channel.sid === message.sid;
}

function needOf(message: Request): Need | undefined {
  const phase = 'phase' in message ? message.phase : 'only';
  // Each command's phases are the keys of its entry; the compiler does not follow that through the look-up.
  return (NEEDS[message.command] as Readonly<Record<string, Need | undefined>>)[phase];
}

function logRefused(link: Link, channel: LinkChannel, message: Request, status: Status): void {
  const { putLog } = link.host;
  if (putLog === undefined || message.command === 'GET_FIELD') return;
  const record = putLog.begin(message.command, channel);
  const data = dataOf(channel, message);
  if (data !== undefined) record.puts(data);
  record.refused(status);
}

/** What a request would have written; an ARRAY put is only a part of a value. */
function dataOf({ channel }: LinkChannel, message: Request): PutData | undefined {
  if (!('update' in message)) return undefined;
  const { changed, value } = message.update;
  return { changed: leafMask(channel.type, changed), value: requireStructure(value) };
}

function answerRefused(link: Link, message: Request, status: Status): void {
  if (message.command === 'GET_FIELD') {
    return link.send({ command: 'GET_FIELD', ioid: message.ioid, status, type: null });
  }
  const { ioid, subcommand } = message;
  switch (message.command) {
    case 'GET':
      if (message.phase === 'init')
        return link.send({ command: 'GET', phase: 'init', ioid, subcommand, status, type: null });
      return link.send({ command: 'GET', phase: 'exec', ioid, subcommand, status, update: null });
    case 'MONITOR':
      return link.send({ command: 'MONITOR', phase: 'init', ioid, subcommand, status, type: null });
    case 'PUT':
      if (message.phase === 'init')
        return link.send({ command: 'PUT', phase: 'init', ioid, subcommand, status, type: null });
      if (message.phase === 'get')
        return link.send({ command: 'PUT', phase: 'get', ioid, subcommand, status, update: null });
      return link.send({ command: 'PUT', phase: 'exec', ioid, subcommand, status });
    case 'PUT_GET':
      if (message.phase === 'init')
        return link.send({
          command: 'PUT_GET',
          phase: 'init',
          ioid,
          subcommand,
          status,
          putType: null,
          getType: null,
        });
      if (message.phase === 'outOfScope') return undefined;
      return link.send({ command: 'PUT_GET', phase: message.phase, ioid, subcommand, status, update: null });
    case 'ARRAY':
      return refuseArray(link, message, status);
    case 'PROCESS':
      return link.send({ command: 'PROCESS', phase: message.phase, ioid, subcommand, status });
    case 'RPC':
      if (message.phase === 'init') return link.send({ command: 'RPC', phase: 'init', ioid, subcommand, status });
      return link.send({ command: 'RPC', phase: 'exec', ioid, subcommand, status, result: null });
  }
}

function refuseArray(link: Link, message: Extract<Request, { command: 'ARRAY' }>, status: Status): void {
  const { ioid, subcommand } = message;
  const reply = { command: 'ARRAY', ioid, subcommand, status } as const;
  switch (message.phase) {
    case 'init':
      return link.send({ ...reply, phase: 'init', type: null });
    case 'get':
      return link.send({ ...reply, phase: 'get', array: null });
    case 'getLength':
      return link.send({ ...reply, phase: 'getLength', length: null });
    case 'put':
    case 'setLength':
      return link.send({ ...reply, phase: message.phase });
    case 'outOfScope':
  }
}
