// How does a client reach into an array without moving all of it? ARRAY: INIT agrees on the array's type, then each
// request reads or writes a part of it, or its length.

import { LocalProtocolError, RemoteProtocolError } from '../../protocol/errors.ts';
import {
  SUBCOMMAND_GET,
  SUBCOMMAND_GET_PUT,
  SUBCOMMAND_INIT,
  SUBCOMMAND_PROCESS,
} from '../../protocol/messages/subcommand.ts';
import type { PvRequest } from '../../protocol/pv-request.ts';
import { SIZE_MAX } from '../../protocol/reader.ts';
import type {
  AnyArrayType,
  ScalarArrayType,
  StructureArrayType,
  TypeDesc,
  UnionArrayType,
} from '../../protocol/types/type-desc.ts';
import type { PvValue } from '../../protocol/types/value-of.ts';
import { coerce } from '../../protocol/values/coerce.ts';
import type { Call } from '../call.ts';
import type { Operation } from '../operation.ts';

const SILENT_SERVERS = 'servers made with pvxs have no ARRAY and do not say so';

/** The types that ARRAY can read and write: arrays of any kind of element. */
export type ArrayType = ScalarArrayType | StructureArrayType | UnionArrayType | AnyArrayType;

/** Which elements: the one at `offset` and every `stride`th after it. */
export interface Part {
  readonly offset: number;
  readonly stride: number;
}

/** The array's type as the server offers it. */
export async function initArray(call: Call, operation: Operation, pvRequest: PvRequest): Promise<ArrayType> {
  const { sid, pvName } = operation.active;
  const { ioid } = operation;
  const { type } = await operation.request(call, {
    name: 'ARRAY INIT',
    hint: SILENT_SERVERS,
    isInit: true,
    message: { command: 'ARRAY', phase: 'init', sid, ioid, subcommand: SUBCOMMAND_INIT, pvRequest },
    pick: (reply) => (reply.command === 'ARRAY' && reply.phase === 'init' ? reply : undefined),
  });
  return requireArray(type, `${pvName}: ARRAY INIT`);
}

/** `count` 0 is for all up to the end. */
export async function getPart(call: Call, operation: Operation, part: Part, count: number): Promise<PvValue> {
  const { sid, pvName } = operation.active;
  const { ioid } = operation;
  const { array } = await operation.request(call, {
    name: 'ARRAY get',
    message: { command: 'ARRAY', phase: 'get', sid, ioid, subcommand: SUBCOMMAND_GET, ...part, count },
    pick: (reply) => (reply.command === 'ARRAY' && reply.phase === 'get' ? reply : undefined),
  });
  if (array === null) throw new RemoteProtocolError(`${pvName}: ARRAY get is answered with no array`);
  return array.value;
}

export async function putPart(
  call: Call,
  operation: Operation,
  type: ArrayType,
  part: Part,
  elements: unknown,
): Promise<void> {
  const { sid, pvName } = operation.active;
  const array = { type, value: coerce(type, elements, pvName) };
  await operation.request(call, {
    name: 'ARRAY put',
    hasEffects: true,
    message: { command: 'ARRAY', phase: 'put', sid, ioid: operation.ioid, subcommand: 0, ...part, array },
    pick: (reply) => (reply.command === 'ARRAY' && reply.phase === 'put' ? reply : undefined),
  });
}

export async function setLength(call: Call, operation: Operation, length: number): Promise<void> {
  const { sid } = operation.active;
  const { ioid } = operation;
  await operation.request(call, {
    name: 'ARRAY set length',
    hasEffects: true,
    message: { command: 'ARRAY', phase: 'setLength', sid, ioid, subcommand: SUBCOMMAND_GET_PUT, length },
    pick: (reply) => (reply.command === 'ARRAY' && reply.phase === 'setLength' ? reply : undefined),
  });
}

export async function getLength(call: Call, operation: Operation): Promise<number> {
  const { sid, pvName } = operation.active;
  const { length } = await operation.request(call, {
    name: 'ARRAY get length',
    message: { command: 'ARRAY', phase: 'getLength', sid, ioid: operation.ioid, subcommand: SUBCOMMAND_PROCESS },
    pick: (reply) => (reply.command === 'ARRAY' && reply.phase === 'getLength' ? reply : undefined),
  });
  if (length === null) throw new RemoteProtocolError(`${pvName}: ARRAY get length is answered with no length`);
  return length;
}

/** A number that can be sent as a size. */
export function requireSize(name: string, given: number, least: 0 | 1): number {
  if (Number.isInteger(given) && given >= least && given <= SIZE_MAX) return given;
  throw new LocalProtocolError(`${name} is ${given}, a whole number from ${least} to ${SIZE_MAX} expected`);
}

function requireArray(type: TypeDesc | null, name: string): ArrayType {
  switch (type?.kind) {
    case 'scalarArray':
    case 'structureArray':
    case 'unionArray':
    case 'anyArray':
      return type;
    default:
      throw new RemoteProtocolError(`${name} is answered with the type ${type?.kind ?? 'null'}, an array expected`);
  }
}
