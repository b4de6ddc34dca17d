// Everything that can go wrong at once, in the in-memory network: see support/chaos. The seed is in the name of the test.
//
//   PVKIT_CHAOS_SEEDS=500 npx vitest run test/system/chaos.test.ts      more of them
//   PVKIT_CHAOS_SEED=17 npx vitest run test/system/chaos.test.ts        one of them, and what happened in it

import { describe, expect, it } from 'vitest';
import { chaos } from '../support/chaos/chaos.ts';

const ONE = process.env['PVKIT_CHAOS_SEED'];
const COUNT = Number(process.env['PVKIT_CHAOS_SEEDS'] ?? 30);
const SEEDS = ONE === undefined ? Array.from({ length: COUNT }, (_, index) => index + 1) : [Number(ONE)];

describe('chaos', () => {
  it.each(SEEDS)(
    'of seed %i ends with the last value everywhere, every call in time, and nothing left',
    async (seed) => {
      const report = await chaos(seed);
      if (ONE !== undefined) console.log(report);
      expect(report.problems).toEqual([]);
      expect(report.updateCount).toBeGreaterThan(100);
      expect(report.resultCount).toBeGreaterThan(5);
    },
  );
});
