// How does a client keep one TCP connection to a server: connect, say who it is, stay alive, pass messages, close?
//
// What the messages mean is decided elsewhere (server-link.ts). Spec: Protocol-Prose, "Connection establishment".

import type { Codec } from '../protocol/codecs/codec.ts';
import { msgpack } from '../protocol/codecs/msgpack.ts';
import { pva } from '../protocol/codecs/pva.ts';
import { DisconnectedError, reasonOf, RemoteProtocolError } from '../protocol/errors.ts';
import { Framer, type Frame } from '../protocol/framer.ts';
import { DEFAULT_LIMITS, type Limits } from '../protocol/limits.ts';
import { CLIENT_LINK, type ClientLinkEvent, type ClientLinkState } from '../protocol/machines/client-link.ts';
import { isPossible, nextState } from '../protocol/machines/state-table.ts';
import {
  decodeServerMessage,
  encodeMessage,
  type ClientMessageToSend,
  type ServerMessage,
} from '../protocol/messages/index.ts';
import type { DecodeContext, OperationTypes } from '../protocol/messages/message-module.ts';
import { isSuccess, type Status } from '../protocol/status.ts';
import { string, structure } from '../protocol/types/type-desc.ts';
import type { AnyValue } from '../protocol/types/value-of.ts';
import { TypeReceiver } from '../protocol/types/wire.ts';
import { Segmenter } from '../protocol/segments.ts';
import { Writer } from '../protocol/writer.ts';
import type { Clock, TimerHandle } from '../transport/clocks.ts';
import { endpointText } from '../transport/network-error.ts';
import type { Endpoint, Network, TcpConnection } from '../transport/network.ts';
import type { Identity } from './identity.ts';
import { said } from './notices.ts';

/** What every connection of a context shares. */
export interface ConnectionSettings {
  readonly network: Network;
  readonly clock: Clock;
  readonly identity: Identity;
  /** Silence after which the connection is closed. */
  readonly connectionTimeoutMs: number;
  readonly limits?: Limits;
  /** How the bodies of messages become bytes; pvAccess by default. */
  readonly codec?: Codec | undefined;
  /** False: no echoes of our own, because the owner sends some. Default true. */
  readonly keepsAlive?: boolean;
}

/** How the server wants to be spoken to. */
export interface Greeting {
  /** Of the protocol. */
  readonly version: number;
  readonly bigEndian: boolean;
  /** Ways to prove who one is that the server offers, best last. */
  readonly methods: readonly string[];
  /** The one that we use. */
  readonly method: string;
}

/** What the owner of a connection is told. */
export interface ConnectionHandlers {
  /** There is a TCP connection; the server has not spoken yet. */
  connected?(): void;
  /** The server has offered validation, and is answered at once. */
  greeted?(greeting: Greeting): void;
  /** The server has validated us: channels can be created. */
  validated(): void;
  /** Any message but those of the handshake. What it throws closes the connection. */
  message(message: ServerMessage): void;
  /** What INIT agreed on for an operation. */
  typeOf(ioid: number): OperationTypes | undefined;
  warning(text: string): void;
  /** The connection is gone: exactly once, always, last. `wasLost`: it was not us who closed it. */
  closed(reason: DisconnectedError, wasLost: boolean): void;
}

/** Buffer and registry sizes that every peer sends and none reads; these are what pvxs says. */
const RECEIVE_BUFFER_BYTES = 0x1_0000;
const REGISTRY_SIZE = 0x7fff;
const CREDENTIALS = structure({ user: string, host: string });
/** An echo goes out after this part of the silence that is tolerated, but each 1 to 15 s: the rule of pvxs. */
const ECHO_PART = 3 / 8;
const MIN_ECHO_MS = 1_000;
const MAX_ECHO_MS = 15_000;
/** What waited for less than this may have waited for our own kernel, which tells nothing of the server. */
const KERNEL_MS = 500;

