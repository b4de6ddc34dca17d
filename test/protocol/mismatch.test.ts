// What does the author of a wrong value read?
import { expect, it } from 'vitest';
import { LocalProtocolError } from '../../src/protocol/errors.ts';
import { outOfRange, typeMismatch } from '../../src/protocol/values/mismatch.ts';

class Reading {
  readonly x = 1;
}

it.each([
  ["text 'x'", 'x'],
  [`text '${'x'.repeat(60)}'`, 'x'.repeat(60)],
  [`text '${'x'.repeat(60)}…'`, 'x'.repeat(61)],
  ['number 1.5', 1.5],
  ['number NaN', Number.NaN],
  ['bigint 7', 7n],
  [`bigint ${'1'.repeat(60)}…`, BigInt('1'.repeat(61))],
  ['boolean false', false],
  ['a list of 3', [1, 2, 3]],
  ['a Float64Array', new Float64Array(2)],
  ['a DataView', new DataView(new ArrayBuffer(1))],
  ['null', null],
  ['nothing', undefined],
  ['a function', () => {}],
  ['a symbol', Symbol('x')],
  ['an object', { x: 1 }],
  ['an object', Object.create(null)],
  ['an object', Object.create({ constructor: 'x' })],
  ['a Date', new Date(0)],
  ['a Reading', new Reading()],
])('says %s', (text, found) => {
  const error = typeMismatch('a double', found);
  expect(error).toBeInstanceOf(LocalProtocolError);
  expect(error.message).toBe(`a double expected, ${text} given`);
});

it('says which whole numbers fit', () => {
  expect(outOfRange('byte', -128, 127, 300).message).toBe(
    'number 300 does not fit byte, whole numbers from -128 to 127 do',
  );
  expect(outOfRange('ulong', 0n, 5n, -1n).message).toBe('bigint -1 does not fit ulong, whole numbers from 0 to 5 do');
});
