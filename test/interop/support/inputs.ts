// How is a value in p4p's form given to pvkit's client?

import type { Tagged } from './tagged.ts';

/** What `context.put` takes for it. */
export function inputOf(value: Tagged): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if ('int' in value) return BigInt(value.int);
  if ('float' in value) return Number(value.float);
  if ('items' in value) return value.items.map((item) => inputOf(item));
  return value;
}

/** What `pvkit put` takes for it. */
export function wordOf(value: Tagged): string {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null) return String(value);
  if ('int' in value) return value.int;
  const items = 'items' in value ? value.items : value;
  // Integers that JSON does not carry exactly are texts, as in JSON that pvkit prints.
  return JSON.stringify(items, (_, item: Tagged) => {
    const isBig = typeof item === 'object' && item !== null && 'int' in item;
    return isBig ? item.int : item;
  });
}
