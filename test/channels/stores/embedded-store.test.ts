// Does the embedded store keep the contract, and refuse files that it cannot read?
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'vitest';
import { openEmbeddedStore } from '../../../src/channels/stores/embedded/embedded-store.ts';
import { channelStoreSuite } from '../../../src/testing.ts';

describe('the embedded store', () => {
  channelStoreSuite({
    test: it,
    makeWorld: async () => {
      const folder = await mkdtemp(join(tmpdir(), 'pvkit-store-'));
      return {
        open: () => openEmbeddedStore(folder),
        isShared: false,
        isDurable: true,
        dispose: () => rm(folder, { recursive: true }),
      };
    },
  });
});
