// What does a put write, out of what its caller gave: a patch, a bare value, or a function of the present value?

import { isEnum } from '../protocol/types/normative-kind.ts';
import type { StructureType, TypeDesc } from '../protocol/types/type-desc.ts';
import type { StructureValue } from '../protocol/types/value-of.ts';
import { coercePartial } from '../protocol/values/coerce.ts';
import { isPlainObject } from '../protocol/values/plain-object.ts';
import { PvaError } from '../protocol/errors.ts';
import type { PvRequest } from '../protocol/pv-request.ts';
import type { PutPlan } from './operations/put.ts';

/** Makes what is to be written out of the present value; it must not change that. */
export type PutFunction = (current: StructureValue) => unknown;

export function planPut(pvName: string, input: unknown, pvRequest: PvRequest, readFirst: boolean): PutPlan {
  return {
    pvRequest,
    needsCurrent: (type) => readFirst || isPutFunction(input) || (namesLabel(input) && hasEnum(type)),
    build(type, current) {
      const patch: unknown = isPutFunction(input) ? input(requireCurrent(current)) : input;
      try {
        return coercePartial(type, named(type, patch), current);
      } catch (thrown) {
        // The sentence names the field; here it is known of which PV.
        if (thrown instanceof PvaError) thrown.message = `${pvName}: ${thrown.message}`;
        throw thrown;
      }
    },
  };
}

function isPutFunction(input: unknown): input is PutFunction {
  return typeof input === 'function';
}

function requireCurrent(current: StructureValue | undefined): StructureValue {
  if (current === undefined) throw new TypeError('a put with a function has read no present value');
  return current;
}

/**
 * Servers of pvAccessCPP offer only the fields that were asked for, as a structure without the id by which a bare value
 * would be taken for its field `value`.
 */
function named(type: StructureType, patch: unknown): unknown {
  const isBare = type.id === '' && type.indexOf.has('value') && !isPlainObject(patch);
  return isBare ? { value: patch } : patch;
}

/** Only text can be a label, and only the present value has the labels. Objects may contain themselves: coercion says so. */
function namesLabel(input: unknown): boolean {
  const parts = new Set([input]);
  for (const part of parts) {
    if (typeof part === 'string') return true;
    if (isPlainObject(part)) for (const inner of Object.values(part)) parts.add(inner);
  }
  return false;
}

function hasEnum(type: TypeDesc): boolean {
  if (type.kind !== 'structure') return false;
  return isEnum(type) || type.fields.some((field) => hasEnum(field.type));
}
