// How is what a server says of its channels shown?

import { formatType, reasonOf, RemoteProtocolError, typeFromJsonSchema, type AnyValue } from '../protocol/index.ts';
import { printable } from './printable.ts';

/** A row of `pvkit channel list`. */
export interface DefinitionRow {
  readonly name: string;
  readonly type: string;
  /** `created`, or where the configuration has it. */
  readonly origin: string;
}

/** With the type as `create` takes it; settings and schema are JSON themselves. */
export function descriptionJson(answer: AnyValue, server: string): string {
  const told = describedIn(answer);
  const { name, type, origin } = told;
  const settings = parsed('settings', told.settings === '' ? 'null' : told.settings);
  return `${JSON.stringify({ name, server, type, origin, settings, schema: parsed('schema', told.schema) })}\n`;
}

export function descriptionText(answer: AnyValue, server: string, isGone = false): string {
  const { name, origin, settings, schema } = describedIn(answer);
  const state = isGone ? `destroyed; it was ${originText(origin)}` : originText(origin);
  const said = settings === '' || settings === '{}' ? '' : `settings ${settings}\n`;
  const type = typeFromJsonSchema(parsed('schema', schema));
  return printable(`${name} on ${server}, ${state}\n${said}${formatType(type)}`);
}

export function definitionsOf(answer: AnyValue): readonly DefinitionRow[] {
  const table = memberOf(answer?.value, 'value');
  const [names, types, origins] = ['name', 'type', 'origin'].map((column) => textsOf(memberOf(table, column)));
  return (names ?? []).map((name, row) => ({ name, type: types?.[row] ?? '', origin: origins?.[row] ?? '' }));
}

function originText(origin: string): string {
  if (origin === 'created') return 'created while it ran';
  return origin === 'program' ? 'made by the program that serves it' : `defined in ${origin}`;
}

function describedIn(answer: AnyValue) {
  const text = (name: string): string => {
    const found = memberOf(answer?.value, name);
    if (typeof found === 'string') return found;
    throw new RemoteProtocolError(`the server's answer has no text '${name}'; is it one of pvkit?`);
  };
  return {
    name: text('name'),
    type: text('type'),
    settings: text('settings'),
    schema: text('schema'),
    origin: text('origin'),
  };
}

function parsed(what: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (thrown) {
    throw new RemoteProtocolError(`the server's answer: ${what} is no JSON: ${reasonOf(thrown)}`);
  }
}

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.getOwnPropertyDescriptor(value, name)?.value;
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
