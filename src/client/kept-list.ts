// How many operations does a link leave on its server between two uses? As many as a client is likely to use again, and
// fewer where the server has no room: its own bound counts them with all others.

import { CLIENT_LIMITS } from '../protocol/limits.ts';

interface Kept {
  end(): void;
}

interface Asking {
  mostBefore: number | undefined;
}

export class KeptList {
  /** The one used longest ago first. */
  readonly #kept = new Set<Kept>();
  #most: number = CLIENT_LIMITS.maxKeptGets;

  /** May end it, or another, at once. */
  add(operation: Kept): void {
    this.#kept.add(operation);
    this.#endPastMost();
  }

  delete(operation: Kept): void {
    this.#kept.delete(operation);
  }

  /**
   * The server has refused an operation, for want of room or not: nobody can tell. Half of those that are kept end, and
   * from now on no more than the other half is kept: a server with little room soon refuses nothing for it.
   * False when there was nothing to end, or the same call was refused before. Then it was not for want of room, and as many
   * are kept again as before: a program may ask for a field that there is not as often as it reads others.
   */
  makeRoom(call: Asking): boolean {
    if (call.mostBefore !== undefined) {
      // Other calls may have been refused meanwhile, or have taken theirs back.
      this.#most = Math.max(this.#most, call.mostBefore);
      return false;
    }
    if (this.#kept.size === 0) return false;
    call.mostBefore = this.#most;
    this.#most = Math.floor(this.#kept.size / 2);
    this.#endPastMost();
    return true;
  }

  #endPastMost(): void {
    for (const operation of this.#kept) {
      if (this.#kept.size <= this.#most) return;
      this.#kept.delete(operation);
      operation.end();
    }
  }
}
