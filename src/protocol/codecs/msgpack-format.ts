// Which first bytes does MessagePack have, and what do they begin?
//
// Spec: https://github.com/msgpack/msgpack/blob/master/spec.md

export const NIL = 0xc0;
export const FALSE = 0xc2;
export const TRUE = 0xc3;
export const BIN8 = 0xc4;
export const BIN16 = 0xc5;
export const BIN32 = 0xc6;
export const EXT8 = 0xc7;
export const EXT16 = 0xc8;
export const EXT32 = 0xc9;
export const FLOAT32 = 0xca;
export const FLOAT64 = 0xcb;
export const UINT8 = 0xcc;
export const UINT16 = 0xcd;
export const UINT32 = 0xce;
export const UINT64 = 0xcf;
export const INT8 = 0xd0;
export const INT16 = 0xd1;
export const INT32 = 0xd2;
export const INT64 = 0xd3;
export const FIXEXT1 = 0xd4;
export const FIXEXT2 = 0xd5;
export const FIXEXT4 = 0xd6;
export const FIXEXT8 = 0xd7;
export const FIXEXT16 = 0xd8;
export const STR8 = 0xd9;
export const STR16 = 0xda;
export const STR32 = 0xdb;
export const ARRAY16 = 0xdc;
export const ARRAY32 = 0xdd;
export const MAP16 = 0xde;
export const MAP32 = 0xdf;

/** Up to this number, and from this byte on as a negative number, an integer is one byte. */
export const FIXINT_MAX = 0x7f;
export const NEGATIVE_FIXINT = 0xe0;
export const FIXMAP = 0x80;
export const FIXARRAY = 0x90;
/** Elements of the short form of maps and arrays, at most. */
export const FIX_COUNT = 0x0f;
export const FIXSTR = 0xa0;
/** Bytes of the short form of text, at most. */
export const FIXSTR_BYTES = 0x1f;

/** What a first byte begins. */
export type FormatName =
  | 'nil'
  | 'a byte that MessagePack does not use'
  | 'false'
  | 'true'
  | 'an integer'
  | 'a float'
  | 'text'
  | 'bytes'
  | 'an array'
  | 'a map'
  | 'an extension';

export function formatName(first: number): FormatName {
  if (first <= FIXINT_MAX) return 'an integer';
  if (first < FIXARRAY) return 'a map';
  if (first < FIXSTR) return 'an array';
  if (first < NIL) return 'text';
  // Behind the table stand the negative integers of one byte.
  return NAMES[first - NIL] ?? 'an integer';
}

const NAMES: readonly FormatName[] = [
  'nil',
  'a byte that MessagePack does not use',
  'false',
  'true',
  ...times(3, 'bytes'),
  ...times(3, 'an extension'),
  ...times(2, 'a float'),
  ...times(8, 'an integer'),
  ...times(5, 'an extension'),
  ...times(3, 'text'),
  ...times(2, 'an array'),
  ...times(2, 'a map'),
];

function times(count: number, name: FormatName): readonly FormatName[] {
  return Array.from({ length: count }, () => name);
}

/** What one, two and four bytes hold. */
export const MAX_U8 = 0xff;
export const MAX_U16 = 0xffff;
export const MAX_U32 = 0xffff_ffff;
