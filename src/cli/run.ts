// How does a command hand its work to the program that found it?

import type { ExitCode } from './exit-code.ts';

/** Runs what a command does once its words are known, and keeps the exit code. */
export type Act = (act: () => Promise<ExitCode>) => Promise<void>;
