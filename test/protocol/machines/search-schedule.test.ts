// When a client searches: the schedule of pvxs (src/client.cpp), with time and randomness given.

import { describe, expect, it } from 'vitest';
import {
  BUCKET_COUNT,
  FAR_BUCKET,
  FAST_TURN_MS,
  FIRST_SEARCH_DELAY_MS,
  SearchSchedule,
  TURN_MS,
} from '../../../src/protocol/machines/search-schedule.ts';

/** With 0 the ring's first turn comes a whole turn after the first channel. */
const noRandom = (): number => 0;

/** The times at which the ring turns, or new channels are searched for, up to `end`. */
function dueTimesOf(schedule: SearchSchedule, end: number): number[] {
  const times: number[] = [];
  for (let at = schedule.nextDueAt(); at <= end; at = schedule.nextDueAt()) {
    schedule.due(at);
    times.push(at);
  }
  return times;
}

/** Moves from due time to due time until `end`; gives the times at which `id` was searched for. */
function timesOf(schedule: SearchSchedule, id: number, end: number): number[] {
  const times: number[] = [];
  for (let at = schedule.nextDueAt(); at <= end; at = schedule.nextDueAt()) {
    if (schedule.due(at).includes(id)) times.push(at);
  }
  return times;
}

describe('a new channel', () => {
  it('is searched for after 10 ms, at the next turn, and then one second later each time', () => {
    const schedule = new SearchSchedule(noRandom);
    schedule.add(1, 0);
    expect(timesOf(schedule, 1, 22_000)).toEqual([10, 1000, 2000, 4000, 7000, 11_000, 16_000, 22_000]);
    expect(schedule.tryCount(1)).toBe(8);
  });

  it('ends at one search each 30 s', () => {
    const schedule = new SearchSchedule(noRandom);
    schedule.add(1, 0);
    const times = timesOf(schedule, 1, 1_000_000);
    const gaps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    expect(Math.max(...gaps)).toBe(30_000);
    expect(new Set(gaps.slice(-10))).toEqual(new Set([30_000]));
  });

  it('waits for the others made within 10 ms', () => {
    const schedule = new SearchSchedule(noRandom);
    schedule.add(1, 0);
    schedule.add(2, 4);
    schedule.add(3, 9);
    expect(schedule.due(FIRST_SEARCH_DELAY_MS - 1)).toEqual([]);
    expect(schedule.due(FIRST_SEARCH_DELAY_MS)).toEqual([1, 2, 3]);
  });

  it('is added once', () => {
    const schedule = new SearchSchedule(noRandom);
    schedule.add(1, 0);
    schedule.add(1, 0);
    schedule.addLater(1, 0, 5);
    expect(schedule.size).toBe(1);
    expect(schedule.due(10)).toEqual([1]);
    schedule.add(1, 20);
    schedule.addLater(1, 20, FAR_BUCKET);
    expect(schedule.tryCount(1)).toBe(1);
    expect(timesOf(schedule, 1, 5000)).toEqual([1000, 2000, 4000]);
  });

  it('does not move the turns of the ring when others are searched for already', () => {
    const schedule = new SearchSchedule(noRandom);
    schedule.add(1, 0);
    schedule.add(2, 500);
    schedule.addLater(3, 600, 0);
    expect(dueTimesOf(schedule, 2000)).toEqual([10, 1000, 2000]);
  });

  it('is searched for at its time when another that waits with it was found', () => {
    const schedule = new SearchSchedule(noRandom);
    schedule.add(1, 0);
    schedule.add(2, 5);
    schedule.remove(1);
    expect(schedule.due(10)).toEqual([2]);
    schedule.add(3, 20);
    schedule.remove(3);
    expect(schedule.nextDueAt()).toBe(1000);
    expect(schedule.due(1000)).toEqual([2]);
  });

  it('is named once when its first search and its turn fall together', () => {
    const schedule = new SearchSchedule(() => 0.99);
    schedule.add(1, 0);
    expect(schedule.nextDueAt()).toBe(10);
    expect(schedule.due(20)).toEqual([1]);
  });
});

