// What of binary-parser does dissect.ts use? The package has types, but its `exports` do not lead to them.

declare module 'binary-parser' {
  /** A number, or the name of a field read before. */
  type Length = number | string;

  export class Parser {
    endianness(endianness: 'big' | 'little'): this;
    uint8(name: string, options?: { readonly assert?: number }): this;
    uint16(name: string): this;
    uint32(name: string): this;
    uint32le(name: string): this;
    uint32be(name: string): this;
    bit1(name: string): this;
    bit2(name: string): this;
    bit3(name: string): this;
    bit5(name: string): this;
    string(name: string, options: { readonly encoding: 'hex'; readonly length: Length }): this;
    buffer(
      name: string,
      options:
        | { readonly length: Length; readonly formatter?: (bytes: Uint8Array) => unknown }
        | { readonly readUntil: 'eof'; readonly clone?: boolean },
    ): this;
    array(
      name: string,
      options: {
        readonly type: Parser | 'uint8' | 'uint32be' | 'uint32le';
        readonly length: Length;
        readonly formatter?: (items: never) => unknown;
      },
    ): this;
    /** What was chosen is put into the object itself. */
    choice(options: {
      readonly tag: string;
      readonly choices: Readonly<Record<number, Parser>>;
      readonly defaultChoice?: Parser;
    }): this;
    nest(name: string, options: { readonly type: Parser; readonly formatter?: (item: never) => unknown }): this;
    /** Stores the offset that was reached. */
    saveOffset(name: string): this;
    parse(bytes: Uint8Array): unknown;
  }
}
