// What can be wrong with a file that is to be decoded, and where?

import { PvaError } from '../../protocol/index.ts';

/** The input is not what it begins like. What was understood before the place is still good. */
export class CaptureError extends PvaError {
  constructor(message: string) {
    super('CAPTURE', message);
  }
}

/** `offset` is that in the file. */
export function brokenAt(offset: number, message: string): CaptureError {
  return new CaptureError(`byte ${offset} of the file: ${message}`);
}
