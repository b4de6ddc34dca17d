// How is this process: how much memory does it take, and how late does its event loop come to its work?

import { readFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';

/** How a process is at one moment. */
export interface VitalSigns {
  /** Bytes that the system has given to the process: its resident set. */
  readonly memoryBytes: number;
  /** The longest that anything due had to wait, in milliseconds. */
  readonly loopDelayMs: number;
}

/** Who measures how a process is; `processVitals` does so for this one. */
export interface Vitals {
  /** As they are now; the delay is that since the last call. */
  take(): VitalSigns;
}

/** How often the delay is measured: often enough to see whatever a person or a control loop would. */
const RESOLUTION_MS = 20;
const NS_PER_MS = 1e6;

/** Of this process; measured from now on, without keeping it alive. */
export function processVitals(): Vitals {
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delays.enable();
  return {
    take() {
      // node records the time from one look to the next, so that it never is less than what lies between them.
      const loopDelayMs = Math.max(delays.max / NS_PER_MS - RESOLUTION_MS, 0);
      delays.reset();
      return { memoryBytes: process.memoryUsage.rss(), loopDelayMs };
    },
  };
}

/**
 * Files and connections that the system lets this process have open; undefined where it does not say. node raises what
 * is set (`ulimit -n`) to the most that is allowed (`ulimit -Hn`) when it starts, so this is that.
 */
export function descriptorLimit(): number | undefined {
  try {
    const found = /^Max open files\s+(\d+)/mu.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1];
    return found === undefined ? undefined : Number(found);
  } catch {
    // Only Linux has the file.
    return undefined;
  }
}