export class Connection {
  readonly server: Endpoint;
  /** `host:port` */
  readonly serverText: string;
  readonly #settings: ConnectionSettings;
  readonly #handlers: ConnectionHandlers;
  readonly #types: TypeReceiver;
  readonly #framer: Framer;
  readonly #connecting = new AbortController();
  readonly #timers: TimerHandle[] = [];
  #state: ClientLinkState = CLIENT_LINK.initial;
  #tcp: TcpConnection | undefined;
  readonly #segmenter: Segmenter;
  readonly #codec: Codec;
  #writer: Writer;
  #isOrderSet = false;
  #isFlushDue = false;
  #hasAnswered = false;
  #speaksOtherwise = false;
  #heardAt = 0;
  /** Bytes that TCP was given. */
  #sentBytes = 0;
  /** While many of them wait: how many do not any more, and since when it is so many. */
  #waiting: { readonly takenBytes: number; readonly since: number } | undefined;

  constructor(server: Endpoint, settings: ConnectionSettings, handlers: ConnectionHandlers) {
    this.server = server;
    this.serverText = endpointText(server);
    this.#settings = settings;
    this.#handlers = handlers;
    const limits = settings.limits ?? DEFAULT_LIMITS;
    this.#codec = settings.codec ?? pva;
    this.#writer = new Writer(this.#codec.orderOf(false));
    this.#types = new TypeReceiver({ limits, fromServer: true });
    this.#segmenter = new Segmenter(limits.maxSegmentBytes);
    this.#framer = new Framer({ expectFromServer: true, limits });
  }

  get state(): ClientLinkState {
    return this.#state;
  }

  /** The server has greeted us in another codec than the one that we speak: it will do so again. */
  get speaksOtherwise(): boolean {
    return this.#speaksOtherwise;
  }

  /** Bytes that the server has not taken yet. */
  get unsentBytes(): number {
    return this.#writer.length + (this.#tcp?.bufferedBytes ?? 0);
  }

  /** Begins to connect, after `delayMs` if the server was here a moment ago. */
  open(delayMs = 0): void {
    if (delayMs > 0) this.#after(delayMs, () => this.#connect());
    else this.#connect();
  }

  /** Sends at the end of this turn, together with what else is sent in it. Nothing happens on a closed connection. */
  send(message: ClientMessageToSend): void {
    if (this.#state === 'closed') return;
    const start = this.#writer.length;
    encodeMessage(this.#writer, message, { fromServer: false, codec: this.#codec });
    this.#segmenter.encoded(start, this.#writer.length);
    this.#flushSoon();
  }

  /** What is sent and not yet written out is dropped. Idempotent. */
  close(reason: DisconnectedError): void {
    this.#close(reason, false);
  }

  /**
   * Like `close`, but what was sent is written out first. To a server that has never taken us nothing was said that it
   * would miss, and it may never take that either.
   */
  end(reason: DisconnectedError): void {
    if (this.#state !== 'validated') return this.close(reason);
    this.#flush();
    this.#tcp?.end();
    this.#tcp = undefined;
    this.close(reason);
  }

  // --- TCP -----------------------------------------------------------------------------------------------------

  #connect(): void {
    const { network } = this.#settings;
    network.connectTcp(this.server, { signal: this.#connecting.signal }).then(
      (tcp) => (this.#state === 'closed' ? tcp.destroy() : this.#connected(tcp)),
      // Whoever tried says where to.
      (error: unknown) => this.#close(new DisconnectedError(reasonOf(error), { cause: error }), true),
    );
  }

  #connected(tcp: TcpConnection): void {
    const { clock, connectionTimeoutMs } = this.#settings;
    this.#tcp = tcp;
    this.#follow('connected');
    this.#handlers.connected?.();
    this.#heardAt = clock.now();
    this.#watchSilence(connectionTimeoutMs);
    const echoMs = Math.min(MAX_ECHO_MS, Math.max(MIN_ECHO_MS, connectionTimeoutMs * ECHO_PART));
    if (this.#settings.keepsAlive !== false) this.#timers.push(clock.every(echoMs, () => this.#echo()));
    // Nobody needs a server that stays connected and never gets to the point.
    this.#after(connectionTimeoutMs, () => {
      if (this.#state !== 'validated') this.#lose(`no CONNECTION_VALIDATED for ${connectionTimeoutMs / 1000} s`);
    });
    tcp.listen({
      data: (chunk) => this.#receive(chunk),
      drain: () => this.#seeTaken(),
      close: (error) => this.#lose(error === undefined ? 'the server closed it' : reasonOf(error)),
    });
  }

  /** Echoes go out all the time: a server judges by what it hears, however much it sends itself. */
  #echo(): void {
    const { clock, connectionTimeoutMs } = this.#settings;
    this.#seeTaken();
    if (this.#waiting !== undefined && clock.now() - this.#waiting.since >= connectionTimeoutMs) {
      return this.#lose(`the server has read nothing for ${connectionTimeoutMs / 1000} s`);
    }
    // Nothing may be sent before the server has spoken.
    if (this.#hasAnswered) this.send({ command: 'ECHO', payload: new Uint8Array() });
  }

  #watchSilence(waitMs: number): void {
    const { clock, connectionTimeoutMs } = this.#settings;
    this.#after(waitMs, () => {
      this.#seeTaken();
      const silentMs = clock.now() - this.#heardAt;
      if (silentMs < connectionTimeoutMs) return this.#watchSilence(connectionTimeoutMs - silentMs);
      this.#lose(`the server was silent for ${connectionTimeoutMs / 1000} s`);
    });
  }