describe('the ring', () => {
  it('rests while nothing is searched for', () => {
    const schedule = new SearchSchedule(noRandom);
    expect(schedule.nextDueAt()).toBe(Number.POSITIVE_INFINITY);
    schedule.add(1, 0);
    schedule.remove(1);
    expect(schedule.nextDueAt()).toBe(Number.POSITIVE_INFINITY);
    schedule.remove(1);
    expect(schedule.tryCount(1)).toBe(0);
  });

  it('stops searching for a channel that was found', () => {
    const schedule = new SearchSchedule(noRandom);
    schedule.add(1, 0);
    schedule.add(2, 0);
    schedule.due(10);
    schedule.remove(1);
    expect(timesOf(schedule, 1, 60_000)).toEqual([]);
    expect(schedule.size).toBe(1);
  });

  it('stops searching for it in whichever bucket it stands', () => {
    const schedule = new SearchSchedule(noRandom);
    schedule.add(1, 0);
    schedule.add(2, 0);
    expect(timesOf(schedule, 1, 40_000).at(-1)).toBe(37_000);
    schedule.remove(1);
    expect(timesOf(schedule, 1, 200_000)).toEqual([]);
  });

  it('starts at a random moment, so that clients started together do not search together', () => {
    const early = new SearchSchedule(() => 0.75);
    early.add(1, 0);
    expect(timesOf(early, 1, 1300)).toEqual([10, 250, 1250]);
  });

  it('puts a refused channel into the bucket that comes last', () => {
    const schedule = new SearchSchedule(noRandom);
    schedule.addLater(1, 0, FAR_BUCKET);
    expect(timesOf(schedule, 1, 60_000)[0]).toBe(BUCKET_COUNT * TURN_MS);
  });

  it('searches for a lost channel at the next turn and then ever less often', () => {
    const schedule = new SearchSchedule(noRandom);
    schedule.addLater(1, 0, 0);
    expect(timesOf(schedule, 1, 11_000)).toEqual([1000, 2000, 4000, 7000, 11_000]);
  });

  it('spreads a crowd over two buckets', () => {
    const schedule = new SearchSchedule(noRandom);
    for (let id = 0; id < 401; id++) schedule.add(id, 0);
    expect(schedule.due(10)).toHaveLength(401);
    const counts = [1000, 2000].map((at) => schedule.due(at).length);
    // 101 come together before one is passed on; of the 300 others each second one is. At the next turn the 251 go to where
    // the 150 are: 50 are passed on before only 100 more are there than behind, and of the 201 others each second one.
    expect(counts).toEqual([251, 251]);
  });

  it('does not catch up in a burst after a pause of the program', () => {
    const schedule = new SearchSchedule(noRandom);
    schedule.add(1, 0);
    schedule.due(10);
    expect(schedule.due(100_000)).toEqual([1]);
    expect(schedule.nextDueAt()).toBe(100_000 + TURN_MS);
  });
});

describe('a hurry', () => {
  it('turns the ring once at 0.2 s a bucket, from now on', () => {
    const schedule = new SearchSchedule(noRandom);
    schedule.add(1, 0);
    timesOf(schedule, 1, 200_000);
    const now = 200_500;
    expect(schedule.hurry(now)).toBe(true);
    const times = timesOf(schedule, 1, now + BUCKET_COUNT * FAST_TURN_MS);
    expect(times).toHaveLength(1);
    expect(times[0]).toBeLessThan(now + BUCKET_COUNT * FAST_TURN_MS);
  });

  it('begins at once, lasts a revolution, and then the ring turns as before', () => {
    const schedule = new SearchSchedule(noRandom);
    schedule.add(1, 0);
    schedule.due(10);
    schedule.hurry(500);
    const fast = Array.from({ length: BUCKET_COUNT + 1 }, (_, turn) => 500 + turn * FAST_TURN_MS);
    expect(dueTimesOf(schedule, 8500)).toEqual([...fast, 7500, 8500]);
  });

  it('waits for the first channel while nothing is searched for', () => {
    const schedule = new SearchSchedule(noRandom);
    schedule.hurry(0);
    expect(schedule.nextDueAt()).toBe(Number.POSITIVE_INFINITY);
    schedule.revolve(10);
    expect(schedule.nextDueAt()).toBe(Number.POSITIVE_INFINITY);
    schedule.add(1, 1000);
    expect(dueTimesOf(schedule, 1500)).toEqual([1010, 1200, 1400]);
  });

  it('comes at most every 30 s', () => {
    const schedule = new SearchSchedule(noRandom);
    expect(schedule.hurry(0)).toBe(true);
    expect(schedule.hurry(29_999)).toBe(false);
    expect(schedule.hurry(30_000)).toBe(true);
  });

  it('begins with a fast turn from now when names have moved, or with the one that comes sooner', () => {
    const schedule = new SearchSchedule(noRandom);
    schedule.add(1, 0);
    schedule.due(10);
    schedule.revolve(100);
    expect(dueTimesOf(schedule, 700)).toEqual([300, 500, 700]);
    schedule.revolve(750);
    expect(dueTimesOf(schedule, 1100)).toEqual([900, 1100]);
  });

  it('comes at any time when names have moved', () => {
    const schedule = new SearchSchedule(noRandom);
    schedule.add(1, 0);
    timesOf(schedule, 1, 200_000);
    for (const now of [200_500, 207_000, 209_000]) {
      schedule.revolve(now);
      const [time = Infinity] = timesOf(schedule, 1, now + BUCKET_COUNT * FAST_TURN_MS);
      expect(time).toBeLessThanOrEqual(now + BUCKET_COUNT * FAST_TURN_MS);
    }
  });

  it('does not make the next ordinary search later', () => {
    const schedule = new SearchSchedule(noRandom);
    schedule.add(1, 0);
    schedule.due(10);
    schedule.hurry(10);
    expect(timesOf(schedule, 1, 10 + 7000).length).toBeGreaterThanOrEqual(2);
  });
});
