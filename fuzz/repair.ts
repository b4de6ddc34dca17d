// How do mutated messages get past the framer? Their headers are made to fit what is between them.

import { HEADER_BYTES, MAGIC } from '../src/protocol/header.ts';

const FLAG_BIG_ENDIAN = 0x80;
const FLAG_CONTROL = 0x01;
const VERSION = 2;

/** The same bytes with the size of each message set to the distance to what looks like the next header. */
export function withFittingSizes(bytes: Uint8Array): Uint8Array {
  const starts: number[] = [];
  for (let at = 0; at + HEADER_BYTES <= bytes.length; at++) {
    if (bytes[at] === MAGIC && bytes[at + 1] === VERSION) starts.push(at);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (const [index, start] of starts.entries()) {
    const flags = bytes[start + 2] ?? 0;
    const size = (starts[index + 1] ?? bytes.length) - start - HEADER_BYTES;
    if ((flags & FLAG_CONTROL) === 0 && size >= 0) view.setUint32(start + 4, size, (flags & FLAG_BIG_ENDIAN) === 0);
  }
  return bytes;
}
