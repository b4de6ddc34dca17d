// Which channels and operations does a client have on one server, and whom is each of its messages for?
//
// Stray messages are normal: what a server sends crosses what we cancel. Unknown ids are ignored, never a reason to close.
// Spec: Protocol-Prose, "out-of-scope IDs".

import { DisconnectedError, RemoteProtocolError } from '../protocol/errors.ts';
import { EndedOperations } from '../protocol/machines/ended-operations.ts';
import type { AclChange } from '../protocol/messages/acl-change.ts';
import type { CreateChannelReply } from '../protocol/messages/create-channel.ts';
import type { DestroyChannel } from '../protocol/messages/destroy-channel.ts';
import type { ClientMessageToSend, ServerMessage } from '../protocol/messages/index.ts';
import { MESSAGE_ERROR, MESSAGE_INFO, MESSAGE_WARNING, type HumanMessage } from '../protocol/messages/message.ts';
import type { OperationTypes } from '../protocol/messages/message-module.ts';
import type { SearchResponse } from '../protocol/messages/search-response.ts';
import { isSuccess } from '../protocol/status.ts';
import type { TimerHandle } from '../transport/clocks.ts';
import type { Endpoint } from '../transport/network.ts';
import type { ActiveChannel, OperationLink, Receiver } from './active-channel.ts';
import { channelRights, channelRightsText, type ChannelRights } from './channel-rights.ts';
import { Connection, type ConnectionSettings } from './connection.ts';
import { KeptList } from './kept-list.ts';
import { said, type NoticeBoard } from './notices.ts';

/** A channel as its link sees it. */
export interface LinkedChannel {
  readonly pvName: string;
  readonly cid: number;
  /** CREATE_CHANNEL goes out. */
  creating(): void;
  created(active: ActiveChannel): void;
  /** The server said no, or nothing at all. */
  refused(reason: string): void;
  /** The link is gone, or the server destroyed the channel. */
  lost(reason: DisconnectedError): void;
}

/** What the owner of the links is told. */
export interface ServerLinkHandlers {
  validated(link: ServerLink): void;
  searchResponse(response: SearchResponse, link: ServerLink): void;
  /** `wasLost`: it was not us who closed it. */
  closed(link: ServerLink, wasLost: boolean): void;
}

const LAST_ID = 0xffff_ffff;
const NOTICE_LEVELS: ReadonlyMap<number, 'info' | 'warning' | 'error'> = new Map([
  [MESSAGE_INFO, 'info'],
  [MESSAGE_WARNING, 'warning'],
  [MESSAGE_ERROR, 'error'],
]);

interface Attached {
  readonly channel: LinkedChannel;
  /** While the reply to CREATE_CHANNEL is awaited. */
  creation: TimerHandle | undefined;
  active: Incarnation | undefined;
  /** What the server says that we may do; core-pva and pvkit say it before they answer CREATE_CHANNEL. */
  rights: ChannelRights | undefined;
  /** Operations on it. */
  readonly ioids: Set<number>;
}

interface Incarnation extends ActiveChannel {
  isAlive: boolean;
}

export class ServerLink implements OperationLink {
  readonly connection: Connection;
  readonly kept = new KeptList();
  readonly #settings: ConnectionSettings;
  readonly #notices: NoticeBoard;
  readonly #handlers: ServerLinkHandlers;
  readonly #channels = new Map<number, Attached>();
  readonly #bySid = new Map<number, Attached>();
  readonly #receivers = new Map<number, Receiver>();
  readonly #ended = new EndedOperations();
  #isPinned = false;
  #nextIoid = 1;

  constructor(server: Endpoint, settings: ConnectionSettings, notices: NoticeBoard, handlers: ServerLinkHandlers) {
    this.#settings = settings;
    this.#notices = notices;
    this.#handlers = handlers;
    this.connection = new Connection(server, settings, {
      validated: () => this.#validated(),
      message: (message) => this.#message(message),
      typeOf: (ioid) => this.#receivers.get(ioid)?.types ?? this.#ended.typesOf(ioid),
      warning: (text) => this.#warn(text),
      closed: (reason, wasLost) => this.#closed(reason, wasLost),
    });
  }

  /** `host:port` */
  get server(): string {
    return this.connection.serverText;
  }

  get isValidated(): boolean {
    return this.connection.state === 'validated';
  }

