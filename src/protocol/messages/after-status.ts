// What follows the status of a reply, if that is a success?

import { LocalProtocolError } from '../errors.ts';
import { isSuccess, type Status } from '../status.ts';
import type { TypeDesc } from '../types/type-desc.ts';
import type { UpdateToSend } from './data.ts';
import type { FieldReader, FieldWriter } from './fields.ts';

/** The type that INIT agrees on. */
export function writeTypeAfter(fields: FieldWriter, status: Status, type: TypeDesc | null): void {
  if (isSuccess(status)) fields.type(type);
}

export function readTypeAfter(fields: FieldReader, status: Status): TypeDesc | null {
  return isSuccess(status) ? fields.type() : null;
}

/** The data that was asked for. */
export function writeUpdateAfter(fields: FieldWriter, status: Status, update: UpdateToSend | null): void {
  if (!isSuccess(status)) return;
  if (update === null) throw new LocalProtocolError('reply of success without data');
  fields.update(update);
}
