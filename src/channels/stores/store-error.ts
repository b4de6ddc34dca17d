// What can go wrong with a store? One error with a code for each case, so that servers and tools can tell them apart.

import { PvaError, type PvaErrorOptions } from '../../protocol/errors.ts';

/** What went wrong with a store. */
export type StoreErrorCode =
  /** The store cannot be reached, or was closed; nothing was written. */
  | 'STORE_AWAY'
  /** The connection was lost before anybody could know whether it was written. */
  | 'STORE_UNCERTAIN'
  /** The channel exists with another definition; the message names what differs. */
  | 'DEFINITION_CONFLICT'
  | 'NO_SUCH_CHANNEL'
  /** What is there is not ours, is damaged, or is of a newer version; nothing was overwritten. */
  | 'STORE_FORMAT';

/** A store refused, or could not do, what it was asked to. No message holds a password. */
export class StoreError extends PvaError {
  /** `code` narrowed to the cases that there are. */
  readonly reason: StoreErrorCode;

  constructor(code: StoreErrorCode, message: string, options?: PvaErrorOptions) {
    super(code, message, options);
    this.reason = code;
  }
}

/** The error of every store for a name that it does not have. */
export function noSuchChannel(name: string): StoreError {
  return new StoreError('NO_SUCH_CHANNEL', `there is no channel '${name}' in the store`);
}

/** The error of every store after `close`. */
export function storeClosed(): StoreError {
  return new StoreError('STORE_AWAY', 'the store was closed');
}

/** Whether nothing is wrong but that the store cannot be reached now. */
export function isStoreAway(thrown: unknown): boolean {
  return thrown instanceof StoreError && (thrown.reason === 'STORE_AWAY' || thrown.reason === 'STORE_UNCERTAIN');
}
