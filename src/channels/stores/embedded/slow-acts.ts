// Does the disk hang? What does not come back rejects nobody: somebody has to look at the clock.

import type { Clock, TimerHandle } from '../../../transport/clocks.ts';

/** Longer than any disk takes that is well, and shorter than people wait. */
export const SLOW_MS = 5_000;

interface Act<What> {
  readonly what: What;
  readonly since: number;
}

export class SlowActs<What extends string> {
  readonly #clock: Clock;
  readonly #underWay = new Set<Act<What>>();
  readonly #slow = new Set<Act<What>>();
  #timer: TimerHandle | undefined;
  #isClosed = false;
  /** Told when an act has become slow, and when one has ended that was. */
  onChange: () => void = () => {};

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What takes longer than SLOW_MS, the oldest first. */
  get slow(): readonly What[] {
    return [...this.#slow].map(({ what }) => what);
  }

  /** Keeps an eye on an act until it ends, and gives its outcome. */
  async watch<T>(what: What, doing: Promise<T>): Promise<T> {
    const act = { what, since: this.#clock.now() };
    this.#underWay.add(act);
    this.#lookIn(SLOW_MS);
    try {
      return await doing;
    } finally {
      this.#underWay.delete(act);
      if (this.#slow.delete(act)) this.onChange();
    }
  }

  /** Looks no more. */
  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  /** One timer for all: most acts end long before it, and each put is one. */
  #lookIn(ms: number): void {
    if (this.#isClosed) return;
    // Where this process was held up itself, what the disk has done meanwhile is heard of first.
    this.#timer ??= this.#clock.after(ms, () => this.#clock.soon(() => this.#look()));
  }

  #look(): void {
    this.#timer = undefined;
    const now = this.#clock.now();
    const before = this.#slow.size;
    let next = Number.POSITIVE_INFINITY;
    for (const act of this.#underWay) {
      if (now - act.since >= SLOW_MS) this.#slow.add(act);
      else next = Math.min(next, act.since + SLOW_MS - now);
    }
    if (next < Number.POSITIVE_INFINITY) this.#lookIn(next);
    if (this.#slow.size > before) this.onChange();
  }
}
