// Does a store keep of a channel what its `persist` says: what clients put, what the server posts as well, or nothing?

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ChannelStore } from '../../src/channels/stores/channel-store.ts';
import { openEmbeddedStore } from '../../src/channels/stores/embedded/embedded-store.ts';
import { MemoryEngine, MemoryStore } from '../../src/channels/stores/memory-store.ts';
import { openRedisStore } from '../../src/channels/stores/redis/redis-store.ts';
import { eventually } from '../../src/channels/stores/suite/suite-support.ts';
import { SharedPV } from '../../src/channels/shared-pv.ts';
import type { ChannelDefinition } from '../../src/config/channel-definition.ts';
import { parsePvFlag } from '../../src/config/pv-flag.ts';
import { StoredChannels } from '../../src/server/stored-channels.ts';
import { ManualClock } from '../../src/transport/manual-clock.ts';
import { putTo } from '../support/put-to.ts';
import { RedisServer } from '../support/redis-server.ts';
import { watch } from '../support/watch.ts';

interface World extends AsyncDisposable {
  open(): Promise<ChannelStore>;
}

let redis: RedisServer;

beforeAll(async () => {
  redis = await RedisServer.start();
});

afterAll(async () => {
  await redis.close();
});

const WORLDS: readonly (readonly [name: string, isShared: boolean, make: () => Promise<World>])[] = [
  ['memory', true, memoryWorld],
  ['embedded', false, embeddedWorld],
  ['redis', true, redisWorld],
];

async function memoryWorld(): Promise<World> {
  const engine = new MemoryEngine();
  return { open: async () => new MemoryStore(engine), async [Symbol.asyncDispose]() {} };
}

