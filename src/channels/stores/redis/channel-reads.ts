// How are channels read from Redis? Many in one call of one script: a call for each would take a server with 100 000
// channels twice as long to start. In a cluster each is read by itself, since their keys lie in different slots.

import { STORE_LIMITS } from '../../../protocol/limits.ts';
import type { StoreError } from '../store-error.ts';
import { wrongChannel } from './channel-hash.ts';
import type { RedisClient } from './redis-client.ts';
import { errorOf, refusalOf } from './redis-errors.ts';
import type { RedisKeys } from './redis-keys.ts';
import { partsIn, textIn } from './redis-reply.ts';
import { readScript } from './scripts/read.ts';
import { Turnstile } from './turnstile.ts';

/** A channel that is to be read, and what is known of it. */
export interface WantedChannel {
  readonly name: string;
  readonly digest: string;
  readonly last: string;
}

export type FoundChannel =
  /** It is as it is known. */
  | 'same'
  /** There is no such channel. */
  | 'none'
  /** Its hash, field by field. */
  | ReadonlyMap<string, Uint8Array>
  /** What is there is no channel. */
  | StoreError;

const LINE_END = 0x0a;
const EARLIER_DEFINITION = '=';

export class ChannelReads {
  readonly #client: RedisClient;
  readonly #keys: RedisKeys;
  readonly #turnstile = new Turnstile(STORE_LIMITS.maxReads);

  constructor(client: RedisClient, keys: RedisKeys) {
    this.#client = client;
    this.#keys = keys;
  }

  /** How many are best asked for at a time. */
  get width(): number {
    return this.#client.isCluster ? 1 : STORE_LIMITS.maxChannelsPerRead;
  }

  /** What the store has of each of at most `width` channels. @throws StoreError STORE_AWAY */
  async fetch(wanted: readonly WantedChannel[]): Promise<readonly FoundChannel[]> {
    const found: FoundChannel[] = [];
    const definitions = new Map<string, Uint8Array>();
    while (found.length < wanted.length) {
      const left = wanted.slice(found.length);
      const replies = await this.#turnstile.pass(() => this.#call(left));
      const before = found.length;
      for (const [index, { name }] of left.entries()) {
        const reply = replies[index];
        const said = reply instanceof Uint8Array && reply.length < 6 ? textIn(reply) : '';
        if (said === 'later') break;
        if (said === 'same' || said === 'none') found.push(said);
        else found.push(await this.#read(name, reply, definitions));
      }
      // The first one is always read.
      if (found.length === before) throw wrongChannel(left[0]?.name ?? '', 'it was asked for, and nothing came');
    }
    return found;
  }

  async #call(wanted: readonly WantedChannel[]): Promise<readonly unknown[]> {
    const keys = wanted.map(({ name }) => this.#keys.channel(name));
    const isKnown = wanted.some(({ digest }) => digest !== '');
    const known = isKnown ? wanted.flatMap(({ digest, last }) => [digest, last]) : [];
    try {
      return partsIn(await this.#client.runOnKeys(readScript, keys, [STORE_LIMITS.maxReadBytes, ...known]));
    } catch (thrown) {
      throw await errorOf(thrown, this.#client, keys[0] ?? '');
    }
  }

  async #read(name: string, reply: unknown, definitions: Map<string, Uint8Array>): Promise<FoundChannel> {
    const fields = reply instanceof Uint8Array ? fieldsOf(reply) : undefined;
    if (fields === undefined) {
      const [, error] = /^error (.*)$/su.exec(textIn(reply)) ?? [];
      if (error === undefined) return wrongChannel(name, 'its fields cannot be read');
      const refusal = await refusalOf(error, this.#client, this.#keys.channel(name));
      if (refusal.reason !== 'STORE_FORMAT') throw refusal;
      return refusal;
    }
    const digest = textIn(fields.get('digest'));
    const definition = fields.get('definition');
    if (definition === undefined) return fields;
    if (textIn(definition) !== EARLIER_DEFINITION) definitions.set(digest, definition);
    else fields.set('definition', definitions.get(digest) ?? definition);
    return fields;
  }
}

/** The fields that the script put into one text; undefined where it is none. */
function fieldsOf(reply: Uint8Array): Map<string, Uint8Array> | undefined {
  const bytes = Buffer.from(reply.buffer, reply.byteOffset, reply.byteLength);
  const headerEnd = bytes.indexOf(LINE_END);
  if (headerEnd === -1) return undefined;
  const lengths = bytes.toString('latin1', 0, headerEnd).split(' ');
  const fields = new Map<string, Uint8Array>();
  let at = headerEnd + 1;
  for (let index = 0; index + 1 < lengths.length; index += 2) {
    const fieldEnd = at + Number(lengths[index]);
    const end = fieldEnd + Number(lengths[index + 1]);
    // Also not a number.
    if (!(end <= bytes.length) || fieldEnd < at || end < fieldEnd) return undefined;
    fields.set(bytes.toString('utf8', at, fieldEnd), bytes.subarray(fieldEnd, end));
    at = end;
  }
  return at === bytes.length ? fields : undefined;
}
