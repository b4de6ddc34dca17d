// Which of the searched names does this server have, and what does it answer?

import { ANY_IPV4 } from '../protocol/address.ts';
import { GUID_BYTES } from '../protocol/guid.ts';
import { HEADER_BYTES } from '../protocol/header.ts';
import type { KnownNames } from '../protocol/known-names.ts';
import { encodeMessage } from '../protocol/messages/index.ts';
import type { SearchResponse } from '../protocol/messages/search-response.ts';
import { SEARCH_MUST_REPLY, type Search, type SearchHead } from '../protocol/messages/search.ts';
import type { Reader } from '../protocol/reader.ts';
import { Writer } from '../protocol/writer.ts';

const PROTOCOL = 'tcp';

/** Whether a name is here and this client may know it. */
type Has = (pvName: string) => boolean;

/** A server as its answers tell of it. */
interface Answerer {
  readonly guid: string;
  readonly tcpPort: number;
}

/**
 * One response with the ids of all names that were found; undefined when there is nothing to say. A search that asks for
 * a reply in any case, such as one without names, gets one: this is how servers are discovered.
 */
export function answerSearch(search: Search, has: Has, server: Answerer): SearchResponse | undefined {
  const names = namesTcp(search) ? search.names : [];
  const instanceIds = names.filter(({ pvName }) => has(pvName)).map(({ instanceId }) => instanceId);
  if (instanceIds.length === 0 && !mustReply(search)) return undefined;
  return response(server, search.sequenceId, instanceIds);
}

/** Names that are searched over other protocols alone are not found; an empty list names no protocol, as in pvxs. */
function namesTcp({ protocols }: SearchHead | Search): boolean {
  return protocols.includes(PROTOCOL);
}

function mustReply({ flags }: SearchHead | Search): boolean {
  return (flags & SEARCH_MUST_REPLY) !== 0;
}

function response({ guid, tcpPort }: Answerer, sequenceId: number, instanceIds: readonly number[]): SearchResponse {
  const found = instanceIds.length > 0;
  return {
    command: 'SEARCH_RESPONSE',
    guid,
    sequenceId,
    serverAddress: ANY_IPV4,
    serverPort: tcpPort,
    protocol: PROTOCOL,
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
  /** A response that has found nothing. */
  readonly #nothing: Uint8Array;
  readonly #names: KnownNames;
  readonly #ids: number[] = [];

  constructor(server: Answerer, names: KnownNames) {
    this.#names = names;
    const writer = new Writer(true);
    encodeMessage(writer, response(server, 0, []), { fromServer: true });
    this.#nothing = writer.copy();
  }

  /**
   * The datagram to send. `reader` has read the head of the search and how many names there are; `count` of them are to be
   * looked at, each a u32, its `instanceId`, and a string. Throws when they are cut off.
   */
  answer(head: SearchHead, count: number, reader: Reader, has: Has): Uint8Array | undefined {
    const ids = this.#ids;
    ids.length = 0;
    const isMeant = namesTcp(head);
    for (let index = 0; index < count; index++) {
      const instanceId = reader.u32();
      const pvName = this.#names.read(reader);
      if (!isMeant || !has(pvName)) continue;
      this.#names.keep(pvName);
      ids.push(instanceId);
    }
    return ids.length === 0 && !mustReply(head) ? undefined : this.#encode(head.sequenceId, ids);
  }

  #encode(sequenceId: number, ids: readonly number[]): Uint8Array {
    const end = this.#nothing.length;
    // From node's pool: a buffer of its own for each answer took longer than the search.
    const bytes = Buffer.allocUnsafe(end + ids.length * ID_BYTES);
    bytes.set(this.#nothing);
    bytes.writeUInt32BE(bytes.length - HEADER_BYTES, SIZE_AT);
    bytes.writeUInt32BE(sequenceId, SEQUENCE_ID_AT);
    bytes[end - FOUND_BACK] = ids.length === 0 ? 0 : 1;
    bytes.writeUInt16BE(ids.length, end - COUNT_BACK);
    let at = end;
    for (const id of ids) at = bytes.writeUInt32BE(id, at);
    return bytes;
  }
}
