// Packets are found in capture files of every kind, and what they carry behind headers of every kind.

import { describe, expect, it } from 'vitest';

import { transportOf, type Datagram, type Segment } from '../../../src/cli/capture/ip.ts';
import { ipPacketOf } from '../../../src/cli/capture/link-layer.ts';
import { packetsOfPcap } from '../../../src/cli/capture/pcap.ts';
import { packetsOfPcapng } from '../../../src/cli/capture/pcapng.ts';
import * as w from '../../support/capture-writer.ts';

const TIME = 1_700_000_000_123_456_789n;
const FRAMES: readonly w.Frame[] = [
  { timeNs: TIME, bytes: Buffer.from('one') },
  { timeNs: TIME + 1_000_000n, bytes: Buffer.from('three'), keptBytes: 3 },
];

const shown = (file: Uint8Array, read = packetsOfPcap) =>
  [...read(file)].map(({ number, linkType, timeNs, bytes, cutBytes }) => [
    number,
    linkType,
    timeNs,
    Buffer.from(bytes).toString('latin1'),
    cutBytes,
  ]);

describe('a pcap file', () => {
  const orders = [
    [false, 'little endian'],
    [true, 'big endian'],
  ] as const;

  it.each(orders)('has packets with microseconds or nanoseconds (big endian: %s)', (isBig) => {
    expect(shown(w.pcap(FRAMES.map(rounded), { isBig }))).toEqual([
      [1, 1, 1_700_000_000_123_456_000n, 'one', 0],
      [2, 1, 1_700_000_000_124_456_000n, 'thr', 2],
    ]);
    expect(shown(w.pcap(FRAMES, { isBig, isNano: true, linkType: 101 }))).toEqual([
      [1, 101, TIME, 'one', 0],
      [2, 101, TIME + 1_000_000n, 'thr', 2],
    ]);
  });

  it('may say that frames end with checksums', () => {
    expect(shown(w.pcap(FRAMES.map(rounded), { linkType: 0x5000_0001 }))[0]?.[1]).toBe(1);
  });

  it('gives what is whole and then says where it breaks off', () => {
    const file = w.pcap(FRAMES.map(rounded));
    const packets = packetsOfPcap(file.subarray(0, file.length - 1));
    expect(packets.next().value).toMatchObject({ number: 1 });
    expect(() => packets.next()).toThrow('byte 43 of the file: packet 2 is cut');
    expect(() => shown(file.subarray(0, 50))).toThrow('byte 43 of the file: packet 2 is cut');
    expect(() => shown(file.subarray(0, 20))).toThrow('byte 20 of the file: the header of the pcap file is cut');
  });

  it('has no packet that is longer than any', () => {
    const file = w.pcap([{ timeNs: 0n, bytes: Buffer.alloc(300_000) }]);
    expect(() => shown(file)).toThrow('byte 24 of the file: packet 1 of 300000 bytes, at most 262144 expected');
  });
});

describe('a pcapng file', () => {
  it.each([
    ['microseconds', {}, 1_700_000_000_123_456_000n],
    ['big endian', { isBig: true }, 1_700_000_000_123_456_000n],
    ['nanoseconds', { resolution: 9, ticksPerSecond: 1_000_000_000n }, TIME],
    ['a power of two', { resolution: 0x81, ticksPerSecond: 2n }, 1_700_000_000_000_000_000n],
    ['an offset', { offsetSeconds: 1_600_000_000n }, 1_700_000_000_123_456_000n],
  ] as const)('counts time in %s', (_, options, timeNs) => {
    const [first, second] = shown(w.pcapng(FRAMES, options), packetsOfPcapng);
    expect(first).toEqual([1, 1, timeNs, 'one', 0]);
    expect(second?.slice(3)).toEqual(['thr', 2]);
  });

  it('may have packets of the old and of the simple kind', () => {
    const whole = FRAMES.map(({ timeNs, bytes }) => ({ timeNs, bytes }));
    expect(shown(w.pcapng(whole, { packets: 'old', isBig: true }), packetsOfPcapng).map((row) => row.slice(3))).toEqual(
      [
        ['one', 0],
        ['three', 0],
      ],
    );
    expect(shown(w.pcapng(whole, { packets: 'simple', snapBytes: 4 }), packetsOfPcapng)).toEqual([
      [1, 1, 0n, 'one', 0],
      [2, 1, 0n, 'thre', 1],
    ]);
  });

  it('may have sections of different byte orders, each with its own interfaces', () => {
    const file = Buffer.concat([w.pcapng(FRAMES, { isBig: true, linkType: 101 }), w.pcapng(FRAMES, { linkType: 113 })]);
    expect(shown(file, packetsOfPcapng).map(([number, linkType]) => [number, linkType])).toEqual([
      [1, 101],
      [2, 101],
      [3, 113],
      [4, 113],
    ]);
  });

  it('says where it makes no sense', () => {
    const start = w.section(false);
    const withBlock = (block: Buffer) => () => shown(Buffer.concat([start, block]), packetsOfPcapng);
    const cases: readonly (readonly [() => unknown, string])[] = [
      [() => shown(start.subarray(0, 10), packetsOfPcapng), 'byte 0 of the file: a block is cut'],
      [() => shown(start.subarray(0, 20), packetsOfPcapng), 'byte 0 of the file: a block is cut'],
      [
        () => shown(w.block(false, 0x0a0d0d0a, Buffer.alloc(16)), packetsOfPcapng),
        'byte 0 of the file: section without a byte order',
      ],
      [withBlock(Buffer.alloc(5)), 'byte 28 of the file: a block is cut'],
      [withBlock(w.block(false, 4, Buffer.alloc(8), 21)), 'byte 28 of the file: block of 21 bytes, a multiple of 4'],
      [withBlock(w.block(false, 4, Buffer.alloc(8), 16)), 'byte 28 of the file: block of 16 bytes that ends with 0'],
      [withBlock(w.block(false, 4, Buffer.alloc(8), 8)), 'byte 28 of the file: block of 8 bytes'],
      [withBlock(w.block(false, 6, Buffer.alloc(20))), 'byte 28 of the file: packet of an interface that is not'],
      [withBlock(w.block(false, 6, Buffer.alloc(8))), 'byte 28 of the file: packet of an interface that is not'],
    ];
    for (const [read, message] of cases) expect(read).toThrow(message);
    const claim = w.pcapng([{ timeNs: 0n, bytes: Buffer.alloc(4), keptBytes: 4 }]);
    claim.writeUInt32LE(5_000, claim.length - 16);
    expect(() => shown(claim, packetsOfPcapng)).toThrow(/packet of 5000 bytes in a block of 24/u);
  });

  it('does not take any number of interfaces', () => {
    const one = w.interfaceBlock({});
    const many = Buffer.concat([w.section(false), ...Array.from({ length: 4_097 }, () => one)]);
    expect(() => shown(many, packetsOfPcapng)).toThrow('more interfaces than any machine has');
  });
});

