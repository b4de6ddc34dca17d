// How do `next()` calls wait for what has not come yet? Behind every async iterator of the client.

export interface ReaderSource<E> {
  /** What waits longest, or undefined. */
  shift(): E | undefined;
  readonly length: number;
}

interface Reader<E> {
  readonly resolve: (result: IteratorResult<E, undefined>) => void;
  readonly reject: (reason: unknown) => void;
}

export class ReaderQueue<E> {
  readonly #source: ReaderSource<E>;
  readonly #readers: Reader<E>[] = [];
  /** Set when nothing more will come; an error is given to one reader. */
  #ending: { error?: unknown } | undefined;

  constructor(source: ReaderSource<E>) {
    this.#source = source;
  }

  get isEnded(): boolean {
    return this.#ending !== undefined;
  }

  next(): Promise<IteratorResult<E, undefined>> {
    return new Promise((resolve, reject) => {
      this.#readers.push({ resolve, reject });
      this.serve();
    });
  }

  /** Gives readers what waits, and behind that the end. */
  serve(): void {
    while (this.#readers.length > 0) {
      const value = this.#source.shift();
      if (value === undefined) break;
      this.#readers.shift()?.resolve({ done: false, value });
    }
    if (this.#ending === undefined || this.#source.length > 0) return;
    for (const reader of this.#readers.splice(0)) {
      const { error } = this.#ending;
      this.#ending = {};
      if (error === undefined) reader.resolve({ done: true, value: undefined });
      else reader.reject(error);
    }
  }

  /** Nothing more will come; with an error, one reader is given it. Only the first end counts. */
  end(error?: unknown): void {
    this.#ending ??= error === undefined ? {} : { error };
    this.serve();
  }
}
