// A server that says to our client, byte for byte, what a recorded server said to another client.
//
// Only the ids that a client chooses (cid, ioid, search instance id) are put in the place of the recorded ones; types, values,
// statuses, byte order and segments are as recorded. It plays one recorded TCP connection.

import { readDatagram } from '../../src/protocol/datagram.ts';
import { Framer } from '../../src/protocol/framer.ts';
import { HEADER_BYTES } from '../../src/protocol/header.ts';
import { datagramContext, decodeClientMessage, type ClientMessage } from '../../src/protocol/messages/index.ts';
import type { Endpoint, TcpConnection, TcpListener, UdpSocket } from '../../src/transport/network.ts';
import type { MemoryHost } from '../../src/transport/memory-network.ts';
import {
  datagramMessagesOf,
  isBytes,
  LinkDecoder,
  messagesOf,
  type RecordedBytes,
  type RecordedConversation,
  type RecordedMessage,
} from './transcript.ts';
import { fromHex } from './vectors.ts';

/** One whole recorded message of the server, as bytes: several segments are one. */
interface Said {
  readonly bytes: Uint8Array;
  readonly command: string;
  readonly bigEndian: boolean;
  /** cid or ioid at the start of its body. */
  readonly id: number;
}

/** What a recorded client did with one ioid. */
export interface RecordedOperation {
  readonly command: 'GET' | 'PUT' | 'MONITOR' | 'RPC' | 'GET_FIELD';
  readonly pvName: string;
  readonly sid: number;
  readonly ioid: number;
  /** Its messages in both directions, in order. */
  readonly messages: readonly RecordedMessage[];
  /** Positions among all messages of the connection: of the first request and the last reply. */
  readonly startedAt: number;
  readonly endedAt: number;
}

const OPERATIONS: ReadonlySet<string> = new Set(['GET', 'PUT', 'MONITOR', 'RPC', 'GET_FIELD']);
const START = 0x04;
const GET = 0x40;

/** The operations of one recorded connection, in the order in which they were begun. */
export function operationsOf(recorded: RecordedConversation, conn: number): readonly RecordedOperation[] {
  const messages = messagesOf(recorded).filter((each) => each.conn === conn);
  const nameByCid = new Map<number, string>();
  const nameBySid = new Map<number, string>();
  const operations = new Map<number, RecordedOperation & { messages: RecordedMessage[]; endedAt: number }>();
  for (const [index, each] of messages.entries()) {
    const { message, dir } = each;
    if (message === undefined) continue;
    if (message.command === 'CREATE_CHANNEL') {
      if ('channels' in message) for (const { cid, pvName } of message.channels) nameByCid.set(cid, pvName);
      else nameBySid.set(message.sid, nameByCid.get(message.cid) ?? '');
    }
    if (!isOperation(message)) continue;
    const known = operations.get(message.ioid);
    if (known !== undefined) {
      known.messages.push(each);
      if (dir === 's2c') known.endedAt = index;
    } else if ('sid' in message) {
      const { command, sid, ioid } = message;
      const pvName = nameBySid.get(sid) ?? '';
      operations.set(ioid, { command, pvName, sid, ioid, messages: [each], startedAt: index, endedAt: index });
    }
  }
  return [...operations.values()];
}

function isOperation(
  message: NonNullable<RecordedMessage['message']>,
): message is Extract<NonNullable<RecordedMessage['message']>, { command: RecordedOperation['command'] }> {
  return OPERATIONS.has(message.command);
}

export class RecordedServer {
  readonly #recorded: RecordedConversation;
  readonly #conn: number;
  readonly #said: Said[];
  readonly #operations: RecordedOperation[];
  readonly #ioids = new Map<number, number>();
  #listener: TcpListener | undefined;
  #udp: UdpSocket | undefined;
  tcp: TcpConnection | undefined;

