// How does a PV know that a put is merged already? Its value was decoded straight over the value that the PV has.
//
// Merging it once more would make the same value again, and that was a third of what a put costs.

import type { BitSet } from '../protocol/bit-set.ts';
import type { StructureValue } from '../protocol/types/value-of.ts';
import type { ChannelRequest, ChannelUpdate, PutRequest } from './channel.ts';
import { LazyAbort } from './lazy-abort.ts';

/** A put as it comes from the bytes of a client. */
export class DecodedPut implements PutRequest {
  readonly peer: ChannelRequest['peer'];
  readonly pvRequest: ChannelRequest['pvRequest'];
  readonly tell: ChannelRequest['tell'];
  readonly changed: BitSet;
  readonly value: StructureValue;
  readonly #base: StructureValue;
  /** As `changed`, which a handler can change: it may take a leaf out before it posts the rest. */
  readonly #leaves: BitSet;

  #controller: LazyAbort | undefined;

  /** `value` is `base` with other leaves at `changed`, which names leaves only. */
  constructor(
    { peer, pvRequest, tell }: Omit<ChannelRequest, 'signal'>,
    changed: BitSet,
    value: StructureValue,
    base: StructureValue,
  ) {
    this.peer = peer;
    this.pvRequest = pvRequest;
    this.tell = tell;
    this.changed = changed;
    this.value = value;
    this.#base = base;
    this.#leaves = changed.clone();
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** For whoever carries it out. */
  get controller(): LazyAbort {
    this.#controller ??= new LazyAbort();
    return this.#controller;
  }

  /** What this makes of `current`; undefined when that is not the value that it was decoded over, or no longer all of it. */
  over(current: StructureValue): ChannelUpdate | undefined {
    if (this.#base !== current || !this.changed.equals(this.#leaves)) return undefined;
    return { changed: this.#leaves, value: this.value };
  }
}
