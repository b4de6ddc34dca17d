// Which addresses does this host have, and where do its broadcasts go?
import { networkInterfaces } from 'node:os';
import { broadcastOf, isSameNetwork } from './ipv4.ts';
import type { NetworkInterface } from './network.ts';

/** Every address of every interface that is up, as the system lists them. */
export function listInterfaces(): readonly NetworkInterface[] {
  return Object.entries(networkInterfaces()).flatMap(([name, infos = []]) =>
    infos.map(({ address, netmask, internal, family }) => describe(name, address, netmask, internal, family)),
  );
}

/** One interface, its broadcast address filled in where there is one. */
export function describe(
  name: string,
  address: string,
  netmask: string,
  isLoopback: boolean,
  family: 'IPv4' | 'IPv6',
): NetworkInterface {
  const broadcast = family === 'IPv4' && !isLoopback ? broadcastOf(address, netmask) : undefined;
  return { name, address, netmask, isLoopback, family, ...(broadcast !== undefined && { broadcast }) };
}

/**
 * The address of ours that a datagram from `from`, which came to a socket bound to `bound`, was most likely sent to. Node
 * does not tell; but who sends to his own host sends from the address he sends to, and others are on one network with us.
 * The wildcard itself if nothing speaks for an address. IPv4 only.
 */
export function likelyReceiver(bound: string, from: string, interfaces: readonly NetworkInterface[]): string {
  if (bound !== '0.0.0.0' || from.includes(':')) return bound;
  const own = interfaces.filter(({ family }) => family === 'IPv4');
  const same = own.find(({ address }) => address === from);
  const near = same ?? own.find(({ address, netmask }) => isSameNetwork(address, from, netmask));
  return near?.address ?? bound;
}
