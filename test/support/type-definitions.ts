// How does a peer name many types by ids with few bytes? As the bodies of RPC messages that belong to no operation.

import { structure, union, double, type TypeDesc } from '../../src/protocol/types/type-desc.ts';
import { encodeType } from '../../src/protocol/types/wire.ts';
import { Writer } from '../../src/protocol/writer.ts';

const RPC = 20;
const FULL_WITH_ID = 0xfd;

/** A structure with so many fields of doubles, that no other has: `name` is in the name of each. */
export function wideType(name: string, fieldCount: number): TypeDesc {
  return structure(
    '',
    Array.from({ length: fieldCount }, (_, index) => ({ name: `${name}${index}`, type: double })),
  );
}

/** An RPC message, little endian, of an operation that is not there; its data defines `id` as an empty union around `type`. */
export function definition(id: number, type: TypeDesc, fromServer: boolean): Uint8Array {
  const writer = new Writer(false);
  if (!fromServer) writer.u32(999);
  writer.u32(999);
  writer.u8(0);
  // Status OK.
  if (fromServer) writer.u8(0xff);
  writer.u8(FULL_WITH_ID);
  writer.u16(id);
  encodeType(writer, union('', [{ name: 'a', type }]));
  // No member of the union is chosen.
  writer.u8(0xff);
  const body = writer.detach(0);
  const head = new Writer(false);
  for (const byte of [0xca, 2, fromServer ? 0x40 : 0, RPC]) head.u8(byte);
  head.u32(body.length);
  head.bytes(body);
  return head.detach(0);
}
