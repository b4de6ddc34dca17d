// Which bytes of a message are which field? Notes taken while a body is read, in order and without holes.

import { readAddress } from '../address.ts';
import { readGuid } from '../guid.ts';
import type { Reader } from '../reader.ts';
import { statusName, STATUS_OK, STATUS_WARNING } from '../status.ts';
import { boolean, string, ubyte, uint, ushort, type TypeDesc } from '../types/type-desc.ts';
import type { PvValue } from '../types/value-of.ts';
import type { TypeReceiver } from '../types/wire.ts';
import { anyCodecOf } from '../values/codec.ts';
import type { TypedValue } from '../values/value-parts.ts';

/** One field and the bytes beside it. */
export interface FieldNote {
  /** As the specification or the type names it; `[2]` for an element. */
  readonly name: string;
  /** Offset in the body of the first byte of the field itself; the bytes of the fields below it stand behind. */
  readonly start: number;
  /** Offset behind the last byte of the field itself; equal to `start` where only the fields below have bytes. */
  readonly end: number;
  /** What the bytes say, with its type; undefined where they only shape what stands below. */
  readonly content?: TypedValue;
  /** What it means, in words that are safe to print; '' for nothing to add. */
  readonly remark: string;
  readonly fields: readonly FieldNote[];
}

interface OpenNote extends FieldNote {
  end: number;
  remark: string;
  readonly fields: OpenNote[];
}

/** Name of what is too much to be noted field by field. */
export const REST = '...';

const NO_REMARK = (): string => '';

/**
 * Reads fields and notes where they stand. The typed methods read as those of `Reader` do and throw as they do; what
 * was noted before stays. When the budget is spent the rest is still read, but noted as a whole.
 */
export class NoteTaker {
  readonly reader: Reader;
  readonly types: TypeReceiver;
  readonly #notes: OpenNote[] = [];
  /** Where the next note goes: the root, or the fields of the innermost open group. */
  #fields: OpenNote[] = this.#notes;
  /** Offset behind the last byte that has a note. */
  #noted: number;
  #budget: number;
  #rest: OpenNote | undefined;

  constructor(reader: Reader, types: TypeReceiver) {
    this.reader = reader;
    this.types = types;
    this.#noted = reader.offset;
    this.#budget = types.limits.maxTraceNotes;
  }

  /** All notes; every byte that was read is in one of them. */
  get notes(): readonly FieldNote[] {
    return this.#notes;
  }

  u8(name: string, remarkOf: (value: number) => string = NO_REMARK): number {
    return this.leaf(name, ubyte, () => this.reader.u8(), remarkOf);
  }

  u16(name: string): number {
    return this.leaf(name, ushort, () => this.reader.u16());
  }

  u32(name: string, remarkOf: (value: number) => string = NO_REMARK): number {
    return this.leaf(name, uint, () => this.reader.u32(), remarkOf);
  }

  size(name: string): number {
    return this.leaf(name, uint, () => this.reader.size());
  }

  boolean(name: string): boolean {
    return this.leaf(name, boolean, () => this.reader.boolean());
  }

  string(name: string): string {
    return this.leaf(name, string, () => this.reader.string());
  }

  guid(name: string): string {
    return this.leaf(name, string, () => readGuid(this.reader));
  }

  address(name: string): string {
    return this.leaf(name, string, () => readAddress(this.reader));
  }

  bytes(name: string, count: number, remark: string): void {
    const start = this.reader.offset;
    this.reader.skip(count);
    this.#add(name, start, remark);
  }

  /** A value of one bit that is not looked into: a scalar, or an array of scalars. */
  value(name: string, type: TypeDesc): PvValue {
    return this.leaf(name, type, () => anyCodecOf(type).decode(this.reader, this.types));
  }

  leaf<V extends PvValue>(name: string, type: TypeDesc, read: () => V, remarkOf: (value: V) => string = NO_REMARK): V {
    const start = this.reader.offset;
    const value = read();
    this.#add(name, start, remarkOf(value), { type, value });
    return value;
  }

  /** Bytes that shape what comes, such as a selector; `remarkOf` says what they say. */
  mark<T>(name: string, read: () => T, remarkOf: (found: T) => string): T {
    const start = this.reader.offset;
    const found = read();
    this.#add(name, start, remarkOf(found));
    return found;
  }

  /**
   * A field that consists of others. `head` reads the bytes that are its own and says what they say; `body` notes the
   * fields below with what `head` returned.
   */
  group<T>(name: string, head: () => readonly [remark: string, found: T], body: (found: T) => void): void {
    const start = this.reader.offset;
    const [remark, found] = head();
    const note = this.#add(name, start, remark);
    const outer = this.#fields;
    this.#fields = note.fields;
    body(found);
    this.#fields = outer;
  }

  /** A group without bytes of its own. */
  section(name: string, remark: string, body: () => void): void {
    this.group(name, () => [remark, undefined], body);
  }

  /** Whether the status is a success. */
  status(name = 'status'): boolean {
    let type = STATUS_OK as number; // widened: the byte may be any
    this.group(
      name,
      () => {
        const first = this.reader.u8();
        type = first === 0xff ? STATUS_OK : first;
        return [statusText(first), first !== 0xff] as const;
      },
      (hasTexts) => {
        if (!hasTexts) return;
        this.string('message');
        this.string('callTree');
      },
    );
    return type <= STATUS_WARNING;
  }

  /** Notes as one field what has no note: what nobody read, and what was read before reading failed. */
  remainder(name: string, remark: string): void {
    this.#fields = this.#notes;
    this.reader.offset = this.#noted;
    if (this.reader.remaining > 0) this.bytes(name, this.reader.remaining, remark);
  }

  #add(name: string, start: number, remark: string, content?: TypedValue): OpenNote {
    const end = this.reader.offset;
    this.#noted = end;
    if (this.#budget > 0) {
      this.#budget--;
      const note: OpenNote = { name, start, end, remark, ...(content !== undefined && { content }), fields: [] };
      this.#fields.push(note);
      return note;
    }
    if (this.#rest === undefined) {
      this.#rest = { name: REST, start, end, remark: 'too many fields to be shown one by one', fields: [] };
      this.#notes.push(this.#rest);
    }
    this.#rest.end = end;
    return this.#rest;
  }
}

function statusText(byte: number): string {
  if (byte === 0xff) return 'OK';
  return byte === 0 || byte === 1 || byte === 2 || byte === 3 ? statusName(byte) : `unknown type ${byte}`;
}
