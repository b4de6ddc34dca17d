// The tests of `npm run test:interop`: real peers (p4p, softIoc, core-pva) against both sides, over real sockets on loopback.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/interop/**/*.test.ts'],
    pool: 'forks',
    // One file at a time: the peers share UDP ports and the two cores that a small machine has.
    maxWorkers: 1,
    fileParallelism: false,
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
});
