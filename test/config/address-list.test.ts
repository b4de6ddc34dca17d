// Address lists, in the form that pvxs documents (its documentation/netconfig.rst) and a few it accepts silently.
import { isIP } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  formatAddress,
  parseAddressList,
  parseAddress,
  withPort,
  type ListedAddress,
} from '../../src/config/address-list.ts';
import type { ConfigProblem } from '../../src/config/config-error.ts';
import { isIpv4, isIpv6, isMulticast } from '../../src/config/ip-text.ts';

function address(host: string, family: ListedAddress['family'], rest: Partial<ListedAddress> = {}): ListedAddress {
  return { host, family, port: undefined, ttl: undefined, via: undefined, ...rest };
}

function readList(text: string): {
  readonly found: readonly ListedAddress[];
  readonly problems: readonly ConfigProblem[];
} {
  const problems: ConfigProblem[] = [];
  const found = parseAddressList(text, (problem) => problems.push(problem), { key: 'EPICS_PVA_ADDR_LIST' });
  return { found, problems };
}

describe('an address', () => {
  it.each([
    ['myhost', address('myhost', 'name')],
    ['ctl-1.lab_net.example:5076', address('ctl-1.lab_net.example', 'name', { port: 5076 })],
    ['10.1.1.1:5076', address('10.1.1.1', 'ipv4', { port: 5076 })],
    ['10.1.1.1:0', address('10.1.1.1', 'ipv4')],
    ['[2600:1234::42]', address('2600:1234::42', 'ipv6')],
    ['[2600:1234::42]:77', address('2600:1234::42', 'ipv6', { port: 77 })],
    ['::1', address('::1', 'ipv6')],
    ['224.0.2.3,255@192.168.1.1', address('224.0.2.3', 'ipv4', { ttl: 255, via: '192.168.1.1' })],
    ['[ff02::42:1],1@br0', address('ff02::42:1', 'ipv6', { ttl: 1, via: 'br0' })],
    ['[ff02::42:1]:5076@::1', address('ff02::42:1', 'ipv6', { port: 5076, via: '::1' })],
    ['[fe80::1%eth0]:5076', address('fe80::1%eth0', 'ipv6', { port: 5076 })],
    ['fe80::1%eth0', address('fe80::1%eth0', 'ipv6')],
    ['ff02::1%eth0', address('ff02::1', 'ipv6', { via: 'eth0' })],
    ['[ff02::1%eth0],1@eth1', address('ff02::1', 'ipv6', { ttl: 1, via: 'eth1' })],
    ['[localhost]:5075', address('localhost', 'name', { port: 5075 })],
  ])('%s is read', (text, expected) => {
    expect(parseAddress(text)).toEqual({ ok: true, value: expected });
  });

  it.each([
    ['10.0.0.300', 'is not an IPv4 address'],
    ['10.0.0', 'is not an IPv4 address'],
    ['010.0.0.1', 'is not an IPv4 address'],
    ['1.2.3.4:', 'has port ""; a port is a number from 0 to 65535'],
    ['1.2.3.4:70000', 'has port "70000"; a port is a number from 0 to 65535'],
    ['1.2.3.4:http', 'has port "http"; a port is a number from 0 to 65535'],
    ['[::1', 'has brackets that do not enclose an IPv6 address'],
    ['::1]', 'has brackets that do not enclose an IPv6 address'],
    ['[::1]5075', 'has brackets that do not enclose an IPv6 address'],
    ['[::1::2]', 'is not an IPv6 address'],
    ['1:2:3', 'is not an IPv6 address'],
    ['fe80::1%', 'is not an IPv6 address'],
    ['[fe80::1%a%b]', 'is not an IPv6 address'],
    [':5075', 'names no host'],
    ['a b', 'is neither an address nor a host name'],
    ['-host', 'is neither an address nor a host name'],
    ['224.0.0.1,256', 'has ttl "256"; a ttl is a number from 0 to 255'],
    ['224.0.0.1,', 'has ttl ""; a ttl is a number from 0 to 255'],
    ['224.0.0.1@eth0,1', 'has its ,ttl behind @interface; the ttl comes first'],
    ['224.0.0.1@', 'has no interface name or address after @'],
  ])('%s is refused with its reason', (text, wrong) => {
    expect(parseAddress(text)).toEqual({ ok: false, wrong });
  });

  it('is written as it is read', () => {
    const host = fc.oneof(
      fc.ipV4().map((text) => ({ host: text, family: 'ipv4' as const })),
      fc.ipV6().map((text) => ({ host: text, family: 'ipv6' as const })),
      fc.domain().map((text) => ({ host: text, family: 'name' as const })),
    );
    const whole = fc.record({
      host,
      port: fc.option(fc.integer({ min: 1, max: 65_535 }), { nil: undefined }),
      ttl: fc.option(fc.integer({ min: 0, max: 255 }), { nil: undefined }),
      via: fc.option(fc.constantFrom('eth0', 'br-lan', '192.168.1.1', 'fe80::1'), { nil: undefined }),
    });
    fc.assert(
      fc.property(whole, ({ host: address, ...rest }) => {
        const value = { ...address, ...rest };
        expect(parseAddress(formatAddress(value))).toEqual({ ok: true, value });
      }),
    );
  });
});

