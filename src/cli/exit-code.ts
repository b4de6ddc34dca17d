// With which exit code does a command end?

export const DONE = 0;
/** An operation was refused, timed out or was interrupted before its end. */
export const FAILED = 1;
/** The command line or the configuration cannot be used; nothing was sent and no port was opened. */
export const BAD_USAGE = 2;

export type ExitCode = typeof DONE | typeof FAILED | typeof BAD_USAGE;
