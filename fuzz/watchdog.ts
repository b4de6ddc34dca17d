// What if an input never ends? Nothing on the same thread can say so: this one looks on from another, keeps the input, and
// ends the process.

import { writeSync } from 'node:fs';
import process from 'node:process';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

import { saveFinding } from './corpus.ts';

/** Longer than any input takes on the slowest machine. */
const HANG_MS = 30_000;
const LOOK_MS = 1_000;
/** Where things stand in the shared memory: three words, then the input, then the name of its target. */
const RUN = 0;
const INPUT_BYTES = 1;
const NAME_BYTES = 2;
const WORDS = 3;
const WORD_BYTES = 4;
const MOST_INPUT_BYTES = 16 * 1024 * 1024;
const MOST_NAME_BYTES = 256;
const STDERR = 2;

interface Shared {
  readonly memory: SharedArrayBuffer;
  /** Where findings go. */
  readonly folder: string;
}

export class Watchdog {
  readonly #worker: Worker;
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;
  #runs = 0;

  constructor(folder: string) {
    const memory = new SharedArrayBuffer(WORDS * WORD_BYTES + MOST_INPUT_BYTES + MOST_NAME_BYTES);
    this.#words = new Int32Array(memory, 0, WORDS);
    this.#bytes = new Uint8Array(memory, WORDS * WORD_BYTES);
    this.#worker = new Worker(new URL(import.meta.url), { workerData: { memory, folder } satisfies Shared });
    this.#worker.unref();
  }

  begin(target: string, input: Uint8Array): void {
    const name = Buffer.from(target);
    this.#bytes.set(input.subarray(0, MOST_INPUT_BYTES));
    this.#bytes.set(name, MOST_INPUT_BYTES);
    this.#words[INPUT_BYTES] = Math.min(input.length, MOST_INPUT_BYTES);
    this.#words[NAME_BYTES] = name.length;
    this.#runs = (this.#runs % 0x3fff_ffff) + 1;
    Atomics.store(this.#words, RUN, this.#runs);
  }

  end(): void {
    Atomics.store(this.#words, RUN, 0);
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }
}

function watch({ memory, folder }: Shared): void {
  const words = new Int32Array(memory, 0, WORDS);
  const bytes = new Uint8Array(memory, WORDS * WORD_BYTES);
  let run = 0;
  let sinceMs = performance.now();
  setInterval(() => {
    const current = Atomics.load(words, RUN);
    if (current !== run || current === 0) {
      run = current;
      sinceMs = performance.now();
      return;
    }
    if (performance.now() - sinceMs < HANG_MS) return;
    const name = Buffer.from(bytes.slice(MOST_INPUT_BYTES, MOST_INPUT_BYTES + (words[NAME_BYTES] ?? 0))).toString();
    const file = saveFinding(folder, name, bytes.slice(0, words[INPUT_BYTES]));
    writeSync(STDERR, `${name}: a FINDING, an input does not end within ${HANG_MS / 1_000} s\n  ${file}\n`);
    // The thread of the fuzzer hears nothing else any more.
    process.kill(process.pid, 'SIGKILL');
  }, LOOK_MS);
}

// The class above makes this very file the thread that looks on; what it is given is of its own making.
if (!isMainThread && parentPort !== null) watch(workerData as Shared);
