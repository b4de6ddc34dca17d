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

interface Request {
  readonly peer: Peer;
  /** The client's pvRequest: `record._options` may say how it wants the request carried out. */
  readonly pvRequest: AnyValue;
  /** Aborted when nobody waits for the answer any more: cancelled, channel or link gone, or too late. */
  readonly signal: AbortSignal;
}

export interface PutRequest extends Request {
  /** The leaves that the client put. */
  readonly changed: BitSet;
  /** The value of the channel when the request came, with what the client put over it. */
  readonly value: StructureValue;
}

export interface CallRequest extends Request {
  /** The arguments: an NTURI or any other structure; null when none came. */
  readonly argument: AnyValue;
}

/** Who wants to be told of changes. Neither method throws. */
export interface Subscriber {
  update(update: ChannelUpdate): void;
  /** There will be no more updates; the last thing told. */
  finish(status: Status): void;
}

export interface Channel {
  readonly type: StructureType;
  /** Whether it has ceased to exist. */
  readonly isClosed: boolean;
  /** The value as it is now; another object after each change. */
  readonly state: ChannelUpdate;
  /** How long `put` may take before its client is told that it did not finish; the server's limit where it is left out. */
  readonly putTimeoutMs?: number | undefined;
  /** The same of `call`. */
  readonly callTimeoutMs?: number | undefined;
  /** Resolves when the put has taken effect. A refusal throws or rejects; its message is what the client is told. */
  put(request: PutRequest): void | Promise<void>;
  /** The result, null for none. A refusal throws or rejects; its message is what the client is told. */
  call(request: CallRequest): AnyValue | Promise<AnyValue>;
  /** Tells the state at once and then every change, until the returned function is called. */
  subscribe(subscriber: Subscriber): () => void;
  /** `closed` is called once when the channel ceases to exist, until the returned function is called. */
  onClosed(closed: () => void): () => void;
}
