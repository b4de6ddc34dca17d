// What do the operators and functions of expressions compute? As in JavaScript, but integers of 64 bits stay exact.
//
// A bigint comes from a long or ulong. Adding, subtracting, multiplying, remainders and comparing with another integer are
// exact; all else is done with doubles, as it would be if there were no bigint. Truth is 1 or 0.

import type { AnyNumber } from '../behaviours/exact-number.ts';

/** Of numbers, in exact form where both are integers and at least one of them is a bigint. */
interface Exactly {
  readonly ofNumbers: (left: number, right: number) => number;
  readonly ofBigints: (left: bigint, right: bigint) => bigint;
}

export type BinaryAct = (left: AnyNumber, right: AnyNumber) => AnyNumber;

export const BINARY: ReadonlyMap<string, BinaryAct> = new Map<string, BinaryAct>([
  ['+', exact({ ofNumbers: (left, right) => left + right, ofBigints: (left, right) => left + right })],
  ['-', exact({ ofNumbers: (left, right) => left - right, ofBigints: (left, right) => left - right })],
  ['*', exact({ ofNumbers: (left, right) => left * right, ofBigints: (left, right) => left * right })],
  ['%', remainder],
  ['/', (left, right) => Number(left) / Number(right)],
  // In doubles only: a bigint to the power of another could take all the memory there is.
  ['^', (left, right) => Number(left) ** Number(right)],
  ['==', (left, right) => truth(isEqual(left, right))],
  ['!=', (left, right) => truth(!isEqual(left, right))],
  ['<', (left, right) => truth(left < right)],
  ['<=', (left, right) => truth(left <= right)],
  ['>', (left, right) => truth(left > right)],
  ['>=', (left, right) => truth(left >= right)],
]);

interface FunctionOfNumbers {
  readonly least: number;
  /** Arguments at most; as many as there are when it is Infinity. */
  readonly most: number;
  readonly act: (numbers: readonly AnyNumber[]) => AnyNumber;
}

/** Functions of Math that take one double. */
const OF_ONE = [
  'acos',
  'acosh',
  'asin',
  'asinh',
  'atan',
  'atanh',
  'cbrt',
  'cos',
  'cosh',
  'exp',
  'expm1',
  'fround',
  'log',
  'log10',
  'log1p',
  'log2',
  'sin',
  'sinh',
  'sqrt',
  'tan',
  'tanh',
] as const;

/** Those that leave an integer what it is, or only change its sign. */
const OF_ONE_INTEGER = ['ceil', 'floor', 'round', 'trunc'] as const;

export const FUNCTIONS: ReadonlyMap<string, FunctionOfNumbers> = new Map([
  ...OF_ONE.map((name) => [name, ofOne((number) => Math[name](Number(number)))] as const),
  ...OF_ONE_INTEGER.map(
    (name) => [name, ofOne((number) => (typeof number === 'bigint' ? number : Math[name](number)))] as const,
  ),
  ['abs', ofOne((number) => (number < 0 ? negated(number) : number))],
  ['sign', ofOne((number) => Math.sign(Number(number)))],
  ['isNaN', ofOne((number) => truth(Number.isNaN(number)))],
  ['isFinite', ofOne((number) => truth(Number.isFinite(Number(number))))],
  ['atan2', ofTwo((left, right) => Math.atan2(left, right))],
  ['pow', ofTwo((left, right) => left ** right)],
  ['hypot', ofMany((numbers) => Math.hypot(...numbers.map(Number)))],
  ['max', ofMany((numbers) => numbers.reduce((best, number) => (isBetter(number > best, number) ? number : best)))],
  ['min', ofMany((numbers) => numbers.reduce((best, number) => (isBetter(number < best, number) ? number : best)))],
]);

export const CONSTANTS: ReadonlyMap<string, number> = new Map([
  ['PI', Math.PI],
  ['E', Math.E],
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
]);

export function isTrue(number: AnyNumber): boolean {
  return number !== 0 && number !== 0n && !Number.isNaN(number);
}

export function truth(claim: boolean): number {
  return claim ? 1 : 0;
}

export function negated(number: AnyNumber): AnyNumber {
  return typeof number === 'bigint' ? -number : -number;
}

function exact({ ofNumbers, ofBigints }: Exactly): BinaryAct {
  return (left, right) => {
    if (typeof left === 'number' && typeof right === 'number') return ofNumbers(left, right);
    const [one, other] = [wholeOf(left), wholeOf(right)];
    if (one === undefined || other === undefined) return ofNumbers(Number(left), Number(right));
    return ofBigints(one, other);
  };
}

function remainder(left: AnyNumber, right: AnyNumber): AnyNumber {
  const [one, other] = [wholeOf(left), wholeOf(right)];
  const isExact = (typeof left === 'bigint' || typeof right === 'bigint') && one !== undefined && other !== undefined;
  return isExact && other !== 0n ? one % other : Number(left) % Number(right);
}

/** A number of the text, such as 1, is an integer to an integer and a double to a double. */
function wholeOf(number: AnyNumber): bigint | undefined {
  if (typeof number === 'bigint') return number;
  return Number.isSafeInteger(number) ? BigInt(number) : undefined;
}

/** Of a bigint and a double too, which are never the same to `===`. */
function isEqual(left: AnyNumber, right: AnyNumber): boolean {
  if (typeof left === typeof right) return left === right;
  const [double, integer] = typeof left === 'number' ? [left, right] : [Number(right), left];
  return Number.isInteger(double) && BigInt(double) === integer;
}

/** As in Math, a single NaN makes the result NaN. */
function isBetter(isBeyond: boolean, number: AnyNumber): boolean {
  return isBeyond || Number.isNaN(number);
}

function ofOne(act: (number: AnyNumber) => AnyNumber): FunctionOfNumbers {
  return { least: 1, most: 1, act: ([number = Number.NaN]) => act(number) };
}

function ofTwo(act: (left: number, right: number) => number): FunctionOfNumbers {
  return { least: 2, most: 2, act: ([left, right]) => act(Number(left), Number(right)) };
}

function ofMany(act: (numbers: readonly AnyNumber[]) => AnyNumber): FunctionOfNumbers {
  return { least: 1, most: Number.POSITIVE_INFINITY, act };
}
