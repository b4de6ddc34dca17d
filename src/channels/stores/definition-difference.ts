// In what do two definitions of one channel differ? One phrase for each key, for the person who has to decide.

import { typeToLine } from '../../protocol/types/text.ts';
import type { TypeDesc } from '../../protocol/types/type-desc.ts';
import type { StoredDefinition } from './channel-store.ts';
import { isJsonTable, type Json } from './json.ts';
import { StoreError } from './store-error.ts';

/** Phrases that a message shows; the rest is counted. */
const SHOWN_PHRASES = 8;
const SHOWN_CHARACTERS = 60;

/** `type.value is double in the store and int here`, `settings.units is missing in the store and "V" here`. */
export function differences(stored: StoredDefinition, given: StoredDefinition): readonly string[] {
  return [
    ...differencesOfTypes(stored.type, given.type, 'type'),
    ...differencesOfJson(stored.settings, given.settings, 'settings'),
  ];
}

/** The error of every store for a second definition that differs. */
export function definitionConflict(stored: StoredDefinition, given: StoredDefinition): StoreError {
  const found = differences(stored, given);
  const more = found.length > SHOWN_PHRASES ? `; and ${found.length - SHOWN_PHRASES} more` : '';
  const shown = found.slice(0, SHOWN_PHRASES).join('; ');
  return new StoreError('DEFINITION_CONFLICT', `channel '${given.name}' is defined otherwise: ${shown}${more}`);
}

function differencesOfTypes(stored: TypeDesc, given: TypeDesc, path: string): readonly string[] {
  // Equal types are one object.
  if (stored === given) return [];
  if (stored.kind !== 'structure' || given.kind !== 'structure')
    return [phrase(path, typeToLine(stored), typeToLine(given))];
  const names = [...new Set([...stored.fields, ...given.fields].map(({ name }) => name))];
  const found = names.flatMap((name) => {
    const before = stored.fields[stored.indexOf.get(name) ?? -1]?.type;
    const after = given.fields[given.indexOf.get(name) ?? -1]?.type;
    if (before !== undefined && after !== undefined) return differencesOfTypes(before, after, `${path}.${name}`);
    return [phrase(`${path}.${name}`, before && typeToLine(before), after && typeToLine(after))];
  });
  if (stored.id !== given.id) found.unshift(phrase(`the id of ${path}`, stored.id, given.id));
  return found.length > 0 ? found : [`the fields of ${path} are in another order`];
}

function differencesOfJson(stored: Json | undefined, given: Json | undefined, path: string): readonly string[] {
  if (!isJsonTable(stored) || !isJsonTable(given)) {
    const [before, after] = [textOf(stored), textOf(given)];
    return before === after ? [] : [phrase(path, before, after)];
  }
  const keys = [...new Set([...Object.keys(stored), ...Object.keys(given)])].toSorted();
  return keys.flatMap((key) => differencesOfJson(ownOf(stored, key), ownOf(given, key), `${path}.${key}`));
}

function ownOf(table: { readonly [key: string]: Json }, key: string): Json | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}

function textOf(json: Json | undefined): string | undefined {
  return json === undefined ? undefined : JSON.stringify(json);
}

function phrase(path: string, stored: string | undefined, given: string | undefined): string {
  return `${path} is ${shortened(stored)} in the store and ${shortened(given)} here`;
}

function shortened(text: string | undefined): string {
  if (text === undefined) return 'missing';
  if (text === '') return "''";
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}...` : text;
}
