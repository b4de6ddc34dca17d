// How is one channel of a store served? From memory: a put is completed here, goes to the store, and takes effect in
// memory when the store tells of it, as do the puts to other servers of the same store.

import type { ChannelUpdate, PutRequest } from '../channels/channel.ts';
import type { SharedPV } from '../channels/shared-pv.ts';
import { fieldOf, requireChoice, structureIn } from '../channels/standard-fields.ts';
import type { ChannelStore, StoreChange, StoredChannel } from '../channels/stores/channel-store.ts';
import { StoreError } from '../channels/stores/store-error.ts';
import type { ChannelDefinition } from '../config/channel-definition.ts';
import { BitSet } from '../protocol/bit-set.ts';
import { PvaError } from '../protocol/errors.ts';
import type { StructureType } from '../protocol/types/type-desc.ts';
import { leafMask } from '../protocol/values/leaf-mask.ts';
import type { Clock } from '../transport/clocks.ts';
import type { ChannelTemplate } from './channel-templates.ts';
import { configuredPv } from './configured-pv.ts';
import { PostKeeper } from './post-keeper.ts';

/** What all channels of one store are served with. */
export interface HostedChannelWorld {
  readonly store: ChannelStore;
  readonly clock: Clock;
  /** Something went wrong with a channel that nobody waits for: a post could not be kept, a change does not fit. */
  readonly onTrouble: (name: string, thrown: unknown) => void;
}

export interface HostedChannelOptions {
  readonly stored: StoredChannel;
  /** What the settings of `stored` say; the same object for all channels with these settings. */
  readonly template: ChannelTemplate;
  /** PVs that a computed channel is made of, by their names. */
  readonly inputs: ReadonlyMap<string, SharedPV>;
  readonly world: HostedChannelWorld;
}

/**
 * Its PV is made when somebody asks for it: of the many channels of a large store most have no client, and until then
 * the value is the very object that the store has.
 */
export class HostedChannel {
  readonly #template: ChannelTemplate;
  readonly #world: HostedChannelWorld;
  #stored: StoredChannel;
  #pv: SharedPV | undefined;
  #keeper: PostKeeper | undefined;

  /** @throws PvaError when type, settings and value of the stored channel do not fit together */
  constructor({ stored, template, inputs, world }: HostedChannelOptions) {
    this.#stored = stored;
    this.#template = template;
    this.#world = world;
    const { name } = stored.definition;
    if (template.type !== stored.definition.type)
      throw new StoreError('STORE_FORMAT', `channel '${name}': its stored type is not the one of its settings`);
    if (this.#follows) this.#requireChoice(stored.state);
    // What is computed has to hear of its inputs.
    if (template.definition.computed !== undefined) this.#pv = this.#makePv(inputs);
  }

  get pv(): SharedPV {
    this.#pv ??= this.#makePv(NO_INPUTS);
    return this.#pv;
  }

  /** What its settings say, without its name. */
  get settings(): Omit<ChannelDefinition, 'name'> {
    return this.#template.definition;
  }

  /** What the store told last. */
  get stored(): StoredChannel {
    return this.#stored;
  }

  /** Takes a change of the store, unless it is known already. @throws PvaError when it does not fit the channel */
  changed({ revision, update }: Pick<StoreChange, 'revision' | 'update'>): void {
    const { definition, revision: before, state } = this.#stored;
    if (revision <= before) return;
    this.#stored = { definition, revision, state };
    if (!this.#follows) return;
    this.#requireChoice(update);
    const changed = state.changed.includes(update.changed) ? state.changed : state.changed.clone().or(update.changed);
    this.#stored = { definition, revision, state: { changed, value: update.value } };
    if (this.#pv === undefined) return;
    const news = this.#keeper === undefined ? update : this.#keeper.newsOf(revision, update);
    if (!news.changed.isEmpty()) this.#adopt(this.#pv, news);
  }

  /** The store is there again. */
  retry(): void {
    this.#keeper?.retry();
  }

  /** Resolves when what the server has posted is in the store, or cannot be brought there now. */
  async kept(): Promise<void> {
    await this.#keeper?.flushed();
  }

  close(): void {
    this.#keeper?.close();
    // Whoever has it is told; for nobody it is not made.
    this.#pv?.close();
  }

  /** Whether the value is that of the store: a computed one is made here, and the store only keeps it. */
  get #follows(): boolean {
    return this.settings.computed === undefined && this.settings.persist !== 'none';
  }

  #makePv(inputs: ReadonlyMap<string, SharedPV>): SharedPV {
    const { definition: settings, initial } = this.#template;
    const { definition, state } = this.#stored;
    const { store, clock, onTrouble } = this.#world;
    const { name } = definition;
    const { persist, computed } = settings;
    const onPut = (put: PutRequest): Promise<void> => this.#put(put);
    // The time stamp of the template is that of its making; a value that is not the store's begins now.
    const first = this.#follows ? initial : undefined;
    const pv = configuredPv({ ...settings, name }, clock, inputs, persist === 'none' ? undefined : onPut, first);
    if (this.#follows) this.#adopt(pv, state);
    if (persist !== 'all') return pv;
    this.#keeper = new PostKeeper({
      definition,
      channel: pv,
      store,
      clock,
      // What a store has of a computed channel is of another time; that of any other is where it begins.
      keepsFirst: computed !== undefined,
      adopt: (update) => this.#adopt(pv, update),
      onTrouble: (thrown) => onTrouble(name, thrown),
    });
    return pv;
  }

