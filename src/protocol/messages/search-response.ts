// CMD_SEARCH_RESPONSE (0x04), from the server: I have these PVs, and there I listen.
//
//   byte[12] guid; int32 searchSequenceID; byte[16] serverAddress; int16 serverPort; string protocol; boolean found;
//   int16 count; int32 searchInstanceID[count]
//
// Spec: Protocol-Messages, "CMD_SEARCH_RESPONSE". The count is 16 bits wide, not a size. pvAccessCPP lists ids also in a
// response that found nothing.

import type { ListShape } from './fields.ts';
import type { Body } from './message-module.ts';

const IDS: ListShape = { counter: 'u16', fieldsEach: 1, bytesEach: 4, what: 'ids' };

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
  encode(fields, message) {
    fields.guid(message.guid);
    fields.u32(message.sequenceId);
    fields.address(message.serverAddress);
    fields.u16(message.serverPort);
    fields.string(message.protocol);
    fields.boolean(message.found);
    fields.list(IDS, message.instanceIds, (id) => fields.u32(id));
  },
  decode(fields) {
    const guid = fields.guid();
    const sequenceId = fields.u32();
    const serverAddress = fields.address();
    const serverPort = fields.u16();
    const protocol = fields.string();
    const found = fields.boolean();
    const instanceIds = fields.list(IDS, () => fields.u32());
    return { command: 'SEARCH_RESPONSE', guid, sequenceId, serverAddress, serverPort, protocol, found, instanceIds };
  },
};

export const searchResponse = { command: 'SEARCH_RESPONSE', code: 0x04, fromServer } as const;
