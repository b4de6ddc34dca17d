// How is the server, once a second? Its process is asked, and what takes too much memory is closed.

import type { Clock, TimerHandle } from '../transport/clocks.ts';
import type { Vitals, VitalSigns } from '../transport/vitals.ts';
import type { Links } from './links.ts';
import type { MemoryWatch } from './memory-watch.ts';

const PERIOD_MS = 1_000;
const UNKNOWN: VitalSigns = { memoryBytes: 0, loopDelayMs: 0 };

/** Of one process that holds links, or hands them to others. */
export class Pulse {
  /** As they were at the last look. */
  signs: VitalSigns = UNKNOWN;
  readonly #timer: TimerHandle;

  constructor(clock: Clock, vitals: Vitals, memory: MemoryWatch, links: Links) {
    const look = (): void => {
      this.signs = vitals.take();
      memory.look(this.signs.memoryBytes, links);
    };
    look();
    this.#timer = clock.every(PERIOD_MS, look);
  }

  stop(): void {
    this.#timer.cancel();
  }
}
