// In which order does a worker get what it is sent when it falls behind? Values squash while they wait; answers wait
// behind the values that were there before them, so that a client that is told of a put never reads an older value.

import type { Pipe } from './pipe.ts';

/** Something that is to be sent when there is room. */
export interface Waiting {
  send(): void;
}

export class Outbox {
  readonly pipe: Pipe;
  /** In their order. As many as there are channels and requests under way, at most. */
  readonly #waiting = new Set<Waiting>();

  constructor(pipe: Pipe) {
    this.pipe = pipe;
  }

  /** Whether what is sent now goes out at once, and passes nothing that waits. */
  get isFree(): boolean {
    return this.#waiting.size === 0 && !this.pipe.isCongested;
  }

  /** Sends behind all that waits. */
  inTurn(send: () => void): void {
    if (this.#waiting.size === 0) send();
    else this.#waiting.add({ send });
  }

  /** Has `waiting` send when its turn comes; once, however often it asks. */
  whenFree(waiting: Waiting): void {
    this.#waiting.add(waiting);
    this.pipe.askForRoom();
  }

  forget(waiting: Waiting): void {
    this.#waiting.delete(waiting);
  }

  /** There is room again. */
  resume(): void {
    for (const waiting of this.#waiting) {
      if (this.pipe.isCongested) return;
      this.#waiting.delete(waiting);
      waiting.send();
    }
  }
}