/** Without what the file cannot keep. */
function rounded(frame: w.Frame): w.Frame {
  return { ...frame, timeNs: frame.timeNs - (frame.timeNs % 1_000n) };
}

// --- what is in a packet ---------------------------------------------------------------------------------------

const ENDS: w.Ends = { from: '10.0.0.1', fromPort: 1234, to: '10.0.0.2', toPort: 5075 };
const ENDS6: w.Ends = { ...ENDS, from: 'fe80:0:0:0:0:0:0:1', to: 'fe80:0:0:0:0:0:0:2' };
const HELLO = Buffer.from('hello');
const PACKET = w.ipv4(ENDS, w.UDP, w.udp(ENDS, HELLO));
const PACKET6 = w.ipv6(ENDS6, w.UDP, w.udp(ENDS6, HELLO));

function carried(packet: Uint8Array | string, cutBytes = 0): string {
  if (typeof packet === 'string') return packet;
  const found = transportOf(packet, cutBytes);
  if (typeof found === 'string') return found;
  const missing = found.cutBytes === 0 ? '' : ` and ${found.cutBytes}`;
  return `${found.kind} ${ends(found)} ${Buffer.from(found.payload).toString('latin1')}${missing}`;
}

function ends({ from, to }: Segment | Datagram): string {
  return `${from.address} ${from.port} ${to.address} ${to.port}`;
}

describe('a frame', () => {
  it.each([
    ['Ethernet', w.LINKS.ethernet, w.ethernet(PACKET)],
    ['Ethernet with a tag', w.LINKS.ethernet, w.ethernet(PACKET, [0x8100])],
    ['Ethernet with two tags', w.LINKS.ethernet, w.ethernet(PACKET, [0x88a8, 0x8100])],
    ['Linux cooked', w.LINKS.sll, w.linuxSll(PACKET)],
    ['Linux cooked, version 2', w.LINKS.sll2, w.linuxSll2(PACKET)],
    ['raw', w.LINKS.raw, PACKET],
    ['raw of BSD', w.LINKS.rawBsd, PACKET],
    ['raw IPv4', w.LINKS.ipv4, PACKET],
    ['loopback', w.LINKS.null, w.loopback(PACKET, false)],
    ['loopback of another machine', w.LINKS.null, w.loopback(PACKET, true)],
    ['loopback of OpenBSD', w.LINKS.loop, w.loopback(PACKET, true)],
  ])('is stripped: %s', (_, linkType, frame) => {
    expect(carried(ipPacketOf(linkType, frame))).toBe('udp 10.0.0.1 1234 10.0.0.2 5075 hello');
  });

  it('may carry IPv6', () => {
    const expected = 'udp fe80::1 1234 fe80::2 5075 hello';
    expect(carried(ipPacketOf(w.LINKS.ethernet, w.ethernet(PACKET6)))).toBe(expected);
    expect(carried(ipPacketOf(w.LINKS.sll2, w.linuxSll2(PACKET6)))).toBe(expected);
    expect(carried(ipPacketOf(w.LINKS.null, w.loopback(PACKET6, true)))).toBe(expected);
  });

  it('is left out with a reason if it carries something else', () => {
    const arp = w.ethernet(PACKET);
    arp.writeUInt16BE(0x0806, 12);
    expect(ipPacketOf(w.LINKS.ethernet, arp)).toBe('packets that are not IP');
    expect(
      ipPacketOf(
        w.LINKS.ethernet,
        w.ethernet(
          PACKET,
          Array.from({ length: 9 }, () => 0x8100),
        ),
      ),
    ).toBe('packets that are not IP');
    expect(ipPacketOf(105, PACKET)).toBe('packets of link type 105, which is not understood');
    expect(carried(Buffer.from('what'))).toBe('packets that are not IP');
  });
});

