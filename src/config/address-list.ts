// Which addresses does the text of an EPICS_PVA*_ADDR_LIST variable name?
import { isIpv4, isIpv6, isMulticast } from './ip-text.ts';
import type { Report } from './config-error.ts';
import { quote, right, wrong, type Parsed } from './parsed.ts';

/** Where datagrams or connections go to or come from. Names are looked up by whoever opens the socket. */
export interface ListedAddress {
  /** IPv4 or IPv6 address without brackets, with its zone (`fe80::1%eth0`), or a host name. */
  readonly host: string;
  readonly family: 'ipv4' | 'ipv6' | 'name';
  /** Undefined where none, or 0, was given: the default of the list, or any port in a list of senders to ignore. */
  readonly port: number | undefined;
  /** Hops that a multicast datagram may make, 0 to 255. */
  readonly ttl: number | undefined;
  /** Name or address of the interface to send through. */
  readonly via: string | undefined;
}

/** An address whose list's default port has been filled in. */
export interface PortedAddress extends ListedAddress {
  readonly port: number;
}

export const ADDRESS_FORM =
  'ip[:port][,ttl][@interface], [ipv6][:port][,ttl][@interface] or a host name in place of ip';

const HOST_NAME = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*\.?$/i;
const INTERFACE = /^[a-z0-9_.:%-]{1,64}$/i;
const ZONE = /^[a-z0-9_.-]{1,64}$/i;
const NUMBER = /^\d{1,5}$/;

/** Reads one item, in the form pvxs documents for its address lists. */
export function parseAddress(text: string): Parsed<ListedAddress> {
  const at = text.indexOf('@');
  const left = at < 0 ? text : text.slice(0, at);
  const via = at < 0 ? undefined : text.slice(at + 1);
  if (via?.includes(',') === true) return wrong('has its ,ttl behind @interface; the ttl comes first');
  if (via !== undefined && !INTERFACE.test(via)) return wrong(`has no interface name or address after @`);

  const comma = left.indexOf(',');
  const host = parseHostPort(comma < 0 ? left : left.slice(0, comma));
  if (!host.ok) return host;
  const ttl = comma < 0 ? undefined : parseNumber(left.slice(comma + 1), 255);
  if (ttl === null) return wrong(`has ttl ${quote(left.slice(comma + 1))}; a ttl is a number from 0 to 255`);

  const { zone, ...rest } = host.value;
  if (zone === undefined) return right({ ...rest, ttl, via });
  // Of a group, the zone is another spelling of @interface; elsewhere it is a part of the address.
  if (isMulticast(rest.host)) return right({ ...rest, ttl, via: via ?? zone });
  return right({ ...rest, host: `${rest.host}%${zone}`, ttl, via });
}

/** The text that `parseAddress` reads as this address. */
export function formatAddress(address: ListedAddress): string {
  const host = address.family === 'ipv6' ? `[${address.host}]` : address.host;
  const port = address.port === undefined ? '' : `:${address.port}`;
  const ttl = address.ttl === undefined ? '' : `,${address.ttl}`;
  return `${host}${port}${ttl}${address.via === undefined ? '' : `@${address.via}`}`;
}

/**
 * Reads a list separated by white space. Repeated addresses count once, with the longest ttl, at the place of the first.
 * Each item that is wrong is reported under `key`; the others are still read.
 */
export function parseAddressList(
  text: string,
  report: Report,
  where: { key: string; file?: string; line?: number },
): readonly ListedAddress[] {
  const found: ListedAddress[] = [];
  for (const item of text.split(/\s+/).filter((part) => part !== '')) {
    const parsed = parseAddress(item);
    if (parsed.ok) found.push(parsed.value);
    else report({ ...where, message: `${quote(item)} ${parsed.wrong}; expected ${ADDRESS_FORM}` });
  }
  return withoutRepeats(found);
}

/** Fills the list's default port in where an item gave none. */
export function withPort(addresses: readonly ListedAddress[], port: number): readonly PortedAddress[] {
  return addresses.map((address) => ({ ...address, port: address.port ?? port }));
}

export function withoutRepeats(addresses: readonly ListedAddress[]): readonly ListedAddress[] {
  const kept = new Map<string, ListedAddress>();
  for (const address of addresses) {
    const key = formatAddress({ ...address, ttl: undefined });
    const before = kept.get(key);
    if (before === undefined || (address.ttl ?? -1) > (before.ttl ?? -1)) kept.set(key, address);
  }
  return [...kept.values()];
}

interface HostPort {
  readonly host: string;
  readonly family: ListedAddress['family'];
  readonly port: number | undefined;
  readonly zone: string | undefined;
}

function parseHostPort(text: string): Parsed<HostPort> {
  const bracketed = /^\[([^[\]]*)\](?::(.*))?$/.exec(text);
  if (bracketed !== null) return hostWithPort(bracketed[1] ?? '', bracketed[2]);
  if (/[[\]]/.test(text)) return wrong('has brackets that do not enclose an IPv6 address');
  const colons = text.split(':').length - 1;
  if (colons > 1) return hostWithPort(text, undefined);
  const colon = text.indexOf(':');
  return colon < 0 ? hostWithPort(text, undefined) : hostWithPort(text.slice(0, colon), text.slice(colon + 1));
}

function hostWithPort(text: string, portText: string | undefined): Parsed<HostPort> {
  const port = portText === undefined ? undefined : parseNumber(portText, 65_535);
  if (port === null) return wrong(`has port ${quote(portText ?? '')}; a port is a number from 0 to 65535`);
  const common = { port: port === 0 ? undefined : port, zone: undefined };
  if (text === '') return wrong('names no host');
  if (text.includes(':')) {
    const percent = text.indexOf('%');
    const host = percent < 0 ? text : text.slice(0, percent);
    const zone = percent < 0 ? undefined : text.slice(percent + 1);
    if (!isIpv6(host) || (zone !== undefined && !ZONE.test(zone))) return wrong('is not an IPv6 address');
    return right({ ...common, host, family: 'ipv6', zone });
  }
  if (isIpv4(text)) return right({ ...common, host: text, family: 'ipv4' });
  // Only digits and dots can be meant as an address; a look-up of it would fail later and say less.
  if (/^[\d.]+$/.test(text)) return wrong('is not an IPv4 address');
  if (!HOST_NAME.test(text)) return wrong('is neither an address nor a host name');
  return right({ ...common, host: text, family: 'name' });
}

/** A decimal number up to `most`, or null. */
function parseNumber(text: string, most: number): number | null {
  if (!NUMBER.test(text)) return null;
  const value = Number(text);
  return value <= most ? value : null;
}
