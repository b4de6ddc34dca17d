// How does a moment become a time_t and back, without losing nanoseconds on the way?
//
// Spec: Normative-Types-Specification, "time_t".

import { LocalProtocolError } from '../errors.ts';
import type { ValueOf } from '../types/value-of.ts';
import type { timeStampType } from './substructures.ts';

/**
 * The value of a `time_t`: `secondsPastEpoch` since 1970-01-01T00:00Z, `nanoseconds` and `userTag`. Spec:
 * Normative-Types-Specification, "time_t".
 */
export type TimeStamp = ValueOf<typeof timeStampType>;

const NANOSECONDS_PER_SECOND = 1_000_000_000n;
const NANOSECONDS_PER_SECOND_NUMBER = 1_000_000_000;
const NANOSECONDS_PER_MILLISECOND = 1_000_000;
const MS_PER_SECOND = 1_000;

/**
 * The time stamp of a wall time in milliseconds since 1970-01-01T00:00:00Z, fractions included. Throws
 * `LocalProtocolError` for a number that is no moment.
 */
export function timeStamp(wallTimeMs: number, userTag = 0): TimeStamp {
  if (!Number.isFinite(wallTimeMs))
    throw new LocalProtocolError(`${wallTimeMs} is no wall time, milliseconds since 1970 expected`);
  const wholeMs = Math.floor(wallTimeMs);
  // The difference of a number and its whole part is exact, so rounding happens once, to the nanosecond.
  const nanosecondsOfMs = Math.round((wallTimeMs - wholeMs) * NANOSECONDS_PER_MILLISECOND);
  const msOfSecond = ((wholeMs % MS_PER_SECOND) + MS_PER_SECOND) % MS_PER_SECOND;
  const seconds = (wholeMs - msOfSecond) / MS_PER_SECOND;
  const nanoseconds = msOfSecond * NANOSECONDS_PER_MILLISECOND + nanosecondsOfMs;
  // Rounded up to a whole second.
  if (nanoseconds === NANOSECONDS_PER_SECOND_NUMBER) {
    return { secondsPastEpoch: BigInt(seconds + 1), nanoseconds: 0, userTag };
  }
  return { secondsPastEpoch: bigSeconds(seconds), nanoseconds, userTag };
}

let lastSeconds = 0;
let lastBigSeconds = 0n;

/** Made once a second, not once for each of the hundred thousand puts in it. */
function bigSeconds(seconds: number): bigint {
  if (seconds !== lastSeconds) {
    lastBigSeconds = BigInt(seconds);
    lastSeconds = seconds;
  }
  return lastBigSeconds;
}

/** The time stamp of nanoseconds since 1970-01-01T00:00:00Z; earlier moments have nanoseconds from 0 up too. */
export function timeStampOfNanoseconds(nanoseconds: bigint, userTag = 0): TimeStamp {
  const rest = ((nanoseconds % NANOSECONDS_PER_SECOND) + NANOSECONDS_PER_SECOND) % NANOSECONDS_PER_SECOND;
  return {
    secondsPastEpoch: (nanoseconds - rest) / NANOSECONDS_PER_SECOND,
    nanoseconds: Number(rest),
    userTag,
  };
}

/** Nanoseconds since 1970-01-01T00:00:00Z, exactly. */
export function nanosecondsOf({ secondsPastEpoch, nanoseconds }: TimeStamp): bigint {
  return secondsPastEpoch * NANOSECONDS_PER_SECOND + BigInt(nanoseconds);
}

/** Milliseconds since 1970-01-01T00:00:00Z, as near as a number comes (a quarter of a microsecond these days). */
export function wallTimeMs({ secondsPastEpoch, nanoseconds }: TimeStamp): number {
  return Number(secondsPastEpoch) * 1_000 + nanoseconds / NANOSECONDS_PER_MILLISECOND;
}
