// What does decoding give out: messages, bytes that are none, and what happens to connections?

import type { SkippedBytes, TracedMessage } from '../../protocol/index.ts';

/** Where something was seen. */
export interface Place {
  /** Nanoseconds since the first packet; undefined where the input has no times. */
  readonly sinceStartNs: bigint | undefined;
  /** Nanoseconds since 1970, of captures. */
  readonly timeNs: bigint | undefined;
  /** `none` for bytes without packets around them. */
  readonly transport: 'tcp' | 'udp' | 'none';
  /** Number of the TCP connection, from 0. */
  readonly connection: number | undefined;
  /** `127.0.0.1:5075`; '' if it is not known. */
  readonly from: string;
  readonly to: string;
}

export interface MessageEntry {
  readonly kind: 'message';
  readonly place: Place;
  /** Bytes of the stream, datagram or input before it; of joined segments, before the last of them. */
  readonly offset: number;
  readonly traced: TracedMessage;
}

export interface SkippedEntry {
  readonly kind: 'skipped';
  readonly place: Place;
  readonly skipped: SkippedBytes;
}

export interface ConnectionEntry {
  readonly kind: 'connection';
  readonly place: Place;
  readonly event: 'opened' | 'closed' | 'reset';
}

export type Entry = MessageEntry | SkippedEntry | ConnectionEntry;
