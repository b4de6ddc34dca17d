// How is a message read that comes for an operation which has ended meanwhile? With the types that the operation had. Nobody
// wants what is in it any more, but a type that it defines with an id is named by that id alone in all that comes later.

import { LINK_LIMITS } from '../limits.ts';
import type { OperationTypes } from '../messages/message-module.ts';

/** The operations of one link that ended last; of more the oldest are forgotten. */
export class EndedOperations {
  readonly #types = new Map<number, OperationTypes>();

  /** What it was read with; undefined for one that is not known any more. */
  typesOf(ioid: number): OperationTypes | undefined {
    return this.#types.get(ioid);
  }

  /** Its types are kept, and not the value that it was read over. */
  add(ioid: number, { command, type, putType = null }: OperationTypes): void {
    this.#types.set(ioid, { command, type, putType });
    if (this.#types.size <= LINK_LIMITS.maxEndedOperations) return;
    const [oldest] = this.#types.keys();
    if (oldest !== undefined) this.#types.delete(oldest);
  }

  /** Its id belongs to another operation now. */
  delete(ioid: number): void {
    this.#types.delete(ioid);
  }

  clear(): void {
    this.#types.clear();
  }
}
