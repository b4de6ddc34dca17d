// What do the eight bytes of a header say, byte by byte and in one line?

import { HEADER_BYTES, type Header } from '../header.ts';
import { Reader } from '../reader.ts';
import { TypeReceiver } from '../types/wire.ts';
import { NoteTaker, type FieldNote } from './notes.ts';

const SEGMENT_WORDS = { none: '', first: 'first segment', middle: 'middle segment', last: 'last segment' } as const;

/** The fields of a header, by the names of the specification. */
export function noteHeader(bytes: Uint8Array, header: Header, command: string): readonly FieldNote[] {
  const note = new NoteTaker(new Reader(bytes.subarray(0, HEADER_BYTES), header.bigEndian), new TypeReceiver());
  note.u8('magic');
  note.u8('version');
  note.u8('flags', () => flagWords(header));
  note.u8('messageCommand', () => command);
  note.u32('payloadSize', () => (header.isControl ? 'a value, no size: nothing follows' : ''));
  return note.notes;
}

/** `client, little endian, first segment`. */
export function flagWords({ fromServer, bigEndian, isControl, segment }: Header): string {
  return [
    fromServer ? 'server' : 'client',
    bigEndian ? 'big endian' : 'little endian',
    isControl ? 'control' : '',
    SEGMENT_WORDS[segment],
  ]
    .filter((word) => word !== '')
    .join(', ');
}
