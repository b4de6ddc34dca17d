// Calls about many PVs: how many are under way at once, and how each of them ends.

import { expect, it } from 'vitest';
import { outcomesOf } from '../../src/client/outcomes.ts';
import { CLIENT_LIMITS } from '../../src/protocol/limits.ts';
import { hitsLimit } from '../support/hits-limit.ts';

const { maxCallsAtOnce } = CLIENT_LIMITS;

it('more PVs than a server allows on one link are asked for in turn, and all have their outcome in order', async () => {
  hitsLimit('maxCallsAtOnce');
  const names = Array.from({ length: 3 * maxCallsAtOnce + 1 }, (_, index) => `pv${index}`);
  let underWay = 0;
  let most = 0;
  const outcomes = await outcomesOf(names, async (pvName) => {
    most = Math.max(most, ++underWay);
    // The later, the sooner: outcomes come in another order than that of the names.
    await new Promise((resolve) => (pvName.endsWith('7') ? setImmediate(resolve) : process.nextTick(resolve)));
    underWay--;
    if (pvName.endsWith('3')) throw new Error(`no ${pvName}`);
    return pvName.toUpperCase();
  });
  expect(most).toBe(maxCallsAtOnce);
  expect(outcomes).toEqual(
    names.map((pvName) =>
      pvName.endsWith('3')
        ? { pvName, ok: false, error: new Error(`no ${pvName}`) }
        : { pvName, ok: true, result: pvName.toUpperCase() },
    ),
  );
});

it('no PVs have no outcomes', async () => {
  expect(await outcomesOf([], async () => 1)).toEqual([]);
});
