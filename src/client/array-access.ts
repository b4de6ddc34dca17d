// How does a program read and write parts of an array that is too large to move as a whole? `context.array(...)` gives
// one of these.

import { LocalProtocolError } from '../protocol/errors.ts';
import type { ScalarArrayType, TypeDesc } from '../protocol/types/type-desc.ts';
import { typeToLine } from '../protocol/types/text.ts';
import type { ValueOf } from '../protocol/types/value-of.ts';
import type { Call, CallOptions } from './call.ts';
import type { Channel } from './channel.ts';
import { KeptOperation } from './kept-operation.ts';
import {
  getLength,
  getPart,
  initArray,
  putPart,
  requireSize,
  setLength,
  type ArrayType,
  type Part,
} from './operations/array.ts';
import type { Operation } from './operation.ts';
import type { PvRequest } from '../protocol/pv-request.ts';

/** Which elements of an array: from `offset` on, each or every `stride`th. */
export interface ArrayPartOptions extends CallOptions {
  /** Index of the first element; default 0. */
  readonly offset?: number | undefined;
  /** Distance between elements: 1, the default, for each, 2 for every other. */
  readonly stride?: number | undefined;
}

/** Which elements of an array are read. */
export interface ArrayGetOptions extends ArrayPartOptions {
  /** Elements at most; by default all up to the end. */
  readonly count?: number | undefined;
}

/** Runs one call of a context about one PV. */
export type RunCall = <R>(options: CallOptions, act: (call: Call, channel: Channel) => Promise<R>) => Promise<R>;

export interface ArrayAccessOptions<T extends ArrayType> {
  readonly pvName: string;
  readonly pvRequest: PvRequest;
  readonly expected: T | undefined;
  readonly run: RunCall;
}

/**
 * One array of a PV. Requests run one after the other, across lost connections; the server keeps a little for it until
 * `close`. Every method rejects with TimeoutError, StatusError (out of bounds, read-only, no ARRAY) or the signal's reason.
 */
export class ArrayAccess<T extends ArrayType = ScalarArrayType> {
  readonly pvName: string;
  readonly #run: RunCall;
  readonly #expected: T | undefined;
  readonly #kept: KeptOperation<ArrayType>;

  /** For `Context.array` alone. */
  constructor({ pvName, pvRequest, expected, run }: ArrayAccessOptions<T>) {
    this.pvName = pvName;
    this.#run = run;
    this.#expected = expected;
    this.#kept = new KeptOperation('ARRAY', (call, operation) => this.#init(call, operation, pvRequest));
  }

  /** Elements from `offset` on; fewer than `count` where the array ends. */
  async get(options: ArrayGetOptions = {}): Promise<ValueOf<T>> {
    const part = this.#part(options);
    // 0 on the wire is for all.
    const count = options.count === undefined ? 0 : requireSize(`${this.pvName}: count`, options.count, 1);
    const elements = await this.#act(options, (call, operation) => getPart(call, operation, part, count));
    // The border: #init has made sure that the array has the type T.
    return elements as ValueOf<T>;
  }

  /** Writes elements from `offset` on; the array grows if they reach past its end. */
  put(elements: ArrayLike<unknown>, options: ArrayPartOptions = {}): Promise<void> {
    const part = this.#part(options);
    return this.#act(options, (call, operation, type) => putPart(call, operation, type, part, elements));
  }

  /** The number of elements. */
  getLength(options: CallOptions = {}): Promise<number> {
    return this.#act(options, getLength);
  }

  /** Cuts the array short, or makes it longer by zeros or empty text. */
  setLength(length: number, options: CallOptions = {}): Promise<void> {
    const size = requireSize(`${this.pvName}: length`, length, 0);
    return this.#act(options, (call, operation) => setLength(call, operation, size));
  }

  /** The type of the array as the server offers it. */
  type(options: CallOptions = {}): Promise<ArrayType> {
    return this.#act(options, (_call, _operation, type) => Promise.resolve(type));
  }

  /** Frees what the server holds for it; requests under way reject. Idempotent. */
  async close(): Promise<void> {
    this.#kept.close(new LocalProtocolError(`${this.pvName}: the array access is closed`));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #act<R>(options: CallOptions, act: (call: Call, operation: Operation, type: ArrayType) => Promise<R>): Promise<R> {
    return this.#run(options, (call, channel) =>
      this.#kept.run(call, channel, (operation, type) => act(call, operation, type)),
    );
  }

  async #init(call: Call, operation: Operation, pvRequest: PvRequest): Promise<ArrayType> {
    const type = await initArray(call, operation, pvRequest);
    const expected: TypeDesc | undefined = this.#expected;
    if (expected === undefined || type === expected) return type;
    throw new LocalProtocolError(`${this.pvName}: the array is ${typeToLine(type)}, ${typeToLine(expected)} expected`);
  }

  #part({ offset = 0, stride = 1 }: ArrayPartOptions): Part {
    return {
      offset: requireSize(`${this.pvName}: offset`, offset, 0),
      stride: requireSize(`${this.pvName}: stride`, stride, 1),
    };
  }
}
