// Are broadcast addresses worked out from address and netmask, and only where there is one?
import { networkInterfaces } from 'node:os';
import { describe, expect, it, vi } from 'vitest';
import { describe as describeInterface, likelyReceiver, listInterfaces } from '../../src/transport/interfaces.ts';
import { broadcastOf, isSameNetwork, netmaskOf } from '../../src/transport/ipv4.ts';

vi.mock('node:os', () => ({ networkInterfaces: vi.fn() }));

describe('interfaces', () => {
  it('are listed one address each, with the broadcast address of IPv4 networks', () => {
    const mac = '00:00:00:00:00:00';
    vi.mocked(networkInterfaces).mockReturnValue({
      lo: [{ address: '127.0.0.1', netmask: '255.0.0.0', family: 'IPv4', mac, internal: true, cidr: '127.0.0.1/8' }],
      eth0: [
        { address: '172.20.3.9', netmask: '255.255.240.0', family: 'IPv4', mac, internal: false, cidr: null },
        { address: 'fe80::1', netmask: 'ffff::', family: 'IPv6', mac, internal: false, cidr: null, scopeid: 2 },
      ],
      tun0: [{ address: '10.8.0.6', netmask: '255.255.255.255', family: 'IPv4', mac, internal: false, cidr: null }],
      down: undefined,
    });
    expect(listInterfaces()).toEqual([
      { name: 'lo', address: '127.0.0.1', netmask: '255.0.0.0', isLoopback: true, family: 'IPv4' },
      {
        name: 'eth0',
        address: '172.20.3.9',
        netmask: '255.255.240.0',
        isLoopback: false,
        family: 'IPv4',
        broadcast: '172.20.15.255',
      },
      { name: 'eth0', address: 'fe80::1', netmask: 'ffff::', isLoopback: false, family: 'IPv6' },
      { name: 'tun0', address: '10.8.0.6', netmask: '255.255.255.255', isLoopback: false, family: 'IPv4' },
    ]);
  });
});

describe('the address that a datagram was likely sent to', () => {
  const interfaces = [
    describeInterface('lo', '127.0.0.1', '255.0.0.0', true, 'IPv4'),
    describeInterface('eth0', '10.0.0.5', '255.255.255.0', false, 'IPv4'),
    describeInterface('eth1', '10.0.1.5', '255.255.255.0', false, 'IPv4'),
    describeInterface('eth1', 'fe80::1', 'ffff::', false, 'IPv6'),
  ];

  it.each([
    ['of the sender itself, on this host', '10.0.1.5', '10.0.1.5'],
    ['on the network of the sender', '10.0.0.77', '10.0.0.5'],
    ['of loopback, for senders there', '127.0.0.9', '127.0.0.1'],
    ['unknown, for senders far away', '192.0.2.1', '0.0.0.0'],
    ['unknown, for IPv6', 'fe80::2', '0.0.0.0'],
  ])('is %s', (_, from, expected) => {
    expect(likelyReceiver('0.0.0.0', from, interfaces)).toBe(expected);
  });

  it('is the one that the socket is bound to, if that is one address', () => {
    expect(likelyReceiver('10.0.1.5', '10.0.0.77', interfaces)).toBe('10.0.1.5');
  });
});

describe('IPv4 reckoning', () => {
  it.each([
    ['10.0.0.5', '255.255.255.0', '10.0.0.255'],
    ['192.168.1.130', '255.255.255.192', '192.168.1.191'],
    ['200.1.2.3', '0.0.0.0', '255.255.255.255'],
    ['10.0.0.4', '255.255.255.252', '10.0.0.7'],
    ['10.0.0.4', '255.255.255.254', undefined],
    ['10.0.0.4', '255.255.255.255', undefined],
  ])('broadcasts of %s %s go to %s', (address, netmask, broadcast) => {
    expect(broadcastOf(address, netmask)).toBe(broadcast);
  });

  it('makes netmasks of prefixes', () => {
    expect([0, 1, 8, 24, 31, 32].map(netmaskOf)).toEqual([
      '0.0.0.0',
      '128.0.0.0',
      '255.0.0.0',
      '255.255.255.0',
      '255.255.255.254',
      '255.255.255.255',
    ]);
  });

  it('tells networks apart', () => {
    expect(isSameNetwork('192.168.1.1', '192.168.1.77', '255.255.255.0')).toBe(true);
    expect(isSameNetwork('192.168.1.1', '192.168.2.1', '255.255.255.0')).toBe(false);
  });
});
