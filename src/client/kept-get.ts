// How does a PV that a program reads again and again cost one round trip each time? Its operation is kept for the next
// reading, with the type that INIT agreed on. One that is read once, as ten thousand are in a survey, leaves nothing behind.
//
// A channel that nobody uses is closed after a while, and on the server the operation ends with it; those of channels in
// use are bounded for each link (kept-list.ts). Unlike kept-operation.ts, whose owner has one operation for all requests in
// turn, readings at once do not wait for each other: each without the kept one begins its own.

import type { PvRequest } from '../protocol/pv-request.ts';
import type { StructureType } from '../protocol/types/type-desc.ts';
import type { Channel } from './channel.ts';
import type { Operation } from './operation.ts';

/** A GET that has had its reply. */
export interface HeldGet {
  readonly pvRequest: PvRequest;
  readonly operation: Operation;
  readonly type: StructureType;
}

const keptBy = new WeakMap<Channel, KeptGet>();

/** What is kept on a channel. */
export function keptGetOf(channel: Channel): KeptGet {
  let kept = keptBy.get(channel);
  if (kept === undefined) keptBy.set(channel, (kept = new KeptGet()));
  return kept;
}

/** Of one channel: at most one operation. */
export class KeptGet {
  /** What was read last: only what is read twice in a row is kept. */
  #last: PvRequest | undefined;
  #held: HeldGet | undefined;

  /** The operation for this very request, if it is there and still of use; who takes it ends it or gives it back. */
  take(pvRequest: PvRequest): HeldGet | undefined {
    const held = this.#held;
    if (held?.pvRequest !== pvRequest) return undefined;
    this.#held = undefined;
    held.operation.resume();
    if (held.operation.isIdle) return held;
    held.operation.end();
    return undefined;
  }

  /** Keeps the operation or ends it. */
  give(held: HeldGet): void {
    const isRepeated = this.#last === held.pvRequest;
    this.#last = held.pvRequest;
    // Two readings at once have one each.
    if (!isRepeated || this.#held?.pvRequest === held.pvRequest) return held.operation.end();
    this.#held?.operation.end();
    this.#held = held;
    held.operation.rest();
  }
}
