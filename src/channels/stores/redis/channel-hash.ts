// What is in the hash of a channel, and what does it say?
//
//   definition  its text (stored-definition.ts)      revision  how often it was written
//   digest      of that text                         last      the id of the act that changed it last
//   .<path>     the bytes of a leaf                  made      the id of the act that made it
//   w:<writer>  its last write (scripts/write.ts)

import { createHash } from 'node:crypto';
import type { StructureType } from '../../../protocol/types/type-desc.ts';
import type { ChannelUpdate } from '../../channel.ts';
import type { StoredChannel, StoredDefinition } from '../channel-store.ts';
import { StoreError } from '../store-error.ts';
import { decodeDefinition, encodeDefinition } from '../stored-definition.ts';
import { decodeLeaves, encodeLeaves } from '../stored-leaves.ts';
import type { RedisArgument } from './redis-client.ts';

/** A channel as Redis has it. */
export interface HashedChannel extends StoredChannel {
  readonly digest: string;
  /** The act that made it, and the one that changed it last. */
  readonly made: string;
  readonly last: string;
}

/** A definition as it is kept. */
export interface HashedDefinition {
  readonly text: string;
  readonly digest: string;
}

const FIELDS = ['definition', 'digest', 'revision', 'made', 'last'];
const LEAF_MARK = '.';

export function hashedDefinition(definition: StoredDefinition): HashedDefinition {
  const text = encodeDefinition(definition);
  return { text, digest: createHash('sha1').update(text).digest('base64') };
}

/** The leaves that an update changes, as field, bytes, field, bytes, ... */
export function leafFields(type: StructureType, update: ChannelUpdate): RedisArgument[] {
  const fields: RedisArgument[] = [];
  for (const [path, bytes] of encodeLeaves(type, update)) fields.push(LEAF_MARK + path, bytes);
  return fields;
}

/** @throws StoreError STORE_FORMAT when something is missing or damaged */
export function readHash(name: string, fields: ReadonlyMap<string, Uint8Array>): HashedChannel {
  const [text = '', digest = '', revisionText = '', made = '', last = ''] = FIELDS.map((field) => {
    const bytes = fields.get(field);
    if (bytes === undefined) throw wrongChannel(name, `it has no field '${field}'`);
    return Buffer.from(bytes).toString();
  });
  const revision = Number(revisionText);
  if (!/^\d+$/u.test(revisionText) || !Number.isSafeInteger(revision)) {
    throw wrongChannel(name, `its revision is '${revisionText.slice(0, 40)}', a count was expected`);
  }
  const definition = decodeDefinition(name, text);
  const state = decodeLeaves(name, definition.type, leavesIn(fields));
  return { definition, revision, state, digest, made, last };
}

export function wrongChannel(name: string, why: string): StoreError {
  return new StoreError('STORE_FORMAT', `the channel '${name}' in the store: ${why}`);
}

function* leavesIn(fields: ReadonlyMap<string, Uint8Array>): Iterable<readonly [string, Uint8Array]> {
  for (const [field, bytes] of fields) if (field.startsWith(LEAF_MARK)) yield [field.slice(LEAF_MARK.length), bytes];
}
