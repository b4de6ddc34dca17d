// CMD_SEARCH (0x03), from the client over UDP or TCP: who has these PVs?
//
//   int32 searchSequenceID; int8 flags; byte[3] reserved; byte[16] responseAddress; int16 responsePort;
//   string[] protocols; int16 count; { int32 searchInstanceID; string channelName }[count]
//
// Spec: Protocol-Messages, "CMD_SEARCH". The count of protocols is a size, that of the names 16 bits wide. No names, no
// protocols and a reply required is a call to every server: who is there?

import { readAddress, writeAddress } from '../address.ts';
import { LimitError, LocalProtocolError, TruncatedError } from '../errors.ts';
import type { Limits } from '../limits.ts';
import type { Reader } from '../reader.ts';
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
const MAX_COUNT = 0xffff;
/** Bytes of a protocol at least: its size. */
const PROTOCOL_BYTES = 1;
/** Bytes of a name at least: its id and its size. */
const NAME_BYTES = 5;

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
  encode(writer, message) {
    writer.u32(message.sequenceId);
    writer.u8(message.flags);
    for (let index = 0; index < RESERVED_BYTES; index++) writer.u8(0);
    writeAddress(writer, message.responseAddress);
    writer.u16(message.responsePort);
    writer.size(message.protocols.length);
    for (const protocol of message.protocols) writer.string(protocol);
    if (message.names.length > MAX_COUNT) {
      throw new LocalProtocolError(`${message.names.length} names in one search, at most ${MAX_COUNT} fit`);
    }
    writer.u16(message.names.length);
    for (const { instanceId, pvName } of message.names) {
      writer.u32(instanceId);
      writer.string(pvName);
    }
  },
  decode(reader, { types: { limits } }) {
    const { lookedCount, ...head } = readSearchHead(reader, limits);
    const names: SearchedName[] = [];
    for (let index = 0; index < lookedCount; index++) names.push({ instanceId: reader.u32(), pvName: reader.string() });
    return { command: 'SEARCH', ...head, names };
  },
};

/** What stands in a search before its names. */
export interface SearchHead extends Omit<Search, 'command' | 'names'> {
  /** Names that follow and are to be looked at: each a u32, its `instanceId`, and a string. */
  readonly lookedCount: number;
}

/** Reads a search up to its names: a server looks each up as it reads it, and makes no list of them. */
export function readSearchHead(reader: Reader, limits: Limits): SearchHead {
  const sequenceId = reader.u32();
  const flags = reader.u8();
  reader.skip(RESERVED_BYTES);
  const responseAddress = readAddress(reader);
  const responsePort = reader.u16();
  const protocolCount = reader.count(PROTOCOL_BYTES);
  if (protocolCount > limits.maxValueNodes) {
    throw new LimitError('maxValueNodes', protocolCount, limits.maxValueNodes, 'objects in one message');
  }
  const protocols: string[] = [];
  for (let index = 0; index < protocolCount; index++) protocols.push(reader.string());
  const nameCount = reader.u16();
  if (nameCount * NAME_BYTES > reader.remaining) {
    throw new TruncatedError(`${nameCount} names claimed, ${reader.remaining} bytes are there`, reader.offset);
  }
  const lookedCount = Math.min(nameCount, limits.maxSearchNames);
  return { sequenceId, flags, responseAddress, responsePort, protocols, lookedCount };
}

export const search = { command: 'SEARCH', code: 0x03, fromClient } as const;
