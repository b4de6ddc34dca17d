// How do tests put to a channel without a server? As a server would: over the value that there is, leaves marked.

import type { Channel, PutRequest } from '../../src/channels/channel.ts';
import { anonymousPeer } from '../../src/channels/peer.ts';
import type { StructureValue } from '../../src/protocol/types/value-of.ts';
import { coercePartial } from '../../src/protocol/values/coerce.ts';

/** What a server hands to a channel when a client puts `patch`. */
export function putRequestFor(channel: Channel, patch: unknown): PutRequest {
  const { changed, value } = coercePartial(channel.type, patch, channel.state.value);
  return {
    changed,
    // The value of a structure type is a structure.
    value: value as StructureValue,
    peer: anonymousPeer({ address: '127.0.0.1', port: 1 }),
    pvRequest: null,
    signal: new AbortController().signal,
    tell: () => undefined,
  };
}

/** A put by a client. A refusal rejects. */
export async function putTo(channel: Channel, patch: unknown): Promise<void> {
  await channel.put(putRequestFor(channel, patch));
}
