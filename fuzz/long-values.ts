// Which values are long? Lists of many elements, of a recorded type or of a structure with many fields of it; in pvAccess the
// elements may name their type by an id, so that few bytes stand for much.

import { MAGIC } from '../src/protocol/header.ts';
import type { CodecName } from '../src/protocol/messages/data.ts';

import { longTexted } from './long-texts.ts';
import type { Random } from './random.ts';
import { packedTypedBytes, typedBytes, type From, type TypedBytes } from './vectors.ts';

const STRUCTURE = 0x80;
const STRUCTURES = 0x88;
const ANYS = 0x8a;
const PRESENT = 0x01;
const WITH_ID = 0xfd;
const BY_ID = 0xfe;
const WIDE_SIZE = 0xfe;
/** A structure without id and fields: the least that can be a value. */
const EMPTY: TypedBytes = { type: Uint8Array.of(STRUCTURE, 0, 0), value: new Uint8Array(0) };
/** As many as a type may have, but for the structure that they are in. */
const MOST_FIELDS = 9_990;
const NAME_CHARACTERS = 4;
const RADIX = 36;

const VERSION = 2;
const FROM_SERVER = 0x40;
const BIG_ENDIAN = 0x80;
const AUTHNZ = 0x05;

/** What is repeated: the first may differ from those that follow. */
interface List {
  readonly head: Uint8Array;
  readonly first: Uint8Array;
  readonly next: Uint8Array;
}

/** A type and a value of it, of about so many bytes. */
export function longValue(bytes: number, random: Random, isBig: boolean): Uint8Array {
  const piece = random.chance(4) ? EMPTY : random.pick(recorded(isBig ? 'big' : 'little'));
  const fields = fieldCount(bytes, piece, random);
  const { type, value } = fields === 0 ? piece : wide(piece, fields, isBig);
  const lists: readonly List[] = [
    inFull({ type, value }),
    byId({ type, value }, isBig),
    ...(type[0] === STRUCTURE ? [ofStructures({ type, value })] : []),
  ];
  const { head, first, next } = random.pick(lists);
  const count = elementCount(bytes - head.length - first.length, next);
  return Buffer.concat([head, wideSize(count + 1, isBig), first, Buffer.alloc(count * next.length, next)]);
}

/** A message with such a value, or with long texts, that needs neither a channel nor an operation: AUTHNZ, of either side. */
export function longMessage(bytes: number, random: Random, codec: CodecName, from: From): Uint8Array {
  if (codec === 'msgpack' && random.chance(2)) return longTexted(bytes, random, from);
  const isBig = codec === 'msgpack' || random.chance(2);
  const body = codec === 'msgpack' ? longPacked(bytes, random) : longValue(bytes, random, isBig);
  const header = Buffer.from([
    MAGIC,
    VERSION,
    (isBig ? BIG_ENDIAN : 0) | (from === 'server' ? FROM_SERVER : 0),
    AUTHNZ,
  ]);
  return Buffer.concat([header, u32(body.length, isBig), body]);
}

function inFull({ type, value }: TypedBytes): List {
  const element = Buffer.concat([Uint8Array.of(PRESENT), type, value]);
  return { head: Uint8Array.of(ANYS), first: element, next: element };
}

function byId({ type, value }: TypedBytes, isBig: boolean): List {
  const id = isBig ? [0, 1] : [1, 0];
  return {
    head: Uint8Array.of(ANYS),
    first: Buffer.concat([Uint8Array.of(PRESENT, WITH_ID, ...id), type, value]),
    next: Buffer.concat([Uint8Array.of(PRESENT, BY_ID, ...id), value]),
  };
}

function ofStructures({ type, value }: TypedBytes): List {
  const element = Buffer.concat([Uint8Array.of(PRESENT), value]);
  return { head: Buffer.concat([Uint8Array.of(STRUCTURES), type]), first: element, next: element };
}

/** A structure that has the piece so many times. */
function wide({ type, value }: TypedBytes, fields: number, isBig: boolean): TypedBytes {
  const named = names(fields).flatMap((name) => [Uint8Array.of(NAME_CHARACTERS), name, type]);
  return {
    type: Buffer.concat([Uint8Array.of(STRUCTURE, 0), wideSize(fields, isBig), ...named]),
    value: Buffer.alloc(fields * value.length, value),
  };
}

/** The body of AUTHNZ: `[["any[]", [[type, value], ...]]]`. */
function longPacked(bytes: number, random: Random): Uint8Array {
  const piece = random.pick(recorded('packed'));
  const fields = fieldCount(bytes, piece, random);
  const { type, value } = fields === 0 ? piece : widePacked(piece, fields);
  const element = Buffer.concat([Uint8Array.of(0x92), type, value]);
  const count = elementCount(bytes, element);
  return Buffer.concat([
    Uint8Array.of(0x91, 0x92),
    text('any[]'),
    packedArray(count),
    Buffer.alloc(count * element.length, element),
  ]);
}

function widePacked({ type, value }: TypedBytes, fields: number): TypedBytes {
  const all = names(fields);
  const described = all.flatMap((name) => [Uint8Array.of(0x82), text('name'), text(name), text('type'), type]);
  return {
    type: Buffer.concat([
      Uint8Array.of(0x83),
      ...['kind', 'structure', 'id', '', 'fields'].map(text),
      packedArray(fields),
      ...described,
    ]),
    value: Buffer.concat([Uint8Array.of(0xdf), u32(fields, true), ...all.flatMap((name) => [text(name), value])]),
  };
}

function text(characters: string | Uint8Array): Uint8Array {
  return Buffer.concat([Uint8Array.of(0xa0 | characters.length), Buffer.from(characters)]);
}

function packedArray(count: number): Uint8Array {
  return Buffer.concat([Uint8Array.of(0xdd), u32(count, true)]);
}

/** No structure around the piece, one with few fields, or one that takes half of the bytes. */
function fieldCount(bytes: number, { type, value }: TypedBytes, random: Random): number {
  const most = Math.min(MOST_FIELDS, Math.floor(bytes / 2 / (type.length + value.length + 1 + NAME_CHARACTERS)));
  return random.pick([0, Math.min(most, 1 + random.below(4)), most]);
}

function elementCount(bytes: number, { length }: Uint8Array): number {
  return length === 0 ? 0 : Math.max(1, Math.floor(bytes / length));
}

function names(count: number): readonly Uint8Array[] {
  return Array.from({ length: count }, (_none, index) =>
    Buffer.from(index.toString(RADIX).padStart(NAME_CHARACTERS, 'a')),
  );
}

function wideSize(size: number, isBig: boolean): Uint8Array {
  return Buffer.concat([Uint8Array.of(WIDE_SIZE), u32(size, isBig)]);
}

function u32(value: number, isBig: boolean): Uint8Array {
  const bytes = Buffer.alloc(4);
  if (isBig) bytes.writeUInt32BE(value);
  else bytes.writeUInt32LE(value);
  return bytes;
}

const read = new Map<string, readonly TypedBytes[]>();

/** The recorded pieces, read once. */
function recorded(which: 'big' | 'little' | 'packed'): readonly TypedBytes[] {
  const pieces = read.get(which) ?? (which === 'packed' ? packedTypedBytes() : typedBytes(which === 'big'));
  read.set(which, pieces);
  return pieces;
}
