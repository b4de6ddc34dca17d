// CMD_SEARCH_RESPONSE (0x04), from the server: I have these PVs, and there I listen.
//
//   byte[12] guid; int32 searchSequenceID; byte[16] serverAddress; int16 serverPort; string protocol; boolean found;
//   int16 count; int32 searchInstanceID[count]
//
// Spec: Protocol-Messages, "CMD_SEARCH_RESPONSE". The count is 16 bits wide, not a size. pvAccessCPP lists ids also in a
// response that found nothing.

import { readAddress, writeAddress } from '../address.ts';
import { LocalProtocolError, TruncatedError } from '../errors.ts';
import { readGuid, writeGuid } from '../guid.ts';
import type { Body } from './message-module.ts';

const MAX_COUNT = 0xffff;
const ID_BYTES = 4;

export interface SearchResponse {
  readonly command: 'SEARCH_RESPONSE';
  /** 24 hexadecimal digits. */
  readonly guid: string;
  readonly sequenceId: number;
  /** See `isAny`: then it is the address that the response came from, or over TCP this very connection. */
  readonly serverAddress: string;
  /** 0 over TCP: this very connection. */
  readonly serverPort: number;
  /** `tcp`, or one that is to be ignored. */
  readonly protocol: string;
  readonly found: boolean;
  /** Mean something only if `found`. */
  readonly instanceIds: readonly number[];
}

const fromServer: Body<SearchResponse> = {
  encode(writer, message) {
    writeGuid(writer, message.guid);
    writer.u32(message.sequenceId);
    writeAddress(writer, message.serverAddress);
    writer.u16(message.serverPort);
    writer.string(message.protocol);
    writer.boolean(message.found);
    if (message.instanceIds.length > MAX_COUNT) {
      throw new LocalProtocolError(`${message.instanceIds.length} ids in one response, at most ${MAX_COUNT} fit`);
    }
    writer.u16(message.instanceIds.length);
    for (const id of message.instanceIds) writer.u32(id);
  },
  decode(reader) {
    const guid = readGuid(reader);
    const sequenceId = reader.u32();
    const serverAddress = readAddress(reader);
    const serverPort = reader.u16();
    const protocol = reader.string();
    const found = reader.boolean();
    const count = reader.u16();
    if (count * ID_BYTES > reader.remaining) {
      throw new TruncatedError(`${count} ids claimed, ${reader.remaining} bytes are there`, reader.offset);
    }
    const instanceIds: number[] = [];
    for (let index = 0; index < count; index++) instanceIds.push(reader.u32());
    return { command: 'SEARCH_RESPONSE', guid, sequenceId, serverAddress, serverPort, protocol, found, instanceIds };
  },
};

export const searchResponse = { command: 'SEARCH_RESPONSE', code: 0x04, fromServer } as const;
