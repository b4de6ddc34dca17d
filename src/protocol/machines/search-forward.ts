// How does a search that was sent to one address reach every server of the host? Whoever receives it sends it on to a
// group on the loopback interface, behind a tag that keeps others from doing so again.
//
// Of several sockets that share a UDP port only the last bound gets what is sent to one address. pvxs and pvAccessCPP,
// servers and clients, forward in this way; a receiver has to trust the response address in the body.
// Spec: Protocol-Messages, "CMD_ORIGIN_TAG".

import { encodeMessage } from '../messages/index.ts';
import { SEARCH_REPLY_TO_SOURCE, SEARCH_UNICAST, type Search } from '../messages/search.ts';
import { Writer } from '../writer.ts';

/** All servers and clients of a host that share the UDP port are members, on 127.0.0.1 alone. */
export const FORWARD_GROUP = '224.0.0.128';
export const FORWARD_INTERFACE = '127.0.0.1';
/** It must not leave the host. */
export const FORWARD_TTL = 1;

/**
 * The datagram to send to the group: the search with the address that its answers go to in its body, no longer marked as
 * sent to one address. `receivedAt` is the address of the receiving socket, or `ANY_IPV4`.
 */
export function forwardedSearch(
  search: Search,
  replyTo: { readonly address: string; readonly port: number },
  receivedAt: string,
): Uint8Array {
  const writer = new Writer(true);
  encodeMessage(writer, { command: 'ORIGIN_TAG', forwarder: receivedAt }, { fromServer: false });
  const forwarded: Search = {
    ...search,
    flags: search.flags & ~(SEARCH_UNICAST | SEARCH_REPLY_TO_SOURCE),
    responseAddress: replyTo.address,
    responsePort: replyTo.port,
  };
  encodeMessage(writer, forwarded, { fromServer: false });
  return writer.detach(0);
}
