// A Redis that answers when the test says so, what it says of the channel `pv`, and the parts of the store that ask it.

import { hashedDefinition, type HashedChannel } from '../../src/channels/stores/redis/channel-hash.ts';
import type { RedisClient } from '../../src/channels/stores/redis/redis-client.ts';
import { RedisKeys } from '../../src/channels/stores/redis/redis-keys.ts';
import { Replicas, type ReplicaOptions } from '../../src/channels/stores/redis/replicas.ts';
import { Recorder } from '../../src/channels/stores/suite/suite-support.ts';
import { Watchers } from '../../src/channels/stores/watchers.ts';
import { BitSet } from '../../src/protocol/bit-set.ts';
import { double, structure } from '../../src/protocol/types/type-desc.ts';

export const KEYS = new RedisKeys('pvkit:');

const DEFINITION = { name: 'pv', type: structure({ value: double }), settings: {} };

/** Behind what all writes of a batch have in common. */
const WRITES_AT = 4;

/** What was asked and is not answered, unless the test did so. */
export interface Asked {
  /** The keys, by a space. */
  readonly key: string;
  readonly args: readonly unknown[];
  readonly answer: (reply: unknown) => void;
  readonly refuse: (error: Error) => void;
}

export function makeRedis() {
  const asked: Asked[] = [];
  const ask = (key: string, args: readonly unknown[]): Promise<unknown> =>
    new Promise((answer, refuse) => {
      asked.push({ key, args, answer, refuse });
    });
  const fake = {
    isUp: true,
    isCluster: false,
    reason: 'it was cut off',
    run: (_script: unknown, key: string, args: readonly unknown[]) => ask(key, args),
    runOnKeys: (_script: unknown, keys: readonly string[], args: readonly unknown[]) => ask(keys.join(' '), args),
    call: (command: string, key: string) => ask(`${command} ${key}`, []),
  };
  // What the code under test calls of it; a real one opens connections.
  return { asked, fake, client: fake as unknown as RedisClient };
}

export function makeReplicas({
  checkStore = () => Promise.resolve(),
  ownChange = () => undefined,
}: Partial<Pick<ReplicaOptions, 'checkStore' | 'ownChange'>> = {}) {
  const redis = makeRedis();
  const recorder = new Recorder();
  const watchers = new Watchers();
  watchers.add(recorder);
  const warnings: string[] = [];
  const told: number[] = [];
  const replicas = new Replicas({
    client: redis.client,
    keys: KEYS,
    watchers,
    ownChange,
    told: ({ revision }) => told.push(revision),
    caughtUp: () => undefined,
    checkStore,
    warn: (text) => warnings.push(text),
  });
  return { ...redis, warnings, told, recorder, replicas };
}

export function channelAt(revision: number): HashedChannel {
  const { digest } = hashedDefinition(DEFINITION);
  const state = { changed: BitSet.of(1), value: { value: revision } };
  return { definition: DEFINITION, revision, state, digest, made: 'define:me:1', last: `me:${revision}` };
}

/** What the script for reading says of a channel that there is not. */
export const NO_CHANNEL: readonly Uint8Array[] = [Buffer.from('none')];

/** The channel as the script for reading gives it. */
export function hashAt(revision: number, made = 'define:me:1'): readonly Uint8Array[] {
  const { text, digest } = hashedDefinition(DEFINITION);
  const fields = { definition: text, digest, revision: String(revision), made, last: `me:${revision}` };
  const parts = Object.entries(fields).flat();
  return [Buffer.from(`${parts.map(({ length }) => length).join(' ')}\n${parts.join('')}`)];
}

/** As the scripts publish it (change-message.ts): this write set the value to its revision. */
export function changeTo(revision: number, writer = 'me'): Uint8Array {
  const key = KEYS.channel('pv');
  const leaf = Buffer.alloc(8);
  leaf.writeDoubleBE(revision);
  const head = `changed ${writer}:${revision} me:${revision - 1} ${revision} 0 ${key.length} 13 5 8`;
  return Buffer.concat([Buffer.from(`${head}\n${key}value`), leaf]);
}

/** The number of a write of a batch, as the script is told it; undefined where nothing was asked. */
export function numberOf(asked: Asked | undefined, index = 0): number | undefined {
  const said = asked?.args[WRITES_AT + index];
  return typeof said === 'string' ? Number(said.split(' ')[1]) : undefined;
}

/** Lets every promise settle that can. */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
