// How are the names of PVs read that come again and again? Without making their text anew: a name that is known is found
// by its bytes.
//
// Clients search for the same names until they are found, and open each when it is. Text that is made of bytes has to be
// hashed before a table can be asked for it; text that was in the table before brings its hash along.

import type { Reader } from './reader.ts';
import { decodeText } from './text.ts';

const INITIAL_SLOTS = 1_024;
/** Names that are kept, at most; past it all are forgotten. A source that claims every name would have all that are asked. */
const MAX_NAMES = 131_072;
/** Slots that a name may stand in, so that chosen names cannot make looking slow. */
const MOST_STEPS = 8;

const HASH_SEED = 0x811c_9dc5;
const HASH_FACTOR = 0x0100_0193;

/** Names that were worth keeping, by their bytes in UTF-8. Only names in ASCII are kept. */
export class KnownNames {
  /** Twice as many as names at least; their number is a power of two. */
  #slots: (string | undefined)[] = emptySlots(INITIAL_SLOTS);
  #count = 0;
  /** The last name that was found, so that keeping it again costs nothing. */
  #found: string | undefined;

  get count(): number {
    return this.#count;
  }

  /** Reads text just as `reader.string()` does. */
  read(reader: Reader): string {
    const length = reader.sizeOrNull() ?? 0;
    const start = reader.offset;
    reader.skip(length);
    this.#found = this.#find(reader.bytes, start, start + length);
    return this.#found ?? decodeText(reader.bytes, start, start + length);
  }

  /** Has the name found by its bytes from now on. */
  keep(name: string): void {
    if (name === this.#found) return;
    if (this.#count * 2 >= this.#slots.length) this.#grow();
    this.#insert(name);
  }

  #find(bytes: Uint8Array, start: number, end: number): string | undefined {
    const slots = this.#slots;
    let hash = HASH_SEED;
    for (let at = start; at < end; at++) hash = Math.imul(hash ^ (bytes[at] ?? 0), HASH_FACTOR);
    for (let step = 0; step < MOST_STEPS; step++) {
      const name = slots[(hash + step) & (slots.length - 1)];
      if (name === undefined) return undefined;
      if (isText(name, bytes, start, end)) return name;
    }
    return undefined;
  }

  #insert(name: string): void {
    const slots = this.#slots;
    let hash = HASH_SEED;
    for (let index = 0; index < name.length; index++) {
      const code = name.charCodeAt(index);
      if (code >= 0x80) return;
      hash = Math.imul(hash ^ code, HASH_FACTOR);
    }
    for (let step = 0; step < MOST_STEPS; step++) {
      const slot = (hash + step) & (slots.length - 1);
      if (slots[slot] === name) return;
      if (slots[slot] !== undefined) continue;
      slots[slot] = name;
      this.#count++;
      return;
    }
  }

  #grow(): void {
    const kept = this.#count < MAX_NAMES ? this.#slots : [];
    this.#slots = emptySlots(Math.max(kept.length * 2, INITIAL_SLOTS));
    this.#count = 0;
    for (const name of kept) if (name !== undefined) this.#insert(name);
  }
}

function emptySlots(count: number): (string | undefined)[] {
  return Array.from({ length: count });
}

function isText(text: string, bytes: Uint8Array, start: number, end: number): boolean {
  if (text.length !== end - start) return false;
  for (let index = 0; index < text.length; index++) {
    if (text.charCodeAt(index) !== bytes[start + index]) return false;
  }
  return true;
}
