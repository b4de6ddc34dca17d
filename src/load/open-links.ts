// Which connections does a load have? All end with it, also those that are still on their way, whoever opened them and
// whatever became of him: a generator that leaves links behind would find its own leaks in the server.

import { DisconnectedError } from '../protocol/errors.ts';

interface Closable {
  close(): void;
}

export class OpenLinks {
  readonly #open = new Set<Closable>();
  #isClosed = false;

  add(link: Closable): void {
    this.#open.add(link);
    if (this.#isClosed) link.close();
  }

  delete(link: Closable): void {
    this.#open.delete(link);
  }

  /** Connects; gives it up when all are closed. */
  async connecting<T>(connect: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const attempt = new AbortController();
    const closable = { close: () => attempt.abort(new DisconnectedError('the load is over')) };
    this.add(closable);
    try {
      return await connect(attempt.signal);
    } finally {
      this.#open.delete(closable);
    }
  }

  /** Closes all, and from now on each as soon as it comes. Idempotent. */
  close(): void {
    this.#isClosed = true;
    for (const link of this.#open) link.close();
  }
}
