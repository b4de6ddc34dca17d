// What time is it, and what happens later? The contract, and the system's clock; manual-clock.ts is the tests' clock.

/** A timer that was set. */
export interface TimerHandle {
  /** Idempotent; after it the act is not called. */
  cancel(): void;
}

/** Where time comes from: the system, or in tests a clock that is moved by hand. */
export interface Clock {
  /** Monotonic milliseconds, with fractions, since some moment. Only differences mean something. */
  now(): number;
  /** Milliseconds since 1970-01-01T00:00Z, with fractions. May jump when the system's clock is set. */
  wallTime(): number;
  /** Calls `act` once, `ms` from now; `Infinity` means never. */
  after(ms: number, act: () => void): TimerHandle;
  /** Calls `act` each `ms`, first after `ms`; at most 24.8 days. */
  every(ms: number, act: () => void): TimerHandle;
  /**
   * Calls `act` once at the end of this turn of the event loop: after every handler whose bytes are already here, and
   * after the promises they settled (setImmediate, not a microtask). So the answers of a whole turn, also of
   * asynchronous handlers, go out in one write.
   */
  soon(act: () => void): void;
}

/** `setTimeout` fires at once past this (2^31 - 1 ms, 24.8 days); longer waits are made of several. */
const LONGEST_TIMEOUT_MS = 2_147_483_647;
/** How far the monotonic clock may be from the system's before it is set anew. */
const WALL_DRIFT_MS = 1.5;

/** How long what the system's clock said last is good for. */
const WALL_CHECK_MS = 1;

let wallOrigin = performance.timeOrigin;
let wallCheckedAt = Number.NEGATIVE_INFINITY;

/** The clock of this machine. Timers keep the process alive: their owner cancels them. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wallTime,
  after,
  every(ms, act) {
    const timer = setInterval(act, Math.min(ms, LONGEST_TIMEOUT_MS));
    return { cancel: () => clearInterval(timer) };
  },
  soon,
};

let soonActs: (() => void)[] = [];

/** One `setImmediate` for all acts of a turn: a server with a hundred subscribers flushes a hundred links in one. */
function soon(act: () => void): void {
  if (soonActs.length === 0) setImmediate(runSoonActs);
  soonActs.push(act);
}

function runSoonActs(): void {
  const acts = soonActs;
  soonActs = [];
  let doneCount = 0;
  try {
    for (const act of acts) {
      doneCount++;
      act();
    }
  } finally {
    // One of them threw: the others are called all the same, in the next turn.
    for (const act of acts.slice(doneCount)) soon(act);
  }
}

/** `Date.now()` has no fractions and `performance.now()` does not follow a clock that is set: this does both. */
function wallTime(): number {
  const monotonic = performance.now();
  if (monotonic - wallCheckedAt >= WALL_CHECK_MS) {
    const system = Date.now();
    if (Math.abs(wallOrigin + monotonic - system) > WALL_DRIFT_MS) wallOrigin = system - monotonic;
    wallCheckedAt = monotonic;
  }
  return wallOrigin + monotonic;
}

function after(ms: number, act: () => void): TimerHandle {
  let timer: NodeJS.Timeout;
  const arm = (restMs: number): void => {
    const thisMs = Math.min(restMs, LONGEST_TIMEOUT_MS);
    timer = setTimeout(() => (restMs > thisMs ? arm(restMs - thisMs) : act()), thisMs);
  };
  arm(ms);
  return { cancel: () => clearTimeout(timer) };
}

/** A wall time as ISO 8601 in UTC: `2026-01-02T03:04:05.678Z`. */
export function isoTime(wallTimeMs: number): string {
  return new Date(wallTimeMs).toISOString();
}