  /** Keeps the link open without channels: it leads to a name server. */
  pin(): void {
    this.#isPinned = true;
  }

  send(message: ClientMessageToSend): void {
    this.connection.send(message);
  }

  /** Creates the channel on the server, now or when the link is validated. */
  attach(channel: LinkedChannel): void {
    const attached: Attached = {
      channel,
      creation: undefined,
      active: undefined,
      rights: undefined,
      ioids: new Set(),
    };
    this.#channels.set(channel.cid, attached);
    if (this.isValidated) this.#create(attached);
  }

  /** Destroys the channel on the server; the last one closes the link. */
  detach(channel: LinkedChannel): void {
    const attached = this.#channels.get(channel.cid);
    if (attached?.channel !== channel) return;
    const { active } = attached;
    this.#forget(attached, new DisconnectedError(`${channel.pvName}: the channel is closed`));
    if (active !== undefined) this.send({ command: 'DESTROY_CHANNEL', sid: active.sid, cid: channel.cid });
    this.#closeIfUnused();
  }

  open(receiver: Receiver): number {
    while (this.#isTaken(this.#nextIoid)) this.#nextIoid = this.#idAfter();
    const ioid = this.#nextIoid;
    this.#nextIoid = this.#idAfter();
    this.#receivers.set(ioid, receiver);
    this.#bySid.get(receiver.active.sid)?.ioids.add(ioid);
    return ioid;
  }

  release(ioid: number, isHeld: boolean): void {
    const receiver = this.#receivers.get(ioid);
    if (receiver === undefined) return;
    this.#receivers.delete(ioid);
    this.#bySid.get(receiver.active.sid)?.ioids.delete(ioid);
    this.#bury(ioid, receiver.types);
    if (isHeld) this.send({ command: 'DESTROY_REQUEST', sid: receiver.active.sid, ioid });
  }

  /** Ends the link and all that is on it. */
  close(reason: DisconnectedError): void {
    this.connection.end(reason);
  }

  #isTaken(ioid: number): boolean {
    return this.#receivers.has(ioid) || this.#ended.typesOf(ioid) !== undefined;
  }

