// What may stand in the TOML file: its sections, keys and the form of every value.
import { z } from 'zod';
import type { ControlMode } from '../channels/behaviours/control-limits.ts';
import { ALLOW_WORDS, type Allow } from '../channels/access/rights.ts';
import { AUTH_METHODS, type Patterns } from '../channels/access/rule.ts';
import { MAX_FLUSH_MS } from '../channels/stores/embedded/flush-time.ts';
import { DEFAULT_LIMITS, type Limits } from '../protocol/limits.ts';
import { MIN_SEGMENT_BYTES } from '../protocol/segments.ts';
import { ALARM_SEVERITIES, type AlarmSeverity } from '../protocol/normative/alarm.ts';
import { ADDRESS_FORM, parseAddress, type ListedAddress } from './address-list.ts';
import type { Limit, Persistence } from './channel-definition.ts';
import { parseChannelType, parsePvName } from './channel-type.ts';
import { describe } from './channel-value.ts';
import { LIMIT_NAMES, snakeCase } from './limit-names.ts';
import { quote, right, wrong, type Parsed } from './parsed.ts';
import { LOG_LEVELS, MAX_TIMER_MS, MAX_WORKERS, parseMemory, parseStoreUrl } from './settings-text.ts';

/** Bounds that a format or a recursion sets; the others end where a timer or a buffer length does. */
const MOST: Readonly<Partial<Record<keyof Limits, number>>> = {
  maxTypeNesting: 1_000,
  maxTypeRegistryEntries: DEFAULT_LIMITS.maxTypeRegistryEntries,
  maxDatagramBytes: DEFAULT_LIMITS.maxDatagramBytes,
  maxSegmentBytes: DEFAULT_LIMITS.maxSegmentBytes,
};
/**
 * The others begin with 1. Below what node's own buffer of a socket takes (16 KiB, in later versions 64 KiB) nobody is told
 * that there is room again.
 */
const LEAST: Readonly<Partial<Record<keyof Limits, number>>> = {
  maxSegmentBytes: MIN_SEGMENT_BYTES,
  monitorPauseBytes: 64 * 1_024,
  readPauseBytes: 64 * 1_024,
};

const CONTROL_MODES: readonly ControlMode[] = ['clip', 'reject'];
const PERSISTENCES: readonly Persistence[] = ['puts', 'all', 'none'];
/** UNDEFINED is what is said of an alarm that is not known; no limit has it. */
const SEVERITIES: readonly AlarmSeverity[] = ALARM_SEVERITIES.filter((name) => name !== 'UNDEFINED');

const text = z.string();
const limitOfValue = field(readLimit);
const port = field((raw) => integer(raw, 0, 65_535));
const pvName = field((raw) => (typeof raw === 'string' ? parsePvName(raw) : expected('a string', raw)));
const address = field(readListedAddress);
const severity = field(readSeverity);

export const channelFields = {
  name: pvName,
  type: field((raw) => (typeof raw === 'string' ? parseChannelType(raw) : expected('a string', raw))),
};

export const channelSchema = z.strictObject({
  ...channelFields,
  // Checked against the type, once that is known.
  value: z.unknown().optional(),
  units: text.optional(),
  description: text.optional(),
  display: z
    .strictObject({
      low: limitOfValue.optional(),
      high: limitOfValue.optional(),
      precision: field((raw) => integer(raw, 0, 100)).optional(),
      format: text.optional(),
    })
    .optional(),
  control: z
    .strictObject({
      low: limitOfValue.optional(),
      high: limitOfValue.optional(),
      min_step: positive().optional(),
      mode: field((raw) => oneOf(CONTROL_MODES, raw)).optional(),
    })
    .optional(),
  alarm: z
    .strictObject({
      low: limitOfValue.optional(),
      low_warning: limitOfValue.optional(),
      high_warning: limitOfValue.optional(),
      high: limitOfValue.optional(),
      hysteresis: positive().optional(),
      severities: z
        .strictObject({
          low: severity.optional(),
          low_warning: severity.optional(),
          high_warning: severity.optional(),
          high: severity.optional(),
        })
        .optional(),
    })
    .optional(),
  deadband: positive().optional(),
  // Checked against the other channels, once these are known.
  computed: text.optional(),
  inputs: z.record(z.string(), pvName).optional(),
  maximize_severity: z.boolean().optional(),
  read_only: z.boolean().optional(),
  persist: field((raw) => oneOf(PERSISTENCES, raw)).optional(),
});

const patterns = field((raw) =>
  oneOrSeveral((word) => (typeof word === 'string' ? right(word) : undefined), 'a string', raw),
);
const methods = field((raw) => wordsOf(AUTH_METHODS, raw));
const allow = field((raw): Parsed<Allow> => wordsOf(ALLOW_WORDS, raw));

export const accessSchema = z.strictObject({
  user: patterns.optional(),
  host: patterns.optional(),
  method: methods.optional(),
  channel: patterns.optional(),
  allow,
});