describe('an IP packet', () => {
  const tcp = w.tcp(ENDS, 1, HELLO, w.FLAGS.ack, Buffer.alloc(12, 1));

  it('may have options, and TCP too', () => {
    expect(carried(w.ipv4(ENDS, w.TCP, tcp, { options: Buffer.alloc(8, 1) }))).toBe(
      'tcp 10.0.0.1 1234 10.0.0.2 5075 hello',
    );
  });

  it('ends where it says, not where the frame does', () => {
    expect(carried(Buffer.concat([w.ipv4(ENDS, w.TCP, tcp), Buffer.alloc(9)]))).toBe(
      'tcp 10.0.0.1 1234 10.0.0.2 5075 hello',
    );
    expect(carried(Buffer.concat([PACKET6, Buffer.alloc(9)]))).toBe('udp fe80::1 1234 fe80::2 5075 hello');
  });

  it('is as long as the frame if the network card was to cut it up', () => {
    expect(carried(w.ipv4(ENDS, w.TCP, tcp, { totalBytes: 0 }))).toBe('tcp 10.0.0.1 1234 10.0.0.2 5075 hello');
  });

  it('says how much of it was not captured', () => {
    const packet = w.ipv4(ENDS, w.TCP, tcp);
    expect(carried(packet.subarray(0, packet.length - 2), 2)).toBe('tcp 10.0.0.1 1234 10.0.0.2 5075 hel and 2');
  });

  it('may have extension headers', () => {
    const extensions = [
      { kind: 0, rest: Buffer.alloc(7) },
      { kind: 43, rest: Buffer.concat([Buffer.from([1]), Buffer.alloc(14)]) },
      { kind: 51, rest: Buffer.concat([Buffer.from([1]), Buffer.alloc(10)]) },
      { kind: 44, rest: Buffer.alloc(7) },
      { kind: 60, rest: Buffer.alloc(7) },
    ];
    expect(carried(w.ipv6(ENDS6, w.TCP, tcp, extensions))).toBe('tcp fe80::1 1234 fe80::2 5075 hello');
  });

  it('is left out with a reason if it is a fragment or carries something else', () => {
    expect(carried(w.ipv4(ENDS, w.UDP, HELLO, { fragment: 0x2000 }))).toMatch(/^IPv4 fragments/u);
    expect(carried(w.ipv4(ENDS, w.UDP, HELLO, { fragment: 0x0001 }))).toMatch(/^IPv4 fragments/u);
    const more = [{ kind: 44, rest: Buffer.from([0, 0, 1, 0, 0, 0, 0]) }];
    expect(carried(w.ipv6(ENDS6, w.UDP, HELLO, more))).toMatch(/^IPv6 fragments/u);
    expect(carried(w.ipv4(ENDS, 1, HELLO))).toBe('packets that are neither TCP nor UDP');
    const broken = Buffer.from(PACKET);
    broken[0] = 0x41;
    expect(carried(broken)).toBe('IPv4 packets with a broken header');
    const endless = Array.from({ length: 20 }, () => ({ kind: 0, rest: Buffer.alloc(7) }));
    expect(carried(w.ipv6(ENDS6, w.UDP, HELLO, endless))).toBe('IPv6 packets with a broken header');
    const short = w.tcp(ENDS, 1, HELLO);
    short[12] = 0x10;
    expect(carried(w.ipv4(ENDS, w.TCP, short))).toBe('TCP segments with a broken header');
  });

  it('throws when it ends within its headers', () => {
    for (const length of [3, 15, 22]) expect(() => carried(PACKET.subarray(0, length))).toThrow(/bytes expected/u);
    for (const length of [3, 30, 42]) expect(() => carried(PACKET6.subarray(0, length))).toThrow(/bytes expected/u);
  });

  it('has a datagram as long as that says', () => {
    const long = w.ipv4(ENDS, w.UDP, Buffer.concat([w.udp(ENDS, HELLO), Buffer.from('more')]));
    expect(carried(long)).toBe('udp 10.0.0.1 1234 10.0.0.2 5075 hello');
    const unsaid = w.udp(ENDS, HELLO);
    unsaid.writeUInt16BE(0, 4);
    expect(carried(w.ipv4(ENDS, w.UDP, unsaid))).toBe('udp 10.0.0.1 1234 10.0.0.2 5075 hello');
  });
});