  #idAfter(): number {
    return this.#nextIoid === LAST_ID ? 1 : this.#nextIoid + 1;
  }

  #bury(ioid: number, types: OperationTypes | undefined): void {
    if (types !== undefined) this.#ended.add(ioid, types);
  }

  // --- the life of the link ------------------------------------------------------------------------------------

  #validated(): void {
    for (const attached of this.#channels.values()) this.#create(attached);
    this.#handlers.validated(this);
    this.#notices.publish({
      kind: 'linkOpened',
      level: 'debug',
      server: this.server,
      text: `${this.server}: connected`,
    });
  }

  #closed(reason: DisconnectedError, wasLost: boolean): void {
    this.#handlers.closed(this, wasLost);
    for (const attached of this.#channels.values()) {
      this.#forget(attached, reason);
      attached.channel.lost(reason);
    }
    this.#ended.clear();
    this.#notices.publish({
      kind: 'linkClosed',
      level: wasLost ? 'info' : 'debug',
      server: this.server,
      text: `${this.server}: ${reason.message}`,
    });
  }

  #closeIfUnused(): void {
    if (this.#channels.size > 0 || this.#isPinned) return;
    this.close(new DisconnectedError(`connection to ${this.server} closed: no channel is left on it`));
  }

  #create(attached: Attached): void {
    const { channel } = attached;
    channel.creating();
    this.send({ command: 'CREATE_CHANNEL', channels: [{ cid: channel.cid, pvName: channel.pvName }] });
    // A server that never answers must not keep the channel from being found elsewhere.
    const waitMs = this.#settings.connectionTimeoutMs;
    attached.creation = this.#settings.clock.after(waitMs, () => {
      this.#refuse(attached, `no reply to CREATE_CHANNEL for ${waitMs / 1000} s`);
    });
  }

  #refuse(attached: Attached, reason: string): void {
    this.#forget(attached, new DisconnectedError(`${attached.channel.pvName}: ${reason}`));
    attached.channel.refused(reason);
    this.#closeIfUnused();
  }

  /** Takes a channel off the link, and ends what runs on it. */
  #forget(attached: Attached, reason: DisconnectedError): void {
    const { channel, active } = attached;
    attached.creation?.cancel();
    this.#channels.delete(channel.cid);
    if (active === undefined) return;
    active.isAlive = false;
    this.#bySid.delete(active.sid);
    for (const ioid of attached.ioids) {
      const receiver = this.#receivers.get(ioid);
      this.#receivers.delete(ioid);
      this.#bury(ioid, receiver?.types);
      receiver?.lost(reason);
    }
    attached.ioids.clear();
  }

  // --- messages ------------------------------------------------------------------------------------------------

  #message(message: ServerMessage): void {
    switch (message.command) {
      case 'CREATE_CHANNEL':
        return this.#channelReply(message);
      case 'DESTROY_CHANNEL':
        return this.#channelDestroyed(message);
      case 'MESSAGE':
        return this.#humanMessage(message);
      case 'ACL_CHANGE':
        return this.#aclChange(message);
      case 'SEARCH_RESPONSE':
        return this.#handlers.searchResponse(message, this);
      case 'GET':
      case 'PUT':
      case 'PUT_GET':
      case 'MONITOR':
      case 'ARRAY':
      case 'PROCESS':
      case 'RPC':
      case 'GET_FIELD':
        return this.#reply(message);
      default:
        return;
    }
  }

  #reply(message: ServerMessage & { readonly ioid: number }): void {
    const receiver = this.#receivers.get(message.ioid);
    if (receiver === undefined) return;
    if (receiver.command !== message.command) {
      throw new RemoteProtocolError(
        `${message.command} reply for request ${message.ioid}, which is a ${receiver.command}`,
      );
    }
    receiver.receive(message);
  }

  #channelReply({ cid, sid, status }: CreateChannelReply): void {
    const attached = this.#channels.get(cid);
    const isOk = isSuccess(status);
    if (attached?.creation === undefined) {
      // We have lost interest meanwhile, or the server answers twice.
      if (isOk && attached?.active?.sid !== sid) this.send({ command: 'DESTROY_CHANNEL', sid, cid });
      return;
    }
    if (!isOk) return this.#refuse(attached, status.message === '' ? 'no reason given' : said(status.message));
    if (this.#bySid.has(sid)) throw new RemoteProtocolError(`CREATE_CHANNEL gives channel id ${sid} a second time`);
    attached.creation.cancel();
    attached.creation = undefined;
    const { channel } = attached;
    attached.active = {
      pvName: channel.pvName,
      link: this,
      sid,
      server: this.server,
      isAlive: true,
      get rights() {
        return attached.rights;
      },
    };
    this.#bySid.set(sid, attached);
    channel.created(attached.active);
  }

  #channelDestroyed({ sid }: DestroyChannel): void {
    const attached = this.#bySid.get(sid);
    if (attached === undefined) return;
    const reason = new DisconnectedError(`${attached.channel.pvName}: ${this.server} destroyed the channel`);
    this.#forget(attached, reason);
    attached.channel.lost(reason);
    this.#closeIfUnused();
  }

  #humanMessage({ ioid, severity, text }: HumanMessage): void {
    const pvName = this.#receivers.get(ioid)?.active.pvName;
    const level = NOTICE_LEVELS.get(severity) ?? 'error';
    const subject = pvName ?? this.server;
    this.#notices.publish({
      kind: 'serverMessage',
      level,
      server: this.server,
      ...(pvName === undefined ? {} : { pvName }),
      text: `${subject}: ${said(text)}`,
    });
  }

  /** Other forms of the message than core-pva's are not understood yet. */
  #aclChange(message: AclChange): void {
    if (message.form !== 'rights') return;
    const attached = this.#channels.get(message.cid);
    if (attached === undefined) return;
    const rights = channelRights(message.rights);
    const before = attached.rights;
    attached.rights = rights;
    if (before !== undefined && channelRightsText(before) === channelRightsText(rights)) return;
    const { pvName } = attached.channel;
    const text = `${pvName}: rights at ${this.server}: ${channelRightsText(rights)}`;
    const level = before === undefined ? 'debug' : 'info';
    this.#notices.publish({ kind: 'rightsTold', level, server: this.server, pvName, rights, text });
  }

  #warn(text: string): void {
    this.#notices.publish({
      kind: 'linkWarning',
      level: 'warning',
      server: this.server,
      text: `${this.server}: ${text}`,
    });
  }
}
