// What does our server answer to the recorded searches, given PVs of the names that were found?

import { SharedPV } from '../../src/channels/shared-pv.ts';
import { readDatagram } from '../../src/protocol/datagram.ts';
import { datagramContext, decodeMessage } from '../../src/protocol/messages/index.ts';
import { SEARCH_MUST_REPLY, type Search } from '../../src/protocol/messages/search.ts';
import type { SearchResponse } from '../../src/protocol/messages/search-response.ts';
import { string, structure } from '../../src/protocol/types/type-desc.ts';
import { makeWorld } from './server-world.ts';
import { datagramMessagesOf, type RecordedConversation } from './transcript.ts';
import { fromHex } from './vectors.ts';

interface Answer {
  readonly sequenceId: number;
  readonly found: boolean;
  readonly instanceIds: readonly number[];
}

/** One recorded search, what is to be answered and what we answer; undefined for nothing. */
export interface SearchComparison {
  readonly expected: Answer | undefined;
  readonly ours: Answer | undefined;
}

/** Bytes before the response port in a SEARCH: header, sequence id, flags, reserved, address. */
const PORT_OFFSET = 8 + 4 + 4 + 16;

export async function searchAgain(
  recorded: RecordedConversation,
): Promise<{ readonly comparisons: readonly SearchComparison[] }> {
  const messages = datagramMessagesOf(recorded);
  // pvAccessCPP answers each name by itself, pvxs all in one: taken together they say which were found.
  const found = new Set<number>();
  for (const { message } of messages) {
    if (message?.command === 'SEARCH_RESPONSE' && message.found) for (const id of message.instanceIds) found.add(id);
  }
  const asked = messages.flatMap(({ datagram, message }) =>
    datagram.dir === 'c2s' && message?.command === 'SEARCH' ? [{ hex: datagram.hex, search: message }] : [],
  );
  const names = asked.flatMap(({ search }) => search.names.filter(({ instanceId }) => found.has(instanceId)));
  const pvs = Object.fromEntries(names.map(({ pvName }) => [pvName, new SharedPV(structure({ x: string }))]));
  const world = await makeWorld({ pvs });
  const answers: SearchResponse[] = [];
  const client = await world.network.host('client').bindUdp(
    { address: '0.0.0.0', port: 0 },
    {
      message: (bytes) => {
        for (const frame of readDatagram(bytes)) {
          const message = decodeMessage(frame, datagramContext());
          if (message?.command === 'SEARCH_RESPONSE') answers.push(message);
        }
      },
      error: () => undefined,
    },
  );
  const comparisons: SearchComparison[] = [];
  for (const { hex, search } of asked) {
    answers.length = 0;
    client.send(answeredAt(hex, client.local.port), { address: '10.0.0.1', port: world.server.udpPort });
    await world.settle();
    if (answers.length > 1) throw new Error(`${answers.length} answers to one search`);
    const [ours] = answers;
    comparisons.push({
      expected: expectedFor(search, new Set(Object.keys(pvs))),
      ours: ours && { sequenceId: ours.sequenceId, found: ours.found, instanceIds: ours.instanceIds },
    });
  }
  await world.clock.until(world.server.close());
  return { comparisons };
}

function expectedFor({ sequenceId, flags, names }: Search, served: ReadonlySet<string>): Answer | undefined {
  const instanceIds = names.filter(({ pvName }) => served.has(pvName)).map(({ instanceId }) => instanceId);
  if (instanceIds.length === 0 && (flags & SEARCH_MUST_REPLY) === 0) return undefined;
  return { sequenceId, found: instanceIds.length > 0, instanceIds };
}

/** The recorded bytes with our port in them, and any address, so that the answer comes back here. */
function answeredAt(hex: string, port: number): Uint8Array {
  const bytes = fromHex(hex);
  const isBigEndian = ((bytes[2] ?? 0) & 0x80) !== 0;
  bytes.fill(0, PORT_OFFSET - 16, PORT_OFFSET);
  new DataView(bytes.buffer, bytes.byteOffset).setUint16(PORT_OFFSET, port, !isBigEndian);
  return bytes;
}
