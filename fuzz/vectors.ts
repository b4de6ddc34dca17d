// Which recorded bytes are inputs to start from? The messages, conversations and malformed cases of test/vectors.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { encode } from '@msgpack/msgpack';

import { ROOT } from './root.ts';

const FOLDER = join(ROOT, 'test', 'vectors');

interface Recorded {
  readonly dir: string;
  readonly conn?: number;
  /** One message; not there where a connection opened or closed. */
  readonly hex?: string;
}

interface Recording {
  readonly udp?: readonly Recorded[];
  readonly tcp?: readonly Recorded[];
}

interface MalformedCase {
  readonly kind: string;
  readonly hex: string;
}

export type From = 'client' | 'server';

/** The ids that our side of a link gives first, one after the other. */
export interface FirstIds {
  readonly sid?: number;
  readonly cid?: number;
  readonly ioid?: number;
}

const FLAGS_AT = 2;
const COMMAND_AT = 3;
const BODY_AT = 8;
const BIG_ENDIAN = 0x80;
/** Control messages have no body, and only the first of several segments begins with ids. */
const NOT_PLAIN = 0x31;
const CREATE_CHANNEL = 0x07;
const DESTROY_CHANNEL = 0x08;
/** GET, PUT, PUT_GET, MONITOR, ARRAY, DESTROY_REQUEST, PROCESS, GET_FIELD, CANCEL, RPC. */
const OPERATIONS: ReadonlySet<number> = new Set([0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x10, 0x11, 0x14, 0x15]);

/**
 * Everything that one side said in each recorded conversation, in one piece. With ids those of the recording are replaced
 * by the ones that our own peer gives, in the same order: else all that follows is about channels that do not exist.
 */
export function conversations(from: From, ids?: FirstIds): readonly Uint8Array[] {
  return spoken('transcripts', from, ids);
}

/** The same of the conversations with PUT_GET, PROCESS, ARRAY and segments. */
export function operations(from: From, ids?: FirstIds): readonly Uint8Array[] {
  return spoken('operations', from, ids);
}

/** The messages of one side as MessagePack: each by itself, and all of them in their order. */
export function packedMessages(from: From): readonly Uint8Array[] {
  // The project's own file; its README gives this shape.
  const all = read(join('msgpack', 'messages.json')) as readonly { readonly from: From; readonly hex: string }[];
  const messages = all.filter((each) => each.from === from).map(({ hex }) => fromHex(hex));
  return [...messages, new Uint8Array(Buffer.concat(messages))];
}

/** Everything that one side said in each conversation that Python's msgpack packed. */
export function packedConversations(from: From): readonly Uint8Array[] {
  // As above.
  const all = read(join('msgpack', 'conversations.json')) as readonly {
    readonly messages: readonly { readonly from: From; readonly hex: string }[];
  }[];
  return all.map(({ messages }) =>
    fromHex(messages.flatMap((each) => (each.from === from ? [each.hex] : [])).join('')),
  );
}

export function datagrams(): readonly Uint8Array[] {
  return recordings('transcripts').flatMap(({ udp = [] }) => udp.map(({ hex = '' }) => fromHex(hex)));
}

/** The recordings themselves, as JSON text; the shortest ones. */
export function recordingTexts(count: number): readonly Uint8Array[] {
  return recordings('transcripts')
    .map((recording) => new Uint8Array(Buffer.from(JSON.stringify(recording))))
    .toSorted((one, other) => one.length - other.length)
    .slice(0, count);
}

/** The recorded inputs that a decoder must survive. */
export function malformed(kind: string): readonly Uint8Array[] {
  // The project's own file; its README gives this shape.
  const { cases } = read('malformed.json') as { readonly cases: readonly MalformedCase[] };
  return cases.filter((each) => each.kind === kind).map(({ hex }) => fromHex(hex));
}

/** The fields of data.json whose names end so: `typeHexLE`, `valueHexBE`, ... */
export function dataHex(...keys: readonly string[]): readonly Uint8Array[] {
  // As above.
  const { cases } = read('data.json') as { readonly cases: readonly Readonly<Record<string, unknown>>[] };
  return cases
    .flatMap((each) => keys.map((key) => each[key]))
    .flatMap((hex) => (typeof hex === 'string' ? [fromHex(hex)] : []));
}

