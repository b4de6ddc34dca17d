// The public names of the protocol layer: bytes, types, values, messages and state machines, without any I/O.
export { deltaLines, deltaLineText, formatDelta, type DeltaLine } from './values/format-delta.ts';
export { formatJson, typeJson } from './values/format-json.ts';
export { escapeText, type TextOptions } from './values/format-scalar.ts';
export { formatTree, formatType } from './values/format-tree.ts';
export { parsePvRequest, withRecordOptions, OPTIONS_FIELD, type FieldPart, type PvRequest } from './pv-request.ts';
export { MIN_MONITOR_QUEUE, recordOptions, type RecordOptions } from './pv-request/record-options.ts';
export { selectionOf, type Selection } from './pv-request/selection.ts';
