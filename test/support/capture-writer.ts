// How is a capture file written? Frames of every kind that `pvkit decode` reads, by the formats' own descriptions and
// with nothing of this library: pcap and pcapng, Ethernet and others, IP, TCP and UDP.

/** A frame and when it was seen. */
export interface Frame {
  /** Nanoseconds since 1970. */
  readonly timeNs: bigint;
  readonly bytes: Buffer;
  /** Bytes kept of it; all unless given. */
  readonly keptBytes?: number;
}

export interface Ends {
  /** `127.0.0.1` or eight groups of IPv6 digits. */
  readonly from: string;
  readonly fromPort: number;
  readonly to: string;
  readonly toPort: number;
}

const u8 = (value: number): Buffer => Buffer.from([value]);

function numbers(isBig: boolean) {
  return {
    u16: (value: number): Buffer => {
      const bytes = Buffer.alloc(2);
      if (isBig) bytes.writeUInt16BE(value);
      else bytes.writeUInt16LE(value);
      return bytes;
    },
    u32: (value: number): Buffer => {
      const bytes = Buffer.alloc(4);
      if (isBig) bytes.writeUInt32BE(value >>> 0);
      else bytes.writeUInt32LE(value >>> 0);
      return bytes;
    },
    i64: (value: bigint): Buffer => {
      const bytes = Buffer.alloc(8);
      if (isBig) bytes.writeBigInt64BE(value);
      else bytes.writeBigInt64LE(value);
      return bytes;
    },
  };
}

const net = numbers(true);

// --- transport and network -------------------------------------------------------------------------------------

export const FLAGS = { fin: 0x01, syn: 0x02, rst: 0x04, psh: 0x08, ack: 0x10 } as const;

export function tcp(
  { fromPort, toPort }: Ends,
  sequence: number,
  payload: Uint8Array,
  flags: number = FLAGS.ack,
  options: Uint8Array = Buffer.alloc(0),
): Buffer {
  const words = 5 + options.length / 4;
  return Buffer.concat([
    net.u16(fromPort),
    net.u16(toPort),
    net.u32(sequence),
    net.u32(0),
    u8(words << 4),
    u8(flags),
    net.u16(0xffff),
    net.u32(0),
    options,
    payload,
  ]);
}

export function udp({ fromPort, toPort }: Ends, payload: Uint8Array): Buffer {
  return Buffer.concat([net.u16(fromPort), net.u16(toPort), net.u16(8 + payload.length), net.u16(0), payload]);
}

export const TCP = 6;
export const UDP = 17;

export interface Ipv4Options {
  readonly options?: Uint8Array;
  /** The word of flags and offset. */
  readonly fragment?: number;
  /** 0, as network cards leave it that cut packets up themselves. */
  readonly totalBytes?: number;
}

export function ipv4(
  { from, to }: Ends,
  protocol: number,
  payload: Uint8Array,
  { options = Buffer.alloc(0), fragment = 0x4000, totalBytes }: Ipv4Options = {},
): Buffer {
  const headerBytes = 20 + options.length;
  return Buffer.concat([
    u8(0x40 | (headerBytes / 4)),
    u8(0),
    net.u16(totalBytes ?? headerBytes + payload.length),
    net.u16(1),
    net.u16(fragment),
    u8(64),
    u8(protocol),
    net.u16(0),
    Buffer.from(from.split('.').map(Number)),
    Buffer.from(to.split('.').map(Number)),
    options,
    payload,
  ]);
}

/** `extensions`: headers without their first byte, each with the number of its kind. */
export function ipv6(
  { from, to }: Ends,
  protocol: number,
  payload: Uint8Array,
  extensions: readonly { readonly kind: number; readonly rest: Uint8Array }[] = [],
): Buffer {
  const kinds = [...extensions.map(({ kind }) => kind), protocol];
  const headers = extensions.map(({ rest }, index) => Buffer.concat([u8(kinds[index + 1] ?? 0), rest]));
  const content = Buffer.concat([...headers, payload]);
  return Buffer.concat([
    net.u32(0x6000_0000),
    net.u16(content.length),
    u8(kinds[0] ?? 0),
    u8(64),
    groups(from),
    groups(to),
    content,
  ]);
}

function groups(address: string): Buffer {
  return Buffer.concat(address.split(':').map((group) => net.u16(Number.parseInt(group, 16))));
}

// --- links -----------------------------------------------------------------------------------------------------

export const LINKS = {
  null: 0,
  ethernet: 1,
  rawBsd: 12,
  raw: 101,
  loop: 108,
  sll: 113,
  ipv4: 228,
  sll2: 276,
} as const;

/** `vlans`: kinds of tags in front of the packet, such as 0x8100. */
export function ethernet(packet: Uint8Array, vlans: readonly number[] = []): Buffer {
  const frame = Buffer.concat([
    Buffer.alloc(12, 0x02),
    ...vlans.flatMap((tag) => [net.u16(tag), net.u16(7)]),
    etherType(packet),
    packet,
  ]);
  // Shorter frames do not exist.
  return frame.length < 60 ? Buffer.concat([frame, Buffer.alloc(60 - frame.length)]) : frame;
}

export function linuxSll(packet: Uint8Array): Buffer {
  return Buffer.concat([net.u16(4), net.u16(1), net.u16(6), Buffer.alloc(8, 0x02), etherType(packet), packet]);
}

export function linuxSll2(packet: Uint8Array): Buffer {
  return Buffer.concat([
    etherType(packet),
    net.u16(0),
    net.u32(1),
    net.u16(1),
    u8(4),
    u8(6),
    Buffer.alloc(8, 0x02),
    packet,
  ]);
}