async function embeddedWorld(): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), 'pvkit-posts-'));
  return { open: () => openEmbeddedStore(folder), [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
}

async function redisWorld(): Promise<World> {
  redis.cli('flushall');
  return { open: () => openRedisStore(redis.url), async [Symbol.asyncDispose]() {} };
}

function channel(text: string, persist: NonNullable<ChannelDefinition['persist']>): ChannelDefinition {
  const parsed = parsePvFlag(text);
  if (!parsed.ok) throw new Error(parsed.wrong);
  return { ...parsed.value, persist };
}

const ALL = channel('lab:all=double:1', 'all');

interface Node extends AsyncDisposable {
  readonly store: ChannelStore;
  readonly channels: StoredChannels;
  readonly clock: ManualClock;
  pv(name: string): SharedPV;
  stored(name: string): Promise<{ readonly revision: number; readonly value: unknown }>;
}

async function nodeOn(world: World, definitions: readonly ChannelDefinition[]): Promise<Node> {
  const store = await world.open();
  // Moved by hand: only `kept` and the first post of a while write at once.
  const clock = new ManualClock();
  const troubles: string[] = [];
  const channels = await StoredChannels.open(store, {
    definitions,
    clock,
    onNotice: (level, text) => level === 'error' && troubles.push(text),
  });
  return {
    store,
    channels,
    clock,
    pv(name) {
      const found = channels.open(name);
      if (!(found instanceof SharedPV)) throw new Error(`no ${name}`);
      // The type of its values is not known here.
      return found as SharedPV;
    },
    async stored(name) {
      const found = await store.read(name);
      if (found === undefined) throw new Error(`the store has no ${name}`);
      return { revision: found.revision, value: found.state.value['value'] };
    },
    async [Symbol.asyncDispose]() {
      channels.close();
      await store.close();
      expect(troubles).toEqual([]);
    },
  };
}

describe.each(WORLDS)('what is kept in the %s store', (_, isShared, makeWorld) => {
  it('is what clients put, with persist "puts": what the server posts is gone with it', async () => {
    await using world = await makeWorld();
    {
      await using node = await nodeOn(world, [channel('lab:x=double:1', 'puts')]);
      await putTo(node.pv('lab:x'), { value: 2 });
      node.pv('lab:x').post({ value: 3 });
      await node.channels.kept();
      expect(node.pv('lab:x').state.value['value']).toBe(3);
      expect(await node.stored('lab:x')).toEqual({ revision: 1, value: 2 });
    }
  });

  it('is nothing, with persist "none"', async () => {
    await using world = await makeWorld();
    await using node = await nodeOn(world, [channel('lab:x=double:1', 'none')]);
    await putTo(node.pv('lab:x'), { value: 2 });
    node.pv('lab:x').post({ value: 3 });
    await node.channels.kept();
    expect(node.pv('lab:x').state.value['value']).toBe(3);
    expect(await node.stored('lab:x')).toEqual({ revision: 0, value: 0 });
  });

  it('is what clients put and what the server posts, with persist "all", and it is there after a restart', async () => {
    await using world = await makeWorld();
    {
      await using node = await nodeOn(world, [ALL]);
      await putTo(node.pv('lab:all'), { value: 2 });
      expect(await node.stored('lab:all')).toEqual({ revision: 1, value: 2 });
      node.pv('lab:all').post({ value: 3 });
      await node.channels.kept();
      expect(await node.stored('lab:all')).toEqual({ revision: 2, value: 3 });
    }
    await using again = await nodeOn(world, []);
    expect(again.pv('lab:all').state.value['value']).toBe(3);
  });

  it('is the newest of many posts, in few writes, and their echo sets nothing back', async () => {
    await using world = await makeWorld();
    await using node = await nodeOn(world, [ALL]);
    const pv = node.pv('lab:all');
    const seen = watch(pv);
    for (let value = 1; value <= 1_000; value++) pv.post({ value });
    await node.channels.kept();
    expect(await node.stored('lab:all')).toEqual({ revision: 2, value: 1_000 });
    expect(seen.values()).toEqual(Array.from({ length: 1_000 }, (_value, index) => index + 1));
  });

  it('comes into the store ten times a second, whatever is posted between', async () => {
    await using world = await makeWorld();
    await using node = await nodeOn(world, [ALL]);
    const revision = async (): Promise<number> => (await node.stored('lab:all')).revision;
    let told = 0;
    node.store.watch({ defined() {}, destroyed() {}, health() {}, changed: () => told++ });
    node.pv('lab:all').post({ value: 1 });
    await eventually('the first post in the store', () => told === 1);
    for (let tenth = 1; tenth <= 5; tenth++) {
      for (let ms = 0; ms < 99; ms++) {
        node.pv('lab:all').post({ value: tenth * 1_000 + ms });
        await node.clock.advanceAsync(1);
      }
      expect(await revision()).toBe(tenth);
      await node.clock.advanceAsync(1);
      await eventually('the post after a tenth of a second', () => told === tenth + 1);
      expect((await node.stored('lab:all')).value).toBe(tenth * 1_000 + 98);
    }
  });

  if (!isShared) return;

  it('comes to the other servers, and whoever writes last is right on all of them', async () => {
    await using world = await makeWorld();
    await using one = await nodeOn(world, [ALL]);
    await using other = await nodeOn(world, []);
    const pv = one.pv('lab:all');
    const theirs = other.pv('lab:all');
    pv.post({ value: 5 });
    await one.channels.kept();
    await eventually('the post on the other server', () => theirs.state.value['value'] === 5);
    await putTo(theirs, { value: 6 });
    await eventually('the put on the server that posted', () => pv.state.value['value'] === 6);

    for (let round = 10; round < 60; round++) {
      pv.post({ value: round });
      // While the post is on its way, so that each may come first.
      await Promise.all([putTo(theirs, { value: -round }), one.channels.kept()]);
    }
    const { value } = await one.stored('lab:all');
    for (const each of [pv, theirs]) await eventually('the last value', () => each.state.value['value'] === value);
    expect([59, -59]).toContain(value);
  });
});
