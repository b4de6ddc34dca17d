// Which bytes does hexadecimal text stand for, as people paste it and as tools print it?
//
//   ca02 4102 0000 0000              digits in any groups; `0x`, commas, and lines that begin with # are left out
//   00000000: ca02 4102 0000 0000  ..A.....        xxd; also tcpdump -x
//   00000000  ca 02 41 02 00 00 00 00  |..A.....|  hexdump -C, where a line * repeats the one before; also od, wireshark

import { CaptureError } from './capture-error.ts';

const COMMENT = /^\s*(?:#|\/\/)/u;
/** An offset with a colon behind it. */
const COLON_OFFSET = /^\s*(?:0x)?(?<offset>[0-9a-f]{2,16}):\s*(?<rest>.*)$/iu;
/** An offset that only stands in front; longer than any group of digits that a first line could begin with. */
const BARE_OFFSET = /^\s*(?<offset>[0-9a-f]{4,16})(?:\s+(?<rest>.*))?$/iu;
const FIRST_BARE_OFFSET = /^\s*0{4,16}\s+[0-9a-f]{2}(?:\s|$)/iu;

/** Where the column of characters begins that tools put behind the digits. */
const COLON_TAIL = /\s{2,}/u;
const BARE_TAIL = /\s{3,}|\s*[|>]/u;

type Form = 'plain' | 'colon' | 'bare';

/** Throws `CaptureError` that names line and column where the text is none of these. */
export function bytesOfHexText(text: string, maxBytes: number): Uint8Array {
  const found = new ByteList(maxBytes);
  let form: Form | undefined;
  let before: number[] = [];
  let isRepeated = false;
  let base: number | undefined;
  for (const [index, line] of text.split('\n').entries()) {
    if (COMMENT.test(line) || line.trim() === '') continue;
    form ??= formOf(line);
    if (form !== 'plain' && line.trim() === '*') {
      isRepeated = true;
      continue;
    }
    const { offset, digits } = partsOf(line, form, index);
    if (isRepeated) found.repeat(before, offset - (base ?? 0), index);
    isRepeated = false;
    base ??= offset;
    before = bytesOfDigits(digits, index, line);
    found.add(before, index);
  }
  return found.bytes;
}

function formOf(line: string): Form {
  if (COLON_OFFSET.test(line)) return 'colon';
  return FIRST_BARE_OFFSET.test(line) ? 'bare' : 'plain';
}

function partsOf(line: string, form: Form, index: number): { readonly offset: number; readonly digits: string } {
  if (form === 'plain') return { offset: 0, digits: line };
  const match = (form === 'colon' ? COLON_OFFSET : BARE_OFFSET).exec(line);
  if (match?.groups === undefined) throw wrong(index, 1, 'an offset expected, as in the lines before');
  const { offset = '', rest = '' } = match.groups;
  const [digits = ''] = rest.split(form === 'colon' ? COLON_TAIL : BARE_TAIL);
  return { offset: Number.parseInt(offset, 16), digits };
}

function bytesOfDigits(digits: string, index: number, line: string): number[] {
  const bytes: number[] = [];
  for (const { 0: word, index: at } of digits.matchAll(/[^\s,;]+/gu)) {
    const column = line.indexOf(digits) + at + 1;
    const pairs = word.replace(/^0x/iu, '');
    if (!/^[0-9a-f]*$/iu.test(pairs)) throw wrong(index, column, `'${word.slice(0, 20)}', hexadecimal digits expected`);
    if (pairs.length % 2 !== 0) throw wrong(index, column, `'${word.slice(0, 20)}', two digits a byte expected`);
    for (let digit = 0; digit < pairs.length; digit += 2)
      bytes.push(Number.parseInt(pairs.slice(digit, digit + 2), 16));
  }
  return bytes;
}

/** Bytes that come line by line. */
class ByteList {
  readonly #maxBytes: number;
  #buffer = new Uint8Array(1024);
  #length = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  add(bytes: readonly number[], index: number): void {
    const length = this.#length + bytes.length;
    if (length > this.#maxBytes) throw wrong(index, 1, `more than ${this.#maxBytes} bytes`);
    if (length > this.#buffer.length) {
      const grown = new Uint8Array(length * 2);
      grown.set(this.bytes);
      this.#buffer = grown;
    }
    this.#buffer.set(bytes, this.#length);
    this.#length = length;
  }

  /** Adds the line before until `end` is reached. */
  repeat(line: readonly number[], end: number, index: number): void {
    const missing = end - this.#length;
    if (missing < 0 || line.length === 0 || missing % line.length !== 0) {
      throw wrong(index, 1, `offset ${end} behind a line *, which does not fit`);
    }
    while (this.#length < end) this.add(line, index);
  }
}

function wrong(index: number, column: number, what: string): CaptureError {
  return new CaptureError(`line ${index + 1}, column ${column}: ${what}`);
}
