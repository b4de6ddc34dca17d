// What was asked of `npm run bench:peer`?

import { parseArgs } from 'node:util';

export interface Options {
  /** Beginnings of the names of rows; none means all. */
  readonly only: readonly string[];
  /** Runs of each server for each row. */
  readonly pairs: number;
  readonly seconds: number;
  readonly warmupSeconds: number;
  /** Only whether it works: no figures that would mean anything, and nothing is written. */
  readonly isQuick: boolean;
  readonly isHelp: boolean;
}

export const HELP = `npm run bench:peer -- [--only NAME]... [--pairs N] [--seconds S] [--quick]

  --only NAME     rows whose names begin so (get, get-10x16, full, put, monitor, array, search, connect, burst, workers, startup,
                  memory); may be given many times
  --pairs N       runs of each of the two servers for each row, in turn (default 4)
  --seconds S     measured time of each run, after a second to warm up (default 2)
  --quick         short runs that only show whether everything works; writes no results
`;

const MAX_PAIRS = 100;
const MAX_SECONDS = 600;

/** @throws TypeError, RangeError for words that it does not know */
export function readOptions(words: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...words],
    options: {
      only: { type: 'string', multiple: true, default: [] },
      pairs: { type: 'string', default: '4' },
      seconds: { type: 'string' },
      quick: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const isQuick = values.quick;
  return {
    only: values.only.flatMap((names) => names.split(',')),
    pairs: numberOf('pairs', values.pairs, 1, MAX_PAIRS),
    seconds: numberOf('seconds', values.seconds ?? (isQuick ? '0.5' : '2'), 0.1, MAX_SECONDS),
    warmupSeconds: isQuick ? 0.25 : 1,
    isQuick,
    isHelp: values.help,
  };
}

function numberOf(name: string, text: string, least: number, greatest: number): number {
  const number = Number(text);
  if (number >= least && number <= greatest) return number;
  throw new RangeError(`--${name} ${text}: a number from ${least} to ${greatest} was expected`);
}
