// What did recorded clients ask with (test/vectors/transcripts): the pvRequest of each INIT, and the arguments of each RPC?

import { Reader } from '../../src/protocol/reader.ts';
import type { AnyValue } from '../../src/protocol/types/value-of.ts';
import { any } from '../../src/protocol/types/type-desc.ts';
import { TypeReceiver } from '../../src/protocol/types/wire.ts';
import { codecOf } from '../../src/protocol/values/codec.ts';
import { transcript, transcriptNames, type RecordedMessage } from './conversations.ts';
import { fromHex } from './vectors.ts';

export interface RecordedRequest {
  readonly transcript: string;
  /** The first client tool of the transcript and what it was started with. */
  readonly tool: string;
  readonly args: readonly string[];
  readonly commandName: string;
  readonly kind: 'pvRequest' | 'arguments';
  readonly value: AnyValue;
}

const HEADER_BYTES = 8;
const INIT = 0x08;
const OPERATIONS = new Set(['GET', 'PUT', 'PUT_GET', 'MONITOR', 'RPC', 'PROCESS', 'ARRAY']);

export function recordedRequests(): readonly RecordedRequest[] {
  return transcriptNames().flatMap((name) => {
    const { tcp, clients } = transcript(name);
    // Ids of types live as long as a connection: messages are read in order, with one registry for each.
    const registries = new Map<number, TypeReceiver>();
    return tcp.flatMap((message): readonly RecordedRequest[] => {
      const types = registries.get(message.conn) ?? new TypeReceiver();
      registries.set(message.conn, types);
      const read = message.dir === 'c2s' ? readMessage(message, types) : undefined;
      if (read === undefined) return [];
      return [{ transcript: name, tool: clients[0]?.tool ?? '', args: clients[0]?.args ?? [], ...read }];
    });
  });
}

function readMessage(
  { hex, header }: RecordedMessage,
  types: TypeReceiver,
): Pick<RecordedRequest, 'commandName' | 'kind' | 'value'> | undefined {
  if (hex === undefined || header === undefined || header.segment !== 'none') return undefined;
  const { commandName } = header;
  const reader = new Reader(fromHex(hex), header.bigEndian);
  reader.skip(HEADER_BYTES);
  if (commandName === 'CONNECTION_VALIDATION') {
    // Carries a type too, whose id later messages may use.
    reader.skip(8);
    reader.string();
    codecOf(any).decode(reader, types);
    return undefined;
  }
  if (!OPERATIONS.has(commandName)) return undefined;
  reader.skip(8);
  const isInit = (reader.u8() & INIT) !== 0;
  if (!isInit && commandName !== 'RPC') return undefined;
  return { commandName, kind: isInit ? 'pvRequest' : 'arguments', value: codecOf(any).decode(reader, types) };
}
