// What has to be done when a connection is there again? Everything that may have been missed is read again; and where
// the store has lost all its data, what this process knows is put back.

import { randomUUID } from 'node:crypto';
import { reasonOf } from '../../../protocol/errors.ts';
import type { Clock } from '../../../transport/clocks.ts';
import { StoreError } from '../store-error.ts';
import type { ActId } from './change-message.ts';
import { hashedDefinition, leafFields } from './channel-hash.ts';
import type { RedisClient } from './redis-client.ts';
import { away, errorOf, isRefusal } from './redis-errors.ts';
import type { RedisKeys } from './redis-keys.ts';
import { partsIn, textIn } from './redis-reply.ts';
import type { Replicas } from './replicas.ts';
import { restoreScript } from './scripts/define.ts';
import { openScript } from './scripts/open.ts';
import { Turnstile } from './turnstile.ts';

/** Moves when what is in Redis, or is published, can no longer be read by those who wrote it before. */
const STORE_FORMAT = 1;
const MAX_RESTORES = 256;
const RETRY_MS = 1_000;

export interface ResyncOptions {
  readonly client: RedisClient;
  readonly keys: RedisKeys;
  readonly clock: Clock;
  readonly replicas: Replicas;
  readonly newAct: (kind: 'restore') => ActId;
  readonly warn: (text: string) => void;
}

export class Resync {
  readonly #options: ResyncOptions;
  #storeId = '';
  #rounds = 0;

  constructor(options: ResyncOptions) {
    this.#options = options;
  }

  /** Looks whose store it is. @throws StoreError STORE_FORMAT when it is not one that can be read */
  async begin(): Promise<void> {
    this.#storeId = await this.#identify();
  }

  /** Whether it is still the store that it was. Rejects when Redis does not answer, or will not say. */
  async isSame(): Promise<boolean> {
    const { client, keys } = this.#options;
    try {
      return textIn(await client.call('hget', keys.store, 'id')) === this.#storeId;
    } catch (thrown) {
      // Something else may be in its place by now.
      if (isRefusal(thrown) && (await errorOf(thrown, client, keys.store)).reason === 'STORE_FORMAT') return false;
      throw thrown;
    }
  }

  /** Every channel that there is by its name, in pages; a name may come twice. */
  async *names(): AsyncGenerator<readonly string[]> {
    const { client, keys } = this.#options;
    for await (const page of client.keys(keys.channelPattern)) {
      yield page.flatMap((key) => keys.nameOf(key) ?? []);
    }
  }

  /**
   * `isOurs` is called once it is known that it is the store that it was, or has become that again; then all is read.
   * Never rejects: when the connection is lost again, the next one begins anew.
   */
  async again(isOurs: () => void): Promise<void> {
    const { client, clock, replicas, warn } = this.#options;
    const round = ++this.#rounds;
    const isOver = (): boolean => round !== this.#rounds || !client.isUp;
    try {
      const id = await this.#identify();
      if (id !== this.#storeId) await this.#putBack();
      if (isOver()) return;
      this.#storeId = id;
      replicas.believe();
      isOurs();
      await this.#readAll(isOver);
    } catch (thrown) {
      if (isOver()) return;
      const reason = reasonOf(thrown);
      warn(reason);
      clock.after(RETRY_MS, () => isOver() || client.reconnect(reason));
    }
  }

  async #readAll(isOver: () => boolean): Promise<void> {
    const { replicas, warn } = this.#options;
    const found = new Set<string>();
    const readEach = async (names: readonly string[]): Promise<void> => {
      const faults = await replicas.readAll(
        names.filter((name) => !replicas.isFresh(name)),
        true,
      );
      // One damaged channel is not to keep the others from being read.
      for (const [, { message }] of faults) warn(message);
    };
    for await (const names of this.names()) {
      if (isOver()) return;
      for (const name of names) found.add(name);
      await readEach(names);
    }
    // SCAN finds all that is there all the time: these are gone.
    if (!isOver()) await readEach(replicas.names().filter((name) => !found.has(name)));
  }

  /**
   * The id of the store is another: it has lost its data, or is another store. What this process knows was acknowledged,
   * so it goes there again, except where a channel has been written since.
   */
  async #putBack(): Promise<void> {
    const { client, keys, replicas, newAct, warn } = this.#options;
    const turnstile = new Turnstile(MAX_RESTORES);
    const done = await Promise.all(
      replicas.names().map((name) =>
        turnstile.pass(async () => {
          const channel = replicas.get(name);
          if (channel === undefined) return false;
          const { definition, revision, made, state } = channel;
          const { text, digest } = hashedDefinition(definition);
          const leaves = leafFields(definition.type, state);
          const args = [text, digest, newAct('restore'), keys.changes, revision, made, ...leaves];
          return (await client.run(restoreScript, keys.channel(name), args)) === 1;
        }),
      ),
    );
    const count = done.filter(Boolean).length;
    warn(
      `the store came back without its data; ${count} of ${done.length} channels were put back as this server has them`,
    );
  }

  async #identify(): Promise<string> {
    const { client, keys } = this.#options;
    const asked = client.run(openScript, keys.store, [STORE_FORMAT, randomUUID(), keys.changes]);
    const reply = await asked.catch(async (thrown: unknown) => {
      throw await errorOf(thrown, client, keys.store);
    });
    const [format = '', id = ''] = partsIn(reply).map(textIn);
    if (format === 'silent') throw away(`it does not let this user publish to '${keys.changes}': ${id}`);
    if (!/^\d+$/u.test(format) || id === '') {
      throw new StoreError('STORE_FORMAT', `the key '${keys.store}' is not ours: it has no format and id`);
    }
    if (Number(format) > STORE_FORMAT) {
      const known = `this version of pvkit reads up to ${STORE_FORMAT}`;
      throw new StoreError('STORE_FORMAT', `the store at '${keys.store}' is of format ${format}; ${known}`);
    }
    return id;
  }
}