export const fileSchema = z.strictObject({
  server: z
    .strictObject({
      name: pvName.optional(),
      tcp_port: port.optional(),
      msgpack_port: port.optional(),
      udp_port: port.optional(),
      workers: field((raw) => integer(raw, 1, MAX_WORKERS)).optional(),
      busy_poll: z.boolean().optional(),
      interfaces: z.array(address).optional(),
      beacon_addresses: z.array(address).optional(),
      auto_beacon: z.boolean().optional(),
      ignore_addresses: z.array(address).optional(),
      search_relays: z.array(address).optional(),
      max_memory: field(readMemory).optional(),
      default_access: allow.optional(),
    })
    .optional(),
  limits: z
    .strictObject(
      Object.fromEntries(LIMIT_NAMES.map((name) => [snakeCase(name), field((raw) => limit(name, raw)).optional()])),
    )
    .optional(),
  store: z
    .strictObject({
      url: field(readStoreUrl).optional(),
      flush_ms: field((raw) => integer(raw, 0, MAX_FLUSH_MS)).optional(),
    })
    .optional(),
  log: z
    .strictObject({ level: field((raw) => oneOf(LOG_LEVELS, raw)).optional(), puts: field(readLogFile).optional() })
    .optional(),
  access: z.array(accessSchema).optional(),
  channels: z.array(channelSchema).optional(),
});

export type FileContent = z.output<typeof fileSchema>;
export type AccessContent = z.output<typeof accessSchema>;
export type ChannelContent = z.output<typeof channelSchema>;

/** The keys that the schema knows for the table at `path`. */
export function knownKeysAt(path: readonly PropertyKey[]): readonly string[] {
  let schema: unknown = fileSchema;
  for (const key of path) {
    const inner = unwrap(schema);
    if (inner instanceof z.ZodObject) schema = inner.shape[String(key)];
    else if (inner instanceof z.ZodArray) schema = inner.element;
  }
  const table = unwrap(schema);
  return table instanceof z.ZodObject ? Object.keys(table.shape) : [];
}

function unwrap(schema: unknown): unknown {
  return schema instanceof z.ZodOptional ? schema.unwrap() : schema;
}

/** A value with a parser of its own, which also says what is wrong. */
function field<T>(parse: (raw: unknown) => Parsed<T>) {
  return z.unknown().transform((raw, context): T => {
    const parsed = parse(raw);
    if (parsed.ok) return parsed.value;
    context.addIssue({ code: 'custom', message: parsed.wrong });
    return z.NEVER;
  });
}

function positive() {
  return field((raw) => {
    const value = typeof raw === 'bigint' ? Number(raw) : raw;
    return typeof value === 'number' && Number.isFinite(value) && value >= 0
      ? right(value)
      : expected('a number not below 0', raw);
  });
}

function integer(raw: unknown, least: number, most: number): Parsed<number> {
  const isIn = typeof raw === 'bigint' && raw >= least && raw <= most;
  return isIn ? right(Number(raw)) : expected(`an integer from ${least} to ${most}`, raw);
}

function limit(name: keyof Limits, raw: unknown): Parsed<number> {
  return integer(raw, LEAST[name] ?? 1, MOST[name] ?? MAX_TIMER_MS);
}

function readListedAddress(raw: unknown): Parsed<ListedAddress> {
  if (typeof raw !== 'string') return expected('a string', raw);
  const parsed = parseAddress(raw);
  return parsed.ok ? parsed : wrong(`${quote(raw)} ${parsed.wrong}; expected ${ADDRESS_FORM}`);
}

function readMemory(raw: unknown): Parsed<number> {
  if (typeof raw === 'bigint') return parseMemory(String(raw));
  return typeof raw === 'string' ? parseMemory(raw) : expected('a string such as "2GiB", or a number of bytes', raw);
}

function readStoreUrl(raw: unknown): Parsed<string> {
  return typeof raw === 'string' ? parseStoreUrl(raw) : expected('a string', raw);
}

function oneOf<T extends string>(known: readonly T[], raw: unknown): Parsed<T> {
  const found = known.find((word) => word === raw);
  return found === undefined ? expected(`one of ${known.join(', ')}`, raw) : right(found);
}

/** One of some words, or a list of them. */
function wordsOf<T extends string>(known: readonly T[], raw: unknown): Parsed<Patterns<T>> {
  return oneOrSeveral((word) => oneOf(known, word), `one of ${known.join(', ')}`, raw);
}

/** What `read` takes, by itself or in a list. */
function oneOrSeveral<T extends string>(
  read: (raw: unknown) => Parsed<T> | undefined,
  what: string,
  raw: unknown,
): Parsed<T | readonly T[]> {
  const items: readonly unknown[] = Array.isArray(raw) ? raw : [raw];
  const found: T[] = [];
  for (const item of items) {
    const word = read(item);
    if (word?.ok !== true) return expected(`${what}, or a list of such`, item);
    found.push(word.value);
  }
  const [first] = found;
  return right(Array.isArray(raw) || first === undefined ? found : first);
}

function readLogFile(raw: unknown): Parsed<string> {
  return typeof raw === 'string' && raw !== '' ? right(raw) : expected('the name of a file, or "-"', raw);
}

/** In large letters as IOCs have them, or in small ones as the rest of the file. */
function readSeverity(raw: unknown): Parsed<AlarmSeverity> {
  const found = SEVERITIES.find((name) => typeof raw === 'string' && name === raw.toUpperCase());
  return oneOf(SEVERITIES, found ?? raw);
}

/** An integer past 2^53 is no double; it stays as exact as it was written. */
function readLimit(raw: unknown): Parsed<Limit> {
  if (typeof raw === 'bigint') return right(Number.isSafeInteger(Number(raw)) ? Number(raw) : raw);
  return typeof raw === 'number' && Number.isFinite(raw) ? right(raw) : expected('a number', raw);
}

function expected(what: string, raw: unknown): { readonly ok: false; readonly wrong: string } {
  return wrong(raw === undefined ? `is missing; expected ${what}` : `is ${describe(raw)}; expected ${what}`);
}
