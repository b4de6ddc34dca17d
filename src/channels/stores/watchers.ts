// Whom does a store tell what has happened? Everyone who watches, in one order; nobody's fault keeps it from the others.

import type { StoreHealth, StoreWatcher } from './channel-store.ts';

export class Watchers {
  readonly #watchers = new Set<StoreWatcher>();
  readonly #failed: (thrown: unknown) => void;

  /** `failed` is given what a watcher throws. */
  constructor(failed: (thrown: unknown) => void = throwLater) {
    this.#failed = failed;
  }

  /** As `ChannelStore.watch`. */
  add(watcher: StoreWatcher): () => void {
    // Its own object, so that who watches twice is told twice, and each can stop by itself.
    const entry: StoreWatcher = {
      defined: (channel) => watcher.defined(channel),
      destroyed: (name) => watcher.destroyed(name),
      changed: (change) => watcher.changed(change),
      health: (health) => watcher.health(health),
    };
    this.#watchers.add(entry);
    return () => this.#watchers.delete(entry);
  }

  tell(event: (watcher: StoreWatcher) => void): void {
    for (const watcher of this.#watchers) {
      try {
        event(watcher);
      } catch (thrown) {
        this.#failed(thrown);
      }
    }
  }

  health(health: StoreHealth): void {
    this.tell((watcher) => watcher.health(health));
  }
}

/** What was told has happened, whatever a watcher makes of it: its fault is one of the program, and shows as such. */
function throwLater(thrown: unknown): void {
  queueMicrotask(() => {
    throw thrown;
  });
}
