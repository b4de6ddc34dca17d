// How does an IP address travel in searches and beacons? Sixteen bytes, an IPv6 address or an IPv4 one mapped into it.
//
// Spec: Protocol-Messages, "CMD_SEARCH", responseAddress.

import { LocalProtocolError } from './errors.ts';
import type { Reader } from './reader.ts';
import type { Writer } from './writer.ts';

export const ADDRESS_BYTES = 16;

/** "Use the address that the packet came from", as pvAccessCPP and the servers write it. */
export const ANY_IPV4 = '0.0.0.0';
/** The same, as pvxs writes it in searches. */
export const ANY_IPV6 = '::';

/** `0000:0000:0000:0000:0000:ffff:255.255.255.255`, and a zone as long as the names of interfaces are. */
const MAX_CHARACTERS = 64;

const GROUPS = 8;
const MAPPED_BYTES = 12;

/** Whether the address stands for the one that the packet came from, or over TCP for this connection. */
export function isAny(address: string): boolean {
  return address === ANY_IPV4 || address === ANY_IPV6;
}

/** `192.0.2.1` for a mapped IPv4 address, else IPv6 as RFC 5952 writes it. */
export function readAddress(reader: Reader): string {
  const bytes = reader.view(ADDRESS_BYTES);
  return ipv4Text(bytes) ?? addressText(bytes);
}

/** Takes IPv4 (`192.0.2.1`) and IPv6 (`fe80::1`, with or without `%zone`, which does not travel). */
export function writeAddress(writer: Writer, address: string): void {
  const ipv4 = parseIpv4(address);
  if (ipv4 !== undefined) {
    for (let index = 0; index < MAPPED_BYTES; index++) writer.u8(index < MAPPED_BYTES - 2 ? 0 : 0xff);
    for (const byte of ipv4) writer.u8(byte);
    return;
  }
  // Before anything is done with it: in MessagePack an address is text, of any length that a peer likes.
  const groups = address.length > MAX_CHARACTERS ? undefined : parseIpv6(withoutZone(address));
  if (groups === undefined) throw new LocalProtocolError(`address '${address}', an IPv4 or IPv6 address expected`);
  for (const group of groups) {
    // Network order whatever the order of the message.
    writer.u8(group >>> 8);
    writer.u8(group & 0xff);
  }
}

function addressText(bytes: Uint8Array): string {
  const groups: number[] = [];
  for (let at = 0; at < ADDRESS_BYTES; at += 2) groups.push(((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0));
  return ipv6Text(groups);
}

/** Nearly every address on the wire is an IPv4 one; reading it by groups took longer than the rest of a search. */
function ipv4Text(bytes: Uint8Array): string | undefined {
  for (let at = 0; at < MAPPED_BYTES; at++) if (bytes[at] !== (at < MAPPED_BYTES - 2 ? 0 : 0xff)) return undefined;
  return `${bytes[12]}.${bytes[13]}.${bytes[14]}.${bytes[15]}`;
}

function ipv6Text(groups: readonly number[]): string {
  const { start, length } = longestZeros(groups);
  if (length < 2) return hexGroups(groups);
  return `${hexGroups(groups.slice(0, start))}::${hexGroups(groups.slice(start + length))}`;
}

function hexGroups(groups: readonly number[]): string {
  return groups.map((group) => group.toString(16)).join(':');
}

/** The first of the longest runs of zero groups: what `::` stands for. */
function longestZeros(groups: readonly number[]): { start: number; length: number } {
  let longest = { start: 0, length: 0 };
  let start = 0;
  groups.forEach((group, index) => {
    if (group !== 0) start = index + 1;
    else if (index + 1 - start > longest.length) longest = { start, length: index + 1 - start };
  });
  return longest;
}

function withoutZone(text: string): string {
  const at = text.indexOf('%');
  return at === -1 ? text : text.slice(0, at);
}

function parseIpv4(text: string): number[] | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/u.exec(text);
  const bytes = match?.slice(1).map(Number);
  return bytes?.every((byte) => byte <= 0xff) === true ? bytes : undefined;
}

function parseIpv6(text: string): number[] | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  // IPv4 may stand at the very end only, not before '::'.
  const [head, tail] = halves.map((half, index) => parseGroups(half, index === halves.length - 1));
  if (head === undefined || (halves.length === 2 && tail === undefined)) return undefined;
  if (tail === undefined) return head.length === GROUPS ? head : undefined;
  const zeros = GROUPS - head.length - tail.length;
  if (zeros < 1) return undefined;
  return [...head, ...Array.from({ length: zeros }, () => 0), ...tail];
}

/** Groups of hexadecimal digits; the last of an address may be IPv4, two groups long. */
function parseGroups(text: string, isEnd: boolean): number[] | undefined {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    const ipv4 = isEnd && index === parts.length - 1 ? parseIpv4(part) : undefined;
    if (ipv4 !== undefined) {
      const [first = 0, second = 0, third = 0, fourth = 0] = ipv4;
      groups.push((first << 8) | second, (third << 8) | fourth);
    } else if (/^[0-9a-f]{1,4}$/iu.test(part)) groups.push(Number.parseInt(part, 16));
    else return undefined;
  }
  return groups;
}
