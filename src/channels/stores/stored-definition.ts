// How is the definition of a channel kept as text? As JSON that names its format, in one form for each meaning:
//
//   {"format":1,"settings":{...},"text":"struct \"epics:nt/NTScalar:1.0\" {...}","type":"<FieldDesc in base64>"}
//
// Whoever can write into the store can write such a text: it is checked like the bytes of a peer.

import { PvaError } from '../../protocol/errors.ts';
import { DEFAULT_LIMITS, type Limits } from '../../protocol/limits.ts';
import { Reader } from '../../protocol/reader.ts';
import { typeToLine } from '../../protocol/types/text.ts';
import type { StructureType } from '../../protocol/types/type-desc.ts';
import { decodeType, encodeType } from '../../protocol/types/wire.ts';
import { Writer } from '../../protocol/writer.ts';
import type { StoredDefinition } from './channel-store.ts';
import { canonicalTable, isJsonTable, type JsonObject } from './json.ts';
import { Memo } from './memo.ts';
import { StoreError } from './store-error.ts';

/** Moves when a text can no longer be read by those who read the ones before. */
export const DEFINITION_FORMAT = 1;

const KEYS: readonly string[] = ['format', 'settings', 'text', 'type'];

/** @throws StoreError STORE_FORMAT when the settings are no JSON, or the text would be too long */
export function encodeDefinition({ name, type, settings }: StoredDefinition, limits: Limits = DEFAULT_LIMITS): string {
  const writer = new Writer(false);
  encodeType(writer, type);
  const text = JSON.stringify({
    format: DEFINITION_FORMAT,
    settings: canonicalSettings(name, settings),
    // For people who look into the store; nothing reads it.
    text: typeToLine(type),
    type: Buffer.from(writer.view()).toString('base64'),
  });
  requireLength(name, text, limits);
  return text;
}

/** @throws StoreError STORE_FORMAT that says what is wrong with the text, or of which version it is */
export function decodeDefinition(name: string, text: string, limits: Limits = DEFAULT_LIMITS): StoredDefinition {
  requireLength(name, text, limits);
  const { type, settings } = texts.of(text, () => decodeText(name, text, limits));
  return { name, type, settings };
}

/** A text does not hold its channel's name, so many channels have the same. */
const texts = new Memo<Omit<StoredDefinition, 'name'>>();
const types = new Memo<StructureType>();

function decodeText(name: string, text: string, limits: Limits): Omit<StoredDefinition, 'name'> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (thrown) {
    throw wrongDefinition(name, 'it is no JSON', thrown);
  }
  if (!isJsonTable(parsed)) throw wrongDefinition(name, 'it is no JSON object');
  const { format, settings, text: shown, type } = parsed;
  if (typeof format !== 'number' || !Number.isInteger(format) || format < 1)
    throw wrongDefinition(name, 'it names no format');
  if (format > DEFINITION_FORMAT)
    throw wrongDefinition(name, `it is of format ${format}; this version of pvkit reads up to ${DEFINITION_FORMAT}`);
  const foreign = Object.keys(parsed).find((key) => !KEYS.includes(key));
  if (foreign !== undefined) throw wrongDefinition(name, `it has the key ${JSON.stringify(foreign.slice(0, 60))}`);
  if (typeof shown !== 'string' || typeof type !== 'string') throw wrongDefinition(name, 'text or type is missing');
  return {
    type: types.of(type, () => decodedType(name, type, limits)),
    settings: canonicalSettings(name, settings),
  };
}

/** Whether two definitions of one channel say the same; `differences` tells what they say otherwise. */
export function isSameDefinition(one: StoredDefinition, other: StoredDefinition): boolean {
  if (one.type !== other.type) return false;
  if (one.settings === other.settings) return true;
  const [ones, others] = [one, other].map(({ name, settings }) => JSON.stringify(canonicalSettings(name, settings)));
  return ones === others;
}

function canonicalSettings(name: string, settings: unknown): JsonObject {
  return canonicalTable(settings, 'settings', (why) => wrongDefinition(name, why));
}

function decodedType(name: string, base64: string, limits: Limits): StructureType {
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.toString('base64') !== base64) throw wrongDefinition(name, 'its type is no base64');
  const reader = new Reader(bytes, false);
  try {
    const type = decodeType(reader, limits);
    if (type?.kind !== 'structure') throw wrongDefinition(name, `its type is ${type?.kind ?? 'null'}, no structure`);
    if (reader.remaining > 0) throw wrongDefinition(name, `${reader.remaining} bytes follow its type`);
    return type;
  } catch (thrown) {
    if (!(thrown instanceof PvaError) || thrown instanceof StoreError) throw thrown;
    throw wrongDefinition(name, `its type cannot be read: ${thrown.message}`, thrown);
  }
}

function requireLength(name: string, { length }: string, { maxDefinitionCharacters: most }: Limits): void {
  if (length > most) throw wrongDefinition(name, `it has ${length} characters, at most ${most} are read`);
}

function wrongDefinition(name: string, why: string, cause?: unknown): StoreError {
  return new StoreError('STORE_FORMAT', `the stored definition of channel '${name}': ${why}`, { cause });
}
