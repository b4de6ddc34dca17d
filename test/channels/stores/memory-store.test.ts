// Does the memory store keep the contract, alone and with several stores on one engine?
import { describe, expect, it } from 'vitest';
import { MemoryEngine, MemoryStore } from '../../../src/channels/stores/memory-store.ts';
import { pointOf, POINT } from '../../../src/channels/stores/suite/suite-support.ts';
import { channelStoreSuite } from '../../../src/testing.ts';

describe('the memory store', () => {
  channelStoreSuite({
    test: it,
    makeWorld: () => {
      const engine = new MemoryEngine();
      return { open: async () => new MemoryStore(engine), isShared: true, isDurable: true, dispose: async () => {} };
    },
  });

  it('keeps its channels to itself unless it shares an engine', async () => {
    const [one, other] = [new MemoryStore(), new MemoryStore()];
    await one.define({ name: 'a', type: POINT, settings: {} }, pointOf({ x: 1 }));
    expect(await other.read('a')).toBeUndefined();
  });
});
