// Which messages does a datagram hold?
//
// Spec: Protocol-Messages, "Message Header". A datagram may hold several messages, one behind the other, and none of
// them goes on in the next datagram.

import { PvaError, RemoteProtocolError, TruncatedError } from './errors.ts';
import type { Frame } from './framer.ts';
import { HEADER_BYTES, readHeader } from './header.ts';
import { DEFAULT_LIMITS, type Limits } from './limits.ts';

/** How a datagram is read. */
export interface DatagramOptions {
  readonly limits?: Limits;
  /** Told why the rest of a datagram is not looked at, for counting. Datagrams may come from anyone: nothing is thrown. */
  readonly onMalformed?: (reason: PvaError) => void;
}

/**
 * The messages of a datagram, views into it, up to the first that is malformed. Both directions are given out: who
 * expects one of them looks at `header.fromServer`.
 */
export function* readDatagram(bytes: Uint8Array, options: DatagramOptions = {}): Generator<Frame, void> {
  const { limits = DEFAULT_LIMITS, onMalformed } = options;
  const looked = bytes.length > limits.maxDatagramBytes ? bytes.subarray(0, limits.maxDatagramBytes) : bytes;
  let at = 0;
  do {
    const frame = readFrame(looked, at);
    if (frame instanceof PvaError) return onMalformed?.(frame);
    at += HEADER_BYTES + frame.body.length;
    yield frame;
  } while (at < looked.length);
}

function readFrame(bytes: Uint8Array, at: number): Frame | PvaError {
  const start = at + HEADER_BYTES;
  if (start > bytes.length) {
    return new TruncatedError(`header at offset ${at} of a datagram of ${bytes.length} bytes is cut`, at);
  }
  try {
    const header = readHeader(bytes, at);
    if (header.isControl) return { header, body: bytes.subarray(start, start) };
    if (header.segment !== 'none') {
      return new RemoteProtocolError(
        `segment ${header.segment} at offset ${at} of a datagram, whole messages expected`,
      );
    }
    if (header.size > bytes.length - start) {
      return new TruncatedError(
        `body of ${header.size} bytes at offset ${start} of a datagram of ${bytes.length}`,
        start,
      );
    }
    return { header, body: bytes.subarray(start, start + header.size) };
  } catch (thrown) {
    if (thrown instanceof PvaError) return thrown;
    throw thrown;
  }
}
