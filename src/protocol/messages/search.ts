// CMD_SEARCH (0x03), from the client over UDP or TCP: who has these PVs?
//
//   int32 searchSequenceID; int8 flags; byte[3] reserved; byte[16] responseAddress; int16 responsePort;
//   string[] protocols; int16 count; { int32 searchInstanceID; string channelName }[count]
//
// Spec: Protocol-Messages, "CMD_SEARCH". The count of protocols is a size, that of the names 16 bits wide. No names, no
// protocols and a reply required is a call to every server: who is there?

import type { FieldReader, ListShape } from './fields.ts';
import type { Body } from './message-module.ts';

/** Servers have to answer even if they have none of the PVs. */
export const SEARCH_MUST_REPLY = 0x01;
/** core-pva of protocol version 3: answer to the port that the search came from, unless it was forwarded. */
export const SEARCH_REPLY_TO_SOURCE = 0x02;
/** Sent to one address; a search without it came by broadcast, by multicast, or was forwarded. */
export const SEARCH_UNICAST = 0x80;

/** Where the flags stand in the body. */
export const FLAGS_AT = 4;
const RESERVED_BYTES = 3;
/** Where the address and the port stand that the response goes to. */
export const RESPONSE_ADDRESS_AT = FLAGS_AT + 1 + RESERVED_BYTES;
/** A protocol takes the byte of its size at least. */
const PROTOCOLS: ListShape = { counter: 'size', fieldsEach: 1, bytesEach: 1, what: 'protocols' };
/** A name takes its id and its size at least. */
export const SEARCHED_NAMES: ListShape = { counter: 'u16', fieldsEach: 2, bytesEach: 5, what: 'names' };

export interface SearchedName {
  /** Comes back in the response. */
  readonly instanceId: number;
  readonly pvName: string;
}

export interface Search {
  readonly command: 'SEARCH';
  readonly sequenceId: number;
  /** `SEARCH_MUST_REPLY`, `SEARCH_REPLY_TO_SOURCE` and `SEARCH_UNICAST`. */
  readonly flags: number;
  /** Where the response goes; see `isAny`: then it is the address that the search came from. */
  readonly responseAddress: string;
  readonly responsePort: number;
  readonly protocols: readonly string[];
  /** As read, at most `limits.maxSearchNames`. */
  readonly names: readonly SearchedName[];
}

const fromClient: Body<Search> = {
  encode(fields, message) {
    fields.u32(message.sequenceId);
    fields.u8(message.flags);
    fields.reserved(RESERVED_BYTES);
    fields.address(message.responseAddress);
    fields.u16(message.responsePort);
    fields.list(PROTOCOLS, message.protocols, (protocol) => fields.string(protocol));
    fields.list(SEARCHED_NAMES, message.names, ({ instanceId, pvName }) => {
      fields.u32(instanceId);
      fields.string(pvName);
    });
  },
  decode(fields, { types: { limits } }) {
    const head = readSearchHead(fields);
    const readName = (): SearchedName => ({ instanceId: fields.u32(), pvName: fields.string() });
    const names = fields.list(SEARCHED_NAMES, readName, limits.maxSearchNames);
    return { command: 'SEARCH', ...head, names };
  },
};

/** What stands in a search before its names. */
export type SearchHead = Omit<Search, 'command' | 'names'>;

/** Reads a search up to its names: over UDP a server looks each up as it reads it, and makes no list of them. */
export function readSearchHead(fields: FieldReader): SearchHead {
  const sequenceId = fields.u32();
  const flags = fields.u8();
  fields.reserved(RESERVED_BYTES);
  const responseAddress = fields.address();
  const responsePort = fields.u16();
  const protocols = fields.list(PROTOCOLS, () => fields.string());
  return { sequenceId, flags, responseAddress, responsePort, protocols };
}

export const search = { command: 'SEARCH', code: 0x03, fromClient } as const;
