// What do defining, writing and destroying a channel come to? The rules of the contract for stores that keep channels as
// they are: each function changes a table and says what its caller and the watchers are to be told once that holds.

import type { StructureType } from '../../protocol/types/type-desc.ts';
import { anyCodecOf } from '../../protocol/values/codec.ts';
import { leafMask } from '../../protocol/values/leaf-mask.ts';
import type { ChannelUpdate } from '../channel.ts';
import { requireStructure, unset } from '../standard-fields.ts';
import type { DefineOptions, StoredChannel, StoredDefinition, StoreWatcher } from './channel-store.ts';
import { definitionConflict } from './definition-difference.ts';
import { noSuchChannel, StoreError } from './store-error.ts';
import { isSameDefinition } from './stored-definition.ts';

/** Channels by name, or what they are about to become. */
export interface ChannelTable {
  get(name: string): StoredChannel | undefined;
  set(name: string, channel: StoredChannel): unknown;
  delete(name: string): unknown;
}

/** Something that was done to a table. */
export interface Effect<R> {
  readonly result: R;
  readonly tell: (watcher: StoreWatcher) => void;
}

/** @throws StoreError DEFINITION_CONFLICT */
export function define(
  table: ChannelTable,
  definition: StoredDefinition,
  initial?: ChannelUpdate,
  { replace = false }: DefineOptions = {},
): Effect<'created' | 'same' | 'replaced'> {
  const { name, type } = definition;
  const before = table.get(name);
  if (before !== undefined && isSameDefinition(before.definition, definition))
    return { result: 'same', tell: () => {} };
  if (before !== undefined && !replace) throw definitionConflict(before.definition, definition);
  const isKept = before !== undefined && before.definition.type === type;
  const channel: StoredChannel = isKept
    ? { ...before, definition }
    : { definition, revision: 0, state: merged(type, unset(type), initial) };
  table.set(name, channel);
  return {
    result: before === undefined ? 'created' : 'replaced',
    tell: (watcher) => {
      if (before !== undefined) watcher.destroyed(name);
      watcher.defined(channel);
    },
  };
}

export function destroy(table: ChannelTable, name: string): Effect<boolean> {
  if (table.get(name) === undefined) return { result: false, tell: () => {} };
  table.delete(name);
  return { result: true, tell: (watcher) => watcher.destroyed(name) };
}

/** @throws StoreError NO_SUCH_CHANNEL; DEFINITION_CONFLICT where the change was made for another definition */
export function write(
  table: ChannelTable,
  name: string,
  change: ChannelUpdate,
  madeFor?: StoredDefinition,
): Effect<number> {
  const before = table.get(name);
  if (before === undefined) throw noSuchChannel(name);
  requireDefinition(before.definition, madeFor);
  const { type } = before.definition;
  const revision = before.revision + 1;
  const state = merged(type, before.state, change);
  table.set(name, { ...before, revision, state });
  const told = { name, revision, update: { changed: leafMask(type, change.changed), value: state.value } };
  return { result: revision, tell: (watcher) => watcher.changed(told) };
}

/** @throws StoreError DEFINITION_CONFLICT where a change was made for another definition than the one that there is */
export function requireDefinition(stored: StoredDefinition, madeFor: StoredDefinition | undefined): void {
  if (madeFor === undefined || madeFor === stored || isSameDefinition(stored, madeFor)) return;
  const { message } = definitionConflict(stored, madeFor);
  throw new StoreError('DEFINITION_CONFLICT', `${message}; nothing was written`);
}

/** A state with the changed leaves of an update over it. */
function merged(type: StructureType, state: ChannelUpdate, change: ChannelUpdate | undefined): ChannelUpdate {
  if (change === undefined) return state;
  const changed = leafMask(type, change.changed);
  return {
    changed: state.changed.clone().or(changed),
    value: requireStructure(anyCodecOf(type).merge(state.value, change.value, changed)),
  };
}