  async #put(put: PutRequest): Promise<void> {
    const { definition } = this.#stored;
    const update = this.#toStore(this.pv.completed(put));
    // Without the signal of the request, which takes as long to make as the rest: stores answer within two seconds.
    await this.#world.store.write(definition.name, update, { definition });
  }

  /**
   * What of a change goes to the store. The alarm goes with every value that it follows from, changed or not: another put
   * may be under way that changes it. The choices of an enum are its definition's.
   */
  #toStore({ changed, value }: ChannelUpdate): ChannelUpdate {
    const { type, definition } = this.#template;
    const stored = definition.alarm === undefined ? changed : changed.clone().or(leavesOf(type, 'alarm'));
    return this.#chosen({ changed: stored, value });
  }

  /** Without the choices of an enum. */
  #chosen(update: ChannelUpdate): ChannelUpdate {
    const { type, definition } = this.#template;
    if (definition.type.kind !== 'enum') return update;
    return { changed: withoutChoices(type, update.changed.clone()), value: update.value };
  }

  #adopt(pv: SharedPV, told: ChannelUpdate): void {
    const update = this.#chosen(told);
    if (this.#keeper === undefined) pv.adopt(update);
    else this.#keeper.unheeded(() => pv.adopt(update));
  }

  /** @throws StoreError when an enum is to have an index that none of its choices has */
  #requireChoice({ changed, value }: ChannelUpdate): void {
    const { type, definition } = this.#template;
    if (definition.type.kind !== 'enum') return;
    const update = this.#chosen({ changed, value });
    const chosen = { ...structureIn(value, 'value'), choices: definition.type.choices };
    try {
      requireChoice(type, { ...update, value: { ...value, value: chosen } }, { ...value, value: chosen });
    } catch (thrown) {
      if (!(thrown instanceof PvaError)) throw thrown;
      const { name } = this.#stored.definition;
      throw new StoreError('STORE_FORMAT', `channel '${name}': ${thrown.message}`, { cause: thrown });
    }
  }
}

/** Of a channel that is not computed. */
export const NO_INPUTS: ReadonlyMap<string, SharedPV> = new Map();

/**
 * The first value of a channel as a store is to have it: the fields that clients write and the server sets. What only
 * shows the definition (display, control, valueAlarm, choices) follows from the settings; a structure has no such fields.
 */
export function initialState({ type, state }: SharedPV, { type: { kind } }: ChannelDefinition): ChannelUpdate {
  if (kind === 'structure') return state;
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
