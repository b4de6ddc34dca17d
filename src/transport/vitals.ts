// How is this process: how much memory does it take, and how late does its event loop come to its work?
//
// Memory is what is in use, not what the system has given: that does not come back. An allocator keeps what was taken in
// small pieces, and node reads sockets in such; it is used again when there is need.

import { readFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** How a process is at one moment. */
export interface VitalSigns {
  /** Bytes in use: objects, arrays, and what node itself takes; garbage that nobody has collected yet is among them. */
  readonly memoryBytes: number;
  /** The longest that anything due had to wait, in milliseconds. */
  readonly loopDelayMs: number;
}

/** Who measures how a process is; `processVitals` does so for this one. */
export interface Vitals {
  /** As they are now; the delay is that since the last call. */
  take(): VitalSigns;
  /** Has garbage collected, which makes everybody wait; what it frees shows in what is taken a moment later. */
  readonly collect?: () => void;
  /** Measures no more. */
  readonly stop?: () => void;
}

/** How often the delay is measured: often enough to see whatever a person or a control loop would. */
const RESOLUTION_MS = 20;
const NS_PER_MS = 1e6;
/**
 * What node itself takes at most. A program that has run before is seen with what its allocator kept from then, which nobody
 * has and which is used again; node alone takes some 40 MiB.
 */
const MOST_OWN_BYTES = 64 * 1024 * 1024;

/** Of this process; measured from now on, without keeping it alive. */
export function processVitals(): Vitals {
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delays.enable();
  const ownBytes = ofNodeItself(process.memoryUsage());
  return {
    take() {
      // node records the time from one look to the next, so that it never is less than what lies between them.
      const loopDelayMs = Math.max(delays.max / NS_PER_MS - RESOLUTION_MS, 0);
      delays.reset();
      const { rss, heapUsed, external } = process.memoryUsage();
      return { memoryBytes: Math.min(ownBytes + heapUsed + external, rss), loopDelayMs };
    },
    collect: collectGarbage,
    stop: () => void delays.disable(),
  };
}

/** Its program, stacks and threads: what it takes at the start beside the heap and what objects hold outside of it. */
function ofNodeItself({ rss, heapTotal, external }: NodeJS.MemoryUsage): number {
  return Math.min(Math.max(rss - heapTotal - external, 0), MOST_OWN_BYTES);
}

/** `gc` of V8, which node shows only if it is asked to (`--expose-gc`); that can be done while it runs. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  const gc: unknown = runInNewContext('globalThis.gc');
  setFlagsFromString('--no-expose-gc');
  if (typeof gc === 'function') Reflect.apply(gc, undefined, []);
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