  private constructor(recorded: RecordedConversation, conn: number) {
    this.#recorded = recorded;
    this.#conn = conn;
    this.#said = wholeMessages(recorded.tcp.filter(isBytes).filter((item) => item.conn === conn && item.dir === 's2c'));
    this.#operations = [...operationsOf(recorded, conn)];
  }

  /** Listens at the recorded TCP port, and at UDP port 5076 for searches. */
  static async start(host: MemoryHost, recorded: RecordedConversation, conn: number): Promise<RecordedServer> {
    const server = new RecordedServer(recorded, conn);
    const port = recorded.connections.find((each) => each.conn === conn)?.serverPort ?? 5075;
    server.#listener = await host.listenTcp({ address: '0.0.0.0', port }, (tcp) => server.#accept(tcp));
    server.#udp = await host.bindUdp(
      { address: '0.0.0.0', port: 5076, shared: true },
      { message: (bytes, from) => server.#datagram(bytes, from), error: () => {} },
    );
    return server;
  }

  async stop(): Promise<void> {
    this.tcp?.destroy();
    this.#udp?.close();
    await this.#listener?.close();
  }

  #accept(tcp: TcpConnection): void {
    this.tcp = tcp;
    const framer = new Framer({ expectFromServer: false });
    const decoder = new LinkDecoder();
    tcp.listen({
      data: (chunk) =>
        framer.push(chunk, (frame) => {
          const message = decoder.decodeClient(frame);
          if (message !== undefined) this.#answer(message);
        }),
      drain: () => {},
      close: () => {},
    });
    // The greeting: what the server says before it hears anything.
    while (this.#said[0]?.command === 'SET_BYTE_ORDER' || this.#said[0]?.command === 'CONNECTION_VALIDATION') {
      this.#say(this.#said.shift());
    }
  }

  #answer(message: ClientMessage): void {
    switch (message.command) {
      case 'CONNECTION_VALIDATION':
        return this.#say(this.#take('CONNECTION_VALIDATED'));
      case 'ECHO':
        return this.#say(this.#take('ECHO'));
      case 'CREATE_CHANNEL':
        for (const { cid, pvName } of message.channels) {
          const recordedCid = this.#recordedCid(pvName);
          if (recordedCid !== undefined) this.#say(this.#take('CREATE_CHANNEL', recordedCid), cid);
        }
        return;
      case 'SEARCH':
        return this.#answerTcpSearch(message.names);
      case 'GET':
      case 'PUT':
      case 'RPC':
      case 'MONITOR':
      case 'GET_FIELD':
        return this.#answerOperation(message);
      default:
    }
  }

  #answerOperation(message: Extract<ClientMessage, { command: RecordedOperation['command'] }>): void {
    const { command, ioid, sid } = message;
    let recordedIoid = this.#ioids.get(ioid);
    if (recordedIoid === undefined) {
      const index = this.#operations.findIndex((each) => each.command === command && each.sid === sid);
      recordedIoid = this.#operations.splice(index, 1)[0]?.ioid;
      if (recordedIoid === undefined) return;
      this.#ioids.set(ioid, recordedIoid);
    }
    const isStart = command === 'MONITOR' && message.phase === 'exec' && (message.subcommand & START) !== 0;
    if (isStart && (message.subcommand & GET) === 0) return;
    if (command === 'MONITOR' && message.phase === 'exec' && !isStart) return;
    // A MESSAGE about the operation goes before its reply; a monitor gets all that it ever got.
    for (;;) {
      const said = this.#take(undefined, recordedIoid);
      if (said === undefined) return;
      this.#say(said, ioid);
      if (!isStart && said.command !== 'MESSAGE') return;
    }
  }

  /** The next recorded message of this command, or of any, with this id. */
  #take(command: string | undefined, id?: number): Said | undefined {
    const index = this.#said.findIndex(
      (said) =>
        (command === undefined
          ? OPERATIONS.has(said.command) || said.command === 'MESSAGE'
          : said.command === command) &&
        (id === undefined || said.id === id),
    );
    return index === -1 ? undefined : this.#said.splice(index, 1)[0];
  }

  #say(said: Said | undefined, id?: number): void {
    if (said === undefined) return;
    const bytes = said.bytes.slice();
    if (id !== undefined) new DataView(bytes.buffer).setUint32(HEADER_BYTES, id, !said.bigEndian);
    this.tcp?.write(bytes);
  }

  #recordedCid(pvName: string): number | undefined {
    for (const { conn, message } of messagesOf(this.#recorded)) {
      if (conn !== this.#conn || message?.command !== 'CREATE_CHANNEL' || !('channels' in message)) continue;
      const channel = message.channels.find((each) => each.pvName === pvName);
      if (channel !== undefined) return channel.cid;
    }
    return undefined;
  }

  // --- searches ------------------------------------------------------------------------------------------------

  #datagram(bytes: Uint8Array, from: Endpoint): void {
    for (const frame of readDatagram(bytes)) {
      const message = decodeClientMessage(frame, datagramContext());
      if (message?.command !== 'SEARCH') continue;
      for (const { instanceId, pvName } of message.names) {
        const response = this.#udpResponse(pvName);
        if (response !== undefined)
          this.#udp?.send(withInstanceId(response, instanceId), { ...from, port: message.responsePort });
      }
    }
  }

  /** The first recorded datagram that says where this connection's server has the PV. */
  #udpResponse(pvName: string): Uint8Array | undefined {
    const ids = new Set<number>();
    const port = this.#recorded.connections.find((each) => each.conn === this.#conn)?.serverPort;
    for (const { datagram, message } of datagramMessagesOf(this.#recorded)) {
      if (message?.command === 'SEARCH') {
        for (const name of message.names) if (name.pvName === pvName) ids.add(name.instanceId);
      }
      if (message?.command !== 'SEARCH_RESPONSE' || message.serverPort !== port || !message.found) continue;
      if (message.instanceIds.some((id) => ids.has(id))) return fromHex(datagram.hex);
    }
    return undefined;
  }

  #answerTcpSearch(names: readonly { readonly instanceId: number; readonly pvName: string }[]): void {
    for (const { instanceId, pvName } of names) {
      const recordedCid = this.#recordedCid(pvName);
      if (recordedCid === undefined) continue;
      const said = this.#said.find(({ command }) => command === 'SEARCH_RESPONSE');
      if (said !== undefined) this.tcp?.write(withInstanceId(said.bytes, instanceId));
    }
  }
}

