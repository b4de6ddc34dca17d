// How does a test run pvkit's command line, and what does its JSON output say?

import { LineProcess, runToEnd, type Ended, type Environment } from './line-process.ts';
import { PVKIT } from './peers.ts';

/** Runs `pvkit ARGS` to its end. */
export function pvkit(args: readonly string[], environment: Environment): Promise<Ended> {
  return runToEnd(process.execPath, [PVKIT, ...args], environment);
}

/** Starts `pvkit ARGS`, which the test reads line by line and ends. */
export function startCommand(args: readonly string[], environment: Environment): LineProcess {
  return new LineProcess(process.execPath, [PVKIT, ...args], environment);
}
