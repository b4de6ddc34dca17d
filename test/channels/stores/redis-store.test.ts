// Does the redis store keep the contract, on a real Redis?
import { afterAll, beforeAll, describe, it } from 'vitest';
import { openRedisStore } from '../../../src/channels/stores/redis/redis-store.ts';
import { channelStoreSuite } from '../../../src/testing.ts';
import { RedisServer } from '../../support/redis-server.ts';

let redis: RedisServer;

beforeAll(async () => {
  redis = await RedisServer.start();
});

afterAll(async () => {
  await redis.close();
});

describe('the redis store', () => {
  channelStoreSuite({
    test: it,
    makeWorld: () => {
      redis.cli('flushall');
      return { open: () => openRedisStore(redis.url), isShared: true, isDurable: true, dispose: async () => {} };
    },
  });
});
