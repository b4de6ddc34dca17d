// Who hears what a server or a client says about itself? Listeners whose own faults are theirs: whatever one of them
// throws, the others are told, and neither the connection that had news nor the process ends.

import { channel, type Channel } from 'node:diagnostics_channel';
import { reasonOf } from '../protocol/errors.ts';
import { nativePromise } from './promise-like.ts';

export class NoticeListeners<N> {
  readonly #diagnostics: Channel;
  readonly #listeners = new Set<(notice: N) => unknown>();
  readonly #failed = new WeakSet<(notice: N) => unknown>();
  readonly #noticeOf: (failure: string) => N;

  /** `noticeOf` makes the notice that a listener throws; there is one for each listener, at its first fault. */
  constructor(diagnosticsChannel: string, noticeOf: (failure: string) => N) {
    this.#diagnostics = channel(diagnosticsChannel);
    this.#noticeOf = noticeOf;
  }

  publish(notice: N): void {
    if (this.#diagnostics.hasSubscribers) this.#diagnostics.publish(notice);
    for (const listener of this.#listeners) this.#tell(listener, notice);
  }

  listen(listener: (notice: N) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #tell(listener: (notice: N) => unknown, notice: N): void {
    const fail = (thrown: unknown): void => {
      // Once: a listener that always throws would else be told of itself for ever.
      if (this.#failed.has(listener)) return;
      this.#failed.add(listener);
      this.publish(this.#noticeOf(`a listener of notices threw: ${reasonOf(thrown)}`));
    };
    try {
      const result = nativePromise(listener(notice));
      if (result instanceof Promise) result.catch(fail);
    } catch (thrown) {
      fail(thrown);
    }
  }
}
