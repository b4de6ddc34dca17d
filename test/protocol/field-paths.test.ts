// Are the fields of a mask named?

import { expect, it } from 'vitest';

import { BitSet } from '../../src/protocol/bit-set.ts';
import { double, int, string, structure } from '../../src/protocol/types/type-desc.ts';
import { fieldPaths } from '../../src/protocol/values/field-paths.ts';

// Bits: 0 all, 1 value, 2 alarm, 3 severity, 4 status, 5 message, 6 deep, 7 inner, 8 x.
const type = structure({
  value: double,
  alarm: structure({ severity: int, status: int, message: string }),
  deep: structure({ inner: structure({ x: int }) }),
});

it.each<[number[], string[]]>([
  [[], []],
  [[0], ['value', 'alarm', 'deep']],
  [
    [0, 3],
    ['value', 'alarm', 'deep'],
  ],
  [
    [1, 3, 5],
    ['value', 'alarm.severity', 'alarm.message'],
  ],
  [[2, 4], ['alarm']],
  [[8], ['deep.inner.x']],
  [[7], ['deep.inner']],
  [[99], []],
])('the bits %j name %j', (bits, paths) => {
  expect(fieldPaths(type, BitSet.from(bits))).toEqual(paths);
});
