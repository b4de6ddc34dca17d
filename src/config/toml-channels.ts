// Do the parts of each `[[channels]]` table fit together, and what definition do they make?
import type { ChannelDefinition, ChannelType, ChannelValue } from './channel-definition.ts';
import { formatChannelType, parseChannelType, parsePvName } from './channel-type.ts';
import { checkValue, isNumeric } from './channel-value.ts';
import { quote } from './parsed.ts';
import { isTable } from './placeholders.ts';
import type { TomlLines, TomlPath } from './toml-lines.ts';
import type { ChannelContent } from './toml-schema.ts';

type PathReport = (path: TomlPath, message: string) => void;
type Table = Readonly<Record<string, unknown>>;

/** Limits that must not fall, in this order. */
const ORDERED: readonly (readonly [section: string, keys: readonly string[]])[] = [
  ['display', ['low', 'high']],
  ['control', ['low', 'high']],
  ['alarm', ['low', 'low_warning', 'high_warning', 'high']],
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
    for (const [section, keys] of ORDERED) checkOrder(channel[section], keys, [...path, section], report);
    const type = typeof channel['type'] === 'string' ? parseChannelType(channel['type']) : undefined;
    if (type?.ok !== true) continue;
    checkLimitsFit(channel, type.value, path, report);
    if (channel['value'] === undefined) continue;
    const value = checkValue(type.value, channel['value']);
    if (value.ok) values.set(index, value.value);
    else report([...path, 'value'], value.wrong);
  }
  return values;
}

/** The definition of a channel that has passed the schema and `checkChannels`. */
export function toDefinition(
  content: ChannelContent,
  value: ChannelValue | undefined,
  origin: string,
): ChannelDefinition {
  const { display, control, alarm } = content;
  return {
    name: content.name,
    type: content.type,
    value,
    units: content.units,
    description: content.description,
    display: display && { low: display.low, high: display.high, precision: display.precision, format: display.format },
    control: control && { low: control.low, high: control.high, minStep: control.min_step },
    alarm: alarm && {
      low: alarm.low,
      lowWarning: alarm.low_warning,
      highWarning: alarm.high_warning,
      high: alarm.high,
      hysteresis: alarm.hysteresis,
    },
    readOnly: content.read_only ?? false,
    origin,
  };
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
  } else if (type.kind === 'array' && channel['alarm'] !== undefined) {
    report([...path, 'alarm'], `has limits for one value, but the channel is of type ${shown}`);
  }
}

function isNumber(value: unknown): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint';
}