/** A type and a value of it, both as bytes. */
export interface TypedBytes {
  readonly type: Uint8Array;
  readonly value: Uint8Array;
}

export function typedBytes(bigEndian: boolean): readonly TypedBytes[] {
  const order = bigEndian ? 'BE' : 'LE';
  // As above.
  const { cases } = read('data.json') as { readonly cases: readonly Readonly<Record<string, unknown>>[] };
  return cases.flatMap((each) => {
    const [type, value] = [each[`typeHex${order}`], each[`valueHex${order}`]];
    return typeof type === 'string' && typeof value === 'string'
      ? [{ type: fromHex(type), value: fromHex(value) }]
      : [];
  });
}

/** The same as Python's msgpack packs them. */
export function packedTypedBytes(): readonly TypedBytes[] {
  // The project's own file; its README gives this shape.
  const all = read(join('msgpack', 'values.json')) as readonly { readonly type: unknown; readonly hex: string }[];
  return all.map(({ type, hex }) => {
    const bytes = fromHex(hex).subarray(1);
    const typeLength = encode(type).length;
    return { type: bytes.subarray(0, typeLength), value: bytes.subarray(typeLength) };
  });
}

// -----------------------------------------------------------------------------------------------------------------

function spoken(folder: string, from: From, ids?: FirstIds): readonly Uint8Array[] {
  const dir = from === 'client' ? 'c2s' : 's2c';
  return recordings(folder).map(({ tcp = [] }) => {
    const messages = tcp.map(({ dir: from, hex = '' }) => ({ dir: from, bytes: fromHex(hex) }));
    if (ids !== undefined) renumber(messages, ids);
    return new Uint8Array(Buffer.concat(messages.filter((each) => each.dir === dir).map(({ bytes }) => bytes)));
  });
}

interface Message {
  readonly dir: string;
  readonly bytes: Uint8Array;
}

/** Replaces ids where they stand, at the beginning of bodies; ids are met in the order in which they were given. */
function renumber(messages: readonly Message[], first: FirstIds): void {
  const [sid, cid, ioid] = [first.sid, first.cid, first.ioid].map((start) => new Numbering(start));
  for (const { dir, bytes } of messages) {
    if (bytes.length < BODY_AT + 8 || ((bytes[FLAGS_AT] ?? 0) & NOT_PLAIN) !== 0) continue;
    const command = bytes[COMMAND_AT] ?? 0;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const isLittle = ((bytes[FLAGS_AT] ?? 0) & BIG_ENDIAN) === 0;
    const put = (at: number, numbering: Numbering | undefined): void => {
      const own = numbering?.of(view.getUint32(at, isLittle));
      if (own !== undefined) view.setUint32(at, own, isLittle);
    };
    if (dir === 'c2s') {
      if (command === CREATE_CHANNEL) put(BODY_AT + 2, cid);
      else if (command === DESTROY_CHANNEL || OPERATIONS.has(command)) {
        put(BODY_AT, sid);
        put(BODY_AT + 4, command === DESTROY_CHANNEL ? cid : ioid);
      }
    } else if (command === CREATE_CHANNEL) {
      put(BODY_AT, cid);
      put(BODY_AT + 4, sid);
    } else if (command === DESTROY_CHANNEL) {
      put(BODY_AT, sid);
      put(BODY_AT + 4, cid);
    } else if (OPERATIONS.has(command)) put(BODY_AT, ioid);
  }
}

class Numbering {
  readonly #first: number | undefined;
  readonly #own = new Map<number, number>();

  /** Without a first number everything stays as it is. */
  constructor(first: number | undefined) {
    this.#first = first;
  }

  of(recorded: number): number | undefined {
    if (this.#first === undefined) return undefined;
    const own = this.#own.get(recorded) ?? this.#first + this.#own.size;
    this.#own.set(recorded, own);
    return own;
  }
}

function recordings(folder: string): readonly Recording[] {
  return readdirSync(join(FOLDER, folder))
    .filter((name) => name.endsWith('.json'))
    .toSorted()
    .map((name) => read(join(folder, name)) as Recording);
}

function read(name: string): unknown {
  return JSON.parse(readFileSync(join(FOLDER, name), 'utf8'));
}

function fromHex(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, 'hex'));
}
