// How does Stryker change code and run tests? Which code and which tests is for scripts/mutation.mjs to say.
export default {
  testRunner: 'vitest',
  plugins: ['@stryker-mutator/vitest-runner'],
  vitest: { configFile: 'vitest.mutation.config.ts', related: false },
  // What runs while modules load, before any test, would need a process for each change: types and tables, mostly.
  ignoreStatic: true,
  // One, so that a score is the same on every machine: whether a test is too slow depends on what runs beside it.
  concurrency: 1,
  timeoutMS: 5_000,
  reporters: [],
  logLevel: 'error',
  // Not there: Stryker reads it with the compiler's JavaScript API, which TypeScript 7 does not have.
  tsconfigFile: 'no-tsconfig.json',
  tempDirName: 'reports/mutation',
  // What no test of the protocol reads.
  ignorePatterns: [
    '/.git',
    '/.peers',
    '/.venv',
    '/bench',
    '/coverage',
    '/dist',
    '/docs',
    '/examples',
    '/fuzz',
    '/reports',
    '/test/interop',
    '/test/kill',
  ],
};
