// Which channels does a server host whose channels are in a store? All that the store has, as long as it has them.

import type { Channel } from '../channels/channel.ts';
import type { SharedPV } from '../channels/shared-pv.ts';
import type { Source } from '../channels/source.ts';
import type {
  ChannelStore,
  StoreChange,
  StoredChannel,
  StoredDefinition,
  StoreHealth,
  StoreWatcher,
} from '../channels/stores/channel-store.ts';
import { StoreError } from '../channels/stores/store-error.ts';
import { isSameDefinition } from '../channels/stores/stored-definition.ts';
import type { ChannelDefinition } from '../config/channel-definition.ts';
import type * as StoredSettings from '../config/stored-settings.ts';
import { PvaError, reasonOf } from '../protocol/errors.ts';
import { systemClock, type Clock } from '../transport/clocks.ts';
import { ChannelTemplates } from './channel-templates.ts';
import { configuredType } from './configured-fields.ts';
import { configuredPv } from './configured-pv.ts';
import { HostedChannel, initialState, NO_INPUTS, type HostedChannelWorld } from './hosted-channel.ts';

/** How the channels of a store are served. */
export interface StoredChannelsOptions {
  /** Channels that the store is to have; what it has of them counts more than their first values. */
  readonly definitions?: readonly ChannelDefinition[];
  /** Lets definitions replace those of the store that differ, which is refused without it. */
  readonly redefine?: boolean;
  readonly clock?: Clock;
  /** A channel of the store cannot be served, or its store is away or back again. */
  readonly onNotice?: (level: 'info' | 'warning' | 'error', text: string) => void;
}

/** Definitions that are under way at a time. */
const BATCH = 1_000;

/** What reads and writes settings; loaded late. */
type Settings = typeof StoredSettings;

/**
 * The channels of a store as a source of PVs: add it to a server. It follows what other servers of the same store define,
 * destroy and write.
 */
export class StoredChannels implements Source, StoreWatcher {
  readonly store: ChannelStore;
  readonly #settings: Settings;
  readonly #options: StoredChannelsOptions;
  readonly #clock: Clock;
  readonly #world: HostedChannelWorld;
  readonly #templates: ChannelTemplates;
  readonly #hosted = new Map<string, HostedChannel>();
  /** Those of them that are computed. */
  readonly #computed = new Set<string>();
  /** Computed channels whose inputs are not all there. */
  readonly #waiting = new Map<string, StoredChannel>();
  readonly #unwatch: () => void;
  /** What is told while the channels are read; done after that, so that nothing is missed. */
  #early: (() => void)[] | undefined = [];
  #revision = 0;
  #moved: (() => void) | undefined;
  #wasConnected = true;

  private constructor(store: ChannelStore, settings: Settings, options: StoredChannelsOptions) {
    this.store = store;
    this.#settings = settings;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    const onTrouble = (name: string, thrown: unknown): void =>
      this.#notice('error', `channel '${name}': ${reasonOf(thrown)}`);
    this.#world = { store, clock: this.#clock, onTrouble };
    this.#templates = new ChannelTemplates(settings.definitionFrom, this.#clock);
    this.#unwatch = store.watch(this);
  }

  /**
   * Defines what is to be there and hosts all that is. The store stays the caller's.
   * @throws StoreError when the store is away or damaged, or has another definition of a channel
   */
  static async open(store: ChannelStore, options: StoredChannelsOptions = {}): Promise<StoredChannels> {
    // Loaded with the first store: it brings what reads TOML, and clients do without.
    const settings = await import('../config/stored-settings.ts');
    const channels = new StoredChannels(store, settings, options);
    try {
      await channels.#load(options.definitions ?? []);
      return channels;
    } catch (thrown) {
      channels.close();
      throw thrown;
    }
  }

  // --- as a source ---------------------------------------------------------------------------------------------

  get revision(): number {
    return this.#revision;
  }

  has(pvName: string): boolean {
    return this.#hosted.has(pvName);
  }

  open(pvName: string): Channel | undefined {
    return this.#hosted.get(pvName)?.pv;
  }

