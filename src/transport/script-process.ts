// Does a script run to its end in a process of its own? For work that may end the process that does it.

import { execFile } from 'node:child_process';
import { reasonOf } from '../protocol/errors.ts';

/** Runs JavaScript (CommonJS) with `words` from `process.argv[1]` on; why it did not run to its end, or undefined. */
export function whyScriptEnds(
  script: string,
  words: readonly string[],
  timeoutMs: number,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    // Without this process's environment, which may hold options for Node.js.
    execFile(process.execPath, ['--eval', script, ...words], { timeout: timeoutMs, env: {} }, (error) => {
      if (error === null) return resolve(undefined);
      resolve(typeof error.signal === 'string' ? `it ended with ${error.signal}` : reasonOf(error));
    });
  });
}
