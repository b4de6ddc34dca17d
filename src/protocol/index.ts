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
export { counted } from './counted.ts';
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
  TypedStructure,
  UnionValue,
  ValueOf,
} from './types/value-of.ts';
export type { InputOf } from './types/input-of.ts';
export { anyCodecOf, codecOf } from './values/codec.ts';
export type { TypedUpdate, Update } from './values/update.ts';
export type { ValueCodec } from './values/value-codec.ts';
export { deltaLines, deltaLineText, formatDelta, type DeltaLine } from './values/format-delta.ts';
export { formatJson, typeJson } from './values/format-json.ts';
export { escapeText, type TextOptions } from './values/format-scalar.ts';
export { formatTree, formatType, type TreeOptions } from './values/format-tree.ts';
export { parsePvRequest, withRecordOptions, OPTIONS_FIELD, type FieldPart, type PvRequest } from './pv-request.ts';
export { MIN_MONITOR_QUEUE, recordOptions, type RecordOptions } from './pv-request/record-options.ts';
export { selectionOf, type Selection } from './pv-request/selection.ts';
export {
  alarm,
  alarmSeverityName,
  alarmStatusName,
  ALARM_SEVERITIES,
  ALARM_STATUSES,
  NO_ALARM,
  type Alarm,
  type AlarmSeverity,
  type AlarmStatus,
} from './normative/alarm.ts';
export { imageValue, type ColorMode, type Image, type ImageOptions } from './normative/image.ts';
export { enumLabel, enumValue, ntEnum } from './normative/nt-enum.ts';
export { ntNameValue, type NtNameValueType } from './normative/nt-name-value.ts';
export { codecType, dimensionType, ndArrayValueType, ntAttribute, ntNdArray } from './normative/nt-nd-array.ts';
export {
  ntScalar,
  ntScalarArray,
  type NtScalarArrayType,
  type NtScalarOptions,
  type NtScalarType,
} from './normative/nt-scalar.ts';
export { ntTable, tableValue, type NtTableType, type TableColumns, type TableOptions } from './normative/nt-table.ts';
export { ntUnion, type NtUnionType } from './normative/nt-union.ts';
export { ntUri, uri, type NtUriType, type UriOptions } from './normative/nt-uri.ts';
export {
  alarmType,
  controlType,
  displayFormType,
  displayType,
  DISPLAY_FORMS,
  enumDisplayType,
  enumType,
  plainDisplayType,
  timeStampType,
  valueAlarmType,
} from './normative/substructures.ts';
export {
  nanosecondsOf,
  timeStamp,
  timeStampOfNanoseconds,
  wallTimeMs,
  type TimeStamp,
} from './normative/time-stamp.ts';
export { jsonSchema } from './types/json-schema.ts';
export { typeFromJsonSchema } from './types/json-schema-type.ts';
export { typeToLine, typeToText } from './types/text.ts';
export { isEnum, normativeKind, type NormativeKind } from './types/normative-kind.ts';
export { fieldPaths } from './values/field-paths.ts';
export type { NumericName } from './values/array-codec.ts';
export { coerce, coercePartial } from './values/coerce.ts';
export { inferType } from './values/infer-type.ts';
export { ANY_IPV4, ANY_IPV6, isAny } from './address.ts';
export { readDatagram, type DatagramOptions } from './datagram.ts';
export {
  dissect,
  type DissectedBeacon,
  type DissectedHeader,
  type DissectedSearch,
  type DissectedSearchResponse,
  type Dissection,
} from './dissect.ts';
export { Framer, type Frame, type FramerOptions } from './framer.ts';
export { guidText, GUID_BYTES } from './guid.ts';
export {
  HEADER_BYTES,
  PROTOCOL_VERSION,
  readHeader,
  writeHeader,
  type Header,
  type HeaderToSend,
  type Segment,
} from './header.ts';
export type { Codec, ProtocolName } from './codecs/codec.ts';
export { msgpack } from './codecs/msgpack.ts';
export { pva } from './codecs/pva.ts';
export { preEncodeUpdate, type CodecName, type EncodedUpdate, type UpdateToSend } from './messages/data.ts';
export {
  datagramContext,
  decodeClientMessage,
  decodeMessage,
  decodeServerMessage,
  encodeMessage,
  type ClientMessage,
  type ClientMessageToSend,
  type EncodeOptions,
  type ServerMessage,
  type ServerMessageToSend,
} from './messages/index.ts';
export type { DecodeContext, OperationCommand, OperationTypes } from './messages/message-module.ts';
export { MESSAGE_ERROR, MESSAGE_FATAL, MESSAGE_INFO, MESSAGE_WARNING } from './messages/message.ts';
export { SEARCH_MUST_REPLY, SEARCH_REPLY_TO_SOURCE, SEARCH_UNICAST } from './messages/search.ts';
export {
  isInit,
  isLast,
  monitorAction,
  SUBCOMMAND_DESTROY,
  SUBCOMMAND_GET,
  SUBCOMMAND_GET_PUT,
  SUBCOMMAND_INIT,
  SUBCOMMAND_PIPELINE,
  SUBCOMMAND_PROCESS,
  SUBCOMMAND_START,
  SUBCOMMAND_STOP,
} from './messages/subcommand.ts';
export { Reader } from './reader.ts';
export { TypeReceiver, TypeSender, type EncodeType, type TypeReceiverOptions } from './types/wire.ts';
export { Writer } from './writer.ts';
export { readAddress } from './address.ts';
export { SearchedNames } from './trace/channel-names.ts';
export { COMMAND_NAMES, Conversation, type ConversationOptions, type TracedMessage } from './trace/conversation.ts';
export { flagWords, noteHeader } from './trace/header-notes.ts';
export {
  MessageCutter,
  type CutMessage,
  type CutterOptions,
  type Piece,
  type SkippedBytes,
} from './trace/message-cutter.ts';
export { noteText } from './trace/note-text.ts';
export type { FieldNote } from './trace/notes.ts';
