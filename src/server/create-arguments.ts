// Which channel do the arguments of `op=create` describe? `type` or `schema`, `value`, and `settings` as the table of a TOML
// file has them, all as text if need be: some tools send nothing else.

import { isJsonTable, type JsonObject } from '../channels/stores/json.ts';
import type { ChannelDefinition, ChannelType, ChannelValue, StructurePatch } from '../config/channel-definition.ts';
import { laidOver, parseChannelSchema, type SchemaChannel } from '../config/channel-schema.ts';
import { formatChannelType, parseChannelType } from '../config/channel-type.ts';
import { parseValueText, valueFromJson } from '../config/channel-value.ts';
import type { Parsed } from '../config/parsed.ts';
import { readSettings } from '../config/stored-settings.ts';
import { PvaError, reasonOf } from '../protocol/errors.ts';
import type { Limits } from '../protocol/limits.ts';
import { formatJson } from '../protocol/values/format-json.ts';
import { CREATED } from './channel-manager.ts';
import type { CallArguments } from './call-arguments.ts';

/** Settings that are arguments of their own, or make a channel that others depend on. */
const NOT_IN_SETTINGS: Readonly<Record<string, string>> = {
  name: 'is an argument of its own',
  value: 'is an argument of its own',
  computed: 'is for the configuration file alone',
  inputs: 'is for the configuration file alone',
  maximize_severity: 'is for the configuration file alone',
};

/** @throws PvaError BAD_CALL that names the argument, what is wrong with it, and what was expected */
export function definitionFromArguments(name: string, args: CallArguments, limits: Limits): ChannelDefinition {
  const settings = settingsOf(args, limits);
  const { type, value: byDefault } = typeOf(args, settings, limits);
  const read = right('settings', readSettings(name, { ...settings, type: formatChannelType(type) }, CREATED));
  requireRoom(read);
  const value = over(byDefault, valueOf(args, type));
  if (value !== undefined && read.persist === 'none') {
    throw wrongArgument('value', 'cannot be kept with the setting persist = "none"; leave one of them out');
  }
  return { ...read, value };
}

/** A structure is exactly what its type says: what is said of a channel besides is shown in fields that it may not have. */
function requireRoom({ type, units, description, display }: ChannelDefinition): void {
  if (type.kind !== 'structure') return;
  const [homeless] = Object.entries({ units, description, display }).find(([, said]) => said !== undefined) ?? [];
  if (homeless === undefined) return;
  throw wrongArgument(
    'settings',
    `${homeless} is for channels of one value; fields of a structure are set by its value`,
  );
}

function settingsOf(args: CallArguments, { maxSchemaCharacters }: Limits): JsonObject {
  const text = args.text('settings');
  if (text === undefined) return {};
  if (text.length > maxSchemaCharacters)
    throw wrongArgument('settings', `has ${text.length} characters; at most ${maxSchemaCharacters} are read`);
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (thrown) {
    throw wrongArgument('settings', `is no JSON: ${reasonOf(thrown)}`);
  }
  if (!isJsonTable(parsed)) throw wrongArgument('settings', 'is no JSON object; expected such as {"units": "C"}');
  const foreign = Object.keys(parsed).find((key) => Object.hasOwn(NOT_IN_SETTINGS, key));
  if (foreign !== undefined) throw wrongArgument('settings', `${foreign} ${NOT_IN_SETTINGS[foreign]}`);
  // What JSON.parse gives holds JSON.
  return parsed as JsonObject;
}

function typeOf(args: CallArguments, settings: JsonObject, limits: Limits): SchemaChannel {
  const schema = args.text('schema');
  const type = args.text('type');
  const given = [schema, type, settings['type']].filter((each) => each !== undefined);
  if (given.length > 1) throw wrongArgument('type', 'is said twice; expected one of type, schema and settings.type');
  if (schema !== undefined) return right('schema', parseChannelSchema(schema, limits));
  const text = type ?? settings['type'];
  // As JSON it may be as long as somebody likes.
  if (typeof text === 'string' && text.length > limits.maxSchemaCharacters)
    throw wrongArgument('type', `has ${text.length} characters; at most ${limits.maxSchemaCharacters} are read`);
  if (text === undefined) throw wrongArgument('type', 'is missing; expected type, such as double, or schema');
  if (typeof text !== 'string') throw wrongArgument('settings', 'type is no text');
  return { type: right('type', parseChannelType(text)), value: undefined };
}

function valueOf(args: CallArguments, type: ChannelType): ChannelValue | undefined {
  const given = args.typed('value');
  if (given === undefined) return undefined;
  const parsed =
    typeof given.value === 'string'
      ? parseValueText(type, given.value)
      : valueFromJson(type, JSON.parse(formatJson(given.type, given.value)));
  return right('value', parsed);
}

/** What is given of a structure leaves the other defaults of its schema. */
function over(byDefault: ChannelValue | undefined, given: ChannelValue | undefined): ChannelValue | undefined {
  if (given === undefined || byDefault === undefined) return given ?? byDefault;
  if (!isPatch(given) || !isPatch(byDefault)) return given;
  return { patch: laidOver(byDefault.patch, given.patch) };
}

function isPatch(value: ChannelValue): value is StructurePatch {
  return typeof value === 'object' && 'patch' in value;
}

function right<T>(argument: string, parsed: Parsed<T>): T {
  if (parsed.ok) return parsed.value;
  throw wrongArgument(argument, parsed.wrong);
}

function wrongArgument(argument: string, wrong: string): PvaError {
  return new PvaError('BAD_CALL', `the argument '${argument}': ${wrong}`);
}
