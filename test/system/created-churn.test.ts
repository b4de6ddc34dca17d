// Is nothing left of channels that were created and destroyed, ten thousand of them, in any store?
//
//   PVKIT_CHURN=100000 npx vitest run test/system/created-churn.test.ts      more, with the figures printed

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ChannelStore } from '../../src/channels/stores/channel-store.ts';
import { openEmbeddedStore } from '../../src/channels/stores/embedded/embedded-store.ts';
import { MemoryStore } from '../../src/channels/stores/memory-store.ts';
import { openRedisStore } from '../../src/channels/stores/redis/redis-store.ts';
import { CallArguments } from '../../src/server/call-arguments.ts';
import { ChannelManager } from '../../src/server/channel-manager.ts';
import { definitionFromArguments } from '../../src/server/create-arguments.ts';
import { StoredChannels } from '../../src/server/stored-channels.ts';
import { DEFAULT_LIMITS } from '../../src/protocol/limits.ts';
import { plainArguments } from '../support/manage-client.ts';
import { RedisServer } from '../support/redis-server.ts';

const COUNT = Number(process.env['PVKIT_CHURN'] ?? 10_000);
const WARM_UP = 2_000;
/** Channels that are under way at a time. */
const AT_ONCE = 100;
const MEBI = 1024 * 1024;
/** What the heap may differ by, whatever is done: compiled code, the collector's own book-keeping. */
const NOISE_BYTES = 3 * MEBI;

setFlagsFromString('--expose-gc');

async function usedBytes(): Promise<number> {
  for (let round = 0; round < 5; round++) {
    runInNewContext('gc()');
    await new Promise(setImmediate);
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

let redis: RedisServer;
let folder = '';
const closing: (() => unknown)[] = [];

beforeAll(async () => {
  redis = await RedisServer.start();
  folder = mkdtempSync(join(tmpdir(), 'pvkit-churn-'));
});
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});
afterAll(async () => {
  await redis.close();
  rmSync(folder, { recursive: true });
});

/** Every tenth is of a type that no other channel has. */
function argumentsOf(number: number): CallArguments {
  const field = { name: `field${number}`, type: 'double[]' };
  const type = number % 10 === 0 ? JSON.stringify({ kind: 'structure', id: '', fields: [field] }) : 'double';
  return new CallArguments(plainArguments({ type }));
}

async function churn(manager: ChannelManager, channels: StoredChannels, from: number, count: number): Promise<void> {
  for (let first = from; first < from + count; first += AT_ONCE) {
    const numbers = Array.from({ length: AT_ONCE }, (_, index) => first + index);
    await Promise.all(
      numbers.map((number) =>
        manager.create(definitionFromArguments(`churn:${number}`, argumentsOf(number), DEFAULT_LIMITS)),
      ),
    );
    expect(channels.count).toBe(AT_ONCE);
    await Promise.all(numbers.map((number) => manager.destroy(`churn:${number}`)));
    expect(channels.count).toBe(0);
  }
}

const STORES: readonly (readonly [string, () => Promise<ChannelStore>])[] = [
  ['memory', () => Promise.resolve(new MemoryStore())],
  ['embedded', () => openEmbeddedStore(folder)],
  ['redis', () => openRedisStore(redis.url)],
];

describe(`${COUNT} channels that are created and destroyed`, () => {
  it.each(STORES)('leave nothing in the %s store, and no memory', { timeout: 60_000 + COUNT * 20 }, async (_, open) => {
    const store = await open();
    closing.push(() => store.close());
    const channels = await StoredChannels.open(store);
    closing.push(() => channels.close());
    const manager = new ChannelManager({ channels });
    await churn(manager, channels, 0, WARM_UP);
    const before = await usedBytes();
    const start = performance.now();
    await churn(manager, channels, WARM_UP, COUNT);
    const ms = performance.now() - start;
    const grown = (await usedBytes()) - before;
    if (process.env['PVKIT_CHURN'] !== undefined) {
      const rate = Math.round((COUNT / ms) * 1_000);
      console.log(`${store.kind}: ${rate} channels/s created and destroyed, ${(grown / MEBI).toFixed(2)} MiB more`);
    }
    expect(grown).toBeLessThan(NOISE_BYTES);
    expect([...channels.names()]).toEqual([]);
    for await (const { definition } of store.scan()) expect.unreachable(definition.name);
    if (store.kind === 'redis') expect(redis.cli('--scan', '--pattern', '*churn*').trim()).toBe('');
  });
});
