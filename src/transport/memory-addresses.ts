// Which addresses does a host in memory have, which of its ports are free, and from which address does it speak?
import { describe } from './interfaces.ts';
import { isSameNetwork, netmaskOf } from './ipv4.ts';
import { endpointText, networkError } from './network-error.ts';
import type { Endpoint, NetworkInterface } from './network.ts';

const FIRST_FREE_PORT = 49_152;
const LAST_PORT = 65_535;
const LIMITED_BROADCAST = '255.255.255.255';

export class HostAddresses {
  readonly hostName: string;
  readonly interfaces: readonly NetworkInterface[];
  #nextPort = FIRST_FREE_PORT;

  /**
   * `addresses` are IPv4 with the length of their prefix: `10.0.0.5/24`. Loopback is always there, of both families;
   * other IPv6 is not modelled.
   */
  constructor(hostName: string, addresses: readonly string[]) {
    this.hostName = hostName;
    this.interfaces = [
      describe('lo', '127.0.0.1', '255.0.0.0', true, 'IPv4'),
      describe('lo', '::1', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', true, 'IPv6'),
      ...addresses.map((text, index) => {
        const [address = '', prefixBits = '32'] = text.split('/');
        return describe(`eth${index}`, address, netmaskOf(Number(prefixBits)), false, 'IPv4');
      }),
    ];
  }

  /** The interfaces that lead to other hosts. */
  get outward(): readonly NetworkInterface[] {
    return this.interfaces.filter(({ isLoopback }) => !isLoopback);
  }

  owns(address: string): boolean {
    return isLoopback(address) || this.interfaces.some((each) => each.address === address);
  }

  /** @throws PvaError EADDRNOTAVAIL */
  interfaceWith(address: string): NetworkInterface {
    const found = this.interfaces.find((each) => each.address === address);
    if (found === undefined) throw networkError('EADDRNOTAVAIL', `no interface of ${this.hostName} has ${address}`);
    return found;
  }

  /** The interface whose broadcasts go to `address`; 255.255.255.255 leaves through the first. */
  broadcastInterface(address: string): NetworkInterface | undefined {
    if (address === LIMITED_BROADCAST) return this.outward[0];
    return this.outward.find(({ broadcast }) => broadcast === address);
  }

  /** The address that packets to `address` carry as theirs; undefined when no way leads there. */
  sourceTowards(address: string): string | undefined {
    if (isIPv6(address)) return isLoopback(address) ? address : undefined;
    if (isLoopback(address)) return '127.0.0.1';
    if (this.owns(address)) return address;
    const near = this.outward.find((each) => isSameNetwork(each.address, address, each.netmask));
    return (near ?? this.outward[0])?.address;
  }

  /**
   * The endpoint that a socket gets.
   * @param taken endpoints that no other socket may share
   * @throws PvaError EADDRNOTAVAIL or EADDRINUSE
   */
  claim(protocol: 'TCP' | 'UDP', wanted: Endpoint, taken: readonly Endpoint[]): Endpoint {
    const { address, port } = wanted;
    const what = `${protocol} port ${endpointText(wanted)} cannot be opened`;
    const isPlural = isMulticast(address) || this.broadcastInterface(address) !== undefined;
    if (!isWildcard(address) && !this.owns(address) && !(protocol === 'UDP' && isPlural)) {
      throw networkError('EADDRNOTAVAIL', what);
    }
    const isTaken = (candidate: Endpoint): boolean => taken.some((each) => overlap(each, candidate));
    if (port !== 0) {
      if (isTaken(wanted)) throw networkError('EADDRINUSE', what);
      return { address, port };
    }
    let free = this.takePort();
    while (isTaken({ address, port: free })) free = this.takePort();
    return { address, port: free };
  }

  /** The next port of those that are given to whoever wants just any. */
  takePort(): number {
    const port = this.#nextPort;
    this.#nextPort = port === LAST_PORT ? FIRST_FREE_PORT : port + 1;
    return port;
  }
}

/** Does a socket bound to `bound` get what is sent to `to`? */
export function hears(bound: Endpoint, to: Endpoint): boolean {
  if (bound.port !== to.port || isIPv6(bound.address) !== isIPv6(to.address)) return false;
  return bound.address === to.address || isWildcard(bound.address);
}

export function isMulticast(address: string): boolean {
  const firstByte = Number(address.split('.')[0]);
  return isIPv6(address) ? address.toLowerCase().startsWith('ff') : firstByte >= 224 && firstByte < 240;
}

export function isIPv6(address: string): boolean {
  return address.includes(':');
}

export function isWildcard(address: string): boolean {
  return address === '0.0.0.0' || address === '::';
}

function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.');
}

function overlap(a: Endpoint, b: Endpoint): boolean {
  return hears(a, b) || hears(b, a);
}