  /** Who takes what it is sent is alive, and has nothing to say before it has all of a large put. */
  #seeTaken(): void {
    if (this.#waiting === undefined || this.#tcp === undefined) return;
    const { takenBytes, since } = this.#waiting;
    const now = this.#settings.clock.now();
    const waitingBytes = this.#tcp.bufferedBytes;
    const taken = this.#sentBytes - waitingBytes;
    if (taken > takenBytes && now - since >= KERNEL_MS) this.#heardAt = now;
    if (waitingBytes === 0) this.#waiting = undefined;
    else if (taken > takenBytes) this.#waiting = { takenBytes: taken, since: now };
  }

  #after(ms: number, act: () => void): void {
    const timer = this.#settings.clock.after(ms, () => {
      this.#timers.splice(this.#timers.indexOf(timer), 1);
      act();
    });
    this.#timers.push(timer);
  }

  #flushSoon(): void {
    if (this.#isFlushDue) return;
    this.#isFlushDue = true;
    this.#settings.clock.soon(() => {
      this.#isFlushDue = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#tcp === undefined || this.#writer.length === 0) return;
    let hasRoom = true;
    for (const piece of this.#segmenter.pieces(this.#writer.detach())) {
      this.#sentBytes += piece.length;
      hasRoom = this.#tcp.write(piece);
    }
    if (hasRoom) return;
    this.#waiting ??= { takenBytes: this.#sentBytes - this.#tcp.bufferedBytes, since: this.#settings.clock.now() };
  }

  // --- messages ------------------------------------------------------------------------------------------------

  #receive(chunk: Uint8Array): void {
    this.#heardAt = this.#settings.clock.now();
    try {
      this.#framer.push(chunk, (frame) => this.#accept(frame));
    } catch (error) {
      const text = `connection closed to ${this.serverText}: ${reasonOf(error)}`;
      this.#close(new DisconnectedError(text, { cause: error }), true);
    }
  }

  #accept(frame: Frame): void {
    const context = { types: this.#types, typeOf: (ioid: number) => this.#handlers.typeOf(ioid) };
    const message = this.#decoded(frame, context);
    // A command of a later protocol: skipped.
    if (message === undefined) return;
    switch (message.command) {
      case 'MARK':
      case 'ACKNOWLEDGE':
      case 'ECHO_RESPONSE':
      case 'AUTHNZ':
        return;
      case 'SET_BYTE_ORDER':
        return this.#setOrder(message.bigEndian);
      case 'ECHO_REQUEST':
        return this.send({ command: 'ECHO_RESPONSE', value: message.value });
      case 'CONNECTION_VALIDATION':
        // Without SET_BYTE_ORDER the server's own order is the best guess.
        if (!this.#isOrderSet) this.#setOrder(frame.header.bigEndian);
        return this.#answerValidation(message, frame.header.version);
      case 'CONNECTION_VALIDATED':
        return this.#validated(message.status);
      default:
        return this.#handlers.message(message);
    }
  }

  #decoded(frame: Frame, context: DecodeContext): ServerMessage | undefined {
    try {
      return decodeServerMessage(frame, context, this.#codec);
    } catch (error) {
      if (this.#hasAnswered) throw error;
      // Headers are alike, so the first body is what shows that the port speaks otherwise.
      const [codec, other] = this.#codec === pva ? ['pvAccess', 'MessagePack'] : ['MessagePack', 'pvAccess'];
      this.#speaksOtherwise = isGreeting(frame, context, this.#codec === pva ? msgpack : pva);
      const what = this.#speaksOtherwise
        ? `it speaks ${other}, not ${codec}`
        : `its first message is neither ${codec} nor ${other}`;
      throw new RemoteProtocolError(`${what} (${reasonOf(error)})`, { cause: error });
    }
  }

  #setOrder(asked: boolean): void {
    const bigEndian = this.#codec.orderOf(asked);
    this.#isOrderSet = true;
    if (this.#writer.bigEndian === bigEndian) return;
    this.#flush();
    this.#writer = new Writer(bigEndian);
  }

  #answerValidation({ methods }: { readonly methods: readonly string[] }, version: number): void {
    this.#followPeer('validation');
    if (this.#hasAnswered) return;
    this.#hasAnswered = true;
    const isNamed = methods.includes('ca');
    const method = isNamed ? 'ca' : 'anonymous';
    this.#handlers.greeted?.({ version, bigEndian: this.#writer.bigEndian, methods, method });
    const { user, host } = this.#settings.identity;
    const credentials: AnyValue = isNamed ? { type: CREDENTIALS, value: { user, host } } : null;
    this.send({
      command: 'CONNECTION_VALIDATION',
      receiveBufferBytes: RECEIVE_BUFFER_BYTES,
      registrySize: REGISTRY_SIZE,
      qos: 0,
      method,
      credentials,
    });
    if (isNamed || methods.includes('anonymous')) return;
    this.#handlers.warning(`offers no method that we know (${said(methods.join(', '))}); trying anonymous`);
  }

  #validated(status: Status): void {
    if (this.#state !== 'validated') {
      this.#followPeer('validated');
      this.#handlers.validated();
    }
    // pvxs goes on both as server and as client; what is not allowed will be refused one by one.
    if (!isSuccess(status))
      this.#handlers.warning(`refused our credentials: ${said(status.message)}; going on without`);
  }

  // --- state ---------------------------------------------------------------------------------------------------

  #close(reason: DisconnectedError, wasLost: boolean): void {
    if (this.#state === 'closed') return;
    this.#follow('close');
    for (const timer of this.#timers) timer.cancel();
    this.#framer.stop();
    this.#connecting.abort(reason);
    this.#tcp?.destroy();
    this.#handlers.closed(reason, wasLost);
  }

  #follow(event: ClientLinkEvent): void {
    this.#state = nextState(CLIENT_LINK, this.#state, event);
  }

  #followPeer(event: ClientLinkEvent): void {
    if (!isPossible(CLIENT_LINK, this.#state, event)) {
      throw new RemoteProtocolError(`${event} came while the link is ${this.#state}`);
    }
    this.#follow(event);
  }

  #lose(reason: string): void {
    this.#close(new DisconnectedError(`connection to ${this.serverText} lost: ${reason}`), true);
  }
}

/** Whether this is how a server begins that speaks the codec. */
function isGreeting(frame: Frame, context: DecodeContext, codec: Codec): boolean {
  try {
    return decodeServerMessage(frame, context, codec)?.command === 'CONNECTION_VALIDATION';
  } catch {
    return false;
  }
}
