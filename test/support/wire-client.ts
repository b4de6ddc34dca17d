// How do tests talk to a server in the protocol's own words? A client that sends what it is told and keeps what it hears.

import type { Codec } from '../../src/protocol/codecs/codec.ts';
import { pva } from '../../src/protocol/codecs/pva.ts';
import { Framer } from '../../src/protocol/framer.ts';
import {
  decodeServerMessage,
  encodeMessage,
  type ClientMessageToSend,
  type ServerMessage,
} from '../../src/protocol/messages/index.ts';
import type { OperationCommand, OperationTypes } from '../../src/protocol/messages/message-module.ts';
import { parsePvRequest } from '../../src/protocol/pv-request.ts';
import { coercePartial } from '../../src/protocol/values/coerce.ts';
import { TypeReceiver } from '../../src/protocol/types/wire.ts';
import { Writer } from '../../src/protocol/writer.ts';
import type { Network, TcpConnection } from '../../src/transport/network.ts';

export type MessageOf<C extends ServerMessage['command']> = Extract<ServerMessage, { command: C }>;

export interface WireClientOptions {
  readonly bigEndian?: boolean;
  /** pvAccess by default. */
  readonly codec?: Codec;
  /** Lets everything happen that can; called after each sending. Without a manual clock: waits for an answer. */
  readonly settle: (isAnswered: () => boolean) => Promise<void>;
}

export class WireClient {
  /** Everything heard and not taken yet. */
  readonly heard: ServerMessage[] = [];
  /** Bytes of each `data` event: how many writes it took. */
  readonly chunks: Uint8Array[] = [];
  isClosed = false;
  /** Bits of ACL_CHANGE by serverChannelID, as told when the channel was made. */
  readonly rights = new Map<number, number>();
  /** Messages heard so far, taken or not. */
  heardCount = 0;
  readonly connection: TcpConnection;
  readonly #options: WireClientOptions;
  readonly #operations = new Map<number, OperationTypes>();
  #nextId = 1;

