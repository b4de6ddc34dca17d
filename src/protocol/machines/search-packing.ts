// Which names go together into one search datagram? As many as fit a usual network packet.

import { textBytes } from '../text.ts';

/** Bytes of one search: with Ethernet, IP and UDP headers it stays below the usual 1 500 and is not fragmented. */
export const SEARCH_BYTES = 1_400;
/** Header, sequence id, flags, address, port, the one protocol (`msgpack` is the longest) and the count. */
const FIXED_BYTES = 8 + 4 + 4 + 16 + 2 + 1 + 8 + 2;
const ID_BYTES = 4;

export interface SearchedName {
  readonly cid: number;
  readonly pvName: string;
}

/** Splits `names` in order. A name too long for any datagram goes alone: fragmented is better than never. */
export function* packSearches<T extends SearchedName>(
  names: Iterable<T>,
  maxBytes: number = SEARCH_BYTES,
): Generator<readonly T[]> {
  let batch: T[] = [];
  let bytes = FIXED_BYTES;
  for (const name of names) {
    const length = textBytes(name.pvName);
    const cost = ID_BYTES + (length < 254 ? 1 : 5) + length;
    if (batch.length > 0 && bytes + cost > maxBytes) {
      yield batch;
      batch = [];
      bytes = FIXED_BYTES;
    }
    batch.push(name);
    bytes += cost;
  }
  if (batch.length > 0) yield batch;
}
