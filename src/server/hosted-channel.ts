// How is one channel of a store served? From memory: a put is completed here, goes to the store, and takes effect in
// memory when the store tells of it, as do the puts to other servers of the same store.

import type { ChannelUpdate, PutRequest } from '../channels/channel.ts';
import type { SharedPV } from '../channels/shared-pv.ts';
import { fieldOf, requireChoice, structureIn } from '../channels/standard-fields.ts';
import type { ChannelStore, StoreChange, StoredChannel, StoredDefinition } from '../channels/stores/channel-store.ts';
import { StoreError } from '../channels/stores/store-error.ts';
import type { ChannelDefinition } from '../config/channel-definition.ts';
import { BitSet } from '../protocol/bit-set.ts';
import { PvaError } from '../protocol/errors.ts';
import type { StructureType } from '../protocol/types/type-desc.ts';
import { leafMask } from '../protocol/values/leaf-mask.ts';
import type { Clock } from '../transport/clocks.ts';
import { configuredPv } from './configured-pv.ts';
import { PostKeeper } from './post-keeper.ts';

export interface HostedChannelOptions {
  readonly stored: StoredChannel;
  /** What the settings of `stored` say. */
  readonly definition: ChannelDefinition;
  /** What it shows before anything was stored, where that is known already. */
  readonly initial: ChannelUpdate | undefined;
  /** PVs that a computed channel is made of, by their names. */
  readonly inputs: ReadonlyMap<string, SharedPV>;
  readonly store: ChannelStore;
  readonly clock: Clock;
  /** A post of the server could not be kept. */
  readonly onTrouble: (thrown: unknown) => void;
}

export class HostedChannel {
  readonly definition: ChannelDefinition;
  readonly pv: SharedPV;
  readonly #storedDefinition: StoredDefinition;
  readonly #store: ChannelStore;
  readonly #keeper: PostKeeper | undefined;
  #revision: number;

  /** @throws PvaError when type, settings and value of the stored channel do not fit together */
  constructor({ stored, definition, initial, inputs, store, clock, onTrouble }: HostedChannelOptions) {
    this.#storedDefinition = stored.definition;
    this.definition = definition;
    this.#store = store;
    this.#revision = stored.revision;
    const { name } = definition;
    const isKept = definition.persist !== 'none';
    const onPut = (put: PutRequest): Promise<void> => this.#put(put);
    this.pv = configuredPv(definition, clock, inputs, isKept ? onPut : undefined, initial);
    const { type } = this.pv;
    try {
      if (type !== stored.definition.type)
        throw new StoreError('STORE_FORMAT', `channel '${name}': its stored type is not the one of its settings`);
      if (this.#follows) this.#adopt(stored.state);
    } catch (thrown) {
      this.pv.close();
      throw thrown;
    }
    const keepsPosts = definition.computed !== undefined && definition.persist === 'all';
    this.#keeper = keepsPosts ? new PostKeeper(name, this.pv, store, onTrouble) : undefined;
  }

  /** What the store told last. */
  get stored(): StoredChannel {
    return { definition: this.#storedDefinition, revision: this.#revision, state: this.pv.state };
  }

  /** Takes a change of the store, unless it is known already. @throws PvaError when it does not fit the channel */
  changed({ revision, update }: Pick<StoreChange, 'revision' | 'update'>): void {
    if (revision <= this.#revision) return;
    this.#revision = revision;
    if (this.#follows) this.#adopt(update);
  }

  /** The store is there again. */
  retry(): void {
    this.#keeper?.retry();
  }

  close(): void {
    this.#keeper?.close();
    this.pv.close();
  }

  /** Whether the value is that of the store: a computed one is made here, and the store only keeps it. */
  get #follows(): boolean {
    return this.definition.computed === undefined && this.definition.persist !== 'none';
  }

  async #put(put: PutRequest): Promise<void> {
    const update = this.#toStore(this.pv.completed(put));
    await this.#store.write(this.definition.name, update, { signal: put.signal });
  }

  /**
   * What of a change goes to the store. The alarm goes with every value that it follows from, changed or not: another put
   * may be under way that changes it. The choices of an enum are its definition's.
   */
  #toStore({ changed, value }: ChannelUpdate): ChannelUpdate {
    const { type } = this.pv;
    const stored = changed.clone();
    if (this.definition.alarm !== undefined) stored.or(leavesOf(type, 'alarm'));
    return { changed: withoutChoices(type, stored), value };
  }

  #adopt(update: ChannelUpdate): void {
    const { type, value } = this.pv;
    const changed = withoutChoices(type, update.changed.clone());
    if (this.definition.type.kind === 'enum') {
      const { choices } = structureIn(value, 'value');
      const chosen = { ...structureIn(update.value, 'value'), ...(choices !== undefined && { choices }) };
      this.#requireChoice({ changed, value: { ...update.value, value: chosen } });
    }
    this.pv.adopt({ changed, value: update.value });
  }

  #requireChoice(update: ChannelUpdate): void {
    try {
      requireChoice(this.pv.type, update, this.pv.value);
    } catch (thrown) {
      if (!(thrown instanceof PvaError)) throw thrown;
      const { name } = this.definition;
      throw new StoreError('STORE_FORMAT', `channel '${name}': ${thrown.message}`, { cause: thrown });
    }
  }
}

/**
 * The first value of a channel as a store is to have it: the fields that clients write and the server sets. What only
 * shows the definition (display, control, valueAlarm, choices) follows from the settings.
 */
export function initialState({ type, state }: SharedPV): ChannelUpdate {
  const shown = BitSet.empty();
  for (const name of ['value', 'alarm', 'timeStamp']) shown.or(leavesOf(type, name));
  return { changed: withoutChoices(type, shown.and(state.changed)), value: state.value };
}

/** The leaves of a field of the outermost structure; none where there is no such field. */
function leavesOf(type: StructureType, name: string): BitSet {
  const field = fieldOf(type, name);
  return field === undefined ? BitSet.empty() : leafMask(type, BitSet.of(field.bit));
}

/** Takes the choices of an enum out of a set of leaves. */
function withoutChoices(type: StructureType, leaves: BitSet): BitSet {
  const value = fieldOf(type, 'value');
  const choices = value?.type.kind === 'structure' ? fieldOf(value.type, 'choices') : undefined;
  if (value !== undefined && choices !== undefined) leaves.delete(value.bit + choices.bit);
  return leaves;
}
