// Which bytes of a MessagePack body are which field? The body says so itself, but for the names of its own fields, which
// are those of the message that was decoded from it.

import { msgpack } from '../codecs/msgpack.ts';
import { formatName } from '../codecs/msgpack-format.ts';
import type { PackReader, WalkBounds } from '../codecs/msgpack-reader.ts';
import { arrayPack } from '../codecs/msgpack-scalars.ts';
import { counted } from '../counted.ts';
import type { Frame } from '../framer.ts';
import { PvaError } from '../errors.ts';
import { decodeMessage, type ClientMessage, type ServerMessage } from '../messages/index.ts';
import type { DecodeContext } from '../messages/message-module.ts';
import {
  LONG_RANGES,
  arrayOf,
  boolean,
  double,
  long,
  scalar,
  string,
  ulong,
  type ScalarArrayType,
} from '../types/type-desc.ts';
import { SCALAR_CODES } from '../types/wire.ts';
import { TYPED_ARRAYS, type NumericName } from '../values/array-codec.ts';

import type { NoteTaker } from './notes.ts';

/** Levels that are noted one by one; what lies deeper is noted as a whole. */
const NOTED_LEVELS = 64;
/** What is shorter says too little about what it is. */
const TELLING_BYTES = 2;
const NOT_FIELDS: ReadonlySet<string> = new Set(['command', 'phase', 'form']);
const [LONG_MIN, LONG_MAX] = LONG_RANGES.long;
const [, ULONG_MAX] = LONG_RANGES.ulong;

/** Arrays of numbers by the types of their extensions. */
const ARRAYS: ReadonlyMap<number, { readonly type: ScalarArrayType; readonly elementBytes: number }> = new Map(
  // The keys of this table are the names.
  (Object.keys(TYPED_ARRAYS) as readonly NumericName[]).map((name) => [
    SCALAR_CODES[name],
    { type: arrayOf(scalar(name)), elementBytes: TYPED_ARRAYS[name].BYTES_PER_ELEMENT },
  ]),
);

/**
 * Whether a message is one of MessagePack: its body is one array from end to end, and decodes. undefined when it says too
 * little. In pvAccess a body that looks so by chance is next to impossible.
 */
export function isPacked(frame: Frame, context: DecodeContext): boolean | undefined {
  const { header, body } = frame;
  if (header.isControl || body.length < TELLING_BYTES) return undefined;
  try {
    return decodeMessage(frame, context, msgpack) !== undefined;
  } catch (thrown) {
    if (thrown instanceof PvaError) return false;
    throw thrown;
  }
}

/** Notes all that is in a body. `words` is what its subcommand says. */
export function notePacked(
  note: NoteTaker,
  input: PackReader,
  message: ClientMessage | ServerMessage | undefined,
  words: string,
): void {
  const names = Object.keys(message ?? {}).filter((name) => !NOT_FIELDS.has(name));
  const count = note.mark(
    'fields',
    () => input.arrayHead(),
    (found) => `array of ${found}`,
  );
  for (let index = 0; index < count; index++) {
    const name = names[index] ?? `[${index}]`;
    noteItem(note, input, name, { level: 0, remark: name === 'subcommand' ? words : '', hasKey: false });
  }
}

interface Place {
  readonly level: number;
  readonly remark: string;
  /** The item stands behind its key, the bytes of which are noted with it. */
  readonly hasKey: boolean;
}

function noteItem(note: NoteTaker, input: PackReader, name: string, place: Place): void {
  const { reader } = input;
  const start = reader.offset;
  if (place.hasKey) input.text();
  const itemAt = reader.offset;
  const format = formatName(reader.bytes[itemAt] ?? 0);
  const integer = format === 'an integer' ? input.long(LONG_MIN, ULONG_MAX) : 0n;
  reader.offset = start;
  const skipKey = (): void => {
    reader.offset = itemAt;
  };
  const remarkOf = (): string => place.remark;
  function after<T>(read: () => T): () => T {
    return () => {
      skipKey();
      return read();
    };
  }
  switch (format) {
    case 'an integer':
      note.leaf(
        name,
        integer > LONG_MAX ? ulong : long,
        after(() => input.long(LONG_MIN, ULONG_MAX)),
        remarkOf,
      );
      return;
    case 'a float':
      note.leaf(
        name,
        double,
        after(() => input.number()),
      );
      return;
    case 'text':
      note.leaf(
        name,
        string,
        after(() => input.text()),
      );
      return;
    case 'true':
    case 'false':
      note.leaf(
        name,
        boolean,
        after(() => input.boolean()),
      );
      return;
    case 'an array':
    case 'a map':
      if (place.level < NOTED_LEVELS) return noteMany(note, input, name, place, skipKey, format === 'a map');
      note.mark(
        name,
        after(() => input.walk(bounds(note))),
        () => 'too deep to be shown',
      );
      return;
    case 'an extension':
      return noteExtension(note, input, name, skipKey);
    default:
      note.mark(
        name,
        after(() => input.walk(bounds(note))),
        () => format,
      );
  }
}

function noteMany(
  note: NoteTaker,
  input: PackReader,
  name: string,
  place: Place,
  skipKey: () => void,
  isMap: boolean,
): void {
  note.group(
    name,
    () => {
      skipKey();
      const count = isMap ? input.mapHead() : input.arrayHead();
      return [`${isMap ? 'map' : 'array'} of ${count}`, count];
    },
    (count) => {
      for (let index = 0; index < count; index++) {
        const inner = { level: place.level + 1, remark: '', hasKey: isMap };
        noteItem(note, input, isMap ? nextKey(input) : `[${index}]`, inner);
      }
    },
  );
}

/** The key that comes next, which is not yet read. */
function nextKey(input: PackReader): string {
  const start = input.reader.offset;
  const key = input.text();
  input.reader.offset = start;
  return key;
}

/** Numbers of an array, or an extension of which nothing is known. */
function noteExtension(note: NoteTaker, input: PackReader, name: string, skipKey: () => void): void {
  const { reader } = input;
  const start = reader.offset;
  skipKey();
  const { code, length } = input.peekExtension();
  reader.offset = start;
  const array = ARRAYS.get(code);
  if (array !== undefined && length % array.elementBytes === 0) {
    note.leaf(name, array.type, () => {
      skipKey();
      return arrayPack(array.type).read(input, note.types);
    });
    return;
  }
  const read = (): void => {
    skipKey();
    input.walk(bounds(note));
  };
  note.mark(name, read, () => `extension 0x${code.toString(16)} of ${counted(length, 'byte')}`);
}

function bounds({ types: { limits } }: NoteTaker): WalkBounds {
  return {
    depth: limits.maxTypeNesting * (limits.maxTypeNesting + 1),
    items: limits.maxValueNodes,
    depthLimit: 'maxTypeNesting',
    itemLimit: 'maxValueNodes',
  };
}
