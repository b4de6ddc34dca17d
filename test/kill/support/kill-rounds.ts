// How many rounds does a kill test take, and with which seed can one that failed be run again?
//
//   PVKIT_KILL_ROUNDS=200 PVKIT_KILL_SEED=7 npx vitest run test/kill

import { SeededRandom } from '../../../src/transport/seeded-random.ts';

/** Enough to see that the tests themselves work; `npm run test:kill` takes 200. */
const FEW_ROUNDS = 4;
const MS_PER_ROUND = 5_000;
const MS_AROUND = 60_000;

export const ROUNDS = Number(process.env['PVKIT_KILL_ROUNDS'] ?? FEW_ROUNDS);
export const SEED = Number(process.env['PVKIT_KILL_SEED'] ?? Date.now() % 1_000_000);

/** Far more than it takes: it ends what hangs. */
export const KILL_TEST_MS = MS_AROUND + ROUNDS * MS_PER_ROUND;

/** Runs the rounds; an error says in which of them it was, and how to have it again. */
export async function inRounds(play: (round: number, random: SeededRandom) => Promise<void>): Promise<void> {
  const random = new SeededRandom(SEED);
  for (let round = 1; round <= ROUNDS; round++) {
    try {
      await play(round, random);
    } catch (thrown) {
      const reason = thrown instanceof Error ? thrown.message : String(thrown);
      throw new Error(`round ${round} of ${ROUNDS}, PVKIT_KILL_SEED=${SEED}: ${reason}`, { cause: thrown });
    }
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