  names(): Iterable<string> {
    return this.#hosted.keys();
  }

  /** Resolves when what the server has posted into channels with persist "all" is in the store, or cannot be brought there. */
  async kept(): Promise<void> {
    await Promise.all([...this.#hosted.values()].map((hosted) => hosted.kept()));
  }

  onNames(moved: () => void): void {
    this.#moved = moved;
  }

  // --- as what is created and destroyed ------------------------------------------------------------------------

  /** Channels that there are, those that wait for their inputs among them. */
  get count(): number {
    return this.#hosted.size + this.#waiting.size;
  }

  /** What the store has of a channel that is served, or waits for its inputs. */
  storedOf(name: string): StoredChannel | undefined {
    return this.#hosted.get(name)?.stored ?? this.#waiting.get(name);
  }

  *definitions(): Iterable<StoredDefinition> {
    for (const { stored } of this.#hosted.values()) yield stored.definition;
    for (const { definition } of this.#waiting.values()) yield definition;
  }

  /**
   * Adds a channel that the store does not have; it is served when this resolves.
   * @throws PvaError when the definition cannot be served, StoreError DEFINITION_CONFLICT when there is one of that name
   */
  async create(definition: ChannelDefinition): Promise<void> {
    const { name } = definition;
    const pv = configuredPv(definition, this.#clock);
    const settings = this.#settings.settingsOf(definition);
    const initial = definition.persist === 'none' ? undefined : initialState(pv, definition);
    const outcome = await this.store.define({ name, type: pv.type, settings }, initial);
    if (outcome === 'created') return;
    throw new StoreError('DEFINITION_CONFLICT', `channel '${name}' is in the store already`);
  }

  /** Serves nothing any more: clients lose their channels. Does not close the store. Idempotent. */
  close(): void {
    this.#unwatch();
    for (const hosted of this.#hosted.values()) hosted.close();
    this.#hosted.clear();
    this.#computed.clear();
  }

  // --- as a watcher --------------------------------------------------------------------------------------------

  defined(channel: StoredChannel): void {
    this.#soon(() => {
      this.#host(channel);
      this.#hostWaiting();
    });
  }

  destroyed(name: string): void {
    this.#soon(() => this.#end(name));
  }

  changed(change: StoreChange): void {
    this.#soon(() => {
      try {
        this.#hosted.get(change.name)?.changed(change);
      } catch (thrown) {
        this.#notice('error', `channel '${change.name}': a change of the store does not fit it: ${reasonOf(thrown)}`);
      }
    });
  }

  health({ isConnected, reason }: StoreHealth): void {
    if (isConnected === this.#wasConnected) return;
    this.#wasConnected = isConnected;
    const { location } = this.store;
    if (!isConnected) return this.#notice('error', `the store ${location} is away: ${reason ?? 'no reason given'}`);
    this.#notice('info', `the store ${location} is there again`);
    for (const hosted of this.#hosted.values()) hosted.retry();
  }

  // --- what they do --------------------------------------------------------------------------------------------

  async #load(definitions: readonly ChannelDefinition[]): Promise<void> {
    const found = new Map<string, StoredChannel>();
    const faulty = new Set<string>();
    const onFault = (name: string, { message }: StoreError): void => {
      faulty.add(name);
      this.#notice('error', `${message}; it is left as it is, and is not served`);
    };
    for await (const channel of this.store.scan({ onFault })) found.set(channel.definition.name, channel);
    const sound = definitions.filter(({ name }) => !faulty.has(name));
    await this.#define(sound, found);
    for (const channel of found.values()) this.#host(channel);
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const act of early) act();
    this.#hostWaiting();
    for (const name of this.#waiting.keys()) this.#notice('warning', `channel '${name}' waits for its inputs`);
  }

  async #define(definitions: readonly ChannelDefinition[], found: ReadonlyMap<string, StoredChannel>): Promise<void> {
    let underWay: Promise<void>[] = [];
    for (const definition of definitions) {
      const { name } = definition;
      const settings = this.#settings.settingsOf(definition);
      const stored: StoredDefinition = { name, type: configuredType(definition), settings };
      const before = found.get(name)?.definition;
      if (before !== undefined && isSameDefinition(before, stored)) continue;
      underWay.push(this.#defineOne(definition, stored));
      if (underWay.length < BATCH) continue;
      await Promise.all(underWay);
      underWay = [];
    }
    await Promise.all(underWay);
  }

  async #defineOne(definition: ChannelDefinition, stored: StoredDefinition): Promise<void> {
    const isKept = definition.persist !== 'none' && definition.computed === undefined;
    const initial = isKept ? initialState(configuredPv(definition, this.#clock), definition) : undefined;
    try {
      await this.store.define(stored, initial);
    } catch (thrown) {
      const isConflict = thrown instanceof StoreError && thrown.reason === 'DEFINITION_CONFLICT';
      if (!isConflict || this.#options.redefine !== true) throw thrown;
      const before = (await this.store.read(stored.name))?.definition;
      // The choices of an enum stand in the settings: with others, an index means something else.
      if (before?.settings['type'] !== stored.settings['type']) await this.store.destroy(stored.name);
      await this.store.define(stored, initial, { replace: true });
      this.#notice('warning', `${thrown.message}; replaced by that of ${definition.origin}`);
    }
  }

  /** Hosts a channel, or lets it wait for its inputs; one that cannot be served is noticed. */
  #host(stored: StoredChannel): void {
    const { name } = stored.definition;
    const before = this.#hosted.get(name);
    try {
      // Told again after the connection was lost, perhaps.
      if (before !== undefined && isSameDefinition(before.stored.definition, stored.definition))
        return before.changed({ revision: stored.revision, update: stored.state });
      this.#end(name);
      const template = this.#templates.of(name, stored.definition.settings);
      const inputs = this.#inputsOf(template.definition);
      if (inputs === undefined) {
        this.#waiting.set(name, stored);
        return;
      }
      this.#hosted.set(name, new HostedChannel({ stored, template, inputs, world: this.#world }));
      if (template.definition.computed !== undefined) this.#computed.add(name);
      this.#move();
    } catch (thrown) {
      if (!(thrown instanceof PvaError)) throw thrown;
      this.#notice('error', thrown instanceof StoreError ? thrown.message : `channel '${name}': ${thrown.message}`);
    }
  }

  /** The PVs that a channel is computed from; undefined as long as one is missing. */
  #inputsOf({ computed }: ChannelDefinition): ReadonlyMap<string, SharedPV> | undefined {
    if (computed === undefined) return NO_INPUTS;
    const inputs = new Map<string, SharedPV>();
    for (const name of Object.values(computed.inputs)) {
      const pv = this.#hosted.get(name)?.pv;
      if (pv === undefined) return undefined;
      inputs.set(name, pv);
    }
    return inputs;
  }

  /** Until there is no progress: one that is hosted may be the input of another. */
  #hostWaiting(): void {
    for (let before = -1; this.#waiting.size > 0 && before !== this.#waiting.size;) {
      before = this.#waiting.size;
      const waiting = [...this.#waiting.values()];
      this.#waiting.clear();
      for (const stored of waiting) {
        this.#host(stored);
      }
    }
  }

  #end(name: string): void {
    this.#waiting.delete(name);
    const hosted = this.#hosted.get(name);
    if (hosted === undefined) return;
    this.#hosted.delete(name);
    this.#move();
    hosted.close();
    this.#computed.delete(name);
    // Those that go meanwhile are not come upon.
    for (const dependent of this.#computed) {
      const found = this.#hosted.get(dependent);
      if (!Object.values(found?.settings.computed?.inputs ?? {}).includes(name) || found === undefined) continue;
      this.#end(dependent);
      this.#waiting.set(dependent, found.stored);
    }
  }

  #move(): void {
    this.#revision++;
    this.#moved?.();
  }

  #soon(act: () => void): void {
    if (this.#early === undefined) act();
    else this.#early.push(act);
  }

  #notice(level: 'info' | 'warning' | 'error', text: string): void {
    this.#options.onNotice?.(level, text);
  }
}
