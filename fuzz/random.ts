// Where does chance come from? A generator whose seed is printed, so that a run can be had again.

export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A whole number from 0 to `end`, `end` left out. */
  below(end: number): number {
    // mulberry32
    this.#state = (this.#state + 0x6d2b_79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000) * end);
  }

  chance(oneIn: number): boolean {
    return this.below(oneIn) === 0;
  }

  /** The same elements in an order of chance. */
  shuffled<T>(list: readonly T[]): readonly T[] {
    return list
      .map((element) => ({ element, at: this.below(0x1_0000_0000) }))
      .toSorted((one, other) => one.at - other.at)
      .map(({ element }) => element);
  }

  /** One of a list that is not empty. */
  pick<T>(list: readonly T[]): T {
    const picked = list[this.below(list.length)];
    if (picked === undefined) throw new RangeError('nothing to pick from');
    return picked;
  }
}
