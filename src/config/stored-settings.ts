// What does a store keep of a channel's definition beside its type? The table of the TOML file as JSON, without the
// first value; and back, checked as the file is, because anybody who reaches the store can have written it.

import type { Json, JsonObject } from '../channels/stores/json.ts';
import { StoreError } from '../channels/stores/store-error.ts';
import type { ChannelDefinition, Limit } from './channel-definition.ts';
import { formatChannelType } from './channel-type.ts';
import { right, wrong, type Parsed } from './parsed.ts';
import { isTable } from './placeholders.ts';
import { reportIssue } from './schema-issues.ts';
import { checkParts, toDefinition } from './toml-channels.ts';
import type { TomlPath } from './toml-lines.ts';
import { channelSchema } from './toml-schema.ts';

/** Where an integer past 2^53 may stand: as text, since JSON has no such numbers. */
const LIMIT_KEYS: ReadonlySet<string> = new Set(['low', 'low_warning', 'high_warning', 'high']);
const INTEGER_TEXT = /^-?\d{1,40}$/u;

type Settings = { readonly [key: string]: Json | undefined | Settings };

/** The settings that a definition comes to; the same for all that behave the same. */
export function settingsOf(definition: ChannelDefinition): JsonObject {
  const { type, units, description, display, control, alarm, deadband, computed, readOnly, persist } = definition;
  return saidIn({
    type: formatChannelType(type),
    units,
    description,
    display: display && {
      low: limitJson(display.low),
      high: limitJson(display.high),
      precision: display.precision,
      format: display.format,
    },
    control: control && {
      low: limitJson(control.low),
      high: limitJson(control.high),
      min_step: control.minStep,
      mode: control.mode,
    },
    alarm: alarm && {
      low: limitJson(alarm.low),
      low_warning: limitJson(alarm.lowWarning),
      high_warning: limitJson(alarm.highWarning),
      high: limitJson(alarm.high),
      hysteresis: alarm.hysteresis,
      severities: alarm.severities && {
        low: alarm.severities.low,
        low_warning: alarm.severities.lowWarning,
        high_warning: alarm.severities.highWarning,
        high: alarm.severities.high,
      },
    },
    deadband,
    computed: computed?.expression,
    inputs: computed?.inputs,
    maximize_severity: computed?.maximizeSeverity === false ? false : undefined,
    read_only: readOnly ? true : undefined,
    persist: persist === 'puts' ? undefined : persist,
  });
}

/** The definition that stored settings describe. @throws StoreError STORE_FORMAT that says what is wrong with them */
export function definitionFrom(name: string, settings: JsonObject): ChannelDefinition {
  const parsed = readSettings(name, settings, 'the store');
  if (parsed.ok) return parsed.value;
  throw new StoreError('STORE_FORMAT', `channel '${name}' cannot be served, its settings are wrong: ${parsed.wrong}`);
}

/** The definition that settings describe, all that is wrong with them in one phrase. */
export function readSettings(name: string, settings: JsonObject, origin: string): Parsed<ChannelDefinition> {
  const tree = tomlTree({ ...settings, name }, '');
  const found: string[] = [];
  const parsed = channelSchema.safeParse(tree);
  const report = (path: TomlPath, message: string): void => void found.push(`${path.join('.')}: ${message}`);
  const table = { tree, place: ['channels', 0], name: 'the settings of a channel' };
  for (const issue of parsed.error?.issues ?? []) reportIssue(issue, table, report);
  if (isTable(tree)) checkParts(tree, [], report);
  if (parsed.success && found.length === 0) return right(toDefinition(parsed.data, undefined, origin));
  return wrong(found.join('; ').replace(/^: /u, ''));
}

function limitJson(limit: Limit | undefined): Json | undefined {
  return typeof limit === 'bigint' ? String(limit) : limit;
}

/** Without what is not said, so that old and new versions of a definition compare. */
function saidIn(settings: Settings): JsonObject {
  return Object.fromEntries(
    Object.entries(settings).flatMap(([key, value]): [string, Json][] => {
      if (value === undefined) return [];
      return [[key, isSection(value) ? saidIn(value) : value]];
    }),
  );
}

function isSection(value: Json | Settings): value is Settings {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** As the parser of TOML gives it: integers as bigint, tables without a prototype. */
function tomlTree(json: Json, key: string): unknown {
  if (typeof json === 'number') return Number.isSafeInteger(json) ? BigInt(json) : json;
  if (typeof json === 'string') return LIMIT_KEYS.has(key) && INTEGER_TEXT.test(json) ? BigInt(json) : json;
  if (isList(json)) return json.map((item) => tomlTree(item, ''));
  if (typeof json !== 'object' || json === null) return json;
  const entries = Object.entries(json).map(([inner, value]) => [inner, tomlTree(value, inner)] as const);
  // No prototype: that is how tables are told from other objects.
  return Object.setPrototypeOf(Object.fromEntries(entries), null) as unknown;
}

function isList(json: Json): json is readonly Json[] {
  return Array.isArray(json);
}