/** The family as a number of the capturing machine. */
export function loopback(packet: Uint8Array, isBig: boolean): Buffer {
  return Buffer.concat([numbers(isBig).u32(isIpv6(packet) ? 30 : 2), packet]);
}

function etherType(packet: Uint8Array): Buffer {
  return net.u16(isIpv6(packet) ? 0x86dd : 0x0800);
}

function isIpv6(packet: Uint8Array): boolean {
  return (packet[0] ?? 0) >>> 4 === 6;
}

// --- files -----------------------------------------------------------------------------------------------------

export interface FileOptions {
  readonly linkType?: number;
  readonly isBig?: boolean;
  readonly isNano?: boolean;
}

export function pcap(frames: readonly Frame[], options: FileOptions = {}): Buffer {
  const { linkType = LINKS.ethernet, isBig = false, isNano = false } = options;
  const { u16, u32 } = numbers(isBig);
  const header = [u32(isNano ? 0xa1b23c4d : 0xa1b2c3d4), u16(2), u16(4), u32(0), u32(0), u32(262_144), u32(linkType)];
  const records = frames.flatMap(({ timeNs, bytes, keptBytes = bytes.length }) => [
    u32(Number(timeNs / 1_000_000_000n)),
    u32(Number(timeNs % 1_000_000_000n) / (isNano ? 1 : 1_000)),
    u32(keptBytes),
    u32(bytes.length),
    bytes.subarray(0, keptBytes),
  ]);
  return Buffer.concat([...header, ...records]);
}

export interface NgOptions extends FileOptions {
  /** The byte of if_tsresol; microseconds without it. */
  readonly resolution?: number;
  readonly ticksPerSecond?: bigint;
  /** Seconds of if_tsoffset. */
  readonly offsetSeconds?: bigint;
  /** As the block of which kind packets are written. */
  readonly packets?: 'enhanced' | 'simple' | 'old';
  readonly snapBytes?: number;
}

export function pcapng(frames: readonly Frame[], options: NgOptions = {}): Buffer {
  const { isBig = false, packets = 'enhanced' } = options;
  const write = { enhanced: enhancedPacket, simple: simplePacket, old: oldPacket }[packets];
  return Buffer.concat([
    section(isBig),
    interfaceBlock(options),
    // Of no interest to anyone who reads packets: a name resolution block.
    block(isBig, 4, Buffer.alloc(8)),
    ...frames.map((frame) => write(frame, options)),
  ]);
}

export function section(isBig: boolean): Buffer {
  const { u16, u32 } = numbers(isBig);
  return block(isBig, 0x0a0d0d0a, Buffer.concat([u32(0x1a2b3c4d), u16(1), u16(0), u32(-1), u32(-1)]));
}

export function interfaceBlock(options: NgOptions): Buffer {
  const { isBig = false, linkType = LINKS.ethernet, resolution, offsetSeconds, snapBytes = 0 } = options;
  const { u16, u32, i64 } = numbers(isBig);
  return block(
    isBig,
    1,
    Buffer.concat([
      u16(linkType),
      u16(0),
      u32(snapBytes),
      option(isBig, 2, Buffer.from('lo')),
      ...(resolution === undefined ? [] : [option(isBig, 9, u8(resolution))]),
      ...(offsetSeconds === undefined ? [] : [option(isBig, 14, i64(offsetSeconds))]),
      u32(0),
    ]),
  );
}

function option(isBig: boolean, code: number, value: Buffer): Buffer {
  const { u16 } = numbers(isBig);
  return Buffer.concat([u16(code), u16(value.length), value, padding(value.length)]);
}

function ticks({ timeNs }: Frame, { isBig = false, ticksPerSecond = 1_000_000n, offsetSeconds = 0n }: NgOptions) {
  const count = ((timeNs - offsetSeconds * 1_000_000_000n) * ticksPerSecond) / 1_000_000_000n;
  const { u32 } = numbers(isBig);
  return Buffer.concat([u32(Number(count >> 32n)), u32(Number(count & 0xffff_ffffn))]);
}

function enhancedPacket(frame: Frame, options: NgOptions): Buffer {
  const { isBig = false } = options;
  const { u32 } = numbers(isBig);
  const { bytes, keptBytes = bytes.length } = frame;
  const kept = bytes.subarray(0, keptBytes);
  const lengths = [u32(keptBytes), u32(bytes.length)];
  return block(isBig, 6, Buffer.concat([u32(0), ticks(frame, options), ...lengths, kept, padding(keptBytes)]));
}

function oldPacket(frame: Frame, options: NgOptions): Buffer {
  const { isBig = false } = options;
  const { u16, u32 } = numbers(isBig);
  const { bytes } = frame;
  const lengths = [u32(bytes.length), u32(bytes.length)];
  const content = [u16(0), u16(5), ticks(frame, options), ...lengths, bytes, padding(bytes.length)];
  return block(isBig, 2, Buffer.concat(content));
}

function simplePacket({ bytes }: Frame, { isBig = false, snapBytes = 0 }: NgOptions): Buffer {
  const kept = snapBytes === 0 ? bytes : bytes.subarray(0, snapBytes);
  return block(isBig, 3, Buffer.concat([numbers(isBig).u32(bytes.length), kept, padding(kept.length)]));
}

/** A block as it should be, or with another length in front. */
export function block(isBig: boolean, type: number, body: Buffer, claimedBytes = body.length + 12): Buffer {
  const { u32 } = numbers(isBig);
  return Buffer.concat([u32(type), u32(claimedBytes), body, u32(body.length + 12)]);
}

function padding(length: number): Buffer {
  return Buffer.alloc((4 - (length % 4)) % 4);
}
