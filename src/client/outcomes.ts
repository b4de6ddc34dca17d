// How do calls about many PVs end? Each with its own outcome: one that fails says nothing about the others.

import { CLIENT_LIMITS } from '../protocol/limits.ts';

/** How one PV of several fared. */
export type Outcome<R> =
  | { readonly pvName: string; readonly ok: true; readonly result: R }
  | { readonly pvName: string; readonly ok: false; readonly error: unknown };

/** Acts on all, many at once; never rejects. In the order of the names. */
export async function outcomesOf<R>(
  pvNames: readonly string[],
  act: (pvName: string) => Promise<R>,
): Promise<readonly Outcome<R>[]> {
  const outcomes: Outcome<R>[] = Array.from({ length: pvNames.length });
  // What is left, for all of them: whoever is through with one takes the next.
  const left = [...pvNames].entries();
  const work = async (): Promise<void> => {
    for (const [index, pvName] of left) outcomes[index] = await outcomeOf(pvName, act);
  };
  await Promise.all(Array.from({ length: Math.min(pvNames.length, CLIENT_LIMITS.maxCallsAtOnce) }, work));
  return outcomes;
}

function outcomeOf<R>(pvName: string, act: (pvName: string) => Promise<R>): Promise<Outcome<R>> {
  return act(pvName).then(
    (result) => ({ pvName, ok: true, result }),
    (error: unknown) => ({ pvName, ok: false, error }),
  );
}