describe('an address list', () => {
  it('is separated by any white space', () => {
    const { found, problems } = readList('  1.2.3.4  5.6.7.8:9876\t\n[::1]  ');
    expect(found.map(formatAddress)).toEqual(['1.2.3.4', '5.6.7.8:9876', '[::1]']);
    expect(problems).toEqual([]);
  });

  it('may be empty', () => {
    expect(readList('').found).toEqual([]);
    expect(readList(' \t').found).toEqual([]);
  });

  it('names variable, item and what was expected, and still reads the others', () => {
    const { found, problems } = readList('1.2.3.4 5.6.7.999 [::1 6.6.6.6');
    expect(found.map(formatAddress)).toEqual(['1.2.3.4', '6.6.6.6']);
    expect(problems.map((problem) => problem.key)).toEqual(['EPICS_PVA_ADDR_LIST', 'EPICS_PVA_ADDR_LIST']);
    expect(problems[0]?.message).toBe(
      '"5.6.7.999" is not an IPv4 address; expected ip[:port][,ttl][@interface], [ipv6][:port][,ttl][@interface] or a host name in place of ip',
    );
    expect(problems[1]?.message).toContain('"[::1" has brackets');
  });

  it('counts a repeated address once, with the longest ttl', () => {
    const { found } = readList('224.0.0.128,1 10.0.0.1 224.0.0.128,8 224.0.0.128 224.0.0.128@eth0');
    expect(found.map(formatAddress)).toEqual(['224.0.0.128,8', '10.0.0.1', '224.0.0.128@eth0']);
  });

  it('gets its default port where an item has none', () => {
    const { found } = readList('1.2.3.4 5.6.7.8:9876 9.9.9.9:0');
    expect(withPort(found, 5076).map((item) => item.port)).toEqual([5076, 9876, 5076]);
  });
});

describe('address text', () => {
  it('is judged as Node judges it', () => {
    const nearly = fc.string({ unit: fc.constantFrom('0', '1', '9', 'f', ':', ':', '.', '25', '::'), maxLength: 20 });
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6(), nearly), (text) => {
        expect([isIpv4(text), isIpv6(text)]).toEqual([isIP(text) === 4, isIP(text) === 6]);
      }),
      { numRuns: 500 },
    );
  });

  it.each(['::', '::1', '1::', '1:2:3:4:5:6:7::', '::ffff:1.2.3.4', '1:2:3:4:5:6:1.2.3.4', 'FF02::42:1'])(
    '%s is IPv6',
    (text) => {
      expect(isIpv6(text)).toBe(true);
    },
  );

  it.each([
    '',
    ':',
    ':::',
    '1:2',
    '1::2::3',
    '1.2.3.4::',
    '1:2:3:4:5:6:7:8:9',
    '12345::',
    '::1.2.3',
    '1:2:3:4:5:6:7:1.2.3.4',
  ])('%j is not IPv6', (text) => {
    expect(isIpv6(text)).toBe(false);
  });

  it('knows groups', () => {
    expect(['224.0.0.128', '239.255.255.255', 'ff02::1'].map(isMulticast)).toEqual([true, true, true]);
    expect(['223.0.0.1', '240.0.0.1', 'fe80::1', 'ff', 'myhost'].map(isMulticast)).toEqual([
      false,
      false,
      false,
      false,
      false,
    ]);
  });
});
