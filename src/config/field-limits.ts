// Which limit can the field of a channel's type hold? That of an integer is whole, and no further out than the type reaches.

import { INTEGER_RANGES, LONG_RANGES, type ScalarName } from '../protocol/types/type-desc.ts';

import type { ControlDefinition, Limit } from './channel-definition.ts';

/** Where a limit goes that lies between two integers: neither may let anything through that it was to stop. */
export type Rounding = 'down' | 'up';

/** A limit as the field of that scalar has it; an infinite one is the end of an integer's range. */
export function fieldLimit(limit: Limit, scalar: ScalarName, rounding: Rounding): Limit {
  const [low, high] = integerRange(scalar) ?? [];
  if (low === undefined || high === undefined) return Number(limit);
  if (limit <= low) return low;
  if (limit >= high) return high;
  return typeof limit === 'bigint' ? limit : BigInt(rounding === 'up' ? Math.ceil(limit) : Math.floor(limit));
}

/** Whether no value of the scalar gets to a limit that lies in that direction. */
export function isBeyondType(limit: Limit, scalar: ScalarName, direction: Rounding): boolean {
  const [low, high] = integerRange(scalar) ?? [];
  if (low === undefined || high === undefined) return false;
  return direction === 'up' ? limit > high : limit < low;
}

/** The range that the control limits of a definition come to; what is left out goes as far as the type does. */
export function controlRange({ low, high }: ControlDefinition, scalar: ScalarName): readonly [low: Limit, high: Limit] {
  return [
    fieldLimit(low ?? Number.NEGATIVE_INFINITY, scalar, 'up'),
    fieldLimit(high ?? Number.POSITIVE_INFINITY, scalar, 'down'),
  ];
}

function integerRange(scalar: ScalarName): readonly [low: bigint, high: bigint] | undefined {
  if (scalar === 'long' || scalar === 'ulong') return LONG_RANGES[scalar];
  if (!isShortInteger(scalar)) return undefined;
  const [low, high] = INTEGER_RANGES[scalar];
  return [BigInt(low), BigInt(high)];
}

function isShortInteger(scalar: ScalarName): scalar is keyof typeof INTEGER_RANGES {
  return Object.hasOwn(INTEGER_RANGES, scalar);
}
