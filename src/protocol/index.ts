// The public names of the protocol layer: bytes, types, values, messages and state machines, without any I/O.
export {
  DisconnectedError,
  LimitError,
  LocalProtocolError,
  PvaError,
  reasonOf,
  RemoteProtocolError,
  StatusError,
  TimeoutError,
  TruncatedError,
  type PvaErrorOptions,
} from './errors.ts';
export { BitSet } from './bit-set.ts';
export { DEFAULT_LIMITS, type Limits } from './limits.ts';
export {
  error,
  isSuccess,
  OK,
  requireSuccess,
  STATUS_ERROR,
  STATUS_FATAL,
  STATUS_OK,
  STATUS_WARNING,
  statusName,
  warning,
  type Status,
  type StatusType,
} from './status.ts';
export {
  any,
  anyArray,
  arrayOf,
  boolean,
  boundedArrayOf,
  boundedString,
  byte,
  double,
  fixedArrayOf,
  float,
  int,
  long,
  scalar,
  SCALAR_NAMES,
  short,
  string,
  structure,
  ubyte,
  uint,
  ulong,
  union,
  ushort,
  type AnyArrayType,
  type AnyType,
  type BoundedStringType,
  type Field,
  type FieldTypes,
  type ScalarArrayType,
  type ScalarName,
  type ScalarType,
  type Sizing,
  type StructureArrayType,
  type StructureType,
  type TypeDesc,
  type UnionArrayType,
  type UnionType,
} from './types/type-desc.ts';
export type {
  AnyValue,
  NumericArray,
  PvValue,
  ScalarArrayValue,
  ScalarValue,
  StructureValue,
  UnionValue,
  ValueOf,
} from './types/value-of.ts';
export { anyCodecOf, codecOf } from './values/codec.ts';
export type { TypedUpdate, Update } from './values/update.ts';
export type { ValueCodec } from './values/value-codec.ts';
export { deltaLines, deltaLineText, formatDelta, type DeltaLine } from './values/format-delta.ts';
export { formatJson, typeJson } from './values/format-json.ts';
export { escapeText, type TextOptions } from './values/format-scalar.ts';
export { formatTree, formatType } from './values/format-tree.ts';
export { parsePvRequest, withRecordOptions, OPTIONS_FIELD, type FieldPart, type PvRequest } from './pv-request.ts';
export { MIN_MONITOR_QUEUE, recordOptions, type RecordOptions } from './pv-request/record-options.ts';
export { selectionOf, type Selection } from './pv-request/selection.ts';
