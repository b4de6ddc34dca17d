// What keeps channels beyond the process that serves them? The contract of all stores: definitions, last values, and
// the changes of both in order. The suite that pvkit/testing exports is the same contract as tests; every store runs it.
//
// A server reads from its own memory. A store makes that durable or shares it between servers (nodes): a write takes
// effect in the memory of a node when the store tells its watchers of it, on the node that wrote as on all others.

import type { StructureType } from '../../protocol/types/type-desc.ts';
import type { ChannelUpdate } from '../channel.ts';
import type { StoreError } from './store-error.ts';
import type { StoreNodes } from './store-nodes.ts';
import type { JsonObject } from './json.ts';

/** What a store knows of a channel beside its value. It never changes while the channel exists. */
export interface StoredDefinition {
  readonly name: string;
  /** What values are encoded, merged and checked with. */
  readonly type: StructureType;
  /** All else that makes the channel what it is, as JSON: for whoever serves it. Stores compare it and keep it. */
  readonly settings: JsonObject;
}

/** A channel as it is in the store. */
export interface StoredChannel {
  readonly definition: StoredDefinition;
  /** Moves by one with every write, and only with it; 0 as long as nothing was written. */
  readonly revision: number;
  /** A full value; `changed` names the leaves of the initial value and those written since; the others hold defaults. */
  readonly state: ChannelUpdate;
}

/** A write that has taken effect. */
export interface StoreChange {
  readonly name: string;
  readonly revision: number;
  /**
   * A full value as of this revision, and the leaves that this change set. Where changes were missed (the connection
   * was lost) one change stands for all of them: its revision is more than one past the last, and `changed` names all
   * leaves that may differ.
   */
  readonly update: ChannelUpdate;
}

/** Who wants to be told. Nothing here may throw; calls come in the order in which things took effect. */
export interface StoreWatcher {
  defined(channel: StoredChannel): void;
  destroyed(name: string): void;
  /** In revision order for each channel, each revision at most once. */
  changed(change: StoreChange): void;
  health(health: StoreHealth): void;
}

/** How a store is. */
export interface StoreHealth {
  /**
   * Whether it takes writes, as far as it knows. Where it does not, it finds out by itself when it does again, and tells its
   * watchers: nobody may write before that.
   */
  readonly isConnected: boolean;
  /** How long the last write took, in milliseconds; 0 before the first. */
  readonly latencyMs: number;
  /** Writes that are not acknowledged yet. */
  readonly queuedCount: number;
  /** Writes that this store object has acknowledged or been told of, in all. */
  readonly revision: number;
  /** How old the last change told to watchers was when it was told, in milliseconds; 0 where nothing travels. */
  readonly lagMs: number;
  /** Why it is not connected, without passwords; undefined when it is. */
  readonly reason: string | undefined;
}

/** How a write is carried out. */
export interface StoreWriteOptions {
  /**
   * The definition that the change was made for: where the channel has another one by now, the bits of `changed` mean
   * other fields, and the write is DEFINITION_CONFLICT. Left out only by who knows that nobody defines it anew.
   */
  readonly definition?: StoredDefinition | undefined;
  /** Gives up waiting; what was not sent yet is not written. */
  readonly signal?: AbortSignal | undefined;
}

/** What may become of a definition that is there already. */
export interface DefineOptions {
  /**
   * Lets a different definition replace the one that there is, in one step. Where the type is the same the state is kept
   * with its revision, else `initial` takes its place. Watchers are told `destroyed`, then `defined`.
   */
  readonly replace?: boolean | undefined;
}

/** How the channels of a store are gone through. */
export interface ScanOptions {
  /** Told of a channel that is there and cannot be read, which is left out: STORE_FORMAT, which names it. Thrown without it. */
  readonly onFault?: ((name: string, fault: StoreError) => void) | undefined;
}

/**
 * Definitions and last values of channels.
 * Rejections are a `StoreError` (store-error.ts): STORE_AWAY when the store cannot be reached, DEFINITION_CONFLICT,
 * NO_SUCH_CHANNEL, STORE_FORMAT for what is there and is not ours, damaged, or of a newer version.
 */
export interface ChannelStore {
  /** `memory`, `embedded`, `redis`. */
  readonly kind: string;
  /** Where it is, for people: a folder or a URL without its password. */
  readonly location: string;
  readonly health: StoreHealth;
  /** The servers that share it; undefined where a store serves one alone. */
  readonly nodes?: StoreNodes | undefined;

  /**
   * Adds a channel. One with the same definition may exist already, with another it is DEFINITION_CONFLICT, whose
   * message names what differs. `initial` becomes its state with revision 0 if it was created.
   */
  define(
    definition: StoredDefinition,
    initial?: ChannelUpdate,
    options?: DefineOptions,
  ): Promise<'created' | 'same' | 'replaced'>;
  /** Removes a channel, its value with it; false if there was none. */
  destroy(name: string): Promise<boolean>;
  read(name: string): Promise<StoredChannel | undefined>;
  /** Every channel once, in no order. */
  scan(options?: ScanOptions): AsyncIterable<StoredChannel>;
  /**
   * Sets the changed leaves and leaves the others as they are in the store. Resolves with the revision when it is as
   * durable as this store makes it, and after the watchers of this store object have been told of it. When it rejects,
   * nothing of it has been written, or (STORE_UNCERTAIN) the connection was lost before anybody could know.
   */
  write(name: string, change: ChannelUpdate, options?: StoreWriteOptions): Promise<number>;
  /** Tells `watcher` of everything from now on, until the returned function is called. */
  watch(watcher: StoreWatcher): () => void;
  /** Ends what is under way and lets go of the engine. Idempotent. */
  close(): Promise<void>;
}
