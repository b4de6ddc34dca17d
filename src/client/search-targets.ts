// Where do UDP searches go? The addresses of the configuration and the broadcast addresses of this host's networks.

import type { PortedAddress } from '../config/address-list.ts';
import type { Endpoint, NetworkInterface } from '../transport/network.ts';

/** An address of the configuration whose host name, if it was one, has been looked up. */
export interface SearchAddress extends Endpoint {
  /** Hops of a multicast. */
  readonly ttl: number | undefined;
  /** Name or address of the interface for a multicast. */
  readonly via: string | undefined;
}

export interface SearchTarget {
  readonly to: Endpoint;
  /** Servers treat a search that was sent to them alone differently: they pass it on to others on their host. */
  readonly isUnicast: boolean;
  /** How a multicast is to be sent; undefined for others. */
  readonly multicast: { readonly interfaceAddress: string; readonly ttl: number } | undefined;
}

const LIMITED_BROADCAST = '255.255.255.255';
/** A multicast without another wish does not leave the local network. */
const DEFAULT_TTL = 1;

export function isIpv6(address: string): boolean {
  return address.includes(':');
}

/** The endpoint of a configured address that is no host name; undefined for a host name. */
export function literalAddress({ host, family, port, ttl, via }: PortedAddress): SearchAddress | undefined {
  return family === 'name' ? undefined : { address: host, port, ttl, via };
}

export interface SearchArea {
  readonly addresses: readonly SearchAddress[];
  /** Search the networks of this host as well. */
  readonly autoAddresses: boolean;
  /** Port of these searches. */
  readonly udpPort: number;
  /** Addresses of the interfaces that count as this host's networks; a wildcard stands for all. */
  readonly interfaces: readonly { readonly host: string }[];
}

/** Each target once, in order. */
export function searchTargets(area: SearchArea, interfaces: readonly NetworkInterface[]): readonly SearchTarget[] {
  const broadcasts = interfaces.flatMap(({ broadcast }) => broadcast ?? []);
  const targets = new Map<string, SearchTarget>();
  const add = (target: SearchTarget): void => {
    const { to, multicast } = target;
    targets.set(`${to.address} ${to.port} ${multicast?.interfaceAddress ?? ''}`, target);
  };
  for (const address of area.addresses) add(targetOf(address, interfaces, broadcasts));
  if (area.autoAddresses) {
    const isMeant = (address: string): boolean =>
      area.interfaces.some(({ host }) => host === '0.0.0.0' || host === '::' || host === address);
    for (const { address, broadcast, isLoopback, family } of interfaces) {
      if (!isMeant(address)) continue;
      const port = area.udpPort;
      if (broadcast !== undefined) add({ to: { address: broadcast, port }, isUnicast: false, multicast: undefined });
      // Loopback has no broadcast, and a server that listens there alone would never hear of us: unlike pvxs, ask it too.
      else if (isLoopback && family === 'IPv4') add({ to: { address, port }, isUnicast: true, multicast: undefined });
    }
  }
  return [...targets.values()];
}

function targetOf(
  { address, port, ttl, via }: SearchAddress,
  interfaces: readonly NetworkInterface[],
  broadcasts: readonly string[],
): SearchTarget {
  const to = { address, port };
  if (!isMulticast(address)) {
    const isBroadcast = address === LIMITED_BROADCAST || broadcasts.includes(address);
    return { to, isUnicast: !isBroadcast, multicast: undefined };
  }
  const interfaceAddress = interfaceAddressFor(address, via, interfaces);
  const multicast = interfaceAddress === undefined ? undefined : { interfaceAddress, ttl: ttl ?? DEFAULT_TTL };
  return { to, isUnicast: false, multicast };
}

function isMulticast(address: string): boolean {
  if (isIpv6(address)) return /^ff/i.test(address);
  const first = Number(address.split('.', 1)[0]);
  return first >= 224 && first <= 239;
}

/** Address of the interface for a group: the named one, else the first that leads out of this host, else loopback. */
export function interfaceAddressFor(
  group: string,
  via: string | undefined,
  interfaces: readonly NetworkInterface[],
): string | undefined {
  const candidates = interfaces.filter(({ family }) => (family === 'IPv6') === isIpv6(group));
  if (via !== undefined) return candidates.find(({ name, address }) => name === via || address === via)?.address;
  return (candidates.find(({ isLoopback }) => !isLoopback) ?? candidates[0])?.address;
}
