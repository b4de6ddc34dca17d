// In which test is a limit gone past, and what then happens seen? test/limits.test.ts asks for one for each of them.
import { expect } from 'vitest';
import type { CLIENT_LIMITS, Limits, LINK_LIMITS, STORE_LIMITS } from '../../src/protocol/limits.ts';

type LimitName = keyof Limits | keyof typeof LINK_LIMITS | keyof typeof CLIENT_LIMITS | keyof typeof STORE_LIMITS;

/**
 * The first line of a test that goes past these limits and sees what `limits.ts` promises: `hitsLimit('maxLinks');`.
 * The test must assert something; names are written out, because test/limits.test.ts reads them in the text.
 */
export function hitsLimit(..._names: readonly [LimitName, ...LimitName[]]): void {
  expect.hasAssertions();
}
