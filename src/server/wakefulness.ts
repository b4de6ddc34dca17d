// Was this process awake? One that was stopped (SIGSTOP, a debugger, a suspended machine, a long pause of its host) finds
// on waking that everybody was silent for as long; that says nothing about them, and no link is to be closed for it.

/** A look that comes so much later than it should is one after a sleep. Shorter delays do no harm to anybody. */
const SLEEP_MS = 2_000;

/** Notices sleep by looks that should come at regular times. */
export class Wakefulness {
  readonly #periodMs: number;
  #lastLook: number;

  constructor(periodMs: number, now: number) {
    this.#periodMs = periodMs;
    this.#lastLook = now;
  }

  /** How long the process was asleep since the last look, as far as that can be known; called once each period. */
  sleptMs(now: number): number {
    const lateMs = now - this.#lastLook - this.#periodMs;
    this.#lastLook = now;
    return lateMs >= SLEEP_MS ? lateMs : 0;
  }
}
