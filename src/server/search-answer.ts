// Which of the searched names does this server have, and what does it answer?

import { ANY_IPV4 } from '../protocol/address.ts';
import type { ProtocolName } from '../protocol/codecs/codec.ts';
import { msgpack } from '../protocol/codecs/msgpack.ts';
import { pva } from '../protocol/codecs/pva.ts';
import { GUID_BYTES } from '../protocol/guid.ts';
import { HEADER_BYTES } from '../protocol/header.ts';
import type { KnownNames } from '../protocol/known-names.ts';
import { encodeMessage } from '../protocol/messages/index.ts';
import type { SearchResponse } from '../protocol/messages/search-response.ts';
import { SEARCH_MUST_REPLY, type Search, type SearchHead } from '../protocol/messages/search.ts';
import type { Reader } from '../protocol/reader.ts';
import { Writer } from '../protocol/writer.ts';

/** Whether a name is here and this client may know it. */
type Has = (pvName: string) => boolean;

/** The ports of one address, which searches are answered with. */
export interface ServedPorts {
  readonly tcpPort: number;
  /** Undefined where nothing speaks MessagePack. */
  readonly msgpackPort?: number | undefined;
}

/** A server as its answers tell of it. */
interface Answerer extends ServedPorts {
  readonly guid: string;
}

/** A protocol that a client listed, and where it is spoken here. */
interface Offer {
  readonly protocol: ProtocolName;
  readonly port: number;
}

/**
 * One response with the ids of all names that were found; undefined when there is nothing to say. A search that asks for
 * a reply in any case, such as one without names, gets one: this is how servers are discovered.
 */
export function answerSearch(search: Search, has: Has, server: Answerer): SearchResponse | undefined {
  const offer = offerFor(search, server);
  const names = offer === undefined ? [] : search.names;
  const instanceIds = names.filter(({ pvName }) => has(pvName)).map(({ instanceId }) => instanceId);
  if (instanceIds.length === 0 && !mustReply(search)) return undefined;
  return response(server, offer ?? tcpOf(server), search.sequenceId, instanceIds);
}

/**
 * The first protocol of the client's list that is spoken here. Names that are searched over others alone are not found; an
 * empty list names no protocol, as in pvxs.
 */
function offerFor({ protocols }: SearchHead | Search, server: ServedPorts): Offer | undefined {
  for (const protocol of protocols) {
    if (protocol === pva.protocol) return tcpOf(server);
    const { msgpackPort } = server;
    if (protocol === msgpack.protocol && msgpackPort !== undefined) return { protocol, port: msgpackPort };
  }
  return undefined;
}

function tcpOf({ tcpPort }: ServedPorts): Offer {
  return { protocol: pva.protocol, port: tcpPort };
}

function mustReply({ flags }: SearchHead | Search): boolean {
  return (flags & SEARCH_MUST_REPLY) !== 0;
}

function response(
  { guid }: Answerer,
  { protocol, port }: Offer,
  sequenceId: number,
  instanceIds: readonly number[],
): SearchResponse {
  const found = instanceIds.length > 0;
  return {
    command: 'SEARCH_RESPONSE',
    guid,
    sequenceId,
    serverAddress: ANY_IPV4,
    serverPort: port,
    protocol,
    found,
    instanceIds,
  };
}

const SIZE_AT = HEADER_BYTES - 4;
const SEQUENCE_ID_AT = HEADER_BYTES + GUID_BYTES;
const ID_BYTES = 4;
/** From the end of a response without ids. */
const FOUND_BACK = 3;
const COUNT_BACK = 2;

/**
 * Answers as `answerSearch` does, from bytes to bytes: each name is looked up as it is read, and all but a few bytes of
 * the answers of one server are the same. Searches come by the thousand when clients start.
 */
export class SearchAnswers {
  readonly #server: Answerer;
  /** A response that has found nothing, of each protocol that was asked for. */
  readonly #nothing = new Map<ProtocolName, Uint8Array>();
  readonly #names: KnownNames;
  readonly #ids: number[] = [];

  constructor(server: Answerer, names: KnownNames) {
    this.#server = server;
    this.#names = names;
  }

  /**
   * The datagram to send. `reader` has read the head of the search and how many names there are; `count` of them are to be
   * looked at, each a u32, its `instanceId`, and a string. Throws when they are cut off.
   */
  answer(head: SearchHead, count: number, reader: Reader, has: Has): Uint8Array | undefined {
    const ids = this.#ids;
    ids.length = 0;
    const offer = offerFor(head, this.#server);
    for (let index = 0; index < count; index++) {
      const instanceId = reader.u32();
      const pvName = this.#names.read(reader);
      if (offer === undefined || !has(pvName)) continue;
      this.#names.keep(pvName);
      ids.push(instanceId);
    }
    return ids.length === 0 && !mustReply(head)
      ? undefined
      : this.#encode(offer ?? tcpOf(this.#server), head.sequenceId, ids);
  }

  #encode(offer: Offer, sequenceId: number, ids: readonly number[]): Uint8Array {
    const nothing = this.#nothingOf(offer);
    const end = nothing.length;
    // From node's pool: a buffer of its own for each answer took longer than the search.
    const bytes = Buffer.allocUnsafe(end + ids.length * ID_BYTES);
    bytes.set(nothing);
    bytes.writeUInt32BE(bytes.length - HEADER_BYTES, SIZE_AT);
    bytes.writeUInt32BE(sequenceId, SEQUENCE_ID_AT);
    bytes[end - FOUND_BACK] = ids.length === 0 ? 0 : 1;
    bytes.writeUInt16BE(ids.length, end - COUNT_BACK);
    let at = end;
    for (const id of ids) at = bytes.writeUInt32BE(id, at);
    return bytes;
  }

  #nothingOf(offer: Offer): Uint8Array {
    const known = this.#nothing.get(offer.protocol);
    if (known !== undefined) return known;
    const writer = new Writer(true);
    encodeMessage(writer, response(this.#server, offer, 0, []), { fromServer: true });
    const bytes = writer.copy();
    this.#nothing.set(offer.protocol, bytes);
    return bytes;
  }
}
