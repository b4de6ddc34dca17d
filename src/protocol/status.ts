// How did an operation end? The Status that replies carry.
//
// Spec: Protocol-Encoding, "Status".

import { RemoteProtocolError, StatusError } from './errors.ts';
import type { Reader } from './reader.ts';
import type { Writer } from './writer.ts';

/** Done. */
export const STATUS_OK = 0;
/** Done, with something to say about it. */
export const STATUS_WARNING = 1;
/** Not done. */
export const STATUS_ERROR = 2;
/** Not done, and not to be tried again. */
export const STATUS_FATAL = 3;
/** One byte that stands for OK with no message and no call tree. */
export const STATUS_SHORT_OK = 0xff;

/** How an operation ended, as the byte of a Status. */
export type StatusType = typeof STATUS_OK | typeof STATUS_WARNING | typeof STATUS_ERROR | typeof STATUS_FATAL;

/** How an operation ended. Spec: Protocol-Encoding, "Status". */
export interface Status {
  readonly type: StatusType;
  readonly message: string;
  readonly callTree: string;
}

/** The status of success that has nothing to say; one byte on the wire. */
export const OK: Status = Object.freeze({ type: STATUS_OK, message: '', callTree: '' });

/** A status of success with a sentence about it. */
export function warning(message: string): Status {
  return { type: STATUS_WARNING, message, callTree: '' };
}

/** A status that says why something was not done. */
export function error(message: string): Status {
  return { type: STATUS_ERROR, message, callTree: '' };
}

/** OK and WARNING both count as success. */
export function isSuccess(status: Status): boolean {
  return status.type <= STATUS_WARNING;
}

/** Throws `StatusError` unless the status is a success. */
export function requireSuccess(status: Status): void {
  if (!isSuccess(status)) throw new StatusError(status.message, status.callTree, status.type === STATUS_FATAL);
}

/** 'OK', 'WARNING', 'ERROR' or 'FATAL'. */
export function statusName(type: StatusType): string {
  return (['OK', 'WARNING', 'ERROR', 'FATAL'] as const)[type];
}

export function encodeStatus(writer: Writer, status: Status): void {
  if (status.type === STATUS_OK && status.message === '' && status.callTree === '') {
    return writer.u8(STATUS_SHORT_OK);
  }
  writer.u8(status.type);
  writer.string(status.message);
  writer.string(status.callTree);
}

export function decodeStatus(reader: Reader): Status {
  const type = reader.u8();
  if (type === STATUS_SHORT_OK) return OK;
  if (type !== STATUS_OK && type !== STATUS_WARNING && type !== STATUS_ERROR && type !== STATUS_FATAL) {
    throw new RemoteProtocolError(`status type ${type} at offset ${reader.offset - 1}, 0 to 3 or 255 expected`);
  }
  return { type, message: reader.string(), callTree: reader.string() };
}