  private constructor(connection: TcpConnection, options: WireClientOptions) {
    this.connection = connection;
    this.#options = options;
    const framer = new Framer({ expectFromServer: true });
    const context = { types: new TypeReceiver(), typeOf: (ioid: number) => this.#operations.get(ioid) };
    connection.listen({
      data: (chunk) => {
        this.chunks.push(Uint8Array.from(chunk));
        framer.push(chunk, (frame) => {
          const copy = { header: frame.header, body: Uint8Array.from(frame.body) };
          const message = decodeServerMessage(copy, context, options.codec);
          if (message !== undefined) this.#hear(message);
        });
      },
      drain: () => undefined,
      close: () => (this.isClosed = true),
    });
  }

  /** Connects; with `user` also says who it is, and without keeps silent. */
  static async connect(
    network: Network,
    port: number,
    options: WireClientOptions & { readonly address?: string },
  ): Promise<WireClient> {
    const connection = await network.connectTcp({ address: options.address ?? '127.0.0.1', port });
    return new WireClient(connection, options);
  }

  /** An id that no other request of this client has. */
  newId(): number {
    return this.#nextId++;
  }

  async send(...messages: ClientMessageToSend[]): Promise<void> {
    const { bigEndian = false, codec = pva } = this.#options;
    const writer = new Writer(codec.orderOf(bigEndian));
    for (const message of messages) encodeMessage(writer, message, { fromServer: false, codec });
    await this.sendBytes(writer.detach(0));
  }

  async sendBytes(bytes: Uint8Array): Promise<void> {
    const before = this.heardCount;
    this.connection.write(bytes);
    await this.#options.settle(() => this.isClosed || this.heardCount > before);
  }

  /** Takes the first message of a command out of what was heard. */
  take<C extends ServerMessage['command']>(command: C): MessageOf<C> {
    const index = this.heard.findIndex((message) => message.command === command);
    const [message] = index === -1 ? [] : this.heard.splice(index, 1);
    if (message?.command !== command) {
      const heard = this.heard.map((other) => other.command).join(', ');
      throw new Error(`no ${command} was heard, but ${heard === '' ? 'nothing' : heard}`);
    }
    // Narrowed by the check above, which the compiler cannot carry over to the generic.
    return message as MessageOf<C>;
  }

  /** Takes all messages of a command. */
  takeAll<C extends ServerMessage['command']>(command: C): MessageOf<C>[] {
    const taken: MessageOf<C>[] = [];
    while (this.heard.some((message) => message.command === command)) taken.push(this.take(command));
    return taken;
  }

  async validate(
    method = 'anonymous',
    credentials: Extract<ClientMessageToSend, { command: 'CONNECTION_VALIDATION' }>['credentials'] = null,
  ) {
    await this.send({
      command: 'CONNECTION_VALIDATION',
      receiveBufferBytes: 0x10000,
      registrySize: 0x7fff,
      qos: 0,
      method,
      credentials,
    });
    return this.take('CONNECTION_VALIDATED');
  }

  async createChannel(pvName: string): Promise<number> {
    await this.send({ command: 'CREATE_CHANNEL', channels: [{ cid: this.newId(), pvName }] });
    const { sid, cid, status } = this.take('CREATE_CHANNEL');
    for (const told of this.takeAll('ACL_CHANGE')) {
      if (told.form === 'rights' && told.cid === cid) this.rights.set(sid, told.rights);
    }
    if (status.message !== '') throw new Error(status.message);
    return sid;
  }

  /** INIT of an operation; the reply is taken by the caller, its type is remembered. */
  async init(command: Exclude<OperationCommand, 'MONITOR'>, sid: number, request = ''): Promise<number> {
    const ioid = this.newId();
    this.#operations.set(ioid, { command, type: null });
    await this.send({ command, phase: 'init', sid, ioid, subcommand: 0x08, pvRequest: parsePvRequest(request) });
    return ioid;
  }

  async initMonitor(sid: number, request = '', window?: number): Promise<number> {
    const ioid = this.newId();
    this.#operations.set(ioid, { command: 'MONITOR', type: null });
    const subcommand = window === undefined ? 0x08 : 0x88;
    await this.send({
      command: 'MONITOR',
      phase: 'init',
      sid,
      ioid,
      subcommand,
      pvRequest: parsePvRequest(request),
      window: window ?? 0,
    });
    return ioid;
  }

  async steer(sid: number, ioid: number, subcommand: number, acknowledged = 0): Promise<void> {
    await this.send({ command: 'MONITOR', phase: 'exec', sid, ioid, subcommand, acknowledged });
  }

  async get(sid: number, ioid: number, subcommand = 0) {
    await this.send({ command: 'GET', phase: 'exec', sid, ioid, subcommand });
    return this.take('GET');
  }

  /** Sends a put of what `patch` names; the caller takes the reply. */
  async put(sid: number, ioid: number, patch: unknown, subcommand = 0): Promise<void> {
    const type = this.#operations.get(ioid)?.type;
    if (type == null) throw new Error(`operation ${ioid} has no type`);
    const update = { type, ...coercePartial(type, patch) };
    await this.send({ command: 'PUT', phase: 'exec', sid, ioid, subcommand, update });
  }

  /** Updates of a monitor that were heard, taken. */
  updates(ioid: number): { readonly changed: number[]; readonly value: unknown; readonly overrun: number[] }[] {
    return this.takeAll('MONITOR').flatMap((message) =>
      message.phase === 'update' && message.ioid === ioid
        ? [{ changed: [...message.update.changed], value: message.update.value, overrun: [...message.overrun] }]
        : [],
    );
  }

  #hear(message: ServerMessage): void {
    this.heard.push(message);
    this.heardCount++;
    if ('phase' in message && message.phase === 'init' && 'type' in message && message.type !== null) {
      const known = this.#operations.get(message.ioid);
      if (known !== undefined) this.#operations.set(message.ioid, { ...known, type: message.type });
    }
    if (message.command === 'PUT_GET' && message.phase === 'init') {
      const { command, ioid, getType, putType } = message;
      this.#operations.set(ioid, { command, type: getType, putType });
    }
  }
}
