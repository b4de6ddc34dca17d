// What are the limits called, in code and in the TOML file?
import { DEFAULT_LIMITS, type Limits } from '../protocol/limits.ts';

export const LIMIT_NAMES: readonly (keyof Limits)[] = Object.freeze(
  // Object.keys() forgets its argument's type; DEFAULT_LIMITS has no other keys.
  Object.keys(DEFAULT_LIMITS) as (keyof Limits)[],
);

/** `maxBodyBytes` as the file spells it: `max_body_bytes`. */
export function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
