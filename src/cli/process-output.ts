// How does text go to a stream of this process, when its reader is slow or gone?

import type { Output } from './host.ts';

const DEFAULT_COLUMNS = 80;
const DEFAULT_ROWS = 24;
/** Bytes that may wait for a reader before whoever produces them has to wait, too. */
const HIGH_MARK_BYTES = 64 * 1024;

export class ProcessOutput implements Output {
  readonly #stream: NodeJS.WriteStream;
  #isGone = false;

  /**
   * `gone` is called once when the reader went away, as `head` does when it has its lines; `fault` each time when there is
   * another reason why something was not written, such as a full disk.
   */
  constructor(stream: NodeJS.WriteStream, gone: () => void, fault: (thrown: Error) => void) {
    this.#stream = stream;
    stream.on('error', (thrown: NodeJS.ErrnoException) => {
      if (thrown.code !== 'EPIPE') return fault(thrown);
      if (this.#isGone) return;
      this.#isGone = true;
      gone();
    });
  }

  get isTerminal(): boolean {
    // Typed as always there, but a pipe does not have it.
    return 'isTTY' in this.#stream && this.#stream.isTTY;
  }

  get columns(): number {
    return this.isTerminal ? sizeOf(this.#stream.columns, DEFAULT_COLUMNS) : DEFAULT_COLUMNS;
  }

  get rows(): number {
    return this.isTerminal ? sizeOf(this.#stream.rows, DEFAULT_ROWS) : DEFAULT_ROWS;
  }

  write(text: string): void {
    if (!this.#isGone) this.#stream.write(text);
  }

  drained(): Promise<void> {
    if (this.#isGone || this.#stream.writableLength < HIGH_MARK_BYTES) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        this.#stream.off('drain', done);
        this.#stream.off('close', done);
        this.#stream.off('error', done);
        resolve();
      };
      this.#stream.on('drain', done);
      this.#stream.on('close', done);
      this.#stream.on('error', done);
    });
  }
}

/** Some terminals do not know their size, and say 0. */
function sizeOf(told: number, byDefault: number): number {
  return told > 0 ? told : byDefault;
}
