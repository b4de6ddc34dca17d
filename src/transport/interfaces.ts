// Which addresses does this host have, and where do its broadcasts go?
import { networkInterfaces } from 'node:os';
import { broadcastOf } from './ipv4.ts';
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
