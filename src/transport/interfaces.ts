// Which addresses does this host have, and where do its broadcasts go?
import { networkInterfaces } from 'node:os';
import type { NetworkInterface } from './network.ts';

/** Every address of every interface that is up, as the system lists them. */
export function listInterfaces(): readonly NetworkInterface[] {
  return Object.entries(networkInterfaces()).flatMap(([name, infos = []]) =>
    infos.map(({ address, netmask, internal, family }): NetworkInterface => {
      const isLoopback = internal;
      const broadcast = family === 'IPv4' && !isLoopback ? broadcastOf(address, netmask) : undefined;
      return { name, address, netmask, isLoopback, family, ...(broadcast !== undefined && { broadcast }) };
    }),
  );
}

/** The broadcast address of an IPv4 network; undefined where there is none (/31 and /32). */
export function broadcastOf(address: string, netmask: string): string | undefined {
  const hostBits = ~toBits(netmask) >>> 0;
  return hostBits <= 1 ? undefined : toText((toBits(address) | hostBits) >>> 0);
}

function toBits(ipv4: string): number {
  return ipv4.split('.').reduce((bits, byte) => ((bits << 8) | Number(byte)) >>> 0, 0);
}

function toText(bits: number): string {
  return [24, 16, 8, 0].map((shift) => (bits >>> shift) & 0xff).join('.');
}
