// Has one process alone the lock of a workspace, in whatever order several come to their steps, and is it free again after
// any of them was killed?

import { describe, expect, it } from 'vitest';
import { LOCK, LockWorld, type Move } from '../support/lock-world.ts';

/** Left behind by a process that is none of those that come. */
const STALE = JSON.stringify({ pid: 99, host: 'lab', since: '2026-01-02T03:04:05.000Z' });

interface Race {
  readonly stale: string;
  readonly processCount: number;
  readonly mostKills?: number;
  readonly releases?: boolean;
}

/** Goes through all states that there are, each by one way that leads there; the number of them. */
async function explore({ stale, processCount, mostKills = 0, releases = false }: Race): Promise<number> {
  const known = new Set<string>();
  const ways: (readonly Move[])[] = [[]];
  for (let way = ways.pop(); way !== undefined; way = ways.pop()) {
    const world = new LockWorld(stale);
    for (let count = 0; count < processCount; count++) await world.begin(releases);
    for (const move of way) await world.move(move);
    // On from there as far as it is new.
    for (;;) {
      expect(world.holders.length, way.join(' ')).toBeLessThanOrEqual(1);
      const { state } = world;
      if (known.has(state)) break;
      known.add(state);
      const [first, ...others] = world.moves(mostKills);
      for (const move of others) ways.push([...way, move]);
      if (first === undefined) {
        await atTheEnd(world, way, releases);
        break;
      }
      way = [...way, first];
      await world.move(first);
    }
  }
  return known.size;
}

async function atTheEnd(world: LockWorld, way: readonly Move[], releases: boolean): Promise<void> {
  const isKilled = way.some(([what]) => what === 'kill');
  const { holders } = world;
  if (!isKilled && !releases) expect(holders.length, way.join(' ')).toBe(1);
  if (!isKilled) expect([...world.files.keys()], way.join(' ')).toEqual(releases ? [] : [LOCK]);
  const last = await world.begin();
  await world.finish(last);
  expect(world.holders, way.join(' ')).toEqual(holders.length === 1 ? holders : [last]);
}

describe('the lock of a workspace that was left behind', () => {
  it.each<Race & { readonly name: string }>([
    { name: 'two processes', stale: STALE, processCount: 2 },
    { name: 'three processes', stale: STALE, processCount: 3 },
    { name: 'two processes that let go of it', stale: STALE, processCount: 2, releases: true },
    { name: 'two processes that are killed at any step', stale: STALE, processCount: 2, mostKills: 2 },
    { name: 'two processes that are killed, where it says nothing,', stale: '', processCount: 2, mostKills: 2 },
  ])(
    'is taken over by one of $name alone, and is free after it',
    async (race) => {
      expect(await explore(race)).toBeGreaterThan(100);
    },
    60_000,
  );
});
