// How is the id of one start of a server read, written and shown?
//
// Twelve bytes on the wire, 24 hexadecimal digits everywhere else, so that it can be compared and be a key.

import { LocalProtocolError } from './errors.ts';
import type { Reader } from './reader.ts';
import type { Writer } from './writer.ts';

/** Bytes of the id that a server draws at its start. */
export const GUID_BYTES = 12;

/** Hexadecimal digits of each byte value. */
const DIGITS: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

export function readGuid(reader: Reader): string {
  return guidText(reader.view(GUID_BYTES));
}

export function writeGuid(writer: Writer, guid: string): void {
  requireGuid(guid);
  for (let at = 0; at < guid.length; at += 2) writer.u8(Number.parseInt(guid.slice(at, at + 2), 16));
}

export function isGuid(text: string): boolean {
  return /^[0-9a-f]{24}$/u.test(text);
}

/** @throws LocalProtocolError when it is no GUID */
export function requireGuid(text: string): void {
  if (isGuid(text)) return;
  throw new LocalProtocolError(`GUID '${text}', ${GUID_BYTES * 2} lower-case hexadecimal digits expected`);
}

/** Text of twelve bytes, such as a server draws at its start. */
export function guidText(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += DIGITS[byte] ?? '';
  return text;
}
