// Who has the UDP port of searches on this host, and which beacons come to it?

import type { PortedAddress } from '../config/address-list.ts';
import { isAny } from '../protocol/address.ts';
import { PvaError } from '../protocol/errors.ts';
import type { Clock } from '../transport/clocks.ts';
import { endpointText } from '../transport/network-error.ts';
import type { Network } from '../transport/network.ts';
import { BeaconListener } from './beacon-listener.ts';
import type { HeardBeacon, UdpPortState } from './diagnose-result.ts';

const TCP = 'tcp';
/** Servers that are told apart; somebody may be inventing them. */
const MAX_BEACONS = 1_000;

/** Opens the port for a moment. To be asked before anything else here opens it. */
export async function udpPortState(network: Network, port: number): Promise<UdpPortState> {
  if (await canBind(network, port, false)) return { port, state: 'free' };
  return { port, state: (await canBind(network, port, true)) ? 'shared' : 'taken' };
}

async function canBind(network: Network, port: number, shared: boolean): Promise<boolean> {
  try {
    const handlers = { message: () => {}, error: () => {} };
    (await network.bindUdp({ address: '0.0.0.0', port, shared }, handlers)).close();
    return true;
  } catch (error) {
    if (error instanceof PvaError) return false;
    throw error;
  }
}

/** The servers whose beacons come until `pause` is over. */
export async function hearBeacons(
  network: Network,
  clock: Clock,
  interfaces: readonly PortedAddress[],
  pause: () => Promise<void>,
): Promise<readonly HeardBeacon[]> {
  const heard = new Map<string, HeardBeacon>();
  const listener = new BeaconListener(network, clock, {
    beacon: ({ guid, serverAddress, serverPort, protocol }, from) => {
      if (protocol !== TCP || heard.size >= MAX_BEACONS) return;
      const address = isAny(serverAddress) ? from.address : serverAddress;
      heard.set(guid, { guid, server: endpointText({ address, port: serverPort }), via: endpointText(from) });
    },
    // That the port is taken is known, and told.
    error: () => {},
  });
  try {
    await listener.open(interfaces);
    await pause();
  } finally {
    listener.close();
  }
  return [...heard.values()];
}
