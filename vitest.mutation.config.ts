// The tests that `npm run test:mutation` runs against each mutant: those of its file (scripts/mutation/own-tests.mjs).
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: (process.env['PVKIT_MUTATION_TESTS'] ?? 'test/protocol/**/*.test.ts').split(','),
    setupFiles: ['test/support/same-cases.ts'],
    // A mutant lives in one process for all of its tests: most of the time would go into loading modules otherwise.
    isolate: false,
    // Stryker ends mutants that never end, long before this: it is for the run without any, on a machine that is slow.
    testTimeout: 60_000,
    restoreMocks: true,
  },
});
