// What was said in a recorded conversation (test/vectors/transcripts and operations), as bytes and as messages of this
// library?
//
//   const recorded = loadTranscript('pvxs-put-then-get');
//   for (const { dir, frame, message } of messagesOf(recorded)) ...      every message, both directions
//   streamOf(recorded, 0, 'c2s')                                         all bytes that the client of connection 0 sent

import type { Codec } from '../../src/protocol/codecs/codec.ts';
import { pva } from '../../src/protocol/codecs/pva.ts';
import { readdirSync, readFileSync } from 'node:fs';

import { readDatagram } from '../../src/protocol/datagram.ts';
import { Framer, type Frame } from '../../src/protocol/framer.ts';
import type { Limits } from '../../src/protocol/limits.ts';
import {
  datagramContext,
  decodeClientMessage,
  decodeServerMessage,
  type ClientMessage,
  type ServerMessage,
} from '../../src/protocol/messages/index.ts';
import type { DecodeContext, OperationTypes } from '../../src/protocol/messages/message-module.ts';
import { TypeReceiver } from '../../src/protocol/types/wire.ts';
import { fromHex } from './vectors.ts';

export type Direction = 'c2s' | 's2c';

export interface RecordedHeader {
  readonly magic: number;
  readonly version: number;
  readonly flags: number;
  readonly control: boolean;
  readonly segment: 'none' | 'first' | 'middle' | 'last';
  readonly fromServer: boolean;
  readonly bigEndian: boolean;
  readonly command: number;
  readonly commandName: string;
  readonly payloadSize: number;
}

export interface RecordedDatagram {
  readonly t: number;
  readonly dir: Direction | 's2s';
  readonly src: string;
  readonly dst: string;
  readonly hex: string;
  readonly headers: readonly RecordedHeader[];
}

export interface RecordedBytes {
  readonly conn: number;
  readonly t: number;
  readonly dir: Direction;
  readonly header: RecordedHeader;
  readonly hex: string;
}

export interface RecordedEvent {
  readonly conn: number;
  readonly t: number;
  readonly dir: Direction;
  readonly event: 'connect' | 'fin' | 'rst';
}

export interface RecordedClient {
  readonly tool: string;
  readonly args: readonly string[];
  readonly t: number;
  readonly environment?: Readonly<Record<string, string>>;
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

export interface RecordedConversation {
  readonly name: string;
  readonly what: string;
  readonly client: string;
  readonly server: string;
  readonly byteOrder: 'LE' | 'BE' | 'mixed';
  readonly connections: readonly {
    readonly conn: number;
    readonly clientPort: number;
    readonly serverPort: number;
  }[];
  readonly udp: readonly RecordedDatagram[];
  readonly tcp: readonly (RecordedBytes | RecordedEvent)[];
  readonly clients: readonly RecordedClient[];
  readonly stdout: string;
  readonly notes?: readonly string[];
}

/** One message of a conversation, its segments joined. */
export interface RecordedMessage {
  readonly conn: number;
  /** Milliseconds from the first packet; of a message in segments that of the last. */
  readonly t: number;
  readonly dir: Direction;
  /** With a body of its own. */
  readonly frame: Frame;
  /** undefined if the command is not known. */
  readonly message: ClientMessage | ServerMessage | undefined;
}

/** One message of a datagram. */
export interface RecordedDatagramMessage {
  readonly datagram: RecordedDatagram;
  readonly frame: Frame;
  readonly message: ClientMessage | ServerMessage | undefined;
}

const TRANSCRIPTS = new URL('../vectors/transcripts/', import.meta.url);
const OPERATIONS = new URL('../vectors/operations/', import.meta.url);

/** The recordings of tools with servers of two implementations. */
export function transcriptNames(): readonly string[] {
  return namesIn(TRANSCRIPTS);
}

/** The recordings of PUT_GET, PROCESS, ARRAY and segments, pvkit on either side in some of them. */
export function operationNames(): readonly string[] {
  return namesIn(OPERATIONS);
}

/** All recordings; no two have the same name. */
export function recordedNames(): readonly string[] {
  return [...transcriptNames(), ...operationNames()];
}

function namesIn(folder: URL): readonly string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .map((name) => name.slice(0, -'.json'.length))
    .toSorted();
}

