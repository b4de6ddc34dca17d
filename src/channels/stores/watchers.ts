// Whom does a store tell what has happened? Everyone who watches, in one order; nobody's fault keeps it from the others.

import type { StoreHealth, StoreWatcher } from './channel-store.ts';

export class Watchers {
  readonly #watchers = new Set<StoreWatcher>();

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
    for (const watcher of this.#watchers) event(watcher);
  }

  health(health: StoreHealth): void {
    this.tell((watcher) => watcher.health(health));
  }
}
