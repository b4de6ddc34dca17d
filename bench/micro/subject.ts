// What is one line of the micro-benchmarks? A piece of work, and the plain way to do the same where there is one.

export interface Line {
  readonly name: string;
  /** Which fast path of `src` this is for; none where the plain code is the code. */
  readonly fastPath?: string;
  /** Operations that one call does: short ones are done many times over, or the clock would be measured. */
  readonly operations: number;
  /** Does the work and returns something that shows that it was done. */
  readonly run: () => unknown;
  /** The twin: as one would write it who does not care for speed. It returns the same. */
  readonly plain?: () => unknown;
}

/** The lines of one subject; made when it is its turn, so that one does not warm up the other. */
export type Subject = () => Promise<readonly Line[]> | readonly Line[];

/** Calls `act` as often as a line says it does. */
export function times(count: number, act: () => unknown): () => unknown {
  return () => {
    let last: unknown;
    for (let index = 0; index < count; index++) last = act();
    return last;
  };
}
