// How does what a channel posts by itself get into a store? One write at a time, always of the newest value: a store that
// is slow or away makes the server neither wait nor remember more than one update.

import type { Channel, ChannelUpdate } from '../channels/channel.ts';
import type { ChannelStore } from '../channels/stores/channel-store.ts';
import { isStoreAway } from '../channels/stores/store-error.ts';

export class PostKeeper {
  readonly #name: string;
  readonly #store: ChannelStore;
  readonly #onTrouble: (thrown: unknown) => void;
  readonly #leave: () => void;
  /** What the store does not have yet. */
  #pending: ChannelUpdate | undefined;
  #isWriting = false;
  #isClosed = false;

  /** Keeps what `channel` posts from now on, and what it shows now. */
  constructor(name: string, channel: Channel, store: ChannelStore, onTrouble: (thrown: unknown) => void) {
    this.#name = name;
    this.#store = store;
    this.#onTrouble = onTrouble;
    this.#leave = channel.subscribe({ update: (update) => this.#take(update), finish: () => this.close() });
  }

  /** Goes on after the store was away. */
  retry(): void {
    if (!this.#isWriting) this.#writeAll().catch(this.#onTrouble);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#leave();
  }

  #take(update: ChannelUpdate): void {
    this.#pending = this.#pending === undefined ? update : joined(this.#pending, update);
    this.retry();
  }

  async #writeAll(): Promise<void> {
    this.#isWriting = true;
    while (this.#pending !== undefined && !this.#isClosed) {
      const update = this.#pending;
      this.#pending = undefined;
      try {
        await this.#store.write(this.#name, update);
      } catch (thrown) {
        if (!isStoreAway(thrown)) {
          this.#onTrouble(thrown);
          continue;
        }
        // Kept until the store is back, or a newer value goes over it.
        this.#pending = this.#pending === undefined ? update : joined(update, this.#pending);
        break;
      }
    }
    this.#isWriting = false;
  }
}

/** Both changes as one: values are full, so the newer one holds for all leaves. */
function joined(older: ChannelUpdate, newer: ChannelUpdate): ChannelUpdate {
  return { value: newer.value, changed: older.changed.clone().or(newer.changed) };
}
