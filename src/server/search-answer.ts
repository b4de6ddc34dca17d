// Which of the searched names does this server have, and what does it answer?

import { ANY_IPV4 } from '../protocol/address.ts';
import { GUID_BYTES } from '../protocol/guid.ts';
import { HEADER_BYTES } from '../protocol/header.ts';
import type { Limits } from '../protocol/limits.ts';
import { encodeMessage } from '../protocol/messages/index.ts';
import type { SearchResponse } from '../protocol/messages/search-response.ts';
import { readSearchHead, SEARCH_MUST_REPLY, type Search, type SearchHead } from '../protocol/messages/search.ts';
import type { Reader } from '../protocol/reader.ts';
import { Writer } from '../protocol/writer.ts';
import type { Directory } from './directory.ts';

const PROTOCOL = 'tcp';


/**
 * One response with the ids of all names that were found; undefined when there is nothing to say. A search that asks for
 * a reply in any case, such as one without names, gets one: this is how servers are discovered.
 */
export function answerSearch(
  search: Search,
  directory: Directory,
  mayFind: (pvName: string) => boolean,
  server: { readonly guid: string; readonly tcpPort: number },
): SearchResponse | undefined {
  // Names that are searched over other protocols alone are not found; an empty list names no protocol, as in pvxs.
  const names = search.protocols.includes(PROTOCOL) ? search.names : [];
  const instanceIds = names
    .filter(({ pvName }) => directory.has(pvName) && mayFind(pvName))
    .map(({ instanceId }) => instanceId);
  const found = instanceIds.length > 0;
  if (!found && (search.flags & SEARCH_MUST_REPLY) === 0) return undefined;
  return {
    command: 'SEARCH_RESPONSE',
    guid: server.guid,
    sequenceId: search.sequenceId,
    serverAddress: ANY_IPV4,
    serverPort: server.tcpPort,
    protocol: PROTOCOL,
    found,
    instanceIds,
  };
}
