// Which packets are in a pcap file?
//
// Format: https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap-04.html. The magic number says the byte order, and
// whether times count microseconds or nanoseconds.

import { Reader } from '../../protocol/index.ts';
import { brokenAt } from './capture-error.ts';
import type { Packet } from './packet.ts';

export const PCAP_MICROSECONDS = 0xa1b2c3d4;
export const PCAP_NANOSECONDS = 0xa1b23c4d;

const MAGIC_BYTES = 4;
const FILE_HEADER_BYTES = 24;
const RECORD_HEADER_BYTES = 16;
/** Version, time zone and accuracy (never used), and how much of each packet was kept. */
const UNUSED_BYTES = 16;
/** The upper bits say whether frames end with a checksum. */
const LINK_TYPE_BITS = 0x0fff_ffff;
const NS_PER_SECOND = 1_000_000_000n;

/** The longest packet that libpcap itself accepts; more means that the reader has lost its place. */
export const MAX_PACKET_BYTES = 262_144;

/** Throws `CaptureError` where the file breaks off or makes no sense; the packets before are given out. */
export function* packetsOfPcap(file: Uint8Array): Generator<Packet, void> {
  const { bigEndian, nsPerTick } = timing(file);
  const reader = new Reader(file, bigEndian);
  if (file.length < FILE_HEADER_BYTES) throw brokenAt(file.length, 'the header of the pcap file is cut');
  reader.skip(MAGIC_BYTES + UNUSED_BYTES);
  const linkType = reader.u32() & LINK_TYPE_BITS;
  for (let number = 1; reader.remaining > 0; number++) {
    const start = reader.offset;
    if (reader.remaining < RECORD_HEADER_BYTES) throw brokenAt(start, `packet ${number} is cut`);
    const seconds = reader.u32();
    const ticks = reader.u32();
    const capturedBytes = reader.u32();
    const packetBytes = reader.u32();
    if (capturedBytes > MAX_PACKET_BYTES) {
      throw brokenAt(start, `packet ${number} of ${capturedBytes} bytes, at most ${MAX_PACKET_BYTES} expected`);
    }
    if (capturedBytes > reader.remaining) throw brokenAt(start, `packet ${number} is cut`);
    yield {
      number,
      linkType,
      timeNs: BigInt(seconds) * NS_PER_SECOND + BigInt(ticks) * nsPerTick,
      bytes: reader.view(capturedBytes),
      cutBytes: Math.max(0, packetBytes - capturedBytes),
    };
  }
}

function timing(file: Uint8Array): { readonly bigEndian: boolean; readonly nsPerTick: bigint } {
  const bigEndian = file[0] === 0xa1;
  const magic = new Reader(file, bigEndian).u32();
  return { bigEndian, nsPerTick: magic === PCAP_NANOSECONDS ? 1n : 1_000n };
}
