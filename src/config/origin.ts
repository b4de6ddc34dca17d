// Which value wins, and who set it?

/** A value and who set it: `default`, `EPICS_PVA_ADDR_LIST`, `lab.toml:3`, `--tcp-port`. */
export interface Sourced<T> {
  readonly value: T;
  readonly origin: string;
}

export const DEFAULT_ORIGIN = 'default';

/** The first that is set, in falling order of power; `fallback` where none is. */
export function strongest<T>(candidates: readonly (Sourced<T> | undefined)[], fallback: T): Sourced<T> {
  return candidates.find((candidate) => candidate !== undefined) ?? { value: fallback, origin: DEFAULT_ORIGIN };
}
