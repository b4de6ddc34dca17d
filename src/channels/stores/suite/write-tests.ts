// Does a store write, order and tell changes as the contract says?

import { deepStrictEqual, equal, ok, rejects } from 'node:assert/strict';
import { double, int, structure } from '../../../protocol/types/type-desc.ts';
import { bitsOf, eventually, POINT, pointOf, Recorder, storeError, updateOf, type StoreTest } from './suite-support.ts';

/** Its fields have other bits than those of POINT. */
const OTHER = structure('demo:other/1.0', { note: int, y: double });
const A = { name: 'a', type: POINT, settings: {} };

export function testWrites(storeTest: StoreTest): void {
  storeTest('sets the changed leaves and leaves the others', async ({ store }) => {
    await store.define(A, pointOf({ note: 'first' }));
    equal(await store.write('a', pointOf({ x: 1 })), 1);
    equal(await store.write('a', pointOf({ y: 2 })), 2);
    const found = await store.read('a');
    deepStrictEqual([found?.revision, found?.state.value], [2, { x: 1, y: 2, note: 'first' }]);
    deepStrictEqual(bitsOf(found?.state ?? pointOf({})), [1, 2, 3]);
  });

  storeTest('takes the bit of a structure for all of its leaves', async ({ store }) => {
    await store.define(A);
    const whole = pointOf({ x: 1, y: 2, note: 'n' });
    whole.changed.clear().add(0);
    await store.write('a', whole);
    const found = await store.read('a');
    deepStrictEqual(bitsOf(found?.state ?? pointOf({})), [1, 2, 3]);
    deepStrictEqual(found?.state.value, { x: 1, y: 2, note: 'n' });
  });

  storeTest('lets two writers of different fields both win', async ({ store, openSecond }) => {
    await store.define(A);
    const second = openSecond === undefined ? store : await openSecond();
    const writes: Promise<number>[] = [];
    for (let count = 1; count <= 50; count++)
      writes.push(store.write('a', pointOf({ x: count })), second.write('a', pointOf({ y: count })));
    const revisions = await Promise.all(writes);
    deepStrictEqual(
      revisions.toSorted((one, other) => one - other),
      Array.from({ length: 100 }, (_, index) => index + 1),
    );
    const found = await store.read('a');
    deepStrictEqual([found?.revision, found?.state.value], [100, { x: 50, y: 50, note: '' }]);
  });

  storeTest('moves the revision of each channel by itself', async ({ store }) => {
    await store.define(A);
    await store.define({ ...A, name: 'b' });
    await Promise.all([1, 2, 3].map((x) => store.write('a', pointOf({ x }))));
    equal(await store.write('b', pointOf({ x: 1 })), 1);
    equal((await store.read('a'))?.revision, 3);
  });

  storeTest('tells of a write before it resolves, with a full value and what changed', async ({ store }) => {
    await store.define(A, pointOf({ note: 'kept' }));
    const recorder = new Recorder();
    store.watch(recorder);
    let toldFirst = false;
    const writing = store.write('a', pointOf({ x: 1 })).then((revision) => {
      toldFirst = recorder.events.includes('changed a 1');
      return revision;
    });
    equal(await writing, 1);
    ok(toldFirst, 'the watcher of this store is told before write() resolves');
    const [change] = recorder.changes;
    deepStrictEqual(change?.update.value, { x: 1, y: 0, note: 'kept' });
    deepStrictEqual(bitsOf(change?.update ?? pointOf({})), [1]);
  });

  storeTest('tells every revision once and in order', async ({ store }) => {
    await store.define(A);
    const recorder = new Recorder();
    store.watch(recorder);
    await Promise.all(Array.from({ length: 100 }, (_, x) => store.write('a', pointOf({ x }))));
    deepStrictEqual(
      recorder.changes.map(({ revision }) => revision),
      Array.from({ length: 100 }, (_, index) => index + 1),
    );
    deepStrictEqual(recorder.valueOf('a'), (await store.read('a'))?.state.value);
  });

  storeTest('tells two stores on one engine the same value in the end', async ({ store, openSecond }) => {
    if (openSecond === undefined) return;
    const second = await openSecond();
    const [one, other] = [new Recorder(), new Recorder()];
    store.watch(one);
    second.watch(other);
    await store.define(A);
    await eventually('the definition', () => other.channels.length > 0);
    const write = (x: number): Promise<number> =>
      (x % 2 === 0 ? store : second).write('a', pointOf(x % 3 === 0 ? { x } : { y: x }));
    await Promise.all(Array.from({ length: 200 }, (_, x) => write(x)));
    for (const recorder of [one, other]) {
      await eventually('the last revision', () => recorder.changes.at(-1)?.revision === 200);
      const revisions = recorder.changes.map(({ revision }) => revision);
      deepStrictEqual(
        revisions,
        [...new Set(revisions)].toSorted((left, right) => left - right),
      );
    }
    deepStrictEqual(one.valueOf('a'), other.valueOf('a'));
    deepStrictEqual(one.valueOf('a'), (await second.read('a'))?.state.value);
  });

  storeTest('does not write what was given up before', async ({ store }) => {
    await store.define(A);
    const reason = new Error('given up');
    await rejects(store.write('a', pointOf({ x: 1 }), { signal: AbortSignal.abort(reason) }));
    equal((await store.read('a'))?.revision, 0);
    equal(await store.write('a', pointOf({ x: 2 }), { signal: new AbortController().signal }), 1);
  });

  storeTest(
    'refuses a write that was made for another definition, and says what differs',
    async ({ store, openSecond }) => {
      await store.define(A, pointOf({ x: 1 }));
      const second = openSecond === undefined ? store : await openSecond();
      equal((await second.read('a'))?.revision, 0);
      const made = { name: 'a', type: OTHER, settings: {} };
      await rejects(
        store.write('a', updateOf(OTHER, { y: 5 }), { definition: made }),
        /type\.x is double in the store/u,
      );
      // Of the same type, but what its values mean is another thing.
      const inches = { ...A, settings: { units: 'inch' } };
      const writing = store.write('a', pointOf({ x: 2 }), { definition: inches });
      await rejects(writing, storeError('DEFINITION_CONFLICT'));
      deepStrictEqual((await store.read('a'))?.state.value, { x: 1, y: 0, note: '' });

      // By whoever it is defined anew: what was made for the definition before is refused everywhere.
      await second.define(made, undefined, { replace: true });
      for (const each of [store, second]) {
        const late = each.write('a', pointOf({ x: 3 }), { definition: A });
        await rejects(late, storeError('DEFINITION_CONFLICT'));
      }
      const found = await store.read('a');
      deepStrictEqual([found?.revision, found?.state.value], [0, { note: 0, y: 0 }]);
      equal(await store.write('a', updateOf(OTHER, { y: 5 }), { definition: { ...made } }), 1);
    },
  );

  storeTest('hands out values that stay as they are', async ({ store }) => {
    await store.define(A);
    const recorder = new Recorder();
    store.watch(recorder);
    await store.write('a', pointOf({ x: 1 }));
    const before = await store.read('a');
    await store.write('a', pointOf({ x: 2 }));
    equal(before?.state.value['x'], 1);
    equal(before?.revision, 1);
    equal(recorder.changes[0]?.update.value['x'], 1);
  });
}
