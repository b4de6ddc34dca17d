// The tests of `npm run test:kill`: 200 rounds of `kill -9` each, of servers and of the Redis behind them.
import { defineConfig } from 'vitest/config';

const ROUNDS = '200';

export default defineConfig({
  test: {
    include: ['test/kill/**/*.test.ts'],
    pool: 'forks',
    // All at once: they wait for processes to start more than they work.
    maxWorkers: 3,
    hookTimeout: 60_000,
    // Built by then: once for all.
    env: { PVKIT_DIST: 'dist', PVKIT_KILL_ROUNDS: process.env['PVKIT_KILL_ROUNDS'] ?? ROUNDS },
  },
});
