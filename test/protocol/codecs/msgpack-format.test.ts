// Does each first byte begin what the specification of MessagePack says?

import { expect, test } from 'vitest';
import { formatName, type FormatName } from '../../../src/protocol/codecs/msgpack-format.ts';

// https://github.com/msgpack/msgpack/blob/master/spec.md, "Formats", in its order.
test.each<[format: string, from: number, to: number, name: FormatName]>([
  ['positive fixint', 0x00, 0x7f, 'an integer'],
  ['fixmap', 0x80, 0x8f, 'a map'],
  ['fixarray', 0x90, 0x9f, 'an array'],
  ['fixstr', 0xa0, 0xbf, 'text'],
  ['nil', 0xc0, 0xc0, 'nil'],
  ['(never used)', 0xc1, 0xc1, 'a byte that MessagePack does not use'],
  ['false', 0xc2, 0xc2, 'false'],
  ['true', 0xc3, 0xc3, 'true'],
  ['bin 8 to bin 32', 0xc4, 0xc6, 'bytes'],
  ['ext 8 to ext 32', 0xc7, 0xc9, 'an extension'],
  ['float 32 and float 64', 0xca, 0xcb, 'a float'],
  ['uint 8 to uint 64', 0xcc, 0xcf, 'an integer'],
  ['int 8 to int 64', 0xd0, 0xd3, 'an integer'],
  ['fixext 1 to fixext 16', 0xd4, 0xd8, 'an extension'],
  ['str 8 to str 32', 0xd9, 0xdb, 'text'],
  ['array 16 and array 32', 0xdc, 0xdd, 'an array'],
  ['map 16 and map 32', 0xde, 0xdf, 'a map'],
  ['negative fixint', 0xe0, 0xff, 'an integer'],
])('%s: bytes %i to %i', (_, from, to, name) => {
  for (let first = from; first <= to; first++) expect(formatName(first), `0x${first.toString(16)}`).toBe(name);
});
