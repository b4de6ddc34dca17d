// Does a server get its connections to Redis, whatever stands in the way, and as soon as they can be had?

import { afterEach, describe, expect, it } from 'vitest';
import { RedisClient } from '../../../../src/channels/stores/redis/redis-client.ts';
import { parseRedisUrl } from '../../../../src/channels/stores/redis/redis-url.ts';
import { eventually } from '../../../../src/channels/stores/suite/suite-support.ts';
import { systemClock } from '../../../../src/transport/clocks.ts';
import { bulk, FakeRedis, loadingFor, type FakeAnswer } from '../../../support/fake-redis.ts';
import { freePort } from '../../../support/redis-server.ts';

const opened: { close(): unknown }[] = [];

afterEach(async () => {
  for (const one of opened.splice(0).toReversed()) await one.close();
});

async function startFake(answer?: FakeAnswer): Promise<FakeRedis> {
  const fake = await FakeRedis.start(answer);
  opened.push(fake);
  return fake;
}

function connect(url: string) {
  const told: string[] = [];
  const client = new RedisClient(
    parseRedisUrl(url),
    'pvkit:changes',
    { up: () => told.push('up'), down: (reason) => told.push(reason), message: () => undefined },
    systemClock,
  );
  opened.push(client);
  return { client, told };
}

const upOnce = async (client: RedisClient): Promise<void> => eventually('it is connected', () => client.isUp);

describe('a Redis that loads its data', () => {
  it('is used as soon as it has done so, however long it guessed that it would take', async () => {
    let hasLoaded = false;
    const fake = await startFake(([name]) => (name === 'info' && !hasLoaded ? loadingFor(9) : undefined));
    const { client } = connect(`redis://127.0.0.1:${fake.port}`);
    await eventually('both were told', () => fake.asked.filter((name) => name === 'info').length >= 2);
    expect(client.isUp).toBe(false);
    expect(client.reason).toMatch(/loading its data/u);
    hasLoaded = true;
    await upOnce(client);
  });
});

describe('a connection that is taken and then says nothing', () => {
  it.each([
    ['from the first word on', 'hello', 2],
    ['to SUBSCRIBE', 'subscribe', 1],
  ])('%s is given up, and the next one works', async (_when, silentFrom, count) => {
    let isHole = false;
    let swallowedCount = 0;
    const fake = await startFake(([name = '']) => {
      if (!isHole || (silentFrom !== 'hello' && name !== silentFrom)) return undefined;
      if (name === silentFrom) swallowedCount++;
      return '';
    });
    const { client } = connect(`redis://127.0.0.1:${fake.port}`);
    await upOnce(client);
    isHole = true;
    fake.drop();
    await eventually('nobody answers', () => swallowedCount === count);
    expect(client.isUp).toBe(false);
    // Whoever connects from now on is answered.
    isHole = false;
    await upOnce(client);
  });
});

describe('a connection that has worked', () => {
  it('is lost 3 s after something was asked and nothing came, and nothing more is sent on it', async () => {
    let isHanging = false;
    const fake = await startFake(() => (isHanging ? '' : undefined));
    const { client, told } = connect(`redis://127.0.0.1:${fake.port}`);
    await upOnce(client);
    isHanging = true;
    const start = systemClock.now();
    await expect(client.ping()).rejects.toThrow();
    expect(client.isUp).toBe(false);
    expect(systemClock.now() - start).toBeLessThan(4_000);
    expect(told).toEqual(['up', 'it has not answered for 3 s']);
  });
});

describe('a connection that is dropped', () => {
  it('is said to be lost, not to be on its way', async () => {
    const fake = await startFake();
    const { client, told } = connect(`redis://127.0.0.1:${fake.port}`);
    await upOnce(client);
    fake.drop();
    await eventually('it is known', () => told.length > 1);
    expect(told.slice(0, 2)).toEqual(['up', 'the connection was lost']);
  });
});

describe('with Sentinels', () => {
  it('a connection that is dropped while they are asked is made all the same', async () => {
    const redis = await startFake();
    let isSilent = true;
    const address = `*2\r\n${bulk('127.0.0.1')}${bulk(String(redis.port))}`;
    const sentinel = await startFake(([name, act]) => {
      if (name !== 'sentinel') return undefined;
      if (isSilent) return '';
      return act === 'get-master-addr-by-name' ? address : '*0\r\n';
    });
    const { client } = connect(`redis+sentinel://127.0.0.1:${sentinel.port},127.0.0.1:${await freePort()}/m`);
    await eventually('it asks', () => sentinel.asked.includes('sentinel'));
    client.reconnect('it answered: BUSY');
    expect(client.isUp).toBe(false);
    isSilent = false;
    await upOnce(client);
  });
});
