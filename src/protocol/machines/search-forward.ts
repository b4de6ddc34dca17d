// How does a search that was sent to one address reach every server of the host? Whoever receives it sends it on to a
// group on the loopback interface, behind a tag that keeps others from doing so again.
//
// Of several sockets that share a UDP port only the last bound gets what is sent to one address. pvxs and pvAccessCPP,
// servers and clients, forward in this way; a receiver has to trust the response address in the body.
// Spec: Protocol-Messages, "CMD_ORIGIN_TAG".

import { ADDRESS_BYTES, writeAddress } from '../address.ts';
import type { Frame } from '../framer.ts';
import { HEADER_BYTES, writeHeader } from '../header.ts';
import { encodeMessage } from '../messages/index.ts';
import { FLAGS_AT, RESPONSE_ADDRESS_AT, SEARCH_REPLY_TO_SOURCE, SEARCH_UNICAST } from '../messages/search.ts';
import { Writer } from '../writer.ts';

/** All servers and clients of a host that share the UDP port are members, on 127.0.0.1 alone. */
export const FORWARD_GROUP = '224.0.0.128';
export const FORWARD_INTERFACE = '127.0.0.1';
/** It must not leave the host. */
export const FORWARD_TTL = 1;

const REST_AT = RESPONSE_ADDRESS_AT + ADDRESS_BYTES + 2;
/** The tag and the header of the search. */
const ADDED_BYTES = HEADER_BYTES + ADDRESS_BYTES + HEADER_BYTES;

/**
 * The datagram to send to the group: the search, which has been read without a fault, with the address that its answers go
 * to in its body, and no longer marked as sent to one address. `receivedAt` is the address of the receiving socket, or
 * `ANY_IPV4`.
 */
export function forwardedSearch(
  { header, body }: Frame,
  replyTo: { readonly address: string; readonly port: number },
  receivedAt: string,
): Uint8Array {
  const writer = new Writer(header.bigEndian, ADDED_BYTES + body.length);
  encodeMessage(writer, { command: 'ORIGIN_TAG', forwarder: receivedAt }, { fromServer: false });
  writeHeader(writer, { command: header.command, fromServer: false, size: body.length });
  // All else stays as it came, names above all.
  writer.bytes(body.subarray(0, FLAGS_AT));
  writer.u8((body[FLAGS_AT] ?? 0) & ~(SEARCH_UNICAST | SEARCH_REPLY_TO_SOURCE));
  writer.bytes(body.subarray(FLAGS_AT + 1, RESPONSE_ADDRESS_AT));
  writeAddress(writer, replyTo.address);
  writer.u16(replyTo.port);
  writer.bytes(body.subarray(REST_AT));
  return writer.detach(0);
}
