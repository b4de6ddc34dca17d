// What is wrong with a configuration, all of it at once, and where each fault stands.
import { PvaError } from '../protocol/errors.ts';

/** One fault. `key` is a variable, a flag, or a path in a file such as `channels[2].alarm.low`; '' where there is none. */
export interface ConfigProblem {
  readonly file?: string | undefined;
  /** Counted from 1. */
  readonly line?: number | undefined;
  readonly key: string;
  readonly message: string;
}

/** Takes a fault and goes on, so that a user sees every fault of a file and not only the first. */
export type Report = (problem: ConfigProblem) => void;

/** The configuration cannot be used. The command line prints `message`, one line for each fault, and exits with 2. */
export class ConfigError extends PvaError {
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    super('CONFIG', problems.map(problemText).join('\n'));
    this.problems = Object.freeze([...problems]);
  }
}

/** `file:line: key: message`, without the parts that are not known. */
export function problemText(problem: ConfigProblem): string {
  const where = problem.line === undefined ? problem.file : `${problem.file ?? 'line'}:${problem.line}`;
  return [where, problem.key, problem.message].filter((part) => part !== undefined && part !== '').join(': ');
}