export function loadTranscript(name: string): RecordedConversation {
  const folder = operationNames().includes(name) ? OPERATIONS : TRANSCRIPTS;
  // The file is the project's own copy; test/vectors/README.md gives this shape.
  return JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8')) as RecordedConversation;
}

export function isBytes(item: RecordedBytes | RecordedEvent): item is RecordedBytes {
  return 'hex' in item;
}

/** All bytes of one direction of one connection. */
export function streamOf({ tcp }: RecordedConversation, conn: number, dir: Direction): Uint8Array {
  const items = tcp.filter(isBytes).filter((item) => item.conn === conn && item.dir === dir);
  return fromHex(items.map((item) => item.hex).join(''));
}

/**
 * Both directions of one link: reads frames of client and server in the order in which they came, keeping type
 * registries and what INIT agreed on. An operation is never forgotten, so late replies are read like the others.
 */
export class LinkDecoder {
  readonly operations = new Map<number, OperationTypes>();
  readonly fromClient: DecodeContext;
  readonly fromServer: DecodeContext;

  readonly #codec: Codec;

  constructor(limits?: Limits, codec: Codec = pva) {
    this.#codec = codec;
    const options = limits === undefined ? {} : { limits };
    const typeOf = (ioid: number): OperationTypes | undefined => this.operations.get(ioid);
    this.fromClient = { types: new TypeReceiver(options), typeOf };
    this.fromServer = { types: new TypeReceiver(options), typeOf };
  }

  contextOf(frame: Frame): DecodeContext {
    return frame.header.fromServer ? this.fromServer : this.fromClient;
  }

  decode(frame: Frame): ClientMessage | ServerMessage | undefined {
    return frame.header.fromServer ? this.decodeServer(frame) : this.decodeClient(frame);
  }

  decodeClient(frame: Frame): ClientMessage | undefined {
    const message = decodeClientMessage(frame, this.fromClient, this.#codec);
    switch (message?.command) {
      case 'GET':
      case 'PUT':
      case 'PUT_GET':
      case 'MONITOR':
      case 'ARRAY':
        if (message.phase === 'init') this.operations.set(message.ioid, { command: message.command, type: null });
        return message;
      default:
        return message;
    }
  }

  decodeServer(frame: Frame): ServerMessage | undefined {
    const message = decodeServerMessage(frame, this.fromServer, this.#codec);
    switch (message?.command) {
      case 'GET':
      case 'PUT':
      case 'MONITOR':
      case 'ARRAY':
        if (message.phase === 'init') {
          this.operations.set(message.ioid, { command: message.command, type: message.type });
        }
        return message;
      case 'PUT_GET':
        if (message.phase === 'init') {
          const { ioid, command, getType, putType } = message;
          this.operations.set(ioid, { command, type: getType, putType });
        }
        return message;
      default:
        return message;
    }
  }
}

/** Every message of every connection, in the order in which they went over the wire. */
export function messagesOf(recorded: RecordedConversation): readonly RecordedMessage[] {
  const links = new Map(
    recorded.connections.map(({ conn }) => [
      conn,
      {
        decoder: new LinkDecoder(),
        c2s: new Framer({ expectFromServer: false }),
        s2c: new Framer({ expectFromServer: true }),
      },
    ]),
  );
  const messages: RecordedMessage[] = [];
  for (const { conn, t, dir, hex } of recorded.tcp.filter(isBytes)) {
    const link = links.get(conn);
    if (link === undefined) throw new Error(`${recorded.name}: connection ${conn} is not listed`);
    link[dir].push(fromHex(hex), (frame) => {
      const own = ownFrame(frame);
      messages.push({ conn, t, dir, frame: own, message: link.decoder.decode(own) });
    });
  }
  return messages;
}

/** Every message of every datagram. */
export function datagramMessagesOf({ udp }: RecordedConversation): readonly RecordedDatagramMessage[] {
  return udp.flatMap((datagram) =>
    [...readDatagram(fromHex(datagram.hex))].map((frame) => {
      const context = datagramContext();
      const decode = frame.header.fromServer ? decodeServerMessage : decodeClientMessage;
      return { datagram, frame, message: decode(frame, context) };
    }),
  );
}

/** A frame that may be kept. */
export function ownFrame({ header, body }: Frame): Frame {
  return { header, body: body.slice() };
}
