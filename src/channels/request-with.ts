// What does a channel get to know of a put or a call? All that the request says, and what is to be put or called.
//
// `signal` is asked for only when somebody wants it: an AbortSignal takes node five microseconds to make, several times as
// long as a whole put (`{ ...request }` would have asked for it).

import type { BitSet } from '../protocol/bit-set.ts';
import type { AnyValue, StructureValue } from '../protocol/types/value-of.ts';
import type { CallRequest, ChannelRequest, PutRequest } from './channel.ts';

class RequestWith implements ChannelRequest {
  readonly peer: ChannelRequest['peer'];
  readonly pvRequest: ChannelRequest['pvRequest'];
  readonly tell: ChannelRequest['tell'];
  readonly #request: ChannelRequest;

  constructor(request: ChannelRequest) {
    this.#request = request;
    this.peer = request.peer;
    this.pvRequest = request.pvRequest;
    this.tell = request.tell;
  }

  get signal(): AbortSignal {
    return this.#request.signal;
  }
}

/** A request to put something. */
export class PutWith extends RequestWith implements PutRequest {
  readonly changed: BitSet;
  readonly value: StructureValue;

  constructor(request: ChannelRequest, changed: BitSet, value: StructureValue) {
    super(request);
    this.changed = changed;
    this.value = value;
  }
}

/** A request to call something. */
export class CallWith extends RequestWith implements CallRequest {
  readonly argument: AnyValue;

  constructor(request: ChannelRequest, argument: AnyValue) {
    super(request);
    this.argument = argument;
  }
}
