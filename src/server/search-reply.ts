// Where does the answer to a search by UDP go? To the host that it came from, whatever its body says: a server that sends
// to where anybody likes can be made to flood anybody.
//
// | the body names | the search came | the answer goes to |
// | --- | --- | --- |
// | nothing, or the sender's address | in any way | the sender, at the port in the body; with 0x02 at the port it came from |
// | another host | passed on by a server of this host, with ORIGIN_TAG | the host in the body |
// | another host | from a relay of the configuration | the host in the body |
// | another address of this host | from this host | the address in the body |
// | another host | otherwise | the sender, at the port it came from |
//
// The last row is that of a client behind an address translation: it names the address that it knows, which is not the
// one that it is reached by, and only the port that the search came from leads back to it.

import { isAny } from '../protocol/address.ts';
import { SEARCH_REPLY_TO_SOURCE } from '../protocol/messages/search.ts';
import type { Endpoint } from '../transport/network.ts';

export interface NamedReply {
  readonly responseAddress: string;
  readonly responsePort: number;
  readonly flags: number;
}

export interface ReplyRules {
  /** Whether an address is one of this host. */
  readonly isLocal: (address: string) => boolean;
  /** Whether a sender may name other hosts. */
  readonly isRelay: (address: string) => boolean;
}

/** Port 0: there is nowhere to answer to. */
export function replyEndpoint(named: NamedReply, from: Endpoint, isForwarded: boolean, rules: ReplyRules): Endpoint {
  const { responseAddress, responsePort, flags } = named;
  if (isForwarded) return { address: responseAddress, port: responsePort };
  const port = (flags & SEARCH_REPLY_TO_SOURCE) === 0 ? responsePort : from.port;
  if (isAny(responseAddress) || responseAddress === from.address) return { address: from.address, port };
  const mayName = rules.isRelay(from.address) || (rules.isLocal(from.address) && rules.isLocal(responseAddress));
  return mayName ? { address: responseAddress, port } : from;
}
