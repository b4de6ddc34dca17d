// Is a writer answered in time when the disk hangs, and is what was refused never done?

import { expect, it } from 'vitest';
import { write } from '../../../../src/channels/stores/channel-operations.ts';
import type { StoredChannel, StoreChange, StoreWatcher } from '../../../../src/channels/stores/channel-store.ts';
import { GroupCommit, type TableChanges } from '../../../../src/channels/stores/embedded/group-commit.ts';
import { StoreError } from '../../../../src/channels/stores/store-error.ts';
import { POINT, pointOf } from '../../../../src/channels/stores/suite/suite-support.ts';
import { LocalProtocolError } from '../../../../src/protocol/errors.ts';
import type { StructureValue } from '../../../../src/protocol/types/value-of.ts';
import { ManualClock } from '../../../../src/transport/manual-clock.ts';

class World {
  readonly clock = new ManualClock();
  readonly table = new Map<string, StoredChannel>([
    ['a', { definition: { name: 'a', type: POINT, settings: {} }, revision: 0, state: pointOf({}) }],
  ]);
  readonly committed: TableChanges[] = [];
  readonly told: StoreChange[] = [];
  readonly #ends: (() => void)[] = [];
  readonly commits = new GroupCommit({
    clock: this.clock,
    table: this.table,
    commit: (changes) => {
      this.committed.push(changes);
      return new Promise((resolve) => this.#ends.push(resolve));
    },
    tell: (event) => event(this.watcher),
  });
  readonly watcher: StoreWatcher = {
    defined() {},
    destroyed() {},
    health() {},
    changed: (change) => this.told.push(change),
  };

  write(x: number): Promise<number> {
    return this.commits.take((table) => write(table, 'a', pointOf({ x })));
  }

  async endCommit(): Promise<void> {
    this.#ends.shift()?.();
    await this.clock.advanceAsync(0);
  }
}

it('answers after two seconds: of a write that is under way nobody knows, one that is not begun is never done', async () => {
  const world = new World();
  const first = expect(world.write(1)).rejects.toMatchObject({ reason: 'STORE_UNCERTAIN' });
  await world.clock.advanceAsync(1_000);
  const second = expect(world.write(2)).rejects.toMatchObject({ reason: 'STORE_AWAY' });
  await world.clock.advanceAsync(1_000);
  await first;
  expect(world.commits.count).toBe(2);
  const third = world.write(3);
  await world.clock.advanceAsync(1_000);
  await second;
  // The disk goes on.
  await world.endCommit();
  expect(world.told.map(({ update }) => update.value['x'])).toEqual([1]);
  await world.endCommit();
  expect(await third).toBe(2);
  expect(world.told.map(({ update }) => update.value['x'])).toEqual([1, 3]);
  expect(world.committed).toHaveLength(2);
  await world.commits.idle();
  expect([world.commits.count, world.clock.timerCount]).toEqual([0, 0]);
});

it('gives the disk what waits before it answers the writers of the commit that ended, in the order of revisions', async () => {
  const world = new World();
  const begunAtAnswer: number[] = [];
  const first = world.write(1).then(() => begunAtAnswer.push(world.committed.length));
  await world.clock.advanceAsync(0);
  const second = world.write(2);
  await world.endCommit();
  await first;
  expect(begunAtAnswer).toEqual([2]);
  expect(world.committed[1]?.get('a')?.revision).toBe(2);
  expect(world.table.get('a')?.revision).toBe(1);
  expect(world.told.map(({ revision }) => revision)).toEqual([1]);
  await world.endCommit();
  await expect(second).resolves.toBe(2);
  expect(world.told.map(({ revision }) => revision)).toEqual([1, 2]);
});

it('refuses what cannot be kept of one writer, with the reason, and nothing of the others', async () => {
  const clock = new ManualClock();
  const table = new Map<string, StoredChannel>();
  for (const name of ['a', 'b'])
    table.set(name, { definition: { name, type: POINT, settings: {} }, revision: 0, state: pointOf({}) });
  const told: string[] = [];
  const commits = new GroupCommit({
    clock,
    table,
    commit: async (changes) => {
      for (const channel of changes.values())
        if (typeof channel?.state.value['x'] !== 'number') throw new LocalProtocolError('a number is expected');
    },
    tell: (event) =>
      event({
        defined() {},
        destroyed() {},
        health() {},
        changed: ({ name, revision }) => told.push(`${name} ${revision}`),
      }),
  });
  const put = (name: string, x: unknown) =>
    commits.take((at) => write(at, name, { ...pointOf({ x: 1 }), value: { x, y: 0, note: '' } as StructureValue }));
  const outcomes = await Promise.allSettled([put('a', 1), put('b', 2), put('a', 'text')]);
  expect(outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : String(outcome.reason)))).toEqual([
    1,
    1,
    'LocalProtocolError: a number is expected',
  ]);
  expect(told).toEqual(['a 1', 'b 1']);
  expect(table.get('a')?.state.value['x']).toBe(1);
  await commits.idle();
  expect([commits.count, clock.timerCount]).toEqual([0, 0]);
});

it('tells who knows that a write is not there from who does not know it', async () => {
  const reasons: string[] = [];
  for (const why of [new StoreError('STORE_UNCERTAIN', 'the end is unknown'), new Error('EIO')]) {
    const commits = new GroupCommit({
      clock: new ManualClock(),
      table: new World().table,
      commit: () => Promise.reject(why),
      tell: () => {},
    });
    const written = commits.take((table) => write(table, 'a', pointOf({ x: 1 })));
    await written.catch((thrown: unknown) => reasons.push(thrown instanceof StoreError ? thrown.reason : ''));
  }
  expect(reasons).toEqual(['STORE_UNCERTAIN', 'STORE_AWAY']);
});
