// What do the tests of the store suite have in common? A small type, a watcher that writes down, and waiting.

import type { BitSet } from '../../../protocol/bit-set.ts';
import { reasonOf } from '../../../protocol/errors.ts';
import { double, string, structure, type StructureType } from '../../../protocol/types/type-desc.ts';
import type { StructureValue } from '../../../protocol/types/value-of.ts';
import { coercePartial } from '../../../protocol/values/coerce.ts';
import { systemClock } from '../../../transport/clocks.ts';
import type { ChannelUpdate } from '../../channel.ts';
import { requireStructure, unset } from '../../standard-fields.ts';
import type { ChannelStore, StoreChange, StoredChannel, StoreWatcher } from '../channel-store.ts';
import { StoreError, type StoreErrorCode } from '../store-error.ts';

/** An engine with nothing in it, such as a folder or a database of its own. */
export interface StoreWorld {
  /** A store on it. */
  open(): Promise<ChannelStore>;
  /** Whether `open` may be called while a store is open: the engine is shared. */
  readonly isShared: boolean;
  /** Whether what is written is there when all stores were closed and one is opened again. */
  readonly isDurable: boolean;
  dispose(): Promise<void>;
}

/** A test of one store, on its own engine; what it opens is closed when it ends. */
export type StoreTest = (name: string, body: (world: OpenWorld) => Promise<void>) => void;

export interface OpenWorld {
  readonly store: ChannelStore;
  /** Another store object on the same engine; undefined where an engine takes only one. */
  readonly openSecond: (() => Promise<ChannelStore>) | undefined;
  /** As in `StoreWorld`. */
  readonly isDurable: boolean;
  /** Closes the store and opens the engine again. */
  readonly reopen: () => Promise<ChannelStore>;
}

/** Two numbers and a text, so that there are leaves to merge. */
export const POINT = structure('demo:point/1.0', { x: double, y: double, note: string });

export function pointOf(patch: Readonly<Record<string, unknown>>): ChannelUpdate {
  return updateOf(POINT, patch);
}

/** The defaults of a type with a patch over them; `changed` names what the patch does. */
export function updateOf(type: StructureType, patch: unknown): ChannelUpdate {
  const { changed, value } = coercePartial(type, patch, unset(type).value);
  return { changed, value: requireStructure(value) };
}

/** The leaves that an update names, for comparing. */
export function bitsOf({ changed }: { readonly changed: BitSet }): readonly number[] {
  return [...changed];
}

/** Writes down what it is told, as text: `defined NAME REVISION`, `destroyed NAME`, `changed NAME REVISION`. */
export class Recorder implements StoreWatcher {
  readonly events: string[] = [];
  readonly changes: StoreChange[] = [];
  readonly channels: StoredChannel[] = [];

  defined(channel: StoredChannel): void {
    this.channels.push(channel);
    this.events.push(`defined ${channel.definition.name} ${channel.revision}`);
  }

  destroyed(name: string): void {
    this.events.push(`destroyed ${name}`);
  }

  changed(change: StoreChange): void {
    this.changes.push(change);
    this.events.push(`changed ${change.name} ${change.revision}`);
  }

  health(): void {
    // What a healthy engine says of itself is for each store's own tests.
  }

  /** The last value told of a channel. */
  valueOf(name: string): StructureValue | undefined {
    return this.changes.findLast((change) => change.name === name)?.update.value;
  }
}

/** For `rejects`: whether it is a StoreError with one of the codes. */
export function storeError(...codes: readonly StoreErrorCode[]): (thrown: unknown) => boolean {
  return (thrown) => {
    if (thrown instanceof StoreError && codes.includes(thrown.reason)) return true;
    throw new Error(`a StoreError ${codes.join(' or ')} was expected, thrown was: ${reasonOf(thrown)}`, {
      cause: thrown,
    });
  };
}

const POLL_MS = 2;
const PATIENCE_MS = 5_000;

/** Resolves once `holds` does: what other stores are told takes its way. */
export async function eventually(what: string, holds: () => boolean): Promise<void> {
  const start = systemClock.now();
  while (!holds()) {
    if (systemClock.now() - start > PATIENCE_MS) throw new Error(`not within ${PATIENCE_MS} ms: ${what}`);
    await new Promise<void>((resolve) => systemClock.after(POLL_MS, resolve));
  }
}

/** All channels of a store by name. */
export async function scanned(store: ChannelStore): Promise<ReadonlyMap<string, StoredChannel>> {
  const found = new Map<string, StoredChannel>();
  for await (const channel of store.scan()) {
    const { name } = channel.definition;
    if (found.has(name)) throw new Error(`scan() gave '${name}' twice`);
    found.set(name, channel);
  }
  return found;
}
