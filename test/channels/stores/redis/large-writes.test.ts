// Does a large value reach every server, and cost none of them its connection?

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ChannelStore } from '../../../../src/channels/stores/channel-store.ts';
import { RedisClient } from '../../../../src/channels/stores/redis/redis-client.ts';
import { openRedisStore } from '../../../../src/channels/stores/redis/redis-store.ts';
import { parseRedisUrl } from '../../../../src/channels/stores/redis/redis-url.ts';
import { eventually, Recorder } from '../../../../src/channels/stores/suite/suite-support.ts';
import { BitSet } from '../../../../src/protocol/bit-set.ts';
import { STORE_LIMITS } from '../../../../src/protocol/limits.ts';
import { arrayOf, structure, ubyte } from '../../../../src/protocol/types/type-desc.ts';
import { systemClock } from '../../../../src/transport/clocks.ts';
import { hitsLimit } from '../../../support/hits-limit.ts';
import { RedisServer } from '../../../support/redis-server.ts';

const IMAGE = { name: 'image', type: structure({ value: arrayOf(ubyte) }), settings: {} };
/** The path of the only leaf, and the five bytes that say how long it is. */
const OVERHEAD_BYTES = 'value'.length + 5;

let redis: RedisServer;

beforeAll(async () => {
  redis = await RedisServer.start();
});

afterAll(async () => {
  await redis.close();
});

function imageOf(byteCount: number, pixel = 7) {
  return { changed: BitSet.of(1), value: { value: new Uint8Array(byteCount).fill(pixel) } };
}

/** How many it has, and which one where they are all the same: to compare them one by one takes the test a minute. */
function pixelsOf(recorder: Recorder): readonly unknown[] {
  const value = recorder.valueOf('image')?.['value'];
  if (!(value instanceof Uint8Array)) return [];
  return [value.length, value.every((pixel) => pixel === value[0]) ? value[0] : undefined];
}

class Node {
  readonly recorder = new Recorder();
  readonly health: boolean[] = [];
  readonly store: ChannelStore;

  constructor(store: ChannelStore) {
    this.store = store;
    store.watch(this.recorder);
    store.watch({
      defined: () => undefined,
      destroyed: () => undefined,
      changed: () => undefined,
      health: ({ isConnected }) => this.health.push(isConnected),
    });
  }
}

async function onNodes(act: (one: Node, other: Node) => Promise<void>): Promise<void> {
  redis.cli('flushall');
  const nodes = [new Node(await openRedisStore(redis.url)), new Node(await openRedisStore(redis.url))] as const;
  try {
    await nodes[0].store.define(IMAGE);
    await eventually('the other knows it', () => nodes[1].recorder.channels.length > 0);
    await act(...nodes);
  } finally {
    for (const { store } of nodes) await store.close();
  }
}

describe('a value that Redis would not let wait for who hears of changes', () => {
  it('is shown by the server that wrote it when it is acknowledged, and by the others, on the same connections', async () => {
    redis.cli('config', 'set', 'client-output-buffer-limit', 'pubsub 2mb 2mb 60');
    await onNodes(async (one, other) => {
      for (const revision of [1, 2]) {
        expect(await one.store.write('image', imageOf(4_000_000, revision))).toBe(revision);
        expect(one.recorder.events.at(-1)).toBe(`changed image ${revision}`);
        await eventually('the other shows it', () => other.recorder.changes.at(-1)?.revision === revision);
        for (const { recorder } of [one, other]) expect(pixelsOf(recorder)).toEqual([4_000_000, revision]);
      }
      expect([one.health, other.health]).toEqual([[], []]);
    });
  });
});

describe('what is told of a write', () => {
  it.each([
    ['has its value, up to the limit', STORE_LIMITS.maxToldBytes, /^changed .* 5 \d+\n/su],
    [
      'and has more bytes, is only that it is to be read',
      STORE_LIMITS.maxToldBytes + 1,
      /^defined [^\n]*\n\S*image$/su,
    ],
  ])('%s', async (_what, byteCount, form) => {
    hitsLimit('maxToldBytes');
    await onNodes(async (one, other) => {
      const heard: string[] = [];
      const client = new RedisClient(
        parseRedisUrl(redis.url),
        'pvkit:changes',
        { up: () => {}, down: () => {}, message: (bytes) => heard.push(Buffer.from(bytes).toString('latin1')) },
        systemClock,
      );
      try {
        await eventually('it hears', () => client.isUp);
        await one.store.write('image', imageOf(byteCount - OVERHEAD_BYTES));
        await eventually('it is told', () => heard.length > 0);
        await eventually('the other shows it', () => other.recorder.changes.length === 1);
        expect(heard[0]).toMatch(form);
        expect(other.recorder.changes[0]?.update.value['value']).toHaveLength(byteCount - OVERHEAD_BYTES);
      } finally {
        client.close();
      }
    });
  });
});
