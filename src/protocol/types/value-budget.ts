// How much may the values of one message become, in memory and when they are sent on? What a peer claims is held against
// the bytes that it sent.

import { LimitError } from '../errors.ts';
import type { Limits } from '../limits.ts';
import type { TypeDesc } from './type-desc.ts';

/** What is left to the message that is being read. Also counts the nesting of `any` values, which types do not bound. */
export class ValueBudget {
  readonly limits: Limits;
  #anyNesting = 0;
  #spentNodes = 0;
  #maxNodes: number;
  #spentTypeBytes = 0;
  #maxTypeBytes: number;

  constructor(limits: Limits) {
    this.limits = limits;
    this.#maxNodes = limits.maxValueNodes;
    this.#maxTypeBytes = limits.maxBodyBytes;
  }

  /** Gives the next message its budget. Without `bodyBytes` its size does not bound what it may become. */
  beginMessage(bodyBytes = Number.POSITIVE_INFINITY): void {
    const { maxValueNodes, maxValueNodesPerByte, freeValueNodes } = this.limits;
    const { maxBodyBytes, maxAnyTypeBytesPerByte, freeAnyTypeBytes } = this.limits;
    this.#spentNodes = 0;
    this.#maxNodes = Math.min(maxValueNodes, freeValueNodes + bodyBytes * maxValueNodesPerByte);
    this.#spentTypeBytes = 0;
    this.#maxTypeBytes = Math.min(maxBodyBytes, freeAnyTypeBytes + bodyBytes * maxAnyTypeBytesPerByte);
  }

  /** Claims memory for `nodeCount` objects of this message's values, before they are made. */
  spend(nodeCount: number): void {
    this.#spentNodes += nodeCount;
    if (this.#spentNodes > this.#maxNodes) throw this.#tooManyNodes();
  }

  /** Claims what each value of the type takes: as much as it has bits. What unions, any and lists hold comes on top. */
  spendOn(type: TypeDesc): void {
    this.spend(type.bitCount);
  }

  /** Claims what an `any` takes on its way out, where its type goes in full, and did not on its way in. */
  protected spendTypeBytes(byteCount: number): void {
    this.#spentTypeBytes += byteCount;
    if (this.#spentTypeBytes <= this.#maxTypeBytes) return;
    const limit = this.#maxTypeBytes < this.limits.maxBodyBytes ? 'maxAnyTypeBytesPerByte' : 'maxBodyBytes';
    throw new LimitError(limit, this.#spentTypeBytes, this.#maxTypeBytes, 'bytes of types in any');
  }

  /** Runs `decodeValue` one level of `any` deeper; a value nested past the limit is refused. */
  insideAny<V>(decodeValue: () => V): V {
    if (this.#anyNesting >= this.limits.maxTypeNesting) {
      throw new LimitError('maxTypeNesting', this.#anyNesting + 1, this.limits.maxTypeNesting, 'any inside any');
    }
    this.#anyNesting++;
    try {
      return decodeValue();
    } finally {
      this.#anyNesting--;
    }
  }

  #tooManyNodes(): LimitError {
    const limit = this.#maxNodes < this.limits.maxValueNodes ? 'maxValueNodesPerByte' : 'maxValueNodes';
    return new LimitError(limit, this.#spentNodes, this.#maxNodes, 'objects in one message');
  }
}
