// What may stand in the TOML file: its sections, keys and the form of every value.
import { z } from 'zod';
import { DEFAULT_LIMITS, type Limits } from '../protocol/limits.ts';
import { ADDRESS_FORM, parseAddress, type ListedAddress } from './address-list.ts';
import { parseChannelType, parsePvName } from './channel-type.ts';
import { describe } from './channel-value.ts';
import { LIMIT_NAMES, snakeCase } from './limit-names.ts';
import { quote, right, wrong, type Parsed } from './parsed.ts';
import { LOG_LEVELS, MAX_TIMER_MS, parseStoreUrl, type LogLevel } from './settings-text.ts';

/** Bounds that a format or a recursion sets; the others end where a timer or a buffer length does. */
const MOST: Readonly<Partial<Record<keyof Limits, number>>> = {
  maxTypeNesting: 1_000,
  maxTypeRegistryEntries: DEFAULT_LIMITS.maxTypeRegistryEntries,
  maxDatagramBytes: DEFAULT_LIMITS.maxDatagramBytes,
};

const text = z.string();
const number = field((raw) =>
  (typeof raw === 'number' && Number.isFinite(raw)) || typeof raw === 'bigint'
    ? right(Number(raw))
    : expected('a number', raw),
);
const port = field((raw) => integer(raw, 0, 65_535));
const pvName = field((raw) => (typeof raw === 'string' ? parsePvName(raw) : expected('a string', raw)));
const address = field(readListedAddress);

export const channelFields = {
  name: pvName,
  type: field((raw) => (typeof raw === 'string' ? parseChannelType(raw) : expected('a string', raw))),
};

const channelSchema = z.strictObject({
  ...channelFields,
  // Checked against the type, once that is known.
  value: z.unknown().optional(),
  units: text.optional(),
  description: text.optional(),
  display: z
    .strictObject({
      low: number.optional(),
      high: number.optional(),
      precision: field((raw) => integer(raw, 0, 100)).optional(),
      format: text.optional(),
    })
    .optional(),
  control: z
    .strictObject({ low: number.optional(), high: number.optional(), min_step: positive().optional() })
    .optional(),
  alarm: z
    .strictObject({
      low: number.optional(),
      low_warning: number.optional(),
      high_warning: number.optional(),
      high: number.optional(),
      hysteresis: positive().optional(),
    })
    .optional(),
  read_only: z.boolean().optional(),
});

export const fileSchema = z.strictObject({
  server: z
    .strictObject({
      name: pvName.optional(),
      tcp_port: port.optional(),
      udp_port: port.optional(),
      interfaces: z.array(address).optional(),
      beacon_addresses: z.array(address).optional(),
      auto_beacon: z.boolean().optional(),
      ignore_addresses: z.array(address).optional(),
    })
    .optional(),
  limits: z
    .strictObject(
      Object.fromEntries(LIMIT_NAMES.map((name) => [snakeCase(name), field((raw) => limit(name, raw)).optional()])),
    )
    .optional(),
  store: z.strictObject({ url: field(readStoreUrl).optional() }).optional(),
  log: z.strictObject({ level: field(readLogLevel).optional() }).optional(),
  channels: z.array(channelSchema).optional(),
});

export type FileContent = z.output<typeof fileSchema>;
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
  return integer(raw, 1, MOST[name] ?? MAX_TIMER_MS);
}

function readListedAddress(raw: unknown): Parsed<ListedAddress> {
  if (typeof raw !== 'string') return expected('a string', raw);
  const parsed = parseAddress(raw);
  return parsed.ok ? parsed : wrong(`${quote(raw)} ${parsed.wrong}; expected ${ADDRESS_FORM}`);
}

function readStoreUrl(raw: unknown): Parsed<string> {
  return typeof raw === 'string' ? parseStoreUrl(raw) : expected('a string', raw);
}

function readLogLevel(raw: unknown): Parsed<LogLevel> {
  const level = LOG_LEVELS.find((known) => known === raw);
  return level === undefined ? expected(`one of ${LOG_LEVELS.join(', ')}`, raw) : right(level);
}

function expected(what: string, raw: unknown): { readonly ok: false; readonly wrong: string } {
  return wrong(raw === undefined ? `is missing; expected ${what}` : `is ${describe(raw)}; expected ${what}`);
}
