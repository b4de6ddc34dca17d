// Which objects are taken for data, and which only look like it?
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { double } from '../../src/protocol/types/type-desc.ts';
import { isPlainObject, isSelection, isTypedValue } from '../../src/protocol/values/plain-object.ts';

class Instance {
  readonly x = 1;
}

describe('data', () => {
  it.each([
    ['an object literal', {}],
    ['parsed JSON', JSON.parse('{"x":1}')],
    ['an object without prototype', Object.create(null)],
    ['an object of another realm', runInNewContext('({ x: 1 })')],
  ])('is %s', (_what, found) => expect(isPlainObject(found)).toBe(true));

  it.each([
    ['nothing', undefined],
    ['null', null],
    ['text', 'x'],
    ['a number', 1],
    ['a function', () => {}],
    ['a list', []],
    ['a list of another realm', runInNewContext('[]')],
    ['a typed array', new Uint8Array(1)],
    ['a date', new Date(0)],
    ['an instance of a class', new Instance()],
    ['what is made of an instance', Object.create(new Instance())],
    ['what is made of an object', Object.create({ x: 1 })],
  ])('is not %s', (_what, found) => expect(isPlainObject(found)).toBe(false));
});

describe('a value that brings its type along', () => {
  it('has a type and a value, whatever value', () => {
    for (const value of [1, undefined, null]) expect(isTypedValue({ type: double, value })).toBe(true);
  });

  it.each([
    { type: double },
    { value: 1 },
    { type: double, value: 1, more: 2 },
    { type: double, val: 1 },
    { type: 'double', value: 1 },
    { type: { kind: 'scalar' }, value: 1 },
    Object.create({ type: double, value: 1 }),
    [double, 1],
    null,
  ])('is not %j', (found: unknown) => expect(isTypedValue(found)).toBe(false));
});

describe('a selected member', () => {
  it('has a name and a value, whatever value', () => {
    for (const value of [1, undefined, null]) expect(isSelection({ select: 'a', value })).toBe(true);
    expect(isSelection({ select: '', value: 1 })).toBe(true);
  });

  it.each([
    { select: 'a' },
    { value: 1 },
    { select: 'a', value: 1, more: 2 },
    { select: 'a', val: 1 },
    { select: 1, value: 1 },
    { select: null, value: 1 },
    null,
  ])('is not %j', (found: unknown) => expect(isSelection(found)).toBe(false));
});
