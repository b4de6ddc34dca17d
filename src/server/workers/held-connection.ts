// How does a worker stop reading from its clients while its server does not take what they ask for? Each connection is
// wrapped, so that two may pause it: its link, and the worker.

import type { Endpoint, TcpConnection, TcpConnectionHandlers } from '../../transport/network.ts';

export class HeldConnection implements TcpConnection {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly #inner: TcpConnection;
  readonly #closed: (connection: HeldConnection) => void;
  #isEndHeard = false;
  #isPaused = false;
  #isHeld = false;

  /** `closed` is called once, when the connection is gone. */
  constructor(inner: TcpConnection, closed: (connection: HeldConnection) => void) {
    this.local = inner.local;
    this.remote = inner.remote;
    this.#inner = inner;
    this.#closed = closed;
  }

  get bufferedBytes(): number {
    return this.#inner.bufferedBytes;
  }

  /** Nothing is read until `release`. */
  hold(): void {
    this.#isHeld = true;
    this.#inner.pause();
  }

  release(): void {
    this.#isHeld = false;
    if (!this.#isPaused) this.#inner.resume();
  }

  listen(handlers: TcpConnectionHandlers): void {
    this.#isEndHeard = true;
    this.#inner.listen({
      data: (chunk) => handlers.data(chunk),
      drain: () => handlers.drain(),
      close: (error) => {
        this.#closed(this);
        handlers.close(error);
      },
    });
  }

  write(bytes: Uint8Array): boolean {
    return this.#inner.write(bytes);
  }

  pause(): void {
    this.#isPaused = true;
    this.#inner.pause();
  }

  resume(): void {
    this.#isPaused = false;
    if (!this.#isHeld) this.#inner.resume();
  }

  end(): void {
    this.#inner.end();
  }

  destroy(): void {
    this.#inner.destroy();
    if (this.#isEndHeard) return;
    // It was refused: nobody hears of its end.
    this.#isEndHeard = true;
    this.#closed(this);
  }
}
