// Does what a server posts come into a store that does not take it at once, whatever the store says of its health?

import { describe, expect, test } from 'vitest';
import type { ChannelUpdate } from '../../src/channels/channel.ts';
import type { StoredDefinition, StoreHealth } from '../../src/channels/stores/channel-store.ts';
import { MemoryEngine, MemoryStore } from '../../src/channels/stores/memory-store.ts';
import { StoreError } from '../../src/channels/stores/store-error.ts';
import { SharedPV } from '../../src/channels/shared-pv.ts';
import { ntScalar } from '../../src/protocol/normative/nt-scalar.ts';
import { double } from '../../src/protocol/types/type-desc.ts';
import { PostKeeper } from '../../src/server/post-keeper.ts';
import { ManualClock } from '../../src/transport/manual-clock.ts';

const TYPE = ntScalar(double);
const DEFINITION: StoredDefinition = { name: 'x', type: TYPE, settings: {} };

/** A store that refuses as long as `refuses` says so. */
function makeKeeper() {
  const clock = new ManualClock();
  const pv = SharedPV.mailbox(TYPE, { initial: { value: 0 } });
  const state = { refuses: undefined as 'STORE_AWAY' | 'STORE_UNCERTAIN' | undefined, isConnected: true };
  const written: unknown[] = [];
  const attempts: number[] = [];
  const troubles: unknown[] = [];
  const adopted: ChannelUpdate[] = [];
  class MoodyStore extends MemoryStore {
    override get health(): StoreHealth {
      return { ...super.health, isConnected: state.isConnected };
    }

    override async write(_name: string, { value }: ChannelUpdate): Promise<number> {
      attempts.push(clock.now());
      if (state.refuses !== undefined) throw new StoreError(state.refuses, 'no answer within 2 s');
      return written.push(value['value']);
    }
  }
  const store = new MoodyStore(new MemoryEngine());
  const keeper = new PostKeeper({
    definition: DEFINITION,
    channel: pv,
    store,
    clock,
    keepsFirst: false,
    adopt: (update) => adopted.push(update),
    onTrouble: (thrown) => troubles.push(thrown),
  });
  return { clock, pv, state, written, attempts, troubles, adopted, keeper };
}

describe('a post that the store does not take', () => {
  test.each(['STORE_AWAY', 'STORE_UNCERTAIN'] as const)(
    'is written a moment later, though the store never says that it was away (%s)',
    async (code) => {
      const { clock, pv, state, written, troubles } = makeKeeper();
      state.refuses = code;
      pv.post({ value: 1 });
      await clock.advanceAsync(1);
      state.refuses = undefined;
      await clock.advanceAsync(1_000);
      expect(written).toEqual([1]);
      pv.post({ value: 2 });
      await clock.advanceAsync(1_000);
      expect(written).toEqual([1, 2]);
      expect(troubles).toEqual([]);
    },
  );

  test('is tried ever more seldom, told of once, and the newest is written in the end', async () => {
    const { clock, pv, state, written, attempts, troubles } = makeKeeper();
    state.refuses = 'STORE_AWAY';
    for (let second = 0; second < 600; second++) {
      pv.post({ value: second });
      await clock.advanceAsync(1_000);
    }
    expect(attempts.length).toBeGreaterThan(60);
    expect(attempts.length).toBeLessThan(80);
    expect(troubles).toHaveLength(1);
    state.refuses = undefined;
    await clock.advanceAsync(10_000);
    expect(written).toEqual([599]);
  });

  test('waits for the store to say that it is back, where it says that it is away', async () => {
    const { clock, pv, state, written, attempts, troubles, keeper } = makeKeeper();
    state.refuses = 'STORE_AWAY';
    state.isConnected = false;
    pv.post({ value: 1 });
    await clock.advanceAsync(600_000);
    expect([attempts.length, clock.timerCount]).toEqual([1, 0]);
    state.refuses = undefined;
    state.isConnected = true;
    keeper.retry();
    await clock.advanceAsync(1);
    expect([written, troubles]).toEqual([[1], []]);
  });

  test('is tried once more at the end of the server, also while the store is away', async () => {
    const { clock, pv, state, written, keeper } = makeKeeper();
    state.refuses = 'STORE_AWAY';
    state.isConnected = false;
    pv.post({ value: 1 });
    await clock.advanceAsync(1);
    await keeper.flushed();
    expect(written).toEqual([]);
    state.refuses = undefined;
    await keeper.flushed();
    expect(written).toEqual([1]);
  });

  test('withholds what others write only until it is written', async () => {
    const { clock, pv, state, keeper, adopted } = makeKeeper();
    state.refuses = 'STORE_UNCERTAIN';
    pv.post({ value: 1 });
    await clock.advanceAsync(1);
    const theirs = { changed: pv.state.changed, value: { ...pv.state.value, value: 7 } };
    expect(keeper.newsOf(9, theirs).changed.isEmpty()).toBe(true);
    state.refuses = undefined;
    await clock.advanceAsync(1_000);
    expect(adopted).toMatchObject([{ value: { value: 7 } }]);
    expect(keeper.newsOf(10, theirs).changed.isEmpty()).toBe(false);
  });

  test('leaves no timer behind once its channel is gone', async () => {
    const { clock, pv, state, keeper } = makeKeeper();
    state.refuses = 'STORE_UNCERTAIN';
    pv.post({ value: 1 });
    keeper.close();
    await clock.advanceAsync(1);
    expect(clock.timerCount).toBe(0);
  });
});
