// What does `control` make of what a client puts? It refuses what is out of range or brings it back into the range.
//
// As output records do (EPICS Record Reference, "Analog Output Record (ao)", DRVH and DRVL): the limits count only if the
// high one is above the low one, so a `control` that nobody has filled in limits nothing. What the server itself posts is
// not looked at: it says how things are, and they may be out of range.

import { LocalProtocolError, PvaError } from '../../protocol/errors.ts';
import type { StructureType } from '../../protocol/types/type-desc.ts';
import type { PvValue, StructureValue } from '../../protocol/types/value-of.ts';
import { coerce } from '../../protocol/values/coerce.ts';
import type { PutRequest } from '../channel.ts';
import { PutWith } from '../request-with.ts';
import { fieldOf, isChanged, structureIn, type PlacedField } from '../standard-fields.ts';
import { distance, isNumber, numbersIn, type AnyNumber } from './exact-number.ts';

/**
 * What happens to a put outside of `control.limitLow` to `control.limitHigh`, or by less than `control.minStep`: it is
 * refused, or counts as a put of the nearest limit, or of the value that there is.
 */
export type ControlMode = 'clip' | 'reject';

interface Range {
  readonly low: AnyNumber;
  readonly high: AnyNumber;
}

/** Relative error of a number of each kind that is none of the integers: a step of 0.1 from 0.2 is 0.09999999999999998. */
const ROUNDING: ReadonlyMap<string, number> = new Map([
  ['float', 2 ** -23],
  ['double', 2 ** -52],
]);

export class ControlLimits {
  readonly #mode: ControlMode;
  readonly #field: PlacedField;
  /** 0 for integers, which are exact. */
  readonly #rounding: number;

  /** @throws LocalProtocolError when the type has no `control`, or no numbers */
  constructor(type: StructureType, mode: ControlMode) {
    this.#mode = mode;
    const field = fieldOf(type, 'value');
    const scalar = field?.type.kind === 'scalar' || field?.type.kind === 'scalarArray' ? field.type.scalar : 'string';
    if (field === undefined || scalar === 'string' || scalar === 'boolean')
      throw new LocalProtocolError('control: the type has no field value that holds numbers');
    if (fieldOf(type, 'control')?.type.kind !== 'structure')
      throw new LocalProtocolError('control: the type has no field control; ntScalar(..., { control: true }) has one');
    this.#field = field;
    this.#rounding = ROUNDING.get(scalar) ?? 0;
  }

  /**
   * What of a put counts; its client is told when that is not what it asked for. Limits are those of the value that
   * there is, not those that the same put may bring.
   * @throws PvaError OUT_OF_RANGE, the answer to a client that puts too much or too little
   */
  admit(put: PutRequest, current: StructureValue): PutRequest {
    if (!isChanged(put, this.#field)) return put;
    const { limitLow, limitHigh, minStep } = structureIn(current, 'control');
    const asked = put.value['value'];
    let admitted = asked;
    if (isNumber(asked) && isNumber(minStep)) admitted = this.#stepped(asked, current['value'], minStep);
    if (isNumber(limitLow) && isNumber(limitHigh) && limitHigh > limitLow)
      admitted = this.#within(admitted, { low: limitLow, high: limitHigh });
    if (admitted === asked || admitted === undefined) return put;
    if (isNumber(asked) && isNumber(admitted)) put.tell(`value ${asked} counts as ${admitted}`, 'warning');
    else put.tell('values out of range were clipped', 'warning');
    return new PutWith(put, put.changed, { ...put.value, value: admitted });
  }

  /** The step is that which the client asks for, so that a limit can be reached by a shorter one. */
  #stepped(asked: AnyNumber, now: PvValue | undefined, minStep: AnyNumber): AnyNumber {
    if (!isNumber(now) || asked === now) return asked;
    const step = distance(asked, now);
    const slack = this.#rounding * Math.max(Math.abs(Number(asked)), Math.abs(Number(now)));
    if (!(slack === 0 ? step < minStep : Number(step) < Number(minStep) - slack)) return asked;
    if (this.#mode === 'clip') return now;
    throw outOfRange(`value ${asked} is less than the step of ${minStep} away from ${now}`);
  }

  #within(value: PvValue | undefined, range: Range): PvValue | undefined {
    const numbers = numbersIn(value);
    for (let index = 0; index < numbers.length; index++) {
      const number = numbers[index];
      if (number === undefined || (number >= range.low && number <= range.high)) continue;
      if (this.#mode === 'reject' || Number.isNaN(number))
        throw outOfRange(`value ${number} is outside of the limits ${range.low} to ${range.high}`);
      return this.#clipped(numbers, isNumber(value), range);
    }
    return value;
  }

  #clipped(numbers: ArrayLike<AnyNumber>, isScalar: boolean, range: Range): PvValue {
    const clipped = Array.from(numbers, (number) => {
      if (Number.isNaN(number)) throw outOfRange(`value NaN is outside of the limits ${range.low} to ${range.high}`);
      if (number < range.low) return this.#inward(range.low, Math.ceil);
      return number > range.high ? this.#inward(range.high, Math.floor) : number;
    });
    return coerce(this.#field.type, isScalar ? clipped[0] : clipped, 'value');
  }

  /** A limit as the value can have it: types of users may have limits of another kind than their value. */
  #inward(limit: AnyNumber, round: (limit: number) => number): AnyNumber {
    return typeof limit === 'bigint' || this.#rounding > 0 ? limit : round(limit);
  }
}

function outOfRange(message: string): PvaError {
  return new PvaError('OUT_OF_RANGE', message);
}
