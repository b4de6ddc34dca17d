// Do the parts of each `[[channels]]` table fit together, and what definition do they make?
import type { AlarmDefinition, ChannelDefinition, ChannelType, ChannelValue } from './channel-definition.ts';
import { formatChannelType, parseChannelType, parsePvName } from './channel-type.ts';
import { checkValue, isNumeric } from './channel-value.ts';
import { controlRange } from './field-limits.ts';
import { quote } from './parsed.ts';
import { isTable } from './placeholders.ts';
import { checkComputed } from './toml-computed.ts';
import type { TomlLines, TomlPath } from './toml-lines.ts';
import type { ChannelContent } from './toml-schema.ts';

type PathReport = (path: TomlPath, message: string) => void;
type Table = Readonly<Record<string, unknown>>;

const ALARM_LIMITS: readonly string[] = ['low', 'low_warning', 'high_warning', 'high'];

/** Limits that must not fall, in this order. */
const ORDERED: readonly (readonly [section: string, keys: readonly string[]])[] = [
  ['display', ['low', 'high']],
  ['control', ['low', 'high']],
  ['alarm', ALARM_LIMITS],
];

/**
 * Checks what no single key shows: the value against the type, limits against the type and each other, names against
 * other names. Works on the raw tables, so that these faults are found beside those of form.
 * Returns the values that fit, by the channel's index.
 */
export function checkChannels(
  channels: unknown,
  lines: TomlLines,
  report: PathReport,
): ReadonlyMap<number, ChannelValue> {
  const values = new Map<number, ChannelValue>();
  const indexByName = new Map<string, number>();
  for (const [index, channel] of (Array.isArray(channels) ? channels : []).entries()) {
    if (!isTable(channel)) continue;
    const path = ['channels', index];
    checkName(channel, path, indexByName, lines, report);
    const value = checkParts(channel, path, report);
    if (value !== undefined) values.set(index, value);
  }
  checkComputed(channels, report);
  return values;
}

/** What a table by itself shows. Returns the value, if there is one and it fits. */
export function checkParts(channel: Table, path: TomlPath, report: PathReport): ChannelValue | undefined {
  for (const [section, keys] of ORDERED) checkOrder(channel[section], keys, [...path, section], report);
  const type = typeof channel['type'] === 'string' ? parseChannelType(channel['type']) : undefined;
  if (type?.ok !== true) return undefined;
  checkLimitsFit(channel, type.value, path, report);
  if (channel['value'] === undefined) return undefined;
  const value = checkValue(type.value, channel['value']);
  if (value.ok) return value.value;
  report([...path, 'value'], value.wrong);
  return undefined;
}

/** The definition of a channel that has passed the schema and `checkChannels`. */
export function toDefinition(
  content: ChannelContent,
  value: ChannelValue | undefined,
  origin: string,
): ChannelDefinition {
  const { display, control, alarm, computed } = content;
  return {
    name: content.name,
    type: content.type,
    value,
    units: content.units,
    description: content.description,
    display: display && { low: display.low, high: display.high, precision: display.precision, format: display.format },
    control: control && { low: control.low, high: control.high, minStep: control.min_step, mode: control.mode },
    alarm: alarm && {
      low: alarm.low,
      lowWarning: alarm.low_warning,
      highWarning: alarm.high_warning,
      high: alarm.high,
      hysteresis: alarm.hysteresis,
      severities: alarm.severities && severitiesOf(alarm.severities),
    },
    deadband: content.deadband,
    computed:
      computed === undefined
        ? undefined
        : {
            expression: computed,
            inputs: content.inputs ?? {},
            maximizeSeverity: content.maximize_severity ?? true,
          },
    readOnly: content.read_only ?? false,
    persist: content.persist,
    origin,
  };
}

function severitiesOf(
  given: NonNullable<NonNullable<ChannelContent['alarm']>['severities']>,
): NonNullable<AlarmDefinition['severities']> {
  return { low: given.low, lowWarning: given.low_warning, highWarning: given.high_warning, high: given.high };
}

function checkName(
  channel: Table,
  path: TomlPath,
  indexByName: Map<string, number>,
  lines: TomlLines,
  report: PathReport,
): void {
  const name = channel['name'];
  if (typeof name !== 'string' || !parsePvName(name).ok) return;
  const first = indexByName.get(name);
  if (first === undefined) {
    indexByName.set(name, Number(path[1]));
    return;
  }
  const line = lines.lineOf(['channels', first, 'name']);
  report([...path, 'name'], `${quote(name)} is the name of the channel on line ${line} already`);
}

function checkOrder(table: unknown, keys: readonly string[], path: TomlPath, report: PathReport): void {
  if (!isTable(table)) return;
  const given = keys.filter((key) => isNumber(table[key]));
  for (const [index, key] of given.slice(1).entries()) {
    const below = given[index] ?? '';
    const [low, high] = [table[below], table[key]];
    if (isNumber(low) && isNumber(high) && low > high)
      report([...path, key], `is ${high}, which is less than ${below} with ${low}`);
  }
}

function checkLimitsFit(channel: Table, type: ChannelType, path: TomlPath, report: PathReport): void {
  const shown = formatChannelType(type);
  if (!isNumeric(type)) {
    for (const section of ['control', 'alarm']) {
      if (channel[section] !== undefined)
        report([...path, section], `has limits, which a channel of type ${shown} cannot have`);
    }
    for (const key of ['low', 'high', 'precision']) {
      const display = channel['display'];
      if (isTable(display) && display[key] !== undefined)
        report([...path, 'display', key], `has no meaning for a channel of type ${shown}`);
    }
    if (channel['deadband'] !== undefined)
      report([...path, 'deadband'], `has no meaning for a channel of type ${shown}`);
    return;
  }
  if (type.kind === 'array' && channel['alarm'] !== undefined)
    report([...path, 'alarm'], `has limits for one value, but the channel is of type ${shown}`);
  checkControlRange(channel['control'], type, [...path, 'control'], report);
  checkSeverities(channel['alarm'], [...path, 'alarm'], report);
}

/** Limits that leave one value or none would limit nothing at all, because a high one counts only above the low one. */
function checkControlRange(control: unknown, type: ChannelType, path: TomlPath, report: PathReport): void {
  if (!isTable(control) || type.kind === 'enum' || type.kind === 'structure') return;
  const { low, high } = control;
  if ((low !== undefined && !isNumber(low)) || (high !== undefined && !isNumber(high))) return;
  if (low === undefined && high === undefined) return;
  // That one is said already.
  if (low !== undefined && high !== undefined && low > high) return;
  const scalar = type.kind === 'array' ? type.element : type.scalar;
  const [least, most] = controlRange({ low, high, minStep: undefined }, scalar);
  if (least < most) return;
  const given = [low === undefined ? '' : `low = ${low}`, high === undefined ? '' : `high = ${high}`];
  const limits = given.filter((part) => part !== '').join(' and ');
  report(path, `leaves nothing to choose between ${limits} for ${formatChannelType(type)}`);
}

function checkSeverities(alarm: unknown, path: TomlPath, report: PathReport): void {
  const severities = isTable(alarm) ? alarm['severities'] : undefined;
  if (!isTable(alarm) || !isTable(severities)) return;
  for (const key of Object.keys(severities)) {
    if (ALARM_LIMITS.includes(key) && alarm[key] === undefined)
      report([...path, 'severities', key], `is for the limit ${key}, which is not set`);
  }
}

function isNumber(value: unknown): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint';
}
