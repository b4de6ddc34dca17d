// Where did a message turn out to be wrong? Errors of encoding and decoding name the command and the field first.

import { PvaError } from '../errors.ts';

/** What was thrown, for throwing on: its message begins with where it happened, kind and code stay. */
export function explain(thrown: unknown, where: string): unknown {
  if (thrown instanceof PvaError) {
    const field = thrown.fieldPath === '' ? '' : `, field ${thrown.fieldPath}`;
    thrown.message = `${where}${field}: ${thrown.message}`;
  }
  return thrown;
}
