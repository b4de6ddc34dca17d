// How does the load generator reach a server? One connection: handshake, channels and INIT with the protocol's own messages.
//
// What is measured goes around them: requests are bytes made before, replies are recognised by reply-scanner.ts. Messages
// that are not recognised are decoded here like those of any client.

import type { Codec } from '../protocol/codecs/codec.ts';
import {
  DisconnectedError,
  type PvaError,
  reasonOf,
  RemoteProtocolError,
  StatusError,
  TimeoutError,
} from '../protocol/errors.ts';
import type { Frame } from '../protocol/framer.ts';
import type { Limits } from '../protocol/limits.ts';
import { decodeServerMessage, encodeMessage } from '../protocol/messages/index.ts';
import type { ClientMessageToSend, ServerMessage } from '../protocol/messages/index.ts';
import type { OperationTypes } from '../protocol/messages/message-module.ts';
import { SUBCOMMAND_INIT, SUBCOMMAND_START } from '../protocol/messages/subcommand.ts';
import type { PvRequest } from '../protocol/pv-request.ts';
import { isSuccess, type Status } from '../protocol/status.ts';
import { string, structure, type StructureType } from '../protocol/types/type-desc.ts';
import type { PvValue, StructureValue } from '../protocol/types/value-of.ts';
import { TypeReceiver } from '../protocol/types/wire.ts';
import type { TypedUpdate } from '../protocol/values/update.ts';
import { Writer } from '../protocol/writer.ts';
import type { Clock, TimerHandle } from '../transport/clocks.ts';
import { endpointText } from '../transport/network-error.ts';
import type { Endpoint, Network, TcpConnection } from '../transport/network.ts';
import { bodyFormOf } from './body-form.ts';
import type { OpenLinks } from './open-links.ts';
import { ReplyScanner } from './reply-scanner.ts';

export interface LinkSettings {
  readonly server: Endpoint;
  readonly network: Network;
  readonly clock: Clock;
  readonly limits: Limits;
  readonly codec: Codec;
  readonly timeoutMs: number;
  /** Of the buffer that each connection reads into. */
  readonly readBytes: number;
  readonly user: string;
  readonly host: string;
  /** Those of this load. */
  readonly links: OpenLinks;
}

/** What the owner of a link is told. */
export interface LinkHandlers {
  /** Bytes are here; `matched` and `reply` follow. */
  woken?(): void;
  /** All messages of those bytes have been told. */
  rested?(): void;
  /** A reply that is exactly what `expect` said. */
  matched?(ioid: number): void;
  /** Any other reply to an operation, or the beginning or end of a channel that nobody waits for; the frame is valid until this returns. */
  reply(message: ServerMessage, frame: Frame): void;
  /** See `ScannerHandlers.raw`. */
  raw?(command: number, id: number, bytes: Buffer, at: number, size: number): boolean;
  /** The link is gone, not by our own doing. */
  lost(reason: PvaError): void;
}

export type OperationName = 'GET' | 'PUT' | 'MONITOR';

/** Codes of the commands that are recognised by their bytes. */
export const COMMAND_CODES = { GET: 0x0a, PUT: 0x0b, MONITOR: 0x0d } as const satisfies Record<OperationName, number>;
/** All peers send these two and none reads them; the values are those of pvxs. */
const RECEIVE_BUFFER_BYTES = 0x1_0000;
const REGISTRY_SIZE = 0x7fff;
const CREDENTIALS = structure({ user: string, host: string });
/** Servers close links that say nothing; a monitor says nothing else. */
const ECHO_MS = 10_000;
const OPENED_AT_ONCE = 4;

interface Waiter {
  resolve(message: ServerMessage): void;
  reject(reason: unknown): void;
}

export class LoadLink {
  readonly serverText: string;
  handlers: LinkHandlers | undefined;
  readonly #settings: LinkSettings;
  readonly #tcp: TcpConnection;
  readonly #scanner: ReplyScanner;
  readonly #receiver: TypeReceiver;
  readonly #types = new Map<number, OperationTypes>();
  readonly #waiters = new Map<string, Waiter>();
  readonly #context;
  #writer: Writer;
  #isOrderSet = false;
  #echo: TimerHandle | undefined;
  #end: PvaError | undefined;

