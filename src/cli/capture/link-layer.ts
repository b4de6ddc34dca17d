// Where in a captured frame does the IP packet begin?

import { Reader } from '../../protocol/index.ts';
import {
  LINK_ETHERNET,
  LINK_IPV4,
  LINK_IPV6,
  LINK_LINUX_SLL,
  LINK_LINUX_SLL2,
  LINK_LOOP,
  LINK_NULL,
  LINK_RAW,
  LINK_RAW_BSD,
  LINK_RAW_OPENBSD,
} from './packet.ts';

const ETHERTYPE_IPV4 = 0x0800;
const ETHERTYPE_IPV6 = 0x86dd;
/** Tags of virtual networks: customer, provider, and the two that came before a standard. */
const VLAN_TAGS = new Set([0x8100, 0x88a8, 0x9100, 0x9200]);

const ETHERNET_ADDRESSES_BYTES = 12;
const VLAN_TAG_BYTES = 2;
const SLL_BYTES_BEFORE_TYPE = 14;
const SLL2_BYTES_BEHIND_TYPE = 18;
const FAMILY_BYTES = 4;
/** More tags than two stand in no frame. */
const MAX_VLAN_TAGS = 4;

type Strip = (reader: Reader) => boolean;

/** Each leaves the reader where IP begins, or says that there is none. */
const STRIPPERS: ReadonlyMap<number, Strip> = new Map<number, Strip>([
  [LINK_ETHERNET, stripEthernet],
  [LINK_LINUX_SLL, stripSll],
  [LINK_LINUX_SLL2, stripSll2],
  // The family of the address, in whatever byte order the capturing machine had; the version of IP says it again.
  [LINK_NULL, stripFamily],
  [LINK_LOOP, stripFamily],
  ...[LINK_RAW, LINK_RAW_BSD, LINK_RAW_OPENBSD, LINK_IPV4, LINK_IPV6].map((type) => [type, () => true] as const),
]);

/** The frame from its IP header on; a reason if there is none. */
export function ipPacketOf(linkType: number, frame: Uint8Array): Uint8Array | string {
  const strip = STRIPPERS.get(linkType);
  if (strip === undefined) return `packets of link type ${linkType}, which is not understood`;
  const reader = new Reader(frame, true);
  return strip(reader) ? frame.subarray(reader.offset) : 'packets that are not IP';
}

function stripEthernet(reader: Reader): boolean {
  reader.skip(ETHERNET_ADDRESSES_BYTES);
  return stripType(reader);
}

function stripSll(reader: Reader): boolean {
  reader.skip(SLL_BYTES_BEFORE_TYPE);
  return stripType(reader);
}

function stripSll2(reader: Reader): boolean {
  const type = reader.u16();
  reader.skip(SLL2_BYTES_BEHIND_TYPE);
  return isIp(type) || (VLAN_TAGS.has(type) && stripTag(reader, 1));
}

function stripFamily(reader: Reader): boolean {
  reader.skip(FAMILY_BYTES);
  return true;
}

function stripType(reader: Reader, tagCount = 0): boolean {
  const type = reader.u16();
  return isIp(type) || (VLAN_TAGS.has(type) && stripTag(reader, tagCount + 1));
}

function stripTag(reader: Reader, tagCount: number): boolean {
  reader.skip(VLAN_TAG_BYTES);
  return tagCount <= MAX_VLAN_TAGS && stripType(reader, tagCount);
}

function isIp(type: number): boolean {
  return type === ETHERTYPE_IPV4 || type === ETHERTYPE_IPV6;
}
