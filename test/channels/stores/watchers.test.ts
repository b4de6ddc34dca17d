// Does everyone who watches a store hear of everything, whatever the others do?

import { expect, it } from 'vitest';
import type { StoreWatcher } from '../../../src/channels/stores/channel-store.ts';
import { Watchers } from '../../../src/channels/stores/watchers.ts';

const SILENT: StoreWatcher = { defined() {}, destroyed() {}, changed() {}, health() {} };

it('a watcher that throws keeps nothing from the others, nor from the store', () => {
  const faults: unknown[] = [];
  const heard: string[] = [];
  const watchers = new Watchers((thrown) => faults.push(thrown));
  const fault = new Error('a fault of the program');
  watchers.add({
    ...SILENT,
    destroyed: () => {
      throw fault;
    },
  });
  watchers.add({ ...SILENT, destroyed: (name) => heard.push(name) });
  for (const name of ['a', 'b']) watchers.tell((watcher) => watcher.destroyed(name));
  expect(heard).toEqual(['a', 'b']);
  expect(faults).toEqual([fault, fault]);
});
