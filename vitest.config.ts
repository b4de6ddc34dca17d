// The tests of `npm test`: everything but the conversations with foreign peers (vitest.interop.config.ts).
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/interop/**'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 10_000,
    restoreMocks: true,
    // Nor locally: it is forgotten too easily.
    allowOnly: false,
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'],
      reporter: ['text-summary', 'json-summary', 'html'],
      reportsDirectory: 'coverage',
      thresholds: {
        lines: 90,
        branches: 90,
        // And two groups, so that the well-tested protocol cannot hide a hole elsewhere. Random tests reach a little more or less.
        'src/protocol/**': { lines: 99, branches: 95.5 },
        'src/!(protocol)/**': { lines: 95, branches: 89 },
      },
    },
  },
});
