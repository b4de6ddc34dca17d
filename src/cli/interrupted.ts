// What is told when the user wanted no more, or nobody reads the output? One error, which is no fault of pvkit.

import { PvaError } from '../protocol/index.ts';

/** What a command that was interrupted ends with, wherever it was. */
class Interrupted extends PvaError {
  constructor(reason: unknown) {
    // A program that runs commands itself may abort with anything.
    super('INTERRUPTED', `interrupted before the end${typeof reason === 'string' ? `: ${reason}` : ''}`);
  }
}

/** Aborts when `signal` does, with an error that says so. */
export function interruptOf(signal: AbortSignal): AbortSignal {
  const interrupt = new AbortController();
  const abort = (): void => interrupt.abort(new Interrupted(signal.reason));
  if (signal.aborted) abort();
  else signal.addEventListener('abort', abort);
  return interrupt.signal;
}
