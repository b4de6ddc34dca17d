// What did a recorded client see (test/vectors/transcripts): the types, updates and replies it was sent, in order?

import { readdirSync, readFileSync } from 'node:fs';

import { BitSet } from '../../src/protocol/bit-set.ts';
import { Reader } from '../../src/protocol/reader.ts';
import { STATUS_WARNING, decodeStatus } from '../../src/protocol/status.ts';
import type { TypeDesc } from '../../src/protocol/types/type-desc.ts';
import type { PvValue } from '../../src/protocol/types/value-of.ts';
import { TypeReceiver } from '../../src/protocol/types/wire.ts';
import { anyCodecOf } from '../../src/protocol/values/codec.ts';
import { fromHex } from './vectors.ts';

export interface RecordedMessage {
  readonly conn: number;
  readonly dir: 'c2s' | 's2c';
  readonly event?: string;
  readonly hex?: string;
  readonly header?: {
    readonly bigEndian: boolean;
    readonly commandName: string;
    readonly segment: 'none' | 'first' | 'middle' | 'last';
  };
}

export interface RecordedRun {
  readonly tool: string;
  readonly args: readonly string[];
  readonly stdout: string;
  readonly exitCode: number;
}

export interface Transcript {
  readonly name: string;
  readonly connections: readonly { readonly conn: number; readonly serverPort: number }[];
  readonly tcp: readonly RecordedMessage[];
  readonly clients: readonly RecordedRun[];
}

export function transcriptNames(): readonly string[] {
  return readdirSync(new URL('../vectors/transcripts/', import.meta.url))
    .filter((name) => name.endsWith('.json'))
    .map((name) => name.slice(0, -'.json'.length))
    .toSorted();
}

export function transcript(name: string): Transcript {
  const url = new URL(`../vectors/transcripts/${name}.json`, import.meta.url);
  // The file is the project's own copy; test/vectors/README.md gives this shape.
  return JSON.parse(readFileSync(url, 'utf8')) as Transcript;
}

/** Something a server told a client about one PV. */
export interface Seen {
  readonly command: 'GET' | 'MONITOR' | 'RPC' | 'GET_FIELD';
  readonly pvName: string;
  readonly serverPort: number;
  readonly type: TypeDesc;
  /** Of GET and MONITOR. */
  readonly changed?: BitSet;
  /** Not of GET_FIELD. */
  readonly value?: PvValue;
}

const INIT = 0x08;

/** One connection's memory: what the ids of its messages stand for. */
interface Link {
  readonly types: TypeReceiver;
  readonly nameByCid: Map<number, string>;
  readonly nameBySid: Map<number, string>;
  readonly operations: Map<number, { readonly pvName: string; type?: TypeDesc; value?: PvValue }>;
  readonly segments: string[];
}

export function seenIn({ tcp, connections }: Transcript): readonly Seen[] {
  const links = new Map<number, Link>();
  const seen: Seen[] = [];
  for (const { conn, dir, hex, header } of tcp) {
    if (hex === undefined || header === undefined) continue;
    const link = links.get(conn) ?? newLink();
    links.set(conn, link);
    const body = hex.slice(16);
    if (header.segment !== 'none') link.segments.push(body);
    if (header.segment === 'first' || header.segment === 'middle') continue;
    const bytes = fromHex(header.segment === 'last' ? link.segments.splice(0).join('') : body);
    const reader = new Reader(bytes, header.bigEndian);
    if (dir === 'c2s') readRequest(link, header.commandName, reader);
    else {
      link.types.beginMessage(bytes.length);
      const serverPort = connections.find((connection) => connection.conn === conn)?.serverPort ?? 0;
      const reply = readReply(link, header.commandName, reader);
      if (reply !== undefined) seen.push({ ...reply, serverPort });
    }
  }
  return seen;
}

function newLink(): Link {
  return {
    types: new TypeReceiver(),
    nameByCid: new Map(),
    nameBySid: new Map(),
    operations: new Map(),
    segments: [],
  };
}

function readRequest(link: Link, command: string, reader: Reader): void {
  switch (command) {
    case 'CREATE_CHANNEL': {
      for (let count = reader.u16(); count > 0; count--) link.nameByCid.set(reader.u32(), reader.string());
      return;
    }
    case 'GET':
    case 'MONITOR':
    case 'RPC': {
      const pvName = link.nameBySid.get(reader.u32()) ?? '';
      const ioid = reader.u32();
      if ((reader.u8() & INIT) !== 0) link.operations.set(ioid, { pvName });
      return;
    }
    case 'GET_FIELD': {
      const pvName = link.nameBySid.get(reader.u32()) ?? '';
      link.operations.set(reader.u32(), { pvName });
    }
  }
}

function readReply(link: Link, command: string, reader: Reader): Omit<Seen, 'serverPort'> | undefined {
  switch (command) {
    case 'CREATE_CHANNEL': {
      const pvName = link.nameByCid.get(reader.u32()) ?? '';
      link.nameBySid.set(reader.u32(), pvName);
      return undefined;
    }
    case 'GET_FIELD': {
      const operation = link.operations.get(reader.u32());
      if (operation === undefined || decodeStatus(reader).type > STATUS_WARNING) return undefined;
      const type = link.types.decode(reader);
      return type === null ? undefined : { command, pvName: operation.pvName, type };
    }
    case 'GET':
    case 'MONITOR':
    case 'RPC':
      return readOperation(link, command, reader);
    default:
      return undefined;
  }
}

function readOperation(
  link: Link,
  command: 'GET' | 'MONITOR' | 'RPC',
  reader: Reader,
): Omit<Seen, 'serverPort'> | undefined {
  const operation = link.operations.get(reader.u32());
  const subcommand = reader.u8();
  const isUpdate = command === 'MONITOR' && (subcommand & (INIT | 0x10)) === 0;
  if (operation === undefined || (!isUpdate && decodeStatus(reader).type > STATUS_WARNING)) return undefined;
  const { pvName } = operation;
  if ((subcommand & INIT) !== 0) {
    const type = command === 'RPC' ? null : link.types.decode(reader);
    if (type !== null) operation.type = type;
    return undefined;
  }
  if (command === 'RPC') {
    const type = link.types.decode(reader);
    return type === null ? undefined : { command, pvName, type, value: anyCodecOf(type).decode(reader, link.types) };
  }
  const { type } = operation;
  if (type === undefined || reader.remaining === 0) return undefined;
  const changed = BitSet.decode(reader);
  operation.value = anyCodecOf(type).decodeMasked(reader, changed, link.types, operation.value);
  return { command, pvName, type, changed, value: operation.value };
}
