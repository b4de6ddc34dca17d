// How do calls about many PVs end? Each with its own outcome: one that fails says nothing about the others.

/** How one PV of several fared. */
export type Outcome<R> =
  | { readonly pvName: string; readonly ok: true; readonly result: R }
  | { readonly pvName: string; readonly ok: false; readonly error: unknown };

/** Acts on all at once; never rejects. In the order of the names. */
export function outcomesOf<R>(
  pvNames: readonly string[],
  act: (pvName: string) => Promise<R>,
): Promise<readonly Outcome<R>[]> {
  return Promise.all(
    pvNames.map((pvName) =>
      act(pvName).then(
        (result) => ({ pvName, ok: true as const, result }),
        (error: unknown) => ({ pvName, ok: false as const, error }),
      ),
    ),
  );
}
