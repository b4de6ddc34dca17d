// Which clients does the `host` of a rule mean?
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HostPattern } from '../../../src/channels/access/host-pattern.ts';

const at = (address: string, host = '') => ({ address, host });

describe('an address', () => {
  it.each([
    ['10.0.0.5', at('10.0.0.5'), true],
    ['10.0.0.5', at('10.0.0.6'), false],
    // A dual-stack socket tells IPv4 clients so.
    ['10.0.0.5', at('::ffff:10.0.0.5'), true],
    ['::1', at('0:0:0:0:0:0:0:1'), true],
    ['::1', at('127.0.0.1'), false],
    ['fe80::1', at('fe80::1%eth0'), true],
    ['10.0.0.5', at('10.0.0.6', '10.0.0.5'), false],
  ])('%s fits %o: %s', (text, peer, expected) => {
    const pattern = new HostPattern(text);
    expect(pattern.fits(peer)).toBe(expected);
    expect(pattern.fitsAddress(peer.address)).toBe(expected);
    expect(pattern.isName).toBe(false);
  });
});

describe('a network', () => {
  it.each([
    ['10.0.0.0/8', at('10.255.0.1'), true],
    ['10.0.0.0/8', at('11.0.0.1'), false],
    ['10.0.0.0/8', at('::ffff:10.1.2.3'), true],
    ['192.168.4.0/22', at('192.168.7.255'), true],
    ['192.168.4.0/22', at('192.168.8.0'), false],
    ['192.168.4.3/32', at('192.168.4.3'), true],
    ['0.0.0.0/0', at('1.2.3.4'), true],
    ['0.0.0.0/0', at('fe80::1'), false],
    ['fe80::/10', at('febf::1'), true],
    ['fe80::/10', at('fec0::1'), false],
    ['2001:db8::/33', at('2001:db8:7fff::'), true],
    ['2001:db8::/33', at('2001:db8:8000::'), false],
    ['::/0', at('1.2.3.4'), true],
  ])('%s fits %o: %s', (text, peer, expected) => {
    expect(new HostPattern(text).fits(peer)).toBe(expected);
  });
});

describe('a name', () => {
  it.each([
    ['ws1', at('10.0.0.5', 'ws1'), true],
    ['WS1', at('10.0.0.5', 'ws1'), true],
    ['ws*', at('10.0.0.5', 'WS17.lab'), true],
    ['ws?', at('10.0.0.5', 'ws17'), false],
    ['*', at('10.0.0.5', ''), true],
    ['ws*', at('10.0.0.5', ''), false],
  ])('%s fits %o: %s', (text, peer, expected) => {
    const pattern = new HostPattern(text);
    expect(pattern.fits(peer)).toBe(expected);
    expect(pattern.isName).toBe(true);
    // Nobody knows the name of a host before its client tells it.
    expect(pattern.fitsAddress(peer.address)).toBe(text === '*' ? true : undefined);
  });
});

describe('a text that is neither', () => {
  it.each([
    ['10.0.*', 'write a network as in "10.0.0.0/16"'],
    ['10.0.0.256', 'write a network as in "10.0.0.0/16"'],
    ['fe80::*', 'write a network as in "10.0.0.0/16"'],
    ['ws1/8', 'is no network; expected one such as "10.0.0.0/16"'],
    ['10.0.0.0/33', 'has no prefix from 0 to 32 behind the "/"'],
    ['10.0.0.0/', 'has no prefix from 0 to 32 behind the "/"'],
    ['10.0.0.0/8/8', 'has no prefix from 0 to 32 behind the "/"'],
    ['fe80::/129', 'has no prefix from 0 to 128 behind the "/"'],
    ['10.0.0.5/8', 'is an address within a network; write 10.0.0.5 alone or its network'],
  ])('is refused: %s', (text, sentence) => {
    expect(() => new HostPattern(text)).toThrow(sentence);
  });
});

describe('a pattern that covers another', () => {
  it.each([
    ['10.0.0.0/8', '10.1.0.0/16', true],
    ['10.0.0.0/8', '10.1.2.3', true],
    ['10.1.0.0/16', '10.0.0.0/8', false],
    ['10.0.0.0/8', '::ffff:10.1.2.3', true],
    ['10.0.0.0/8', 'ws1', false],
    ['ws*', 'WS1', true],
    ['ws*', '10.0.0.1', false],
    ['*', '10.0.0.1', true],
    ['*', 'ws1', true],
    ['::/0', '10.0.0.1', true],
  ])('%s covers %s: %s', (outer, inner, expected) => {
    expect(new HostPattern(outer).covers(new HostPattern(inner))).toBe(expected);
  });

  it('fits all that the other fits', () => {
    const bits = fc.nat({ max: 32 });
    const number = fc.nat({ max: 0xffff_ffff });
    const text = (value: number): string =>
      [24, 16, 8, 0].map((shift) => Math.trunc(value / 2 ** shift) % 256).join('.');
    const network = (value: number, prefix: number): HostPattern =>
      new HostPattern(`${text(Math.trunc(value / 2 ** (32 - prefix)) * 2 ** (32 - prefix))}/${prefix}`);
    fc.assert(
      fc.property(number, bits, bits, number, (value, one, other, address) => {
        const [outer, inner] = [network(value, Math.min(one, other)), network(value, Math.max(one, other))];
        expect(outer.covers(inner)).toBe(true);
        if (inner.fits(at(text(address)))) expect(outer.fits(at(text(address)))).toBe(true);
        expect(inner.fits(at(text(value)))).toBe(true);
      }),
    );
  });
});
