// Does a store keep the contract of channel-store.ts? The suite that every store runs, in whichever test framework.

import { deepStrictEqual, equal, ok, rejects } from 'node:assert/strict';
import { double, structure } from '../../../protocol/types/type-desc.ts';
import type { ChannelStore } from '../channel-store.ts';
import { testDefinitions } from './definition-tests.ts';
import { pointOf, POINT, Recorder, storeError, type StoreTest, type StoreWorld } from './suite-support.ts';
import { testValues } from './value-tests.ts';
import { testWrites } from './write-tests.ts';

/** What the suite needs of a test framework and of the store under test. */
export interface ChannelStoreSuite {
  /** Registers one test: `it` of vitest or jest, `test` of node:test. */
  readonly test: (name: string, body: () => Promise<void>) => unknown;
  /** An engine without channels, for one test. */
  readonly makeWorld: () => StoreWorld | Promise<StoreWorld>;
}

/** Registers the tests of the contract. */
export function channelStoreSuite({ test, makeWorld }: ChannelStoreSuite): void {
  const storeTest: StoreTest = (name, body) => {
    test(name, async () => {
      const world = await makeWorld();
      const opened: ChannelStore[] = [];
      const open = async (): Promise<ChannelStore> => {
        const store = await world.open();
        opened.push(store);
        return store;
      };
      try {
        const store = await open();
        const reopen = async (): Promise<ChannelStore> => {
          await store.close();
          return open();
        };
        const { isDurable } = world;
        await body({ store, reopen, isDurable, openSecond: world.isShared ? open : undefined });
      } finally {
        for (const store of opened) await store.close();
        await world.dispose();
      }
    });
  };
  testDefinitions(storeTest);
  testWrites(storeTest);
  testValues(storeTest);
  testLifetime(storeTest);
}

function testLifetime(storeTest: StoreTest): void {
  storeTest('says what it is, and that it is connected', async ({ store }) => {
    ok(store.kind.length > 0);
    ok(store.location.length > 0);
    equal(store.health.isConnected, true);
    equal(store.health.reason, undefined);
    equal(store.health.queuedCount, 0);
  });

  storeTest('counts acknowledged writes in its health', async ({ store }) => {
    await store.define({ name: 'a', type: POINT, settings: {} });
    const before = store.health.revision;
    await store.write('a', pointOf({ x: 1 }));
    await store.write('a', pointOf({ y: 1 }));
    equal(store.health.revision, before + 2);
    equal(store.health.queuedCount, 0);
  });

  storeTest('closes more than once, and refuses everything after that', async ({ store }) => {
    await store.define({ name: 'a', type: POINT, settings: {} });
    await Promise.all([store.close(), store.close()]);
    await store.close();
    equal(store.health.isConnected, false);
    await rejects(store.read('a'), storeError('STORE_AWAY'));
    await rejects(store.write('a', pointOf({ x: 1 })), storeError('STORE_AWAY'));
    await rejects(store.destroy('a'), storeError('STORE_AWAY'));
    await rejects(store.define({ name: 'b', type: POINT, settings: {} }), storeError('STORE_AWAY'));
  });

  storeTest('has everything again when it is opened again', async ({ store, isDurable, reopen }) => {
    if (!isDurable) return;
    await store.define({ name: 'a', type: POINT, settings: { units: 'mm' } }, pointOf({ note: 'kept' }));
    await store.define({ name: 'b', type: POINT, settings: {} });
    await store.define({ name: 'c', type: POINT, settings: {} });
    await store.write('a', pointOf({ x: 1 }));
    await store.write('a', pointOf({ y: 2 }));
    await store.destroy('c');
    const again = await reopen();
    deepStrictEqual(await again.read('a'), {
      definition: { name: 'a', type: POINT, settings: { units: 'mm' } },
      revision: 2,
      state: { ...pointOf({ x: 1, y: 2, note: 'kept' }) },
    });
    equal((await again.read('b'))?.revision, 0);
    equal(await again.read('c'), undefined);
    equal(await again.write('a', pointOf({ x: 3 })), 3);
  });

  storeTest('ends what is under way when it closes', async ({ store }) => {
    await store.define({ name: 'a', type: POINT, settings: {} });
    const writing = Promise.allSettled(Array.from({ length: 20 }, (_, x) => store.write('a', pointOf({ x }))));
    await store.close();
    for (const outcome of await writing) {
      if (outcome.status === 'rejected') ok(storeError('STORE_AWAY', 'STORE_UNCERTAIN')(outcome.reason));
    }
  });

  storeTest('tells nothing to a watcher that has left', async ({ store }) => {
    const [staying, leaving] = [new Recorder(), new Recorder()];
    store.watch(staying);
    const leave = store.watch(leaving);
    await store.define({ name: 'a', type: structure({ value: double }), settings: {} });
    leave();
    leave();
    await store.destroy('a');
    deepStrictEqual(leaving.events, ['defined a 0']);
    deepStrictEqual(staying.events, ['defined a 0', 'destroyed a']);
  });
}
