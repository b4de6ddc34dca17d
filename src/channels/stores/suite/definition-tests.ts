// Does a store define, find and destroy channels as the contract says?

import { deepStrictEqual, equal, ok, rejects } from 'node:assert/strict';
import { double, int, string, structure } from '../../../protocol/types/type-desc.ts';
import type { JsonObject } from '../json.ts';
import {
  bitsOf,
  eventually,
  POINT,
  pointOf,
  Recorder,
  scanned,
  storeError,
  updateOf,
  type StoreTest,
} from './suite-support.ts';

const SETTINGS: JsonObject = { units: 'mm', control: { high: 10, low: 0 }, tags: ['a', 'b'] };

/** What a PV may be called by somebody who means no harm; engines have meanings for some of these characters. */
const ODD_NAMES: readonly string[] = [
  'a',
  'A',
  '{braces}:and[brackets]',
  'glob*and?',
  'with spaces and "quotes"',
  'back\\slash/and|pipe',
  '__proto__',
  'größe:温度:🌡',
  'x'.repeat(500),
  'ä'.repeat(250),
];

export function testDefinitions(storeTest: StoreTest): void {
  storeTest('knows nothing at first', async ({ store }) => {
    equal(await store.read('a'), undefined);
    equal(await store.destroy('a'), false);
    equal((await scanned(store)).size, 0);
    await rejects(store.write('a', pointOf({ x: 1 })), storeError('NO_SUCH_CHANNEL'));
  });

  storeTest('defines a channel with its first value', async ({ store }) => {
    equal(await store.define({ name: 'a', type: POINT, settings: SETTINGS }, pointOf({ x: 1.5 })), 'created');
    const found = await store.read('a');
    ok(found !== undefined);
    equal(found.definition.name, 'a');
    equal(found.definition.type, POINT);
    deepStrictEqual(found.definition.settings, SETTINGS);
    equal(found.revision, 0);
    deepStrictEqual(found.state.value, { x: 1.5, y: 0, note: '' });
    deepStrictEqual(bitsOf(found.state), [1]);
  });

  storeTest('defines a channel without a value: the defaults, none of them set', async ({ store }) => {
    await store.define({ name: 'a', type: POINT, settings: {} });
    const found = await store.read('a');
    deepStrictEqual(found?.state.value, { x: 0, y: 0, note: '' });
    deepStrictEqual(bitsOf(found?.state ?? pointOf({})), []);
  });

  storeTest('takes the same definition again and keeps the value', async ({ store }) => {
    await store.define({ name: 'a', type: POINT, settings: SETTINGS }, pointOf({ x: 1 }));
    await store.write('a', pointOf({ x: 2 }));
    const again: JsonObject = { tags: ['a', 'b'], control: { low: 0, high: 10 }, units: 'mm' };
    equal(await store.define({ name: 'a', type: POINT, settings: again }, pointOf({ x: 3 })), 'same');
    const found = await store.read('a');
    equal(found?.revision, 1);
    equal(found?.state.value['x'], 2);
  });

  storeTest('refuses other settings and names what differs', async ({ store }) => {
    await store.define({ name: 'a', type: POINT, settings: SETTINGS });
    const other: JsonObject = { ...SETTINGS, control: { high: 20, low: 0 } };
    await rejects(store.define({ name: 'a', type: POINT, settings: other }), (thrown: Error) => {
      ok(thrown.message.includes('control.high'), thrown.message);
      ok(thrown.message.includes('10') && thrown.message.includes('20'), thrown.message);
      return storeError('DEFINITION_CONFLICT')(thrown);
    });
    deepStrictEqual((await store.read('a'))?.definition.settings, SETTINGS);
  });

  storeTest('refuses another type and names what differs', async ({ store }) => {
    await store.define({ name: 'a', type: structure({ value: double, label: string }), settings: {} });
    const other = structure({ value: int, label: string });
    await rejects(store.define({ name: 'a', type: other, settings: {} }), (thrown: Error) => {
      ok(/value/u.test(thrown.message) && /double/u.test(thrown.message), thrown.message);
      return storeError('DEFINITION_CONFLICT')(thrown);
    });
  });

  storeTest('replaces a definition of the same type and keeps value and revision', async ({ store }) => {
    await store.define({ name: 'a', type: POINT, settings: SETTINGS });
    await store.write('a', pointOf({ x: 2 }));
    const recorder = new Recorder();
    store.watch(recorder);
    const definition = { name: 'a', type: POINT, settings: { units: 'inch' } };
    equal(await store.define(definition, pointOf({ x: 9 }), { replace: true }), 'replaced');
    const found = await store.read('a');
    deepStrictEqual(found?.definition.settings, { units: 'inch' });
    deepStrictEqual([found?.revision, found?.state.value['x']], [1, 2]);
    deepStrictEqual(recorder.events, ['destroyed a', 'defined a 1']);
    equal(await store.define(definition, undefined, { replace: true }), 'same');
  });

  storeTest('replaces a definition of another type and begins anew', async ({ store }) => {
    await store.define({ name: 'a', type: POINT, settings: {} });
    await store.write('a', pointOf({ x: 2 }));
    const type = structure({ count: int });
    equal(
      await store.define({ name: 'a', type, settings: {} }, updateOf(type, { count: 7 }), { replace: true }),
      'replaced',
    );
    const found = await store.read('a');
    equal(found?.definition.type, type);
    deepStrictEqual([found?.revision, found?.state.value], [0, { count: 7 }]);
  });

  storeTest('destroys a channel with its value, and defines it anew', async ({ store }) => {
    await store.define({ name: 'a', type: POINT, settings: SETTINGS });
    await store.write('a', pointOf({ x: 2 }));
    equal(await store.destroy('a'), true);
    equal(await store.destroy('a'), false);
    equal(await store.read('a'), undefined);
    await rejects(store.write('a', pointOf({ x: 1 })), storeError('NO_SUCH_CHANNEL'));
    const type = structure({ count: int });
    equal(await store.define({ name: 'a', type, settings: {} }), 'created');
    const found = await store.read('a');
    deepStrictEqual([found?.revision, found?.state.value], [0, { count: 0 }]);
    equal(await store.write('a', updateOf(type, { count: 1 })), 1);
  });

  storeTest('scans every channel once', async ({ store }) => {
    const names = Array.from({ length: 1_234 }, (_, index) => `channel:${index}`);
    await Promise.all(names.map((name, x) => store.define({ name, type: POINT, settings: {} }, pointOf({ x }))));
    const found = await scanned(store);
    equal(found.size, names.length);
    for (const [x, name] of names.entries()) equal(found.get(name)?.state.value['x'], x);
  });

  storeTest('takes odd names, and tells them apart', async ({ store, reopen, openSecond }) => {
    for (const [x, name] of ODD_NAMES.entries()) {
      equal(await store.define({ name, type: POINT, settings: {} }), 'created');
      equal(await store.write(name, pointOf({ x })), 1);
    }
    const other = openSecond === undefined ? store : await openSecond();
    const found = await scanned(other);
    deepStrictEqual([...found.keys()].toSorted(), ODD_NAMES.toSorted());
    for (const [x, name] of ODD_NAMES.entries()) equal((await other.read(name))?.state.value['x'], x);
    for (const name of ODD_NAMES) equal(await other.destroy(name), true);
    equal((await scanned(await reopen())).size, 0);
  });

  storeTest('tells watchers of definitions and their ends, in order', async ({ store }) => {
    const recorder = new Recorder();
    store.watch(recorder);
    await store.define({ name: 'a', type: POINT, settings: SETTINGS }, pointOf({ x: 1 }));
    await store.define({ name: 'a', type: POINT, settings: SETTINGS });
    await store.write('a', pointOf({ y: 1 }));
    await store.destroy('a');
    await store.define({ name: 'a', type: POINT, settings: {} });
    deepStrictEqual(recorder.events, ['defined a 0', 'changed a 1', 'destroyed a', 'defined a 0']);
    deepStrictEqual(recorder.channels[0]?.definition, { name: 'a', type: POINT, settings: SETTINGS });
    deepStrictEqual(recorder.channels[0]?.state.value, { x: 1, y: 0, note: '' });
  });

  storeTest('tells the watchers of other stores on its engine, too', async ({ store, openSecond }) => {
    if (openSecond === undefined) return;
    const second = await openSecond();
    const recorder = new Recorder();
    second.watch(recorder);
    await store.define({ name: 'a', type: POINT, settings: SETTINGS }, pointOf({ x: 1 }));
    await store.write('a', pointOf({ y: 2 }));
    await store.destroy('a');
    await eventually('three events', () => recorder.events.length >= 3);
    deepStrictEqual(recorder.events, ['defined a 0', 'changed a 1', 'destroyed a']);
    deepStrictEqual(recorder.valueOf('a'), { x: 1, y: 2, note: '' });
  });

  storeTest(
    'tells of a channel that another store defines, also where somebody looks for it until it is there',
    async ({ store, openSecond }) => {
      if (openSecond === undefined) return;
      const second = await openSecond();
      const recorder = new Recorder();
      second.watch(recorder);
      const names = Array.from({ length: 30 }, (_, index) => `a${index}`);
      for (const name of names) {
        const defining = store.define({ name, type: POINT, settings: {} });
        while ((await second.read(name)) === undefined);
        await defining;
        await store.write(name, pointOf({ x: 1 }));
      }
      await eventually('all are told', () => recorder.channels.length === names.length);
      for (const name of names) {
        const told = recorder.events.filter((event) => event.split(' ')[1] === name);
        ok(told[0]?.startsWith('defined '), `${name}: ${told.join(', ')}`);
        deepStrictEqual(told.filter((event) => !event.startsWith('changed ')).length, 1);
      }
    },
  );

  storeTest('lets one of two different definitions win that come at once', async ({ store, openSecond }) => {
    const second = openSecond === undefined ? store : await openSecond();
    const outcomes = await Promise.allSettled([
      store.define({ name: 'a', type: POINT, settings: { by: 'one' } }),
      second.define({ name: 'a', type: POINT, settings: { by: 'other' } }),
    ]);
    equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
    const lost = outcomes.find((outcome) => outcome.status === 'rejected');
    ok(storeError('DEFINITION_CONFLICT')(lost?.reason));
  });
}
