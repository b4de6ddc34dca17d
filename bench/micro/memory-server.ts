// How is a server measured without the kernel? In a network that is memory, with a clock that stands still.

import { resolveServerConfig } from '#src/config/effective.js';
import { Framer } from '#src/protocol/framer.js';
import {
  decodeServerMessage,
  encodeMessage,
  type ClientMessageToSend,
  type ServerMessage,
} from '#src/protocol/messages/index.js';
import type { OperationTypes } from '#src/protocol/messages/message-module.js';
import { TypeReceiver } from '#src/protocol/types/wire.js';
import { Writer } from '#src/protocol/writer.js';
import type { SharedPV } from '#src/channels/shared-pv.js';
import { Server } from '#src/server/server.js';
import { ManualClock } from '#src/transport/manual-clock.js';
import { MemoryNetwork, type MemoryHost } from '#src/transport/memory-network.js';
import type { TcpConnection } from '#src/transport/network.js';

const CHUNK_BYTES = 65_536;

export class MemoryServer {
  readonly clock = new ManualClock();
  readonly host: MemoryHost;
  readonly server: Server;

  private constructor(pvs: Readonly<Record<string, SharedPV>>) {
    this.host = new MemoryNetwork({ clock: this.clock, chunkBytes: [CHUNK_BYTES, CHUNK_BYTES] }).host('server');
    const config = { ...resolveServerConfig({ processEnvironment: {} }), autoBeacon: false };
    this.server = new Server({ clock: this.clock, network: this.host, config, pvs });
  }

  static async open(pvs: Readonly<Record<string, SharedPV>>): Promise<MemoryServer> {
    const opened = new MemoryServer(pvs);
    await opened.clock.until(opened.server.listen());
    return opened;
  }

  /** A client's link, past its validation. */
  async connect(): Promise<MemoryLink> {
    const to = { address: '127.0.0.1', port: this.server.tcpPort };
    const connection = await this.clock.until(this.host.connectTcp(to));
    const link = new MemoryLink(connection, this.clock);
    const greeting = {
      receiveBufferBytes: 0x10000,
      registrySize: 0x7fff,
      qos: 0,
      method: 'anonymous',
      credentials: null,
    };
    await link.ask('CONNECTION_VALIDATED', { command: 'CONNECTION_VALIDATION', ...greeting });
    return link;
  }
}

/** A client that says what it is told, and counts what it hears. */
export class MemoryLink {
  heardBytes = 0;
  readonly #connection: TcpConnection;
  readonly #clock: ManualClock;
  readonly #framer = new Framer({ expectFromServer: true });
  readonly #operations = new Map<number, OperationTypes>();
  readonly #types = new TypeReceiver();
  /** While somebody waits for a message; decoding all of them would be measured too. */
  #hear: ((message: ServerMessage) => void) | undefined;

  constructor(connection: TcpConnection, clock: ManualClock) {
    this.#connection = connection;
    this.#clock = clock;
    const ignore = (): void => undefined;
    connection.listen({ data: (chunk) => this.#receive(chunk), drain: ignore, close: ignore });
  }

  /** Sends a message and gives the first answer of a command. */
  async ask<C extends ServerMessage['command']>(
    command: C,
    message: ClientMessageToSend,
  ): Promise<Extract<ServerMessage, { command: C }>> {
    const heard: ServerMessage[] = [];
    this.#hear = (each) => heard.push(each);
    this.#connection.write(bytesOf(message));
    await this.#clock.settle();
    this.#hear = undefined;
    const answer = heard.find((each) => each.command === command);
    if (answer?.command !== command) throw new Error(`no ${command} was heard`);
    // Found by its command, which the compiler cannot carry over to the generic.
    return answer as Extract<ServerMessage, { command: C }>;
  }

  async createChannel(pvName: string): Promise<number> {
    const { sid } = await this.ask('CREATE_CHANNEL', { command: 'CREATE_CHANNEL', channels: [{ cid: 1, pvName }] });
    return sid;
  }

  /** Sends bytes and lets all happen that follows; the number of bytes that were heard. */
  exchange(bytes: Uint8Array): number {
    const before = this.heardBytes;
    this.#connection.write(bytes);
    this.#clock.advance(0);
    return this.heardBytes - before;
  }

  #receive(chunk: Uint8Array): void {
    this.heardBytes += chunk.length;
    const hear = this.#hear;
    if (hear === undefined) return;
    const context = { types: this.#types, typeOf: (ioid: number) => this.#operations.get(ioid) };
    this.#framer.push(chunk, (frame) => {
      const message = decodeServerMessage(frame, context);
      if (message !== undefined) hear(message);
    });
  }
}

/** Messages of a client as one piece of bytes. */
export function bytesOf(...messages: readonly ClientMessageToSend[]): Uint8Array {
  const writer = new Writer(false);
  for (const message of messages) encodeMessage(writer, message, { fromServer: false });
  return writer.detach(0);
}
