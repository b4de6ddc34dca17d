// What does an IP packet carry: a TCP segment, a datagram, or nothing that could be pvAccess?

import { readAddress, Reader } from '../../protocol/index.ts';

export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

interface Transported {
  readonly from: Endpoint;
  readonly to: Endpoint;
  readonly payload: Uint8Array;
  /** Bytes of the payload that were not captured. */
  readonly cutBytes: number;
}

export interface Datagram extends Transported {
  readonly kind: 'udp';
}

export interface Segment extends Transported {
  readonly kind: 'tcp';
  readonly sequence: number;
  readonly isSyn: boolean;
  readonly isAck: boolean;
  readonly isFin: boolean;
  readonly isReset: boolean;
}

const TCP = 6;
const UDP = 17;
const IPV4_MIN_BYTES = 20;
const IPV6_BYTES = 40;
const TCP_MIN_BYTES = 20;
const UDP_BYTES = 8;
/** Of the flags and offset of an IPv4 packet: more fragments follow, or this is not the first. */
const IPV4_FRAGMENT = 0x3fff;
/** The same of the fragment header of IPv6. */
const IPV6_FRAGMENT = 0xfff9;

const HOP_BY_HOP = 0;
const ROUTING = 43;
const FRAGMENT = 44;
const AUTHENTICATION = 51;
const DESTINATION = 60;
const MAX_EXTENSIONS = 16;

const FIN = 0x01;
const SYN = 0x02;
const RST = 0x04;
const ACK = 0x10;

const NOT_TRANSPORT = 'packets that are neither TCP nor UDP';

/** What the packet carries; a reason if that is left out. Throws `TruncatedError` if a header is cut. */
export function transportOf(packet: Uint8Array, cutBytes: number): Segment | Datagram | string {
  const version = (packet[0] ?? 0) >>> 4;
  if (version === 4) return ofIpv4(packet, cutBytes);
  if (version === 6) return ofIpv6(packet, cutBytes);
  return 'packets that are not IP';
}

function ofIpv4(packet: Uint8Array, cutBytes: number): Segment | Datagram | string {
  const reader = new Reader(packet, true);
  const headerBytes = (reader.u8() & 0x0f) * 4;
  reader.skip(1);
  const totalBytes = reader.u16();
  reader.skip(2);
  const fragment = reader.u16();
  reader.skip(1);
  const protocol = reader.u8();
  reader.skip(2);
  const from = reader.view(4).join('.');
  const to = reader.view(4).join('.');
  if (headerBytes < IPV4_MIN_BYTES) return 'IPv4 packets with a broken header';
  if ((fragment & IPV4_FRAGMENT) !== 0) return 'IPv4 fragments, which are not joined';
  reader.skip(headerBytes - IPV4_MIN_BYTES);
  // Zero where the network card was to cut the packet up: then all of it counts.
  const lengths = lengthsOf(packet, cutBytes, totalBytes === 0 ? undefined : totalBytes);
  return ofProtocol(protocol, packet.subarray(reader.offset, lengths.end), lengths.cutBytes, from, to);
}

function ofIpv6(packet: Uint8Array, cutBytes: number): Segment | Datagram | string {
  const reader = new Reader(packet, true);
  reader.skip(4);
  const payloadBytes = reader.u16();
  let next = reader.u8();
  reader.skip(1);
  const from = readAddress(reader);
  const to = readAddress(reader);
  for (let count = 0; isExtension(next); count++) {
    if (count >= MAX_EXTENSIONS) return 'IPv6 packets with a broken header';
    const kind = next;
    next = reader.u8();
    const length = reader.u8();
    if (kind === FRAGMENT) {
      if ((reader.u16() & IPV6_FRAGMENT) !== 0) return 'IPv6 fragments, which are not joined';
      reader.skip(4);
    } else reader.skip(kind === AUTHENTICATION ? length * 4 + 6 : length * 8 + 6);
  }
  const lengths = lengthsOf(packet, cutBytes, payloadBytes === 0 ? undefined : IPV6_BYTES + payloadBytes);
  return ofProtocol(next, packet.subarray(reader.offset, lengths.end), lengths.cutBytes, from, to);
}

/** Behind a short packet Ethernet puts padding, which does not count; a long one may have been cut by the capture. */
function lengthsOf(
  packet: Uint8Array,
  cutBytes: number,
  totalBytes: number | undefined,
): { readonly end: number; readonly cutBytes: number } {
  if (totalBytes === undefined) return { end: packet.length, cutBytes };
  return {
    end: Math.min(totalBytes, packet.length),
    cutBytes: cutBytes === 0 ? 0 : Math.max(0, totalBytes - packet.length),
  };
}

function isExtension(next: number): boolean {
  return [HOP_BY_HOP, ROUTING, FRAGMENT, AUTHENTICATION, DESTINATION].includes(next);
}

function ofProtocol(
  protocol: number,
  bytes: Uint8Array,
  cutBytes: number,
  from: string,
  to: string,
): Segment | Datagram | string {
  const reader = new Reader(bytes, true);
  if (protocol !== TCP && protocol !== UDP) return NOT_TRANSPORT;
  const ports = { from: { address: from, port: reader.u16() }, to: { address: to, port: reader.u16() } };
  if (protocol === UDP) {
    const length = reader.u16();
    reader.skip(2);
    const end = length < UDP_BYTES ? bytes.length : Math.min(length, bytes.length);
    return { kind: 'udp', ...ports, payload: bytes.subarray(UDP_BYTES, end), cutBytes };
  }
  const sequence = reader.u32();
  reader.skip(4);
  const headerBytes = (reader.u8() >>> 4) * 4;
  const flags = reader.u8();
  if (headerBytes < TCP_MIN_BYTES || headerBytes > bytes.length) return 'TCP segments with a broken header';
  return {
    kind: 'tcp',
    ...ports,
    payload: bytes.subarray(headerBytes),
    cutBytes,
    sequence,
    isSyn: (flags & SYN) !== 0,
    isAck: (flags & ACK) !== 0,
    isFin: (flags & FIN) !== 0,
    isReset: (flags & RST) !== 0,
  };
}

export function endpointText({ address, port }: Endpoint): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
