// How do lines get to a disk that may be slow, full or gone, without holding up the server or filling its memory? They
// wait in a bounded queue; what does not fit is dropped and counted, and the log itself says how many.

import { open } from 'node:fs/promises';
import { DEFAULT_LIMITS } from '../protocol/limits.ts';
import { reasonOf } from '../protocol/errors.ts';
import { isoTime, systemClock, type Clock, type TimerHandle } from '../transport/clocks.ts';

/** Where lines go. */
export interface LineSink {
  /** Resolves when the text is taken, and not only buffered. */
  write(text: string): Promise<void>;
  close(): Promise<void>;
}

/** How much may wait, and who is told of trouble. */
export interface LineLogOptions {
  /** Characters that may wait; default `maxPutLogCharacters` of the limits. */
  readonly maxWaitingCharacters?: number | undefined;
  readonly clock?: Clock | undefined;
  /** Told once when lines begin to get lost, until writing goes well again. */
  readonly onTrouble?: ((text: string) => void) | undefined;
}

/** How long `close` waits for a disk that does not take what is left. */
const CLOSE_MS = 5_000;

/** A log of JSON lines that never makes anybody wait: what a slow disk does not take is dropped and counted. */
export class LineLog {
  readonly #sink: LineSink;
  readonly #maxWaiting: number;
  readonly #clock: Clock;
  readonly #onTrouble: (text: string) => void;
  #waiting: string[] = [];
  #waitingCharacters = 0;
  /** Lines that got lost and are not told yet. */
  #lost = 0;
  #isTroubled = false;
  #writing: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(sink: LineSink, { maxWaitingCharacters, clock, onTrouble }: LineLogOptions = {}) {
    this.#sink = sink;
    this.#maxWaiting = maxWaitingCharacters ?? DEFAULT_LIMITS.maxPutLogCharacters;
    this.#clock = clock ?? systemClock;
    this.#onTrouble = onTrouble ?? (() => {});
  }

  /** Appends to a file, which is made if it is not there. Rejects when it cannot be opened. */
  static async append(path: string, options: LineLogOptions = {}): Promise<LineLog> {
    const file = await open(path, 'a');
    const sink: LineSink = {
      write: async (text) => {
        await file.appendFile(text);
      },
      close: () => file.close(),
    };
    return new LineLog(sink, options);
  }

  /** Writes an object as one line of JSON, soon. Never waits, never throws for what the sink does. */
  add(entry: object): void {
    this.addLine(`${JSON.stringify(entry)}\n`);
  }

  /** The same with a line as it is, its end included. */
  addLine(line: string): void {
    if (this.#closing !== undefined) return;
    if (this.#waitingCharacters + line.length > this.#maxWaiting) {
      this.#lose(1, `${this.#waitingCharacters} characters wait to be written`);
      return;
    }
    this.#push(line);
  }

  /** Writes what waits and closes the sink; gives up after some seconds. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #push(line: string): void {
    this.#waiting.push(line);
    this.#waitingCharacters += line.length;
    this.#writing ??= this.#writeAll();
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const lines = this.#waiting;
      this.#waiting = [];
      try {
        await this.#sink.write(lines.join(''));
        this.#recover();
      } catch (thrown) {
        this.#lose(lines.length, reasonOf(thrown));
      }
      // Only now: what is being written takes memory, too.
      this.#waitingCharacters -= lines.reduce((sum, { length }) => sum + length, 0);
    }
    this.#writing = undefined;
  }

  #lose(count: number, why: string): void {
    this.#lost += count;
    if (this.#isTroubled) return;
    this.#isTroubled = true;
    this.#onTrouble(`lines of the log get lost: ${why}`);
  }

  /** Writing goes well: the log says what is missing. */
  #recover(): void {
    this.#isTroubled = false;
    if (this.#lost === 0) return;
    const line = `${JSON.stringify({ time: isoTime(this.#clock.wallTime()), lost: this.#lost })}\n`;
    this.#lost = 0;
    this.#waiting.push(line);
    this.#waitingCharacters += line.length;
  }

  async #close(): Promise<void> {
    let timer: TimerHandle | undefined;
    const late = new Promise<void>((resolve) => {
      timer = this.#clock.after(CLOSE_MS, () => {
        this.#lose(this.#waiting.length, `not written within ${CLOSE_MS / 1000} s`);
        resolve();
      });
    });
    const ended = this.#finish().catch((thrown: unknown) => this.#onTrouble(`closing the log: ${reasonOf(thrown)}`));
    await Promise.race([ended, late]);
    timer?.cancel();
  }

  async #finish(): Promise<void> {
    await this.#writing;
    await this.#sink.close();
  }
}
