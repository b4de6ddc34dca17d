// With which exit code does a command end, and which sentence goes with it?

import { ConfigError } from '../index.ts';
import { PvaError, reasonOf, StatusError, TimeoutError } from '../protocol/index.ts';

export const DONE = 0;
/** An operation was refused, timed out or was interrupted before its end. */
export const FAILED = 1;
/** The command line or the configuration cannot be used; nothing was sent and no port was opened. */
export const BAD_USAGE = 2;

export type ExitCode = typeof DONE | typeof FAILED | typeof BAD_USAGE;

/** What is wrong with the command line, found after its words were parsed. */
export class UsageError extends PvaError {
  constructor(message: string) {
    super('USAGE', message);
  }
}

export function exitCodeOf(thrown: unknown): ExitCode {
  return thrown instanceof UsageError || thrown instanceof ConfigError ? BAD_USAGE : FAILED;
}

/** A sentence for a person. Only what nobody foresaw names itself an internal error; `-d` shows where it was. */
export function sentenceOf(thrown: unknown): string {
  if (thrown instanceof StatusError && thrown.callTree !== '') return `${thrown.message} (${thrown.callTree})`;
  if (thrown instanceof PvaError || isSystemError(thrown)) return reasonOf(thrown);
  return `internal error: ${reasonOf(thrown)}; -d shows where`;
}

export function isTimeout(thrown: unknown): boolean {
  return thrown instanceof TimeoutError;
}

/** The stack with all causes, for `-d`. */
export function stackOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const own = thrown.stack ?? `${thrown.name}: ${thrown.message}`;
  return thrown.cause === undefined ? own : `${own}\ncaused by ${stackOf(thrown.cause)}`;
}

function isSystemError(thrown: unknown): boolean {
  return thrown instanceof Error && 'syscall' in thrown;
}
