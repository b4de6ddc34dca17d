// What does an operation need to know of the channel that it runs on? One incarnation of it: this server, this sid.

import type { ClientMessageToSend, ServerMessage } from '../protocol/messages/index.ts';
import type { OperationCommand, OperationTypes } from '../protocol/messages/message-module.ts';
import type { DisconnectedError } from '../protocol/errors.ts';
import type { ChannelRights } from './channel-rights.ts';
import type { KeptList } from './kept-list.ts';

/** The link as operations see it. */
export interface OperationLink {
  send(message: ClientMessageToSend): void;
  /** Gives an operation its ioid. */
  open(receiver: Receiver): number;
  /** Operations that rest until they are used again. */
  readonly kept: KeptList;
  /** Ends an operation; `isHeld`: the server still has it. */
  release(ioid: number, isHeld: boolean): void;
}

/** A channel that its server has created; ends with the link, or when either side destroys it. */
export interface ActiveChannel {
  readonly pvName: string;
  readonly link: OperationLink;
  readonly sid: number;
  /** `host:port` */
  readonly server: string;
  /** What the server says that we may do, now; undefined where it says nothing. */
  readonly rights: ChannelRights | undefined;
  /** False once it has ended: nothing more can be sent on it. */
  readonly isAlive: boolean;
}

/** What replies and losses are told to: one operation with one ioid. */
export interface Receiver {
  readonly command: OperationCommand | 'GET_FIELD';
  readonly active: ActiveChannel;
  /** What its INIT agreed on; undefined before that, and for operations that need no type. */
  readonly types: OperationTypes | undefined;
  /** A message with its ioid and of its command. What it throws closes the link. */
  receive(message: ServerMessage): void;
  /** The channel has ended; nothing more is told. */
  lost(reason: DisconnectedError): void;
}
