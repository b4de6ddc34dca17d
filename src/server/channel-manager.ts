// Which channels may be created and destroyed while a server runs, and how? Those of a store, one act on a name at a time;
// what the configuration says stays as it says.

import type { StoredDefinition } from '../channels/stores/channel-store.ts';
import type { ChannelDefinition } from '../config/channel-definition.ts';
import { counted } from '../protocol/counted.ts';
import { PvaError } from '../protocol/errors.ts';
import { DEFAULT_LIMITS, type Limits } from '../protocol/limits.ts';
import { configuredType } from './configured-fields.ts';
import type { StoredChannels } from './stored-channels.ts';

/** Where created channels live, and what is not to be touched. */
export interface ChannelManagerOptions {
  /** The channels of a store; or how to open them, once the first is created. */
  readonly channels: StoredChannels | (() => Promise<StoredChannels>);
  /** Channels that the configuration defines: they are described, and destroyed only by whoever edits it. */
  readonly configured?: readonly ChannelDefinition[];
  readonly limits?: Limits;
}

/** A channel that has a definition. */
export interface ManagedChannel {
  readonly definition: StoredDefinition;
  /** Who defined it: `created` for whoever asked the server to, else `lab.toml:12` or `--pv`. */
  readonly origin: string;
}

/** The origin of a channel that was created at run time, by this server or by another one of its store. */
export const CREATED = 'created';

/** Creates, describes and destroys channels at run time. Give it to `Server.manage`; access rules say who may use it. */
export class ChannelManager {
  readonly #open: () => Promise<StoredChannels>;
  readonly #configured: ReadonlyMap<string, ChannelDefinition>;
  readonly #limits: Limits;
  /** Names with what is being done to them. */
  readonly #busy = new Map<string, 'created' | 'destroyed'>();
  /** Names that a store is being told of. */
  readonly #creating = new Set<string>();
  #channels: StoredChannels | undefined;
  #opening: Promise<StoredChannels> | undefined;

  constructor({ channels, configured = [], limits = DEFAULT_LIMITS }: ChannelManagerOptions) {
    this.#open = typeof channels === 'function' ? channels : () => Promise.resolve(channels);
    this.#channels = typeof channels === 'function' ? undefined : channels;
    this.#configured = new Map(configured.map((definition) => [definition.name, definition]));
    this.#limits = limits;
  }

  /** What the configuration and the store say of a channel; undefined where it has no definition. */
  async describe(name: string): Promise<ManagedChannel | undefined> {
    const configured = this.#configured.get(name);
    if (configured !== undefined) return describedOf(configured);
    const stored = this.#channels?.storedOf(name);
    return stored && { definition: stored.definition, origin: CREATED };
  }

  /** Every channel that has a definition, the configured ones first. */
  async list(): Promise<readonly ManagedChannel[]> {
    const configured = await Promise.all([...this.#configured.values()].map((definition) => describedOf(definition)));
    const others = [...(this.#channels?.definitions() ?? [])].filter(({ name }) => !this.#configured.has(name));
    return [...configured, ...others.map((definition) => ({ definition, origin: CREATED }))];
  }

  /**
   * Adds a channel; it is served when this resolves.
   * @throws PvaError that says why not: NAME_TAKEN, BUSY, TOO_MANY, what the store says
   */
  async create(definition: ChannelDefinition): Promise<ManagedChannel> {
    const { name } = definition;
    return this.#alone(name, 'created', async () => {
      const channels = await this.#opened();
      if (this.#configured.has(name) || channels.storedOf(name) !== undefined) throw taken(name);
      this.#requireRoom(name, channels);
      this.#creating.add(name);
      await channels.create(definition).finally(() => this.#creating.delete(name));
      const stored = channels.storedOf(name);
      if (stored === undefined) throw new PvaError('GONE', `channel '${name}' was destroyed as soon as it was created`);
      return { definition: stored.definition, origin: CREATED };
    });
  }

  /**
   * Ends a channel that was created, with its value in the store; its clients are told. Returns what it was.
   * @throws PvaError that says why not: NO_SUCH_CHANNEL, CONFIGURED, BUSY, what the store says
   */
  async destroy(name: string): Promise<ManagedChannel> {
    return this.#alone(name, 'destroyed', async () => {
      const configured = this.#configured.get(name);
      if (configured !== undefined) {
        const why = `it is in the configuration (${configured.origin}), and would be there again after a restart`;
        throw new PvaError('CONFIGURED', `channel '${name}' cannot be destroyed: ${why}`);
      }
      const stored = this.#channels?.storedOf(name);
      if (this.#channels === undefined || stored === undefined) throw noneCreated(name);
      const isDone = await this.#channels.store.destroy(name);
      if (!isDone) throw noneCreated(name);
      return { definition: stored.definition, origin: CREATED };
    });
  }

  /** One act on a name at a time: whoever comes in between is told what is under way, and nothing is left half done. */
  async #alone<R>(name: string, what: 'created' | 'destroyed', act: () => Promise<R>): Promise<R> {
    const underWay = this.#busy.get(name);
    if (underWay !== undefined) throw new PvaError('BUSY', `channel '${name}' is just being ${underWay}, try again`);
    this.#busy.set(name, what);
    try {
      return await act();
    } finally {
      this.#busy.delete(name);
    }
  }

  /** What is being created counts, or a burst would go past the limit. */
  #requireRoom(name: string, channels: StoredChannels): void {
    const { maxCreatedChannels: most } = this.#limits;
    if (channels.count + this.#creating.size < most) return;
    // Counted only where it matters. One is served a little before its creation is known to be done: it counts once. Those
    // of the configuration do not count.
    const coming = [...this.#creating].filter((each) => channels.storedOf(each) === undefined);
    const count = channels.count + coming.length;
    const configured = [...this.#configured.keys()].filter((key) => channels.storedOf(key) !== undefined);
    if (count - configured.length < most) return;
    throw new PvaError(
      'TOO_MANY',
      `channel '${name}': ${counted(most, 'channel was created', 'channels were created')}, no more are allowed`,
    );
  }

  async #opened(): Promise<StoredChannels> {
    this.#opening ??= this.#open();
    try {
      this.#channels = await this.#opening;
      return this.#channels;
    } catch (thrown) {
      // The next one tries again.
      this.#opening = undefined;
      throw thrown;
    }
  }
}

export function taken(name: string): PvaError {
  return new PvaError('NAME_TAKEN', `channel '${name}' cannot be created: the name is taken`);
}

function noneCreated(name: string): PvaError {
  return new PvaError('NO_SUCH_CHANNEL', `there is no channel '${name}' that was created`);
}

async function describedOf(configured: ChannelDefinition): Promise<ManagedChannel> {
  // Loaded late: it brings what reads TOML.
  const { settingsOf } = await import('../config/stored-settings.ts');
  const { name, origin } = configured;
  return { definition: { name, type: configuredType(configured), settings: settingsOf(configured) }, origin };
}
