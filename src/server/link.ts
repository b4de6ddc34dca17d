// What do those who answer requests see of a link, its channels and its operations?

import type { AccessRights } from '../channels/access/rights.ts';
import type { Channel, TellLevel } from '../channels/channel.ts';
import type { Peer } from '../channels/peer.ts';
import type { BitSet } from '../protocol/bit-set.ts';
import type { Codec } from '../protocol/codecs/codec.ts';
import type { ServerLinkEvent } from '../protocol/machines/server-link.ts';
import type { EncodedUpdate } from '../protocol/messages/data.ts';
import type { ServerMessageToSend } from '../protocol/messages/index.ts';
import type { OperationCommand, OperationTypes } from '../protocol/messages/message-module.ts';
import type { Status } from '../protocol/status.ts';
import type { StructureType } from '../protocol/types/type-desc.ts';
import type { StructureValue } from '../protocol/types/value-of.ts';
import type { TypedUpdate } from '../protocol/values/update.ts';
import type { Endpoint } from '../transport/network.ts';
import type { LinkHost } from './link-host.ts';
import type { ServedPorts } from './search-answer.ts';
import type { LinkAccount } from './link-ledger.ts';
import type { TurnBudget } from './turn-budget.ts';

/** One client's channel to one PV. */
export interface LinkChannel {
  readonly sid: number;
  readonly cid: number;
  readonly pvName: string;
  readonly channel: Channel;
  /** Whom it was opened for. */
  readonly peer: Peer;
  /** What the rules allow it, now. */
  rights: AccessRights;
  /** By requestID. */
  readonly operations: Map<number, LinkOperation>;
  /** Ends the wait for the end of the PV. */
  readonly unlisten: () => void;
}

/** One operation, from INIT until it is destroyed. */
export interface LinkOperation {
  readonly ioid: number;
  readonly command: OperationCommand;
  readonly channel: LinkChannel;
  /** What its messages are decoded with. */
  readonly types: OperationTypes;
  /** Whether a client waits for something of it that will come without being asked for. */
  readonly isUnderWay: boolean;
  /** Memory that it keeps of what its client sent, beside what every operation takes. */
  readonly keptBytes: number;
  /** Whether a request may be on its way whose client could not tell whether it was carried out, if its link ended now. */
  readonly isAwaited: boolean;
  /** Called when one of its requests is answered: after the last one it ends, once nothing is under way. */
  endAfter(subcommand: number): void;
  /** The client's CANCEL_REQUEST: what is under way is given up, and answered so. */
  cancel(): void;
  /** The client may not read any more: what goes on by itself ends with this status. */
  withdraw(status: Status): void;
  /** Makes one update of those that wait, because memory is short. */
  squash?(): void;
  /** Gives up everything; the link has forgotten it already. */
  destroy(): void;
  /**
   * Carries out a request of its own where it lies. False leaves it to the plain way, and nothing has happened then. See
   * requests-in-place.ts.
   */
  takeInPlace?(request: PlacedRequest): boolean;
}

/** A request in the bytes that came. */
export interface PlacedRequest {
  readonly subcommand: number;
  /** Its data, read over `base`; undefined when it cannot be read. */
  update(type: StructureType, base: StructureValue): TypedUpdate | undefined;
}

/** Something that holds back what it has to send while the link is congested. */
export interface Sender {
  /** There is room again: send, or ask for `whenRoom` again. */
  resume(): void;
}

/** The state of what waits to be sent. */
export interface Outlet {
  /** Whether monitors are to hold their updates back. */
  readonly isCongested: boolean;
  /** Has `sender` resumed, once, when the link is no longer congested. */
  whenRoom(sender: Sender): void;
  /** Whether a value may be sent now: what is large may have to wait for clients to take what they have. */
  hasRoomFor(value: unknown): boolean;
  /** Has `sender` resumed, once, when there is room for what is large. */
  whenRoomForLarge(sender: Sender): void;
  forget(sender: Sender): void;
  /** The reply to a GET: what `send` makes of that message, without the message. */
  sendGot(ioid: number, subcommand: number, update: EncodedUpdate): void;
  /** An update of a monitor, likewise. */
  sendUpdate(ioid: number, update: EncodedUpdate, overrun: BitSet | undefined): void;
  /** The reply to a PUT that was carried out, likewise. */
  sendPutDone(ioid: number, subcommand: number): void;
}

export interface Link {
  readonly host: LinkHost;
  readonly output: Outlet;
  readonly account: LinkAccount;
  /** What its requests may have done before the others' turn comes. */
  readonly turn: TurnBudget;
  readonly remote: Endpoint;
  /** What a search over this link is answered with. */
  readonly ports: ServedPorts;
  /** How the bodies of its messages become bytes. */
  readonly codec: Codec;
  /** Byte order in which it sends. */
  readonly bigEndian: boolean;
  /** Who the client says it is. */
  peer: Peer;
  /** By serverChannelID. */
  readonly channels: ReadonlyMap<number, LinkChannel>;
  /** By requestID. */
  readonly operations: ReadonlyMap<number, LinkOperation>;
  readonly isClosed: boolean;
  /** Channels whose source has not answered yet. */
  openingCount: number;
  /** @throws LocalProtocolError when the link is closed */
  follow(event: ServerLinkEvent): void;
  /** Puts a message into the buffer that is written at the end of this turn. Once closed, it does nothing. */
  send(message: ServerMessageToSend): void;
  /** Tells a human at the client something about an operation. */
  tell(ioid: number, text: string, level: TellLevel): void;
  /** The channel that a request means; what is meant for one that is gone is counted and ignored. */
  channelOf(sid: number): LinkChannel | undefined;
  /** A serverChannelID that is not in use. */
  takeSid(): number;
  addChannel(channel: LinkChannel): void;
  /** Ends a channel with all its operations and tells the client. */
  endChannel(channel: LinkChannel): void;
  addOperation(operation: LinkOperation): void;
  endOperation(operation: LinkOperation): void;
}
