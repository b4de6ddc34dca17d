// Who answers which message of a client? One table; what concerns operations stands in operations/.

import { ANONYMOUS, anonymousPeer, type Peer } from '../channels/peer.ts';
import { reasonOf } from '../protocol/errors.ts';
import type { ConnectionValidationResponse } from '../protocol/messages/connection-validation.ts';
import type { ChannelToCreate } from '../protocol/messages/create-channel.ts';
import type { DestroyChannel } from '../protocol/messages/destroy-channel.ts';
import type { ClientMessage } from '../protocol/messages/index.ts';
import { error, OK, type Status } from '../protocol/status.ts';
import { textBytes } from '../protocol/text.ts';
import type { AnyValue } from '../protocol/types/value-of.ts';
import type { Channel } from '../channels/channel.ts';
import type { Link, LinkChannel } from './link.ts';
import { handleArray } from './operations/array.ts';
import { handleGetField } from './operations/get-field.ts';
import { handleGet } from './operations/get.ts';
import { handleMonitor } from './operations/monitor.ts';
import { handleProcess } from './operations/process.ts';
import { handlePutGet } from './operations/put-get.ts';
import { handlePut } from './operations/put.ts';
import { handleRpc } from './operations/rpc.ts';
import { answerSearch } from './search-answer.ts';

type Handler<M> = (link: Link, message: M) => void;
type Handlers = { readonly [C in ClientMessage['command']]: Handler<Extract<ClientMessage, { command: C }>> };

/** Status of a channel that is not made needs an id all the same; pvxs sends this one. */
const NO_SID = 0xffff_ffff;

const HANDLERS: Handlers = {
  CONNECTION_VALIDATION: validate,
  CREATE_CHANNEL: (link, { channels }) => {
    for (const channel of channels) createChannel(link, channel);
  },
  DESTROY_CHANNEL: destroyChannel,
  GET: handleGet,
  PUT: handlePut,
  MONITOR: handleMonitor,
  RPC: handleRpc,
  GET_FIELD: handleGetField,
  PUT_GET: handlePutGet,
  PROCESS: handleProcess,
  ARRAY: handleArray,
  CANCEL_REQUEST: (link, { ioid }) => operationOf(link, ioid)?.cancel(),
  DESTROY_REQUEST: (link, { ioid }) => {
    const operation = operationOf(link, ioid);
    if (operation !== undefined) link.endOperation(operation);
  },
  ECHO: (link, { payload }) => link.send({ command: 'ECHO', payload }),
  ECHO_REQUEST: (link, { value }) => link.send({ command: 'ECHO_RESPONSE', value }),
  SEARCH: (link, search) => {
    const answer = answerSearch(search, link.host.directory, { guid: link.host.guid, tcpPort: link.tcpPort });
    if (answer === undefined) return;
    link.host.counters.searchesAnswered++;
    link.send(answer);
  },
  MESSAGE: (link, { ioid, text }) => {
    const pvName = link.operations.get(ioid)?.channel.pvName ?? `request ${ioid}`;
    link.host.notices.ofLink('clientMessage', 'info', link.remote, `${pvName}: ${text}`);
  },
  // No peer sends these to a server for anything that it would have to do.
  AUTHNZ: ignore,
  ORIGIN_TAG: ignore,
  MARK: ignore,
  ACKNOWLEDGE: ignore,
  SET_BYTE_ORDER: ignore,
  ECHO_RESPONSE: ignore,
};

export function dispatch(link: Link, message: ClientMessage): void {
  if (message.command !== 'CONNECTION_VALIDATION') link.follow('message');
  // The table gives each command the handler of its messages; the compiler cannot follow that through the look-up.
  const handler = HANDLERS[message.command] as Handler<ClientMessage>;
  handler(link, message);
}

function ignore(): void {
  // Nothing to do, and nothing wrong.
}

function operationOf(link: Link, ioid: number) {
  const operation = link.operations.get(ioid);
  if (operation === undefined) link.host.counters.unknownIds++;
  return operation;
}

// --- who the client is -----------------------------------------------------------------------------------------

function validate(link: Link, { method, credentials }: ConnectionValidationResponse): void {
  link.follow('validation');
  const isOffered = method === 'ca' || method === ANONYMOUS;
  link.peer = method === 'ca' ? caPeer(link, credentials) : anonymousPeer(link.remote);
  // As in pvxs the link goes on either way, as anonymous: old clients would not understand an end.
  const status = isOffered ? OK : error(`method '${method}' was not offered; you are anonymous`);
  link.send({ command: 'CONNECTION_VALIDATED', status });
}

/** Clients of pvxs 1.5.2 and later send an empty user and host. */
function caPeer(link: Link, credentials: AnyValue): Peer {
  const user = textField(credentials, 'user');
  if (user === '') return anonymousPeer(link.remote);
  const { address, port } = link.remote;
  return { user, host: textField(credentials, 'host'), address, port, method: 'ca' };
}

function textField(credentials: AnyValue, name: string): string {
  const value = credentials?.value;
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return '';
  // Whatever the value is, reading an own field of it gives that field.
  const field = (value as Readonly<Record<string, unknown>>)[name];
  return typeof field === 'string' ? field : '';
}

// --- channels --------------------------------------------------------------------------------------------------

function createChannel(link: Link, { cid, pvName }: ChannelToCreate): void {
  const opened = openChannel(link, pvName);
  if ('status' in opened) return link.send({ command: 'CREATE_CHANNEL', cid, sid: NO_SID, status: opened.status });
  const { channel } = opened;
  const sid = link.takeSid();
  const linkChannel: LinkChannel = {
    sid,
    cid,
    pvName,
    channel,
    peer: link.peer,
    operations: new Map(),
    unlisten: channel.onClosed(() => link.endChannel(linkChannel)),
  };
  link.addChannel(linkChannel);
  link.send({ command: 'CREATE_CHANNEL', cid, sid, status: OK });
}

function openChannel(link: Link, pvName: string): { readonly channel: Channel } | { readonly status: Status } {
  const { directory, limits } = link.host;
  if (link.channels.size >= limits.maxChannelsPerLink) {
    return refuse(`this link has ${limits.maxChannelsPerLink} channels, no more are allowed on one`);
  }
  const nameBytes = textBytes(pvName);
  if (nameBytes > limits.maxNameBytes) {
    return refuse(`PV name of ${nameBytes} bytes, at most ${limits.maxNameBytes} are allowed`);
  }
  try {
    const channel = directory.open(pvName, link.peer);
    return channel === undefined || channel.isClosed ? refuse(`there is no PV '${pvName}' here`) : { channel };
  } catch (thrown) {
    return refuse(reasonOf(thrown));
  }
}

function refuse(reason: string): { readonly status: Status } {
  return { status: error(reason) };
}

function destroyChannel(link: Link, { sid }: DestroyChannel): void {
  const channel = link.channelOf(sid);
  // The answer repeats the ids, as all servers have it.
  if (channel !== undefined) link.endChannel(channel);
}
