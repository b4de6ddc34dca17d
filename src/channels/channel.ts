// What must a thing offer to be served as a PV? The contract between a server and whatever stands behind a PV name.
//
// Values are full and immutable: whoever changes one makes a new one, so that anybody may keep what it was given.

import type { BitSet } from '../protocol/bit-set.ts';
import type { Status } from '../protocol/status.ts';
import type { StructureType } from '../protocol/types/type-desc.ts';
import type { AnyValue, StructureValue } from '../protocol/types/value-of.ts';
import type { Update } from '../protocol/values/update.ts';
import type { Peer } from './peer.ts';

/**
 * A full value and which of its leaves mean something: the ones that were ever set, for a state; the ones that changed,
 * for a post. `changed` names leaves only (`leafMask`). The object is immutable and serves as the key of its encoded
 * forms.
 */
export type ChannelUpdate = Update<StructureValue>;

/** How much a sentence for a client matters. */
export type TellLevel = 'info' | 'warning' | 'error';

/** What every request that a channel carries out says. */
export interface ChannelRequest {
  readonly peer: Peer;
  /** The client's pvRequest: `record._options` may say how it wants the request carried out. */
  readonly pvRequest: AnyValue;
  /**
   * Aborted when nobody waits for the answer any more: cancelled, channel or link gone, or too late. Made when it is first
   * asked for; a copy of the request by `{ ...request }` is without it.
   */
  readonly signal: AbortSignal;
  /** Sends the client a sentence for people about this request, beside its answer; 'info' unless a level is given. */
  readonly tell: (text: string, level?: TellLevel) => void;
}

/** A client's PUT, decoded and merged, as a channel gets it. */
export interface PutRequest extends ChannelRequest {
  /** The leaves that the client put. */
  readonly changed: BitSet;
  /** The value of the channel when the request came, with what the client put over it. */
  readonly value: StructureValue;
}

/** A client's RPC as a channel gets it. */
export interface CallRequest extends ChannelRequest {
  /** The arguments: an NTURI or any other structure; null when none came. */
  readonly argument: AnyValue;
}

/** Who wants to be told of changes. No method throws. */
export interface Subscriber {
  /** `overrun` names leaves that had changed more than once already when the channel heard of it. */
  update(update: ChannelUpdate, overrun?: BitSet): void;
  /** The state has changed so little that nobody is told of it: for those who keep a copy of it. */
  settle?(update: ChannelUpdate): void;
  /** There will be no more updates; the last thing told. */
  finish(status: Status): void;
}

/** What stands behind a PV name. `SharedPV` is one, and most programs need no other. */
export interface Channel {
  readonly type: StructureType;
  /** Whether it has ceased to exist. */
  readonly isClosed: boolean;
  /** The value as it is now; another object after each change. */
  readonly state: ChannelUpdate;
  /** False where `put` refuses everything, so that clients can be told; left out where it may not. */
  readonly isWritable?: boolean | undefined;
  /** The same of `call`. */
  readonly isCallable?: boolean | undefined;
  /**
   * How long `put` and `process` may take before the client is told that they did not finish; the server's limit where
   * it is left out.
   */
  readonly putTimeoutMs?: number | undefined;
  /** The same of `call`. */
  readonly callTimeoutMs?: number | undefined;
  /** Resolves when the put has taken effect. A refusal throws or rejects; its message is what the client is told. */
  put(request: PutRequest): void | Promise<void>;
  /** The result, null for none. A refusal throws or rejects; its message is what the client is told. */
  call(request: CallRequest): AnyValue | Promise<AnyValue>;
  /**
   * Does whatever the channel does when it is asked to; resolves when that has taken effect. A channel that has nothing
   * to do has no `process`.
   */
  readonly process?: ((request: ChannelRequest) => void | Promise<void>) | undefined;
  /** Tells the state at once and then every change, until the returned function is called. */
  subscribe(subscriber: Subscriber): () => void;
  /** `closed` is called once when the channel ceases to exist, until the returned function is called. */
  onClosed(closed: () => void): () => void;
}
