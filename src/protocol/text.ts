// How does text become UTF-8 bytes and back, quickly for the short ASCII that names and units are?

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const encoder = new TextEncoder();

/** Up to this length a loop over ASCII beats the call into the platform's decoder (bench/text). */
const SHORT = 32;

/** Text of `bytes[start..end)`; what is not UTF-8 becomes U+FFFD. */
export function decodeText(bytes: Uint8Array, start: number, end: number): string {
  if (end - start <= SHORT) {
    let text = '';
    let at = start;
    for (; at < end; at++) {
      const byte = bytes[at];
      if (byte === undefined || byte >= 0x80) break;
      text += String.fromCharCode(byte);
    }
    if (at === end) return text;
  }
  return decoder.decode(bytes.subarray(start, end));
}

/** Writes ASCII text to `target` at `offset`; false, with nothing that counts written, if it is not ASCII. */
export function encodeAscii(text: string, target: Uint8Array, offset: number): boolean {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code >= 0x80) return false;
    target[offset + index] = code;
  }
  return true;
}

/** UTF-8 of `text`; lone surrogates become U+FFFD. */
export function encodeText(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Length of `text` in UTF-8 bytes. */
export function textBytes(text: string): number {
  let bytes = 0;
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    if (code < 0x80) bytes += 1;
    else if (code < 0x800) bytes += 2;
    else if (code < 0x1_0000) bytes += 3;
    else bytes += 4;
  }
  return bytes;
}

/** A peer's text as far as a person reads it. The rest is let go of: a slice alone would keep all of it. */
export function cut(text: string, most: number): string {
  if (text.length <= most) return text;
  return `${decoder.decode(encoder.encode(text.slice(0, most)))}... (${text.length} characters)`;
}
