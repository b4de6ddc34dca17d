// How does the embedded store keep a channel as bytes? Two records: its definition as text, its value as one masked
// update. Each begins with a checksum, because a file may be damaged where its own structure does not show it.
//
//   definition: crc32 u32, text in UTF-8          value: crc32 u32, revision u64, BitSet, the fields that it names

import { crc32 } from 'node:zlib';
import { BitSet } from '../../../protocol/bit-set.ts';
import { PvaError } from '../../../protocol/errors.ts';
import { DEFAULT_LIMITS, type Limits } from '../../../protocol/limits.ts';
import { Reader } from '../../../protocol/reader.ts';
import { decodeText, encodeText } from '../../../protocol/text.ts';
import { encodeType, TypeReceiver } from '../../../protocol/types/wire.ts';
import { anyCodecOf } from '../../../protocol/values/codec.ts';
import { leafMask } from '../../../protocol/values/leaf-mask.ts';
import { Writer } from '../../../protocol/writer.ts';
import { requireStructure } from '../../standard-fields.ts';
import type { StoredChannel, StoredDefinition } from '../channel-store.ts';
import { StoreError } from '../store-error.ts';
import { decodeDefinition, encodeDefinition } from '../stored-definition.ts';
import { defaultsOf } from '../stored-leaves.ts';

const CHECKSUM_BYTES = 4;

export function encodeDefinitionRecord(definition: StoredDefinition): Uint8Array {
  const writer = new Writer(false);
  writeDefinitionRecord(writer, definition);
  return writer.detach();
}

export function writeDefinitionRecord(writer: Writer, definition: StoredDefinition): void {
  const start = writer.length;
  writer.u32(0);
  writer.bytes(encodeText(encodeDefinition(definition)));
  seal(writer, start);
}

/** @throws StoreError STORE_FORMAT */
export function decodeDefinitionRecord(name: string, record: Uint8Array, limits: Limits = DEFAULT_LIMITS) {
  const bytes = unsealed(name, 'definition', record);
  return decodeDefinition(name, decodeText(bytes, 0, bytes.length), limits);
}

export function writeValueRecord(writer: Writer, { definition, revision, state }: StoredChannel): void {
  const start = writer.length;
  writer.u32(0);
  writer.u64(BigInt(revision));
  state.changed.encode(writer);
  anyCodecOf(definition.type).encodeMasked(writer, state.value, state.changed, encodeType);
  seal(writer, start);
}

/** @throws StoreError STORE_FORMAT when it is damaged, or not of the definition's type */
export function decodeValueRecord(
  definition: StoredDefinition,
  record: Uint8Array,
  limits: Limits = DEFAULT_LIMITS,
): StoredChannel {
  const { name, type } = definition;
  const reader = new Reader(unsealed(name, 'value', record), false);
  try {
    const revision = Number(reader.u64());
    if (!Number.isSafeInteger(revision)) throw wrongRecord(name, 'value', 'its revision is past 2^53');
    const mask = BitSet.decode(reader, type.bitCount);
    const changed = leafMask(type, mask);
    if (!changed.equals(mask)) throw wrongRecord(name, 'value', 'it has fields that its definition does not have');
    const codec = anyCodecOf(type);
    const value = codec.decodeMasked(reader, changed, new TypeReceiver({ limits }), defaultsOf(type));
    if (reader.remaining > 0) throw wrongRecord(name, 'value', `${reader.remaining} bytes are left over`);
    return { definition, revision, state: { changed, value: requireStructure(value) } };
  } catch (thrown) {
    if (!(thrown instanceof PvaError) || thrown instanceof StoreError) throw thrown;
    throw wrongRecord(name, 'value', `it does not match its definition: ${atField(thrown)}`, thrown);
  }
}

/** Gives the record that begins at `start` the checksum of all behind its place. */
function seal(writer: Writer, start: number): void {
  writer.patchU32(start, crc32(writer.view().subarray(start + CHECKSUM_BYTES)));
}

function unsealed(name: string, what: string, record: Uint8Array): Uint8Array {
  const bytes = record.subarray(CHECKSUM_BYTES);
  if (record.length < CHECKSUM_BYTES || new Reader(record, false).u32() !== crc32(bytes))
    throw wrongRecord(name, what, 'it is damaged, its checksum does not fit');
  return bytes;
}

function atField({ fieldPath, message }: PvaError): string {
  return fieldPath === '' ? message : `${fieldPath}: ${message}`;
}

function wrongRecord(name: string, what: string, why: string, cause?: unknown): StoreError {
  return new StoreError('STORE_FORMAT', `the stored ${what} of channel '${name}': ${why}`, { cause });
}
