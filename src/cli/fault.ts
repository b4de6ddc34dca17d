// What went wrong, and how is it told? Classes of errors, their exit codes and their sentences.

import { ConfigError } from '../index.ts';
import { PvaError, reasonOf, StatusError, TimeoutError } from '../protocol/index.ts';
import { BAD_USAGE, FAILED, type ExitCode } from './exit-code.ts';
import type { Terminal } from './host.ts';
import { printable } from './printable.ts';

/** What is wrong with the command line, found after its words were parsed. */
export class UsageError extends PvaError {
  constructor(message: string) {
    super('USAGE', message);
  }
}

/** Prints what ended a command line; gives the exit code. */
export function reportFault(thrown: unknown, words: readonly string[], terminal: Terminal): ExitCode {
  // Every fault of a configuration has a line that begins with its place, for editors to jump to.
  const prefix = thrown instanceof ConfigError ? '' : 'pvkit: ';
  terminal.stderr.write(`${prefix}${printable(sentenceOf(thrown))}\n`);
  if (thrown instanceof UsageError && words[0] !== undefined) {
    terminal.stderr.write(`\`pvkit help ${words[0]}\` tells more\n`);
  }
  if (isDebug(words)) terminal.stderr.write(`${stackOf(thrown)}\n`);
  return exitCodeOf(thrown);
}

/** Asked before commands know their flags, so that a fault in their parsing can be shown, too. */
function isDebug(words: readonly string[]): boolean {
  return words.some((word) => word === '--debug' || /^-[vd]*d[vd]*$/u.test(word));
}

function exitCodeOf(thrown: unknown): ExitCode {
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
