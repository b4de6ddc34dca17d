// How is a storm told of without making another one in the log? The first of its kind at once, and of those that follow
// closely only how many they were.

/** How long further ones are only counted. */
const QUIET_MS = 1_000;

/** Notices of one kind. */
export class CalmNotices {
  readonly #tell: (text: string) => void;
  readonly #summary: (count: number) => string;
  #toldAt = Number.NEGATIVE_INFINITY;
  #untold = 0;

  /** `summary` makes a sentence of how many were not told one by one. */
  constructor(tell: (text: string) => void, summary: (count: number) => string) {
    this.#tell = tell;
    this.#summary = summary;
  }

  /** True when this one is to be told; false when it was counted. */
  take(now: number): boolean {
    this.look(now);
    if (now - this.#toldAt < QUIET_MS) {
      this.#untold++;
      return false;
    }
    this.#toldAt = now;
    return true;
  }

  /** Tells how many were counted, once the time for that has come. Called every now and then. */
  look(now: number): void {
    if (this.#untold === 0 || now - this.#toldAt < QUIET_MS) return;
    const count = this.#untold;
    this.#untold = 0;
    this.#toldAt = now;
    this.#tell(this.#summary(count));
  }
}
