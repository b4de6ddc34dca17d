// Who answers which message of a client? One table; what concerns operations stands in operations/.

import { ANONYMOUS, anonymousPeer, type Peer } from '../channels/peer.ts';
import { hasNoRights, type AccessRights } from '../channels/access/rights.ts';
import { counted } from '../protocol/counted.ts';
import { reasonOf } from '../protocol/errors.ts';
import type { ConnectionValidationResponse } from '../protocol/messages/connection-validation.ts';
import type { ChannelToCreate } from '../protocol/messages/create-channel.ts';
import type { DestroyChannel } from '../protocol/messages/destroy-channel.ts';
import type { ClientMessage } from '../protocol/messages/index.ts';
import { error, OK, type Status } from '../protocol/status.ts';
import { cut, textBytes } from '../protocol/text.ts';
import type { AnyValue } from '../protocol/types/value-of.ts';
import type { Channel } from '../channels/channel.ts';
import { tellRights } from './access-changes.ts';
import { admits, refusalText } from './access-gate.ts';
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
import { SERVER_PV } from './server-pv-name.ts';

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
    const { directory, access, guid } = link.host;
    const rightsOf = access.of(link.peer);
    // Every server has the PV `server`, so that no search by UDP finds it. Who asks over TCP means this one: it is how
    // tools that cannot name a server get at it.
    const has = (pvName: string): boolean =>
      pvName === SERVER_PV || (directory.has(pvName) && !hasNoRights(rightsOf(pvName)));
    const answer = answerSearch(search, has, { guid, ...link.ports });
    if (answer === undefined) return;
    link.host.counters.searchesAnswered++;
    link.send(answer);
  },
  MESSAGE: (link, { ioid, text }) => {
    const { notices, limits } = link.host;
    const pvName = link.operations.get(ioid)?.channel.pvName ?? `request ${ioid}`;
    notices.ofLink('clientMessage', 'info', link.remote, `${pvName}: ${cut(text, limits.maxMessageCharacters)}`);
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
  if (link.host.isDraining && isBeginning(message)) return;
  if (!admits(link, message)) return;
  // The table gives each command the handler of its messages; the compiler cannot follow that through the look-up.
  const handler = HANDLERS[message.command] as Handler<ClientMessage>;
  handler(link, message);
}

/**
 * Whether something is to begin. A server that ends leaves that without an answer: its client repeats it at another
 * server as soon as the link ends, where a refusal would be handed to whoever asked, and end a subscription for ever.
 */
function isBeginning(message: ClientMessage): boolean {
  if (message.command === 'CREATE_CHANNEL' || message.command === 'SEARCH') return true;
  return 'phase' in message && message.phase === 'init';
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
  const peer = peerOf(link, method, credentials);
  // As in pvxs the link goes on either way, as anonymous: old clients would not understand an end.
  link.peer = typeof peer === 'string' ? anonymousPeer(link.remote) : peer;
  const status = typeof peer === 'string' ? error(`${peer}; you are anonymous`) : OK;
  link.send({ command: 'CONNECTION_VALIDATED', status });
}

/** Who the client says it is, or why it is not believed. */
function peerOf(link: Link, method: string, credentials: AnyValue): Peer | string {
  if (method === ANONYMOUS) return anonymousPeer(link.remote);
  if (method !== 'ca') return `method '${method}' was not offered`;
  const user = textField(credentials, 'user');
  const host = textField(credentials, 'host');
  // Clients of pvxs 1.5.2 and later send an empty user and host.
  if (user === '') return anonymousPeer(link.remote);
  const { maxIdentityCharacters } = link.host.limits;
  const length = Math.max(user.length, host.length);
  if (length > maxIdentityCharacters) {
    return `a user or host name of ${length} characters, at most ${maxIdentityCharacters} are allowed`;
  }
  const { address, port } = link.remote;
  return { user, host, address, port, method: 'ca' };
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
  if (!(opened instanceof Promise)) return answerCreate(link, cid, pvName, opened);
  link.openingCount++;
  const answer = (outcome: Opened): void => {
    if (!link.isClosed) answerCreate(link, cid, pvName, outcome);
  };
  opened
    .finally(() => link.openingCount--)
    .then(answer)
    .catch((thrown: unknown) => answer(refuse(reasonOf(thrown))));
}

function answerCreate(link: Link, cid: number, pvName: string, opened: Opened): void {
  if ('status' in opened) return link.send({ command: 'CREATE_CHANNEL', cid, sid: NO_SID, status: opened.status });
  const { channel, peer, rights } = opened;
  const sid = link.takeSid();
  let unlisten: () => void;
  try {
    unlisten = channel.onClosed(() => link.endChannel(linkChannel));
  } catch (thrown) {
    return answerCreate(link, cid, pvName, refuse(reasonOf(thrown)));
  }
  const linkChannel: LinkChannel = { sid, cid, pvName, channel, peer, rights, operations: new Map(), unlisten };
  link.addChannel(linkChannel);
  tellRights(link, linkChannel);
  link.send({ command: 'CREATE_CHANNEL', cid, sid, status: OK });
}

type Opened =
  | { readonly channel: Channel; readonly peer: Peer; readonly rights: AccessRights }
  | { readonly status: Status };

function openChannel(link: Link, pvName: string): Opened | Promise<Opened> {
  const { directory, access, limits } = link.host;
  if (link.channels.size + link.openingCount >= limits.maxChannelsPerLink) {
    return refuse(`this link has ${counted(limits.maxChannelsPerLink, 'channel')}, no more are allowed on one`);
  }
  const nameBytes = textBytes(pvName);
  if (nameBytes > limits.maxNameBytes) {
    return refuse(`PV name of ${nameBytes} bytes, at most ${limits.maxNameBytes} are allowed`);
  }
  const { peer } = link;
  const rights = access.rightsOf(peer, pvName);
  // Before a source is asked to open what it may have to make first.
  if (hasNoRights(rights) && directory.has(pvName)) {
    const reason = refusalText(peer, pvName, 'read, write or call', rights);
    link.host.notices.ofLink('accessRefused', 'info', link.remote, reason);
    return refuse(reason);
  }
  try {
    const channel = hasNoRights(rights) ? undefined : directory.open(pvName, peer);
    if (!(channel instanceof Promise)) return openedAs(pvName, peer, rights, channel);
    return channel.then(
      // The rules may have changed while the source was asked.
      (found) => openedAs(pvName, peer, access.rightsOf(peer, pvName), found),
      (thrown: unknown) => refuse(reasonOf(thrown)),
    );
  } catch (thrown) {
    return refuse(reasonOf(thrown));
  }
}

function openedAs(pvName: string, peer: Peer, rights: AccessRights, channel: Channel | undefined): Opened {
  if (channel === undefined || channel.isClosed || hasNoRights(rights)) {
    return refuse(`there is no PV '${pvName}' here`);
  }
  return { channel, peer, rights };
}

function refuse(reason: string): Opened {
  return { status: error(reason) };
}

function destroyChannel(link: Link, { sid }: DestroyChannel): void {
  const channel = link.channelOf(sid);
  // The answer repeats the ids, as all servers have it.
  if (channel !== undefined) link.endChannel(channel);
}
