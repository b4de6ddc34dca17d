// Which of the forms that can be decoded is this input, and what is said in it?

import { Conversation, DEFAULT_LIMITS, Reader, type Limits } from '../../protocol/index.ts';
import { CaptureError } from './capture-error.ts';
import type { Entry, Place } from './entry.ts';
import { bytesOfHexText } from './hex-text.ts';
import { Listener } from './listener.ts';
import { tracePackets } from './packet-tracer.ts';
import type { LeftOut } from './packet.ts';
import { PCAP_MICROSECONDS, PCAP_NANOSECONDS, packetsOfPcap } from './pcap.ts';
import { packetsOfPcapng } from './pcapng.ts';
import { traceTranscript } from './transcript.ts';

const PCAPNG = 0x0a0d0d0a;
/** A pcap file that a patched tcpdump of the nineties wrote, with longer packet headers. */
const PCAP_MODIFIED = 0xa1b2cd34;
const GZIP = 0x1f8b;
const ZSTD = 0x28b52ffd;

/** Text is held in memory three times over; a capture is better kept as one. */
const MAX_TEXT_BYTES = 64 * 1024 * 1024;
/** Bytes that are handed on at once, so that memory follows the messages and not the file. */
const CHUNK_BYTES = 64 * 1024;

const NOWHERE: Place = {
  sinceStartNs: undefined,
  timeNs: undefined,
  transport: 'none',
  connection: undefined,
  from: '',
  to: '',
};

/**
 * Everything that is said in the input: a capture (pcap, pcapng), a recorded conversation (JSON), hexadecimal text, or
 * the bytes of messages themselves. Throws `CaptureError` where it makes no sense; the entries before are good.
 */
export function traceInput(
  bytes: Uint8Array,
  leftOut: LeftOut,
  limits: Limits = DEFAULT_LIMITS,
): Generator<Entry, void> {
  const magic = bytes.length < 4 ? 0 : new Reader(bytes, true).u32();
  const swapped = bytes.length < 4 ? 0 : new Reader(bytes, false).u32();
  const isEither = (number: number): boolean => magic === number || swapped === number;
  if (isEither(PCAP_MICROSECONDS) || isEither(PCAP_NANOSECONDS)) {
    return tracePackets(packetsOfPcap(bytes), leftOut, limits);
  }
  if (magic === PCAPNG) return tracePackets(packetsOfPcapng(bytes), leftOut, limits);
  if (isEither(PCAP_MODIFIED)) throw new CaptureError('a modified pcap file; write it anew with tcpdump or editcap');
  if (magic >>> 16 === GZIP || swapped === ZSTD || magic === ZSTD) {
    throw new CaptureError('the input is compressed; unpack it first');
  }
  const isJson = bytes[0] === 0x7b;
  if (!isJson && !isText(bytes)) return traceBytes(bytes, limits);
  if (bytes.length > MAX_TEXT_BYTES) {
    throw new CaptureError(`text of ${bytes.length} bytes, at most ${MAX_TEXT_BYTES} expected`);
  }
  const text = new TextDecoder().decode(bytes);
  if (isJson || text.trimStart().startsWith('{')) return traceTranscript(text, limits);
  return traceBytes(bytesOfHexText(text, limits.maxCaptureBytes), limits);
}

/** Messages one behind the other, of one side or of both. */
function* traceBytes(bytes: Uint8Array, limits: Limits): Generator<Entry, void> {
  const listener = new Listener(new Conversation({ limits }), { limits });
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
    yield* listener.push(bytes.subarray(at, at + CHUNK_BYTES), NOWHERE);
  }
  yield* listener.end(NOWHERE);
}

/** Messages begin with a byte that no text has, and have zeros in their headers. */
function isText(bytes: Uint8Array): boolean {
  return bytes
    .subarray(0, 512)
    .every((byte) => byte === 0x09 || byte === 0x0a || byte === 0x0d || (byte >= 0x20 && byte < 0x7f));
}
