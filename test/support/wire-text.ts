// How are bytes written in tests so that a person can check them, once for both byte orders?

import { fromHex } from './vectors.ts';

/**
 * Bytes of hex text in which numbers stand in brackets, highest byte first: `[0000002a] ff` is `2a 00 00 00 ff` in
 * little endian. Text in quotes stands for its ASCII bytes, without a size.
 */
export function wireBytes(text: string, bigEndian: boolean): Uint8Array {
  const hex = text
    .replaceAll(/'([^']*)'/gu, (_, ascii: string) => Buffer.from(ascii, 'latin1').toString('hex'))
    .replaceAll(/\[([0-9a-f]+)\]/gu, (_, digits: string) => (bigEndian ? digits : reversed(digits)));
  if (!/^[0-9a-f\s]*$/u.test(hex)) throw new Error(`'${text}' is not hex text`);
  return fromHex(hex);
}

function reversed(digits: string): string {
  return (digits.match(/../gu) ?? []).toReversed().join('');
}

/** `ca 02 40 0a`: two digits a byte, so that a failing test can be read. */
export function spaced(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
}