  private constructor(tcp: TcpConnection, settings: LinkSettings, command: OperationName) {
    this.#tcp = tcp;
    this.#settings = settings;
    this.serverText = endpointText(settings.server);
    this.#writer = new Writer(settings.codec.orderOf(false));
    this.#receiver = new TypeReceiver({ limits: settings.limits, fromServer: true });
    this.#context = { types: this.#receiver, typeOf: (ioid: number) => this.#types.get(ioid) };
    this.#scanner = new ReplyScanner(COMMAND_CODES[command], bodyFormOf(settings.codec), settings.limits, {
      matched: (ioid) => this.handlers?.matched?.(ioid),
      raw: (code, id, bytes, at, size) => this.handlers?.raw?.(code, id, bytes, at, size) === true,
      frame: (frame) => this.#accept(frame),
    });
  }

  /**
   * Opens connections a few at a time, and adds each to `links` as soon as it is open. A connection past the listen backlog
   * of the server waits a second and longer, and pvxs has one of four.
   */
  static async openMany(
    count: number,
    settings: LinkSettings,
    command: OperationName,
    links: LoadLink[],
  ): Promise<void> {
    while (links.length < count) {
      const group = Array.from({ length: Math.min(OPENED_AT_ONCE, count - links.length) }, () =>
        LoadLink.open(settings, command),
      );
      const opened = await Promise.allSettled(group);
      links.push(...opened.flatMap((each) => (each.status === 'fulfilled' ? each.value : [])));
      for (const each of opened) if (each.status === 'rejected') throw each.reason;
    }
  }

  /** Connects and waits until the server takes us. `command` is the operation whose replies are recognised by bytes. */
  static async open(settings: LinkSettings, command: OperationName): Promise<LoadLink> {
    const { network, clock, server, timeoutMs, links } = settings;
    const readBuffer = Buffer.allocUnsafe(settings.readBytes);
    const options = { timeoutMs, readBuffer, isBusyPolled: true };
    const tcp = await links.connecting((signal) => network.connectTcp(server, { ...options, signal }));
    const link = new LoadLink(tcp, settings, command);
    links.add(link);
    const validated = link.#answer('validated', 'CONNECTION_VALIDATED');
    tcp.listen({
      data: (chunk) => link.#receive(chunk),
      drain: () => {},
      close: (error) => link.#lose(error === undefined ? 'the server closed it' : reasonOf(error)),
    });
    try {
      const message = await validated;
      if (message.command === 'CONNECTION_VALIDATED' && !isSuccess(message.status)) {
        throw new StatusError(`${link.serverText} refused our credentials: ${message.status.message}`);
      }
    } catch (thrown) {
      link.close();
      throw thrown;
    }
    link.#echo = clock.every(ECHO_MS, () => link.send({ command: 'ECHO', payload: new Uint8Array() }));
    return link;
  }

  get isOpen(): boolean {
    return this.#end === undefined;
  }

  get codec(): Codec {
    return this.#settings.codec;
  }

  get bigEndian(): boolean {
    return this.#writer.bigEndian;
  }

  /** Creates a channel; gives its server id. @throws StatusError when the server refuses */
  async createChannel(cid: number, pvName: string): Promise<number> {
    const answer = this.#answer(`channel ${cid}`, `${pvName}: CREATE_CHANNEL`);
    this.send({ command: 'CREATE_CHANNEL', channels: [{ cid, pvName }] });
    const message = await answer;
    if (message.command !== 'CREATE_CHANNEL') throw this.#outOfTurn(message, 'CREATE_CHANNEL');
    this.#require(message.status, `${pvName}: CREATE_CHANNEL`);
    return message.sid;
  }

  /** Creates an operation; gives the type of its data. @throws StatusError when the server refuses */
  async init(
    command: OperationName,
    sid: number,
    ioid: number,
    pvRequest: PvRequest,
    pvName: string,
  ): Promise<StructureType> {
    const answer = this.#answer(`request ${ioid}`, `${pvName}: ${command} INIT`);
    const init = { phase: 'init', sid, ioid, subcommand: SUBCOMMAND_INIT, pvRequest } as const;
    this.send(command === 'MONITOR' ? { ...init, command, window: 0 } : { ...init, command });
    const message = await answer;
    if (message.command !== command || message.phase !== 'init') throw this.#outOfTurn(message, `${command} INIT`);
    this.#require(message.status, `${pvName}: ${command} INIT`);
    if (message.type?.kind === 'structure') return message.type;
    throw new RemoteProtocolError(`${pvName}: ${command} INIT is answered without a structure`);
  }

  /** The field `value`, read once, outside of what is measured. @throws StatusError when the server refuses */
  async readOnce(sid: number, ioid: number, pvName: string): Promise<PvValue | undefined> {
    // INIT was answered with a structure.
    return ((await this.get(sid, ioid, pvName))?.value as StructureValue | undefined)?.['value'];
  }

  /** One reply to an operation of `init`. @throws StatusError when the server refuses */
  async get(sid: number, ioid: number, pvName: string): Promise<TypedUpdate | null> {
    const answer = this.#answer(`request ${ioid}`, `${pvName}: GET`);
    this.send({ command: 'GET', phase: 'exec', sid, ioid, subcommand: 0 });
    const message = await answer;
    if (message.command !== 'GET' || message.phase !== 'exec') throw this.#outOfTurn(message, 'GET');
    this.#require(message.status, `${pvName}: GET`);
    return message.update;
  }

  /** Sends a put that was encoded before, and waits for its acknowledgement. @throws StatusError when the server refuses */
  async put(ioid: number, pvName: string, bytes: Buffer): Promise<void> {
    const answer = this.#answer(`request ${ioid}`, `${pvName}: PUT`);
    this.write(bytes);
    const message = await answer;
    if (message.command !== 'PUT' || message.phase !== 'exec') throw this.#outOfTurn(message, 'PUT');
    this.#require(message.status, `${pvName}: PUT`);
  }

  /** Begins the updates of a monitor of `init`; they come as `reply`. */
  startMonitor(sid: number, ioid: number): void {
    this.send({ command: 'MONITOR', phase: 'exec', sid, ioid, subcommand: SUBCOMMAND_START, acknowledged: 0 });
  }

  /** Ends an operation; the server does not answer. */
  destroyOperation(sid: number, ioid: number): void {
    this.#types.delete(ioid);
    this.send({ command: 'DESTROY_REQUEST', sid, ioid });
  }

  /** Stops reading until `resume`: what the server sends piles up. */
  pause(): void {
    this.#tcp.pause();
  }

  resume(): void {
    this.#tcp.resume();
  }

  /** Replies to this request are recognised by this body from now on. */
  expect(ioid: number, body: Buffer | undefined): void {
    this.#scanner.expect(ioid, body);
  }

  expected(ioid: number): Buffer | undefined {
    return this.#scanner.expected(ioid);
  }

  /** A message as the bytes that `write` takes. */
  encode(message: ClientMessageToSend): Buffer {
    const writer = new Writer(this.bigEndian);
    encodeMessage(writer, message, { fromServer: false, codec: this.codec });
    const bytes = writer.view();
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  send(message: ClientMessageToSend): void {
    this.write(this.encode(message));
  }

  /** The bytes must stay as they are until the server has answered. */
  write(bytes: Buffer): void {
    if (this.#end === undefined) this.#tcp.write(bytes);
  }

  /** Idempotent; nothing is told afterwards. */
  close(): void {
    this.#finish(new DisconnectedError(`connection to ${this.serverText} closed`));
  }

  // -------------------------------------------------------------------------------------------------------------

  #receive(chunk: Uint8Array): void {
    this.handlers?.woken?.();
    try {
      this.#scanner.push(asBuffer(chunk));
    } catch (thrown) {
      return this.#lose(reasonOf(thrown));
    }
    this.handlers?.rested?.();
  }

  #accept(frame: Frame): void {
    const message = decodeServerMessage(frame, this.#context, this.codec);
    if (message === undefined) return;
    switch (message.command) {
      case 'SET_BYTE_ORDER':
        return this.#setOrder(message.bigEndian);
      case 'ECHO_REQUEST':
        return this.send({ command: 'ECHO_RESPONSE', value: message.value });
      case 'CONNECTION_VALIDATION':
        if (!this.#isOrderSet) this.#setOrder(frame.header.bigEndian);
        return this.#sayWhoWeAre(message.methods.includes('ca'));
      case 'CONNECTION_VALIDATED':
        return this.#settle('validated', message);
      case 'CREATE_CHANNEL':
        if (this.#waiters.has(`channel ${message.cid}`)) return this.#settle(`channel ${message.cid}`, message);
        return this.handlers?.reply(message, frame);
      case 'GET':
      case 'PUT':
      case 'MONITOR':
        if (message.phase === 'init') this.#types.set(message.ioid, { command: message.command, type: message.type });
        if (this.#waiters.has(`request ${message.ioid}`)) return this.#settle(`request ${message.ioid}`, message);
        return this.handlers?.reply(message, frame);
      case 'DESTROY_CHANNEL':
        return this.handlers?.reply(message, frame);
      default:
        return;
    }
  }

  #setOrder(asked: boolean): void {
    const bigEndian = this.codec.orderOf(asked);
    this.#isOrderSet = true;
    if (this.#writer.bigEndian !== bigEndian) this.#writer = new Writer(bigEndian);
  }

  #sayWhoWeAre(isNamed: boolean): void {
    const { user, host } = this.#settings;
    this.send({
      command: 'CONNECTION_VALIDATION',
      receiveBufferBytes: RECEIVE_BUFFER_BYTES,
      registrySize: REGISTRY_SIZE,
      qos: 0,
      method: isNamed ? 'ca' : 'anonymous',
      credentials: isNamed ? { type: CREDENTIALS, value: { user, host } } : null,
    });
  }

  /** Waits for the one answer that has this key. */
  #answer(key: string, what: string): Promise<ServerMessage> {
    const { clock, timeoutMs } = this.#settings;
    return new Promise((resolve, reject) => {
      if (this.#end !== undefined) return reject(this.#end);
      const timer = clock.after(timeoutMs, () => {
        this.#waiters.delete(key);
        reject(new TimeoutError(`${what}: no answer from ${this.serverText} within ${timeoutMs / 1000} s`));
      });
      this.#waiters.set(key, {
        resolve: (message) => {
          timer.cancel();
          resolve(message);
        },
        reject: (reason) => {
          timer.cancel();
          reject(reason);
        },
      });
    });
  }

  #settle(key: string, message: ServerMessage): void {
    const waiter = this.#waiters.get(key);
    this.#waiters.delete(key);
    waiter?.resolve(message);
  }

  #require(status: Status, what: string): void {
    if (!isSuccess(status)) throw new StatusError(`${what} refused by ${this.serverText}: ${status.message}`);
  }

  #outOfTurn(message: ServerMessage, awaited: string): RemoteProtocolError {
    return new RemoteProtocolError(`${message.command} came from ${this.serverText} where ${awaited} is awaited`);
  }

  #lose(why: string): void {
    if (this.#end !== undefined) return;
    const reason = new DisconnectedError(`connection to ${this.serverText} lost: ${why}`);
    this.#finish(reason);
    this.handlers?.lost(reason);
  }

  #finish(reason: PvaError): void {
    if (this.#end !== undefined) return;
    this.#end = reason;
    this.#settings.links.delete(this);
    this.#echo?.cancel();
    this.#tcp.destroy();
    for (const waiter of this.#waiters.values()) waiter.reject(reason);
    this.#waiters.clear();
  }
}

/** Whether the server takes a channel or a monitor away, which nobody asked for. */
export function endsSubscription(message: ServerMessage): boolean {
  return message.command === 'DESTROY_CHANNEL' || (message.command === 'MONITOR' && message.phase === 'final');
}

/** What Node reads into is a Buffer already; other networks may give plain arrays. */
function asBuffer(chunk: Uint8Array): Buffer {
  return Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
}
