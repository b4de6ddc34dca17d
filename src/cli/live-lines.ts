// How do lines at the end of a terminal stay in place while they change, and other lines come above them?

import type { Output } from './host.ts';
import { printable } from './printable.ts';

const UP_AND_CLEAR = '\u001b[1A\u001b[K';
const ELLIPSIS = '...';

export class LiveLines {
  readonly #output: Output;
  #lines: readonly string[] = [];

  /** `output` is a terminal. */
  constructor(output: Output) {
    this.#output = output;
  }

  /** Puts these in place of what was shown. They are plain text: what is wider than the terminal is cut. */
  show(lines: readonly string[]): void {
    const width = Math.max(ELLIPSIS.length, this.#output.columns - 1);
    const erasure = UP_AND_CLEAR.repeat(this.#lines.length);
    this.#lines = this.#fitting(lines).map((line) => fitted(printable(line), width));
    this.#output.write(`${erasure}${this.#text()}`);
  }

  /** The same output, whose text comes above the lines. Text is whole lines; it may be another stream of the terminal. */
  above(output: Output): Output {
    if (!output.isTerminal) return output;
    return {
      isTerminal: true,
      get columns() {
        return output.columns;
      },
      get rows() {
        return output.rows;
      },
      write: (text) => {
        if (this.#lines.length > 0) this.#output.write(UP_AND_CLEAR.repeat(this.#lines.length));
        output.write(text);
        if (this.#lines.length > 0) this.#output.write(this.#text());
      },
      drained: () => output.drained(),
    };
  }

  /** Lines that have left the screen cannot be changed any more. */
  #fitting(lines: readonly string[]): readonly string[] {
    const height = Math.max(1, this.#output.rows - 1);
    if (lines.length <= height) return lines;
    return [...lines.slice(0, height - 1), `${ELLIPSIS} and ${lines.length - height + 1} more`];
  }

  #text(): string {
    return this.#lines.map((line) => `${line}\n`).join('');
  }
}

function fitted(line: string, width: number): string {
  return line.length <= width ? line : `${line.slice(0, width - ELLIPSIS.length)}${ELLIPSIS}`;
}
