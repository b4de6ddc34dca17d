// Where do the bytes of a FILE come from, and what ends the waiting for them?

import { createReadStream } from 'node:fs';
import { resolve } from 'node:path';

import { PvaError, reasonOf } from '../protocol/index.ts';
import type { CliHost } from './host.ts';

export const STANDARD_INPUT = '-';

/** How messages name it. */
export function inputName(file: string): string {
  return file === STANDARD_INPUT ? 'standard input' : file;
}

/** @throws PvaError that names the file when it cannot be read; what ^C ends commands with, also while nothing comes */
export async function* readInput(file: string, host: CliHost): AsyncGenerator<Uint8Array, void> {
  const source: AsyncIterable<Uint8Array> =
    file === STANDARD_INPUT ? host.stdin() : createReadStream(resolve(host.folder, file));
  try {
    yield* source;
  } catch (thrown) {
    if (host.interrupt.aborted) throw host.interrupt.reason;
    throw new PvaError('FILE', `${inputName(file)} cannot be read: ${reasonOf(thrown)}`, { cause: thrown });
  }
}
