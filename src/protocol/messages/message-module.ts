// What does every message module give, and what does decoding a body need to know beside its bytes?

import type { TypeDesc } from '../types/type-desc.ts';
import type { PvValue } from '../types/value-of.ts';
import type { TypeReceiver } from '../types/wire.ts';
import type { FieldReader, FieldWriter } from './fields.ts';

/** The commands that begin with INIT. */
export type OperationCommand = 'GET' | 'PUT' | 'PUT_GET' | 'MONITOR' | 'ARRAY' | 'RPC' | 'PROCESS';

/** What INIT agreed on for one operation. */
export interface OperationTypes {
  /** An ioid that is used with another command than its own decodes to `outOfScope`. */
  readonly command: OperationCommand;
  /** Type of the data; null while INIT is not answered yet, or if the operation has none. */
  readonly type: TypeDesc | null;
  /** PUT_GET only: type of what is put, where `type` is that of what is got. */
  readonly putType?: TypeDesc | null;
  /** A full value that masked data is read over; without it the fields that did not come are defaults. */
  readonly base?: PvValue;
}

/** What a body is decoded with: one direction of one link. */
export interface DecodeContext {
  /** Type registry of this direction. Each message gets its budget afresh from `decodeMessage`. */
  readonly types: TypeReceiver;
  /** What INIT agreed on for a live operation; undefined if there is none. */
  typeOf(ioid: number): OperationTypes | undefined;
}

/** Late data is only ever read: no message to send has this phase. */
export type ToSend<M> = Exclude<M, { readonly phase: 'outOfScope' }>;

/** Body of the messages of one command in one direction. */
export interface Body<Sent, Read = Sent> {
  encode(fields: FieldWriter, message: Sent): void;
  decode(fields: FieldReader, context: DecodeContext): Read;
}

/** An operation whose INIT was answered with a type. */
export type TypedOperation = OperationTypes & { readonly type: TypeDesc };

/** The operation if it is alive, of this command, and its type is known. */
export function operationOf(
  context: DecodeContext,
  ioid: number,
  command: OperationCommand,
): TypedOperation | undefined {
  const operation = context.typeOf(ioid);
  return operation?.command === command && hasType(operation) ? operation : undefined;
}

function hasType(operation: OperationTypes): operation is TypedOperation {
  return operation.type !== null;
}
