// What can be said to the calls of a context?

import type { PvRequest } from '../protocol/pv-request.ts';
import type { ScalarArrayType, StructureType } from '../protocol/types/type-desc.ts';
import type { CallOptions } from './call.ts';
import type { ArrayType } from './operations/array.ts';

/** Options of every call about one PV. */
export interface ChannelOptions extends CallOptions {
  /**
   * Go to this server, `host[:port]`, instead of searching: for PVs that are not found by searching, such as `server`.
   * The port defaults to that of the configuration.
   */
  readonly server?: string | undefined;
  /** pvRequest: which fields, and how. `field(value,alarm) record[process=true]`; default '': everything. */
  readonly request?: string | PvRequest | undefined;
}

/** What can be said to a get. */
export interface GetOptions<T extends StructureType = StructureType> extends ChannelOptions {
  /** The type that is expected: it types the result, and a channel of another type is an error. */
  readonly type?: T | undefined;
}

/** What can be said to a put. */
export interface PutOptions extends ChannelOptions {
  /** Read the present value first even if nothing needs it, as pvxput does. */
  readonly readFirst?: boolean | undefined;
}

/** `request` can name the fields of each half: `putField(value)getField(value,alarm)`. */
export interface PutGetOptions<T extends StructureType = StructureType> extends PutOptions {
  /** The type that is expected of what is read: it types the result, and another type is an error before the put. */
  readonly type?: T | undefined;
}

/** What can be said to a process. */
export type ProcessOptions = ChannelOptions;

/** Which array of a PV, and of which type. */
export interface ArrayOptions<T extends ArrayType = ScalarArrayType> {
  /** Path of the array; default `value`. */
  readonly field?: string | undefined;
  /** The type that is expected: it types the elements, and another type is an error. */
  readonly type?: T | undefined;
  /** Go to this server, `host[:port]`, instead of searching. */
  readonly server?: string | undefined;
}

/** What can be said to an info. */
export interface InfoOptions extends Omit<ChannelOptions, 'request'> {
  /** Path of a field, for its type alone. */
  readonly subField?: string | undefined;
}

/** What can be said to an RPC. */
export type RpcOptions = ChannelOptions;
