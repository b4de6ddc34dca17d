// Which parts of the code under test have run that never ran before? V8 counts blocks; this remembers them.

import { Session, type Profiler } from 'node:inspector';

/** Blocks of scripts whose URL contains this are counted: what is fuzzed, not the fuzzer. */
const COUNTED = '/fuzz/dist/src/';

export class Coverage {
  readonly #session = new Session();
  readonly #seen = new Set<string>();
  /**
   * Blocks of each function, by its name: V8 tells of the ones that did not run, and so which there are comes out as time
   * goes by.
   */
  readonly #blocks = new Map<string, Map<string, readonly [start: number, end: number]>>();

  constructor() {
    this.#session.connect();
    this.#session.post('Profiler.enable');
    // Whether a block ran, and not how often: that would make everything several times as slow.
    this.#session.post('Profiler.startPreciseCoverage', { callCount: false, detailed: true });
  }

  /** Blocks that have ever run. */
  get blockCount(): number {
    return this.#seen.size;
  }

  /** Blocks that there are in the functions that have run, as far as V8 has told. */
  get knownCount(): number {
    let count = 0;
    for (const inner of this.#blocks.values()) count += inner.size;
    return count + this.#blocks.size;
  }

  /** Blocks that have run since this was asked last, and never before what was remembered. Takes some milliseconds. */
  takeNew(): ReadonlySet<string> {
    const found = new Set<string>();
    for (const { url, scriptId, functions } of this.#take()) {
      if (!url.includes(COUNTED)) continue;
      for (const { ranges } of functions) {
        const [whole, ...inner] = ranges;
        if (whole === undefined || whole.count === 0) continue;
        const name = `${scriptId} ${whole.startOffset}`;
        const missed = inner.filter(({ count }) => count === 0);
        const known = this.#blocksOf(name);
        for (const { startOffset, endOffset } of missed)
          known.set(`${name} ${startOffset} ${endOffset}`, [startOffset, endOffset]);
        if (!this.#seen.has(name)) found.add(name);
        for (const [block, [start, end]] of known) {
          if (this.#seen.has(block)) continue;
          if (!missed.some((range) => range.startOffset <= start && range.endOffset >= end)) found.add(block);
        }
      }
    }
    return found;
  }

  remember(blocks: Iterable<string>): void {
    for (const block of blocks) this.#seen.add(block);
  }

  close(): void {
    this.#session.post('Profiler.stopPreciseCoverage');
    this.#session.disconnect();
  }

  #blocksOf(name: string): Map<string, readonly [start: number, end: number]> {
    const known = this.#blocks.get(name) ?? new Map<string, readonly [start: number, end: number]>();
    this.#blocks.set(name, known);
    return known;
  }

  #take(): readonly Profiler.ScriptCoverage[] {
    let taken: readonly Profiler.ScriptCoverage[] = [];
    // On the same thread the answer comes before `post` returns.
    this.#session.post('Profiler.takePreciseCoverage', (error, { result }) => {
      if (error !== null) throw error;
      taken = result;
    });
    return taken;
  }
}
