// Is the clock of Redis known well enough to say when a write comes too late, whatever happens to the answers?

import { expect, it } from 'vitest';
import { RedisClock } from '../../../../src/channels/stores/redis/redis-clock.ts';
import { ManualClock } from '../../../../src/transport/manual-clock.ts';

const AHEAD_MS = 1_000_000;

/** Asks a Redis that is ahead by so much, and answers after `beforeMs`; the answer is read `afterMs` later. */
async function ask(world: ReturnType<typeof makeClock>, beforeMs: number, afterMs: number, aheadMs = AHEAD_MS) {
  const sentAt = world.clock.now();
  await world.clock.advanceAsync(beforeMs);
  const said = world.clock.now() + aheadMs;
  await world.clock.advanceAsync(afterMs);
  world.redis.set(said, sentAt);
  return world.redis.now() - world.clock.now() - AHEAD_MS;
}

function makeClock() {
  const clock = new ManualClock();
  return { clock, redis: new RedisClock(clock) };
}

it('an answer that is read seconds late does not put it back', async () => {
  const world = makeClock();
  expect(Math.abs(await ask(world, 1, 1))).toBeLessThanOrEqual(1);
  expect(Math.abs(await ask(world, 1, 4_000))).toBeLessThanOrEqual(1);
  expect(Math.abs(await ask(world, 4_000, 1))).toBeLessThanOrEqual(1);
});

it('the next answer mends what the first one, read late, could not know', async () => {
  const world = makeClock();
  await ask(world, 1, 4_000);
  expect(Math.abs(await ask(world, 1, 1))).toBeLessThanOrEqual(1);
});

it('follows a clock that is set, and one that runs a little otherwise', async () => {
  const world = makeClock();
  await ask(world, 1, 1);
  expect(Math.abs((await ask(world, 1, 1, AHEAD_MS + 5_000)) - 5_000)).toBeLessThanOrEqual(1);
  expect(Math.abs((await ask(world, 1, 1, AHEAD_MS + 4_990)) - 4_990)).toBeLessThanOrEqual(1);
  expect(Math.abs((await ask(world, 1, 1, AHEAD_MS - 7_000)) + 7_000)).toBeLessThanOrEqual(1);
});