/** GUID, sequence id, address, port, protocol `tcp`, found. */
const COUNT_AT = HEADER_BYTES + 12 + 4 + 16 + 2 + 4 + 1;

/** A recorded SEARCH_RESPONSE, for one PV with our id. */
function withInstanceId(recorded: Uint8Array, instanceId: number): Uint8Array {
  const bytes = new Uint8Array(COUNT_AT + 2 + 4);
  bytes.set(recorded.subarray(0, COUNT_AT));
  const littleEndian = ((bytes[2] ?? 0) & 0x80) === 0;
  const view = new DataView(bytes.buffer);
  view.setUint32(4, bytes.length - HEADER_BYTES, littleEndian);
  view.setUint16(COUNT_AT, 1, littleEndian);
  view.setUint32(COUNT_AT + 2, instanceId, littleEndian);
  return bytes;
}

function wholeMessages(items: readonly RecordedBytes[]): Said[] {
  const whole: Said[] = [];
  let segments = '';
  for (const { header, hex } of items) {
    segments += hex;
    if (header.segment === 'first' || header.segment === 'middle') continue;
    const bytes = fromHex(segments);
    segments = '';
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    const id = bytes.length >= HEADER_BYTES + 4 ? view.getUint32(HEADER_BYTES, !header.bigEndian) : 0;
    whole.push({ bytes, command: nameOf(header.commandName), bigEndian: header.bigEndian, id });
  }
  return whole;
}

function nameOf(commandName: string): string {
  return commandName.replace(/^CMD_/, '');
}
