// On which addresses does a server listen? Names looked up, wildcard and groups told apart.

import type { ListedAddress } from '../config/address-list.ts';
import { isMulticast } from '../config/ip-text.ts';
import { isAny } from '../protocol/address.ts';
import { PvaError } from '../protocol/errors.ts';
import type { Network, NetworkInterface } from '../transport/network.ts';

/** One address that clients connect to. */
export interface ServedAddress {
  readonly address: string;
  /** TCP port for this address alone; undefined for the server's. */
  readonly tcpPort: number | undefined;
  readonly isWildcard: boolean;
}

/** A group whose searches are heard. */
export interface ServedGroup {
  readonly group: string;
  /** Address of the interface on which it is joined. */
  readonly via: string;
}

export interface ServedAddresses {
  readonly addresses: readonly ServedAddress[];
  readonly groups: readonly ServedGroup[];
}

/** @throws PvaError when a name or interface is not known, or when only groups are left to listen on */
export async function servedAddresses(
  network: Network,
  configured: readonly ListedAddress[],
): Promise<ServedAddresses> {
  const addresses: ServedAddress[] = [];
  const groups: ServedGroup[] = [];
  for (const endpoint of configured) {
    const address = await addressOf(network, endpoint);
    if (isMulticast(address)) groups.push({ group: address, via: viaAddress(network, endpoint) });
    else addresses.push({ address, tcpPort: endpoint.port, isWildcard: isAny(address) });
  }
  if (addresses.length === 0) {
    throw new PvaError('NO_INTERFACE', 'the interface list names groups only; clients need an address to connect to');
  }
  return { addresses, groups };
}

/** The address of a configured endpoint; the first of a host name. */
export async function addressOf(network: Network, { host, family }: ListedAddress): Promise<string> {
  if (family !== 'name') return host;
  const [first] = await network.resolve(host);
  if (first === undefined) throw new PvaError('ENOTFOUND', `host name ${host} has no address`);
  return first;
}

/** The address of the interface that datagrams to a group go through; loopback and IPv6 apart, any will do. */
export function viaAddress(network: Network, { host, via }: ListedAddress): string {
  const interfaces = network.interfaces();
  if (via === undefined)
    return interfaces.find((each) => each.family === 'IPv4' && !each.isLoopback)?.address ?? '127.0.0.1';
  const found = interfaces.find((each) => each.name === via || each.address === via);
  if (found === undefined) throw new PvaError('ENODEV', `${host}@${via}: this host has no interface ${via}`);
  return found.address;
}

/** Where broadcasts reach the networks of a served address; a wildcard serves all. */
export function broadcastsOf(network: Network, { address, isWildcard }: ServedAddress): readonly string[] {
  const isServed = (each: NetworkInterface): boolean => isWildcard || each.address === address;
  const broadcasts = network
    .interfaces()
    .flatMap((each) => (isServed(each) && each.broadcast !== undefined ? [each.broadcast] : []));
  return [...new Set(broadcasts)];
}
