// What is the network of this machine?
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { listInterfaces } from './interfaces.ts';
import { networkErrorFrom } from './network-error.ts';
import type { Network } from './network.ts';
import { connectTcp, listenTcp } from './tcp.ts';
import { bindUdp } from './udp.ts';
import { descriptorLimit } from './vitals.ts';

/** Real sockets of this host. */
export const nodeNetwork: Network = {
  listenTcp,
  connectTcp,
  bindUdp,
  interfaces: listInterfaces,
  resolve,
  descriptorLimit,
};

async function resolve(hostName: string): Promise<readonly string[]> {
  if (isIP(hostName) !== 0) return [hostName];
  try {
    // IPv4 first: hardly any pvAccess server listens on IPv6.
    const found = await lookup(hostName, { all: true, order: 'ipv4first' });
    return found.map(({ address }) => address);
  } catch (error) {
    throw networkErrorFrom(error, `host name ${hostName} cannot be resolved`);
  }
}
