// How do commands that ask several PVs or servers at once tell what went wrong with some of them?

import { PvaError } from '../protocol/index.ts';
import { DONE, FAILED, type ExitCode } from './exit-code.ts';
import { isTimeout, sentenceOf, stackOf } from './fault.ts';
import type { CliHost } from './host.ts';
import type { DebugOptions } from './options.ts';
import { printable } from './printable.ts';

/** Collects failures: one line each as they come, and one at the end that names all that did not answer. */
export class Outcome {
  readonly #host: CliHost;
  readonly #options: DebugOptions;
  readonly #late: string[] = [];
  #failureCount = 0;

  constructor(host: CliHost, options: DebugOptions) {
    this.#host = host;
    this.#options = options;
  }

  fail(name: string, thrown: unknown): void {
    this.#failureCount++;
    if (this.#host.interrupt.aborted || isTimeout(thrown)) this.#late.push(printable(name));
    if (!this.#host.interrupt.aborted) this.#host.stderr.write(`${about(name, sentenceOf(thrown))}\n`);
    if (this.#options.debug === true) this.#host.stderr.write(`${stackOf(thrown)}\n`);
  }

  /** The last lines, and the exit code. */
  end(): ExitCode {
    if (this.#late.length > 0) {
      const why = this.#host.interrupt.aborted ? 'Interrupted' : 'Timeout';
      this.#host.stderr.write(`${why} with ${this.#late.length} outstanding: ${this.#late.join(', ')}\n`);
    }
    return this.#failureCount === 0 ? DONE : FAILED;
  }
}

/** Many sentences begin with the name of the PV already. */
function about(name: string, sentence: string): string {
  return sentence.startsWith(`${name}:`) ? printable(sentence) : printable(`${name}: ${sentence}`);
}

/** The same for programs. */
export function errorJson(name: string, thrown: unknown): string {
  const code = thrown instanceof PvaError ? thrown.code : 'INTERNAL';
  return JSON.stringify({ name, error: { code, message: sentenceOf(thrown) } });
}
