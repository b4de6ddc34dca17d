// Which values look as if they were meant for a type?
import { describe, expect, it } from 'vitest';
import {
  any,
  arrayOf,
  boolean,
  boundedString,
  byte,
  double,
  int,
  long,
  string,
  structure,
  ulong,
  union,
  type TypeDesc,
} from '../../src/protocol/types/type-desc.ts';
import { looksLike } from '../../src/protocol/values/looks-like.ts';

const POINT = structure({ x: double });
/** By what they are; each looks like the types that name it, and like no other. */
const VALUES: Readonly<Record<string, unknown>> = {
  text: 'x',
  number: 1,
  bigint: 1n,
  boolean: true,
  texts: ['x', 'y'],
  numbers: [1, 2],
  bigints: [1n],
  booleans: [false],
  mixed: [1, 'x'],
  empty: [],
  doubles: new Float64Array(2),
  bytes: new Int8Array(2),
  longs: new BigInt64Array(1),
  object: { x: 1 },
  objects: [{ x: 1 }, null],
  objectsAndMore: [{ x: 1 }, 2],
  instance: new Date(0),
  null: null,
  nothing: undefined,
};

const LIKES: readonly (readonly [what: string, type: TypeDesc, values: readonly string[]])[] = [
  ['string', string, ['text']],
  ['string of 10', boundedString(10), ['text']],
  ['boolean', boolean, ['boolean']],
  ['int', int, ['number']],
  ['double', double, ['number']],
  ['long', long, ['bigint']],
  ['ulong', ulong, ['bigint']],
  ['string[]', arrayOf(string), ['texts', 'empty']],
  ['boolean[]', arrayOf(boolean), ['booleans', 'empty']],
  ['byte[]', arrayOf(byte), ['numbers', 'empty', 'bytes']],
  ['double[]', arrayOf(double), ['numbers', 'empty', 'doubles']],
  ['long[]', arrayOf(long), ['bigints', 'empty', 'longs']],
  ['structure', POINT, ['object']],
  ['structure[]', arrayOf(POINT), ['empty', 'objects']],
  ['union', union({ a: double }), []],
  ['union[]', arrayOf(union({ a: double })), []],
  ['any', any, []],
  ['any[]', arrayOf(any), []],
];

describe('values', () => {
  it.each(LIKES)('that look like %s are those that are meant for it', (_what, type, values) => {
    const found = Object.entries(VALUES).flatMap(([name, value]) => (looksLike(type, value) ? [name] : []));
    expect(found).toEqual(values);
  });
});
