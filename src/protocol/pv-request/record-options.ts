// How does a client want its operation done? `record[...]` of a pvRequest, typed.
//
// The command line tools send every option as text, programs send booleans and integers: both are read. What cannot be
// used is left out and said in a notice, as pvxs does with MESSAGE.

import { LocalProtocolError } from '../errors.ts';
import { DEFAULT_LIMITS, type Limits } from '../limits.ts';
import { OPTIONS_FIELD } from '../pv-request.ts';
import type { AnyValue, PvValue, StructureValue } from '../types/value-of.ts';

/** The shortest monitor queue; with fewer, a client that asks is given the default. From pvxs. */
export const MIN_MONITOR_QUEUE = 2;

/** What a pvRequest asks for beside fields: its `record._options`, read and checked. */
export interface RecordOptions {
  /** All options as they came. */
  readonly raw: ReadonlyMap<string, PvValue>;
  /** `queueSize`: updates that the monitor queue holds; what was asked for if it can be used, else the default. */
  readonly queueSize: number;
  /** `pipeline`: the client acknowledges updates, and no more than its window are sent. */
  readonly pipeline: boolean;
  /**
   * `ackAny`, a number of updates or a part of the queue such as '50%': a pipelining client acknowledges after so
   * many. From 1 to `queueSize`; half the queue unless asked for.
   */
  readonly ackAny: number;
  /** `process`: whether a put or get makes the record process; undefined when nothing was asked. */
  readonly process: boolean | 'passive' | undefined;
  /** `block`: a put is answered when what it set off is done. */
  readonly block: boolean;
  /** `atomic`: the fields of a group are read or written together; undefined when nothing was asked. */
  readonly atomic: boolean | undefined;
  /** Sentences about options that could not be used as they came, for the client's MESSAGE. */
  readonly notices: readonly string[];
}

/**
 * Reads `record._options`. Never throws but for one case that both sides have to agree on: `pipeline` with a
 * `queueSize` that cannot be used is a `LocalProtocolError`, the text for a Status ERROR.
 */
export function recordOptions(pvRequest: AnyValue, limits: Limits = DEFAULT_LIMITS): RecordOptions {
  const raw = rawOptions(pvRequest);
  const notices: string[] = [];
  const pipeline = readBoolean('pipeline', raw, notices) ?? false;
  const queueSize = readQueueSize(raw, pipeline, limits, notices);
  return {
    raw,
    queueSize,
    pipeline,
    ackAny: readAckAny(raw, queueSize, notices),
    process: raw.get('process') === 'passive' ? 'passive' : readBoolean('process', raw, notices),
    block: readBoolean('block', raw, notices) ?? false,
    atomic: readBoolean('atomic', raw, notices),
    notices,
  };
}

function rawOptions(pvRequest: AnyValue): ReadonlyMap<string, PvValue> {
  const options = member(member(pvRequest, 'record'), OPTIONS_FIELD);
  if (options?.type.kind !== 'structure') return new Map();
  return new Map(options.type.fields.map(({ name }) => [name, member(options, name)?.value ?? null]));
}

function member(of: AnyValue, name: string): AnyValue {
  if (of?.type.kind !== 'structure') return null;
  const type = of.type.fields[of.type.indexOf.get(name) ?? -1]?.type;
  // The value of a structure type is a structure; a field that it lacks is null here.
  const fields = of.value as StructureValue;
  const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
  return type === undefined || value === undefined ? null : { type, value };
}

function readQueueSize(
  raw: ReadonlyMap<string, PvValue>,
  pipeline: boolean,
  limits: Limits,
  notices: string[],
): number {
  const asked = raw.get('queueSize');
  if (asked === undefined) return limits.defaultMonitorQueue;
  const size = readWhole(asked);
  if (size === undefined || size < MIN_MONITOR_QUEUE) {
    const wrong = `queueSize ${show(asked)}, a whole number from ${MIN_MONITOR_QUEUE} to ${limits.maxMonitorQueue} expected`;
    if (pipeline) throw new LocalProtocolError(`can not pipeline with ${wrong}`);
    notices.push(`record._options.${wrong}; ${limits.defaultMonitorQueue} is used`);
    return limits.defaultMonitorQueue;
  }
  if (size > limits.maxMonitorQueue) {
    notices.push(
      `record._options.queueSize ${show(asked)} is more than this server gives; ${limits.maxMonitorQueue} is used`,
    );
    return limits.maxMonitorQueue;
  }
  return size;
}

function readAckAny(raw: ReadonlyMap<string, PvValue>, queueSize: number, notices: string[]): number {
  const asked = raw.get('ackAny');
  const half = Math.max(1, Math.floor(queueSize / 2));
  if (asked === undefined) return half;
  const percent = typeof asked === 'string' ? /^\s*(\d{1,9}(?:\.\d{0,9})?)\s*%\s*$/.exec(asked)?.[1] : undefined;
  const count =
    percent === undefined ? readWhole(asked) : Math.floor((Math.min(Number(percent), 100) / 100) * queueSize);
  if (count === undefined || count < 0) {
    notices.push(
      `record._options.ackAny ${show(asked)}, a whole number or a part such as 50% expected; ${half} is used`,
    );
    return half;
  }
  // 0 means "as you like", as in pvxs.
  return count === 0 ? half : Math.min(count, queueSize);
}

function readBoolean(name: string, raw: ReadonlyMap<string, PvValue>, notices: string[]): boolean | undefined {
  const asked = raw.get(name);
  switch (typeof asked) {
    case 'undefined':
    case 'boolean':
      return asked;
    case 'number':
    case 'bigint':
      return Number(asked) !== 0;
    case 'string':
      if (/^\s*(true|1)\s*$/i.test(asked)) return true;
      if (/^\s*(false|0)\s*$/i.test(asked)) return false;
      break;
    default:
  }
  notices.push(`record._options.${name} ${show(asked ?? null)}, true or false expected; ignored`);
  return undefined;
}

/** A whole number out of any number or numeric text; floats are cut as in pvxs. */
function readWhole(asked: PvValue): number | undefined {
  if (typeof asked === 'number') return Number.isFinite(asked) ? Math.trunc(asked) : undefined;
  if (typeof asked === 'bigint') return Number(asked);
  if (typeof asked === 'string' && /^\s*(\d{1,15}|0x[\da-f]{1,8})\s*$/i.test(asked)) return Number(asked);
  return undefined;
}

function show(asked: PvValue): string {
  if (typeof asked === 'string') return `'${asked.length > 40 ? `${asked.slice(0, 40)}…` : asked}'`;
  return typeof asked === 'object' ? 'that is no scalar' : String(asked);
}
