// How does what a channel posts by itself get into a store? One write at a time, always of the newest value, and not more
// often than ten times a second: a PV that posts faster than the store takes it makes the server neither wait, nor
// remember more than one update, nor keep the writes of others waiting.
//
// What this server has posted and the store has not answered yet is ahead of the store: what the store tells of the same
// leaves meanwhile is older, or is the echo of a post, and would set the value back. It is withheld until the write is
// answered; then its revision says whether somebody else has written after us.

import type { Channel, ChannelUpdate } from '../channels/channel.ts';
import type { ChannelStore, StoredDefinition } from '../channels/stores/channel-store.ts';
import { isStoreAway } from '../channels/stores/store-error.ts';
import type { BitSet } from '../protocol/bit-set.ts';
import type { Clock, TimerHandle } from '../transport/clocks.ts';

/** From the begin of one write to the next: what a `kill -9` may lose of posts, which nobody was promised. */
const PERIOD_MS = 100;
/** Between attempts while the store is there and takes nothing: longer each time, up to this. */
const LONGEST_WAIT_MS = 10_000;
/** One attempt that fails alone is not told of: so end those that were under way while the store came back. */
const TOLD_FAILURE = 2;

export interface PostKeeperOptions {
  /** The definition of the stored channel that `channel` shows. */
  readonly definition: StoredDefinition;
  readonly channel: Channel;
  readonly store: ChannelStore;
  readonly clock: Clock;
  /** Whether what the channel shows now is to be kept, too. */
  readonly keepsFirst: boolean;
  /** Makes an update of the store that of the channel. */
  readonly adopt: (update: ChannelUpdate) => void;
  /** A post could not be kept. */
  readonly onTrouble: (thrown: unknown) => void;
}

export class PostKeeper {
  readonly #options: PostKeeperOptions;
  readonly #leave: () => void;
  /** What the store does not have yet. */
  #pending: ChannelUpdate | undefined;
  /** What is on its way there. */
  #underWay: ChannelUpdate | undefined;
  #writing: Promise<void> | undefined;
  #withheld: { readonly revision: number; readonly update: ChannelUpdate } | undefined;
  #resting: TimerHandle | undefined;
  #isHeedless: boolean;
  /** Nothing is tried until the store says that it is there again. */
  #isAway = false;
  /** Attempts in a row that the store did not take. */
  #failureCount = 0;
  #isClosed = false;

  /** Keeps what `channel` posts from now on. */
  constructor(options: PostKeeperOptions) {
    this.#options = options;
    this.#isHeedless = !options.keepsFirst;
    const take = (update: ChannelUpdate): void => this.#take(update);
    this.#leave = options.channel.subscribe({ update: take, settle: take, finish: () => this.close() });
    this.#isHeedless = false;
  }

  /** What the store tells that is news here; the rest is withheld, and adopted later if it turns out to be the last word. */
  newsOf(revision: number, { changed, value }: ChannelUpdate): ChannelUpdate {
    const own = joined(this.#underWay, this.#pending)?.changed;
    if (own === undefined) return { changed, value };
    const withheld = { changed: changed.clone().and(own), value };
    if (!withheld.changed.isEmpty()) this.#withheld = { revision, update: joined(this.#withheld?.update, withheld) };
    return { changed: without(changed, own), value };
  }

  /** Carries out what changes the channel and is no post. */
  unheeded(act: () => void): void {
    this.#isHeedless = true;
    try {
      act();
    } finally {
      this.#isHeedless = false;
    }
  }

  /** Goes on after the store was away. */
  retry(): void {
    this.#failureCount = 0;
    this.#writeNow();
  }

  /** Writes what is pending without waiting, if the store takes it now; resolves when it is written, or is not. */
  async flushed(): Promise<void> {
    await this.#writing;
    if (this.#pending === undefined) return;
    this.#writeNow();
    await this.#writing;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#resting?.cancel();
    this.#leave();
  }

  #take(update: ChannelUpdate): void {
    if (this.#isHeedless) return;
    this.#pending = joined(this.#pending, update);
    this.#writeSoon();
  }

  #writeNow(): void {
    this.#isAway = false;
    this.#resting?.cancel();
    this.#resting = undefined;
    this.#writeSoon();
  }

  #writeSoon(): void {
    const mayWrite = this.#writing === undefined && this.#resting === undefined && !this.#isAway && !this.#isClosed;
    if (this.#pending === undefined || !mayWrite) return;
    this.#rest(PERIOD_MS);
    this.#writing = this.#write(this.#pending).finally(() => {
      this.#writing = undefined;
      this.#writeSoon();
    });
  }

  #rest(ms: number): void {
    this.#resting?.cancel();
    this.#resting = this.#options.clock.after(ms, () => {
      this.#resting = undefined;
      this.#writeSoon();
    });
  }

  /** Never rejects. */
  async #write(update: ChannelUpdate): Promise<void> {
    const { definition, store, onTrouble } = this.#options;
    this.#pending = undefined;
    this.#underWay = update;
    let revision = 0;
    try {
      revision = await store.write(definition.name, update, { definition });
      this.#failureCount = 0;
    } catch (thrown) {
      if (isStoreAway(thrown)) return this.#keep(update, thrown);
      onTrouble(thrown);
    }
    this.#underWay = undefined;
    this.#adoptLaterThan(revision);
  }

  /** The store does not take it now: it is kept until the store does, or a newer value goes over it. */
  #keep(update: ChannelUpdate, thrown: unknown): void {
    const { store, onTrouble } = this.#options;
    this.#underWay = undefined;
    this.#pending = joined(update, this.#pending);
    if (this.#isClosed) return;
    // It may be there all the same: slow, out of memory, or back before it could say what became of this write. Nobody
    // calls `retry` then.
    this.#isAway = !store.health.isConnected;
    if (this.#isAway) return;
    this.#failureCount++;
    if (this.#failureCount === TOLD_FAILURE) onTrouble(thrown);
    this.#rest(Math.min(PERIOD_MS * 2 ** this.#failureCount, LONGEST_WAIT_MS));
  }

  #adoptLaterThan(revision: number): void {
    const withheld = this.#withheld;
    this.#withheld = undefined;
    if (withheld === undefined || withheld.revision <= revision) return;
    const { changed, value } = withheld.update;
    const others = this.#pending === undefined ? changed : without(changed, this.#pending.changed);
    if (!others.isEmpty() && !this.#isClosed) this.#options.adopt({ changed: others, value });
  }
}

/** Both changes as one: values are full, so the newer one holds for all leaves. */
function joined(older: ChannelUpdate | undefined, newer: ChannelUpdate): ChannelUpdate;
function joined(older: ChannelUpdate | undefined, newer: ChannelUpdate | undefined): ChannelUpdate | undefined;
function joined(older: ChannelUpdate | undefined, newer: ChannelUpdate | undefined): ChannelUpdate | undefined {
  if (older === undefined || newer === undefined) return newer ?? older;
  return { value: newer.value, changed: older.changed.clone().or(newer.changed) };
}

function without(leaves: BitSet, others: BitSet): BitSet {
  const rest = leaves.clone();
  for (const bit of others) rest.delete(bit);
  return rest;
}
