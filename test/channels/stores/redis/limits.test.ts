// What does a node keep of a store that others share, and what becomes of the rest? Against a Redis in the test's hands.

import { describe, expect, it, vi } from 'vitest';
import { NodeRegistry } from '../../../../src/channels/stores/redis/node-registry.ts';
import { RedisClock } from '../../../../src/channels/stores/redis/redis-clock.ts';
import { WriteQueue } from '../../../../src/channels/stores/redis/write-queue.ts';
import { BitSet } from '../../../../src/protocol/bit-set.ts';
import type * as Limits from '../../../../src/protocol/limits.ts';
import { STORE_LIMITS } from '../../../../src/protocol/limits.ts';
import { ManualClock } from '../../../../src/transport/manual-clock.ts';
import { hitsLimit } from '../../../support/hits-limit.ts';
import {
  changeTo,
  channelAt,
  hashAt,
  KEYS,
  makeRedis,
  makeReplicas,
  NO_CHANNEL,
  turn,
} from '../../../support/redis-by-hand.ts';

// As many writes as fit take seconds to make; the limit is the same one, read from the same place.
vi.mock('../../../../src/protocol/limits.ts', async (original) => {
  const limits = await original<typeof Limits>();
  return { ...limits, STORE_LIMITS: { ...limits.STORE_LIMITS, maxQueuedWrites: 1_000 } };
});

describe('a channel that is read while it changes', () => {
  it.each([
    ['with as many changes as are held takes them up', STORE_LIMITS.maxHeldChanges, false],
    ['with one more is read again', STORE_LIMITS.maxHeldChanges + 1, true],
  ])('%s', async (_what, count, isReadAgain) => {
    hitsLimit('maxHeldChanges');
    const { asked, replicas, told } = makeReplicas();
    const reading = replicas.read('pv');
    for (let revision = 1; revision <= count; revision++) replicas.receive(changeTo(revision));
    asked[0]?.answer(hashAt(0));
    await turn();
    expect(asked).toHaveLength(isReadAgain ? 2 : 1);
    asked[1]?.answer(hashAt(count));
    await expect(reading).resolves.toMatchObject({ revision: count });
    // Every change was told one by one, or the whole when it had been read again.
    expect(told).toHaveLength(isReadAgain ? 0 : count);
  });
});

describe('channels that are read', () => {
  it('one by one are asked for by a few calls at once, the others after them', async () => {
    hitsLimit('maxReads');
    const { maxReads } = STORE_LIMITS;
    const { asked, replicas } = makeReplicas();
    const all = Promise.all(Array.from({ length: maxReads + 2 }, (_, index) => replicas.read(`pv${index}`)));
    await turn();
    expect(asked).toHaveLength(maxReads);
    asked[0]?.answer(NO_CHANNEL);
    await turn();
    expect(asked.map(({ key }) => key).slice(maxReads)).toEqual([KEYS.channel(`pv${maxReads}`)]);
    for (const { answer } of asked) answer(NO_CHANNEL);
    await turn();
    expect(asked).toHaveLength(maxReads + 2);
    asked.at(-1)?.answer(NO_CHANNEL);
    expect((await all).every((channel) => channel === undefined)).toBe(true);
  });

  it('together are asked for a few hundred in one call', async () => {
    hitsLimit('maxChannelsPerRead');
    const { maxChannelsPerRead } = STORE_LIMITS;
    const { asked, replicas } = makeReplicas();
    const names = Array.from({ length: maxChannelsPerRead + 1 }, (_, index) => `pv${index}`);
    const reading = replicas.readAll(names);
    await turn();
    expect(asked.map(({ key }) => key.split(' ').length)).toEqual([maxChannelsPerRead, 1]);
    for (const { key, answer } of asked) answer(key.split(' ').flatMap(() => NO_CHANNEL));
    expect(await reading).toEqual([]);
  });

  it('and have more bytes than one answer is to have are asked for again', async () => {
    hitsLimit('maxReadBytes');
    const { asked, replicas } = makeReplicas();
    const reading = replicas.readAll(['a', 'b', 'c']);
    await turn();
    expect(asked[0]?.args).toEqual([STORE_LIMITS.maxReadBytes]);
    const later = Buffer.from('later');
    asked[0]?.answer([...NO_CHANNEL, later, later]);
    await turn();
    expect(asked[1]?.key).toBe([KEYS.channel('b'), KEYS.channel('c')].join(' '));
    asked[1]?.answer([...NO_CHANNEL, ...NO_CHANNEL]);
    expect(await reading).toEqual([]);
  });
});

describe('servers of one store', () => {
  it('are looked at up to a thousand', async () => {
    hitsLimit('maxNodes');
    const { asked, client } = makeRedis();
    const clock = new ManualClock();
    const registry = new NodeRegistry({ own: 'me', client, keys: KEYS, clock, redisClock: new RedisClock(clock) });
    const beat = registry.beat();
    const node = (index: number) => [Buffer.from(`node${String(index).padStart(5, '0')}`), Buffer.from('{}')];
    asked[0]?.answer([0, ...Array.from({ length: STORE_LIMITS.maxNodes + 5 }, (_, index) => node(index)).flat()]);
    await beat;
    expect(registry.alive).toHaveLength(STORE_LIMITS.maxNodes);
    expect(registry.alive.at(-1)).toMatchObject({ id: 'node00999' });
    registry.close();
  });
});

describe('writes that are not acknowledged', () => {
  it('are refused at once past the limit, and taken again when there is room', async () => {
    hitsLimit('maxQueuedWrites');
    const { maxQueuedWrites } = STORE_LIMITS;
    const { asked, client, replicas, warnings } = makeReplicas();
    const clock = new ManualClock();
    const queue = new WriteQueue({
      client,
      keys: KEYS,
      replicas,
      redisClock: new RedisClock(clock),
      clock,
      writer: 'me',
      warn: (text) => warnings.push(text),
      askTime: () => Promise.resolve(),
      answered: () => undefined,
    });
    const change = { changed: BitSet.of(1), value: { value: 1 } };
    const channel = channelAt(0);
    const written: Promise<unknown>[] = [];
    for (let index = 0; index < maxQueuedWrites; index++) written.push(queue.send(channel, change, undefined));
    const outcomes = Promise.allSettled(written);
    expect(queue.length).toBe(maxQueuedWrites);
    expect(() => queue.send(channel, change, undefined)).toThrow(
      `${maxQueuedWrites} writes are waiting for it already`,
    );
    await clock.advanceAsync(0);
    // The first batch is answered and its writes are told: there is room for as many.
    const count = asked[0]?.key.split(' ').length ?? 0;
    asked[0]?.answer(Array.from({ length: count }, (_, index) => index + 1));
    await turn();
    queue.told('pv', count);
    expect(queue.length).toBe(maxQueuedWrites - count);
    const late = queue.send(channel, change, undefined);
    const lateOutcome = Promise.allSettled([late]);
    queue.close();
    // What is not answered when the store is closed has an uncertain end, and says so.
    expect((await outcomes).filter(({ status }) => status === 'fulfilled')).toHaveLength(count);
    expect(await lateOutcome).toMatchObject([{ status: 'rejected', reason: { reason: 'STORE_UNCERTAIN' } }]);
  });
});
