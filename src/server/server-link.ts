// What does a server do on one TCP connection? It reads requests, hands each to the one who answers it, and writes the
// answers of a whole turn of the event loop at once.

import type { TellLevel } from '../channels/channel.ts';
import { anonymousPeer, type Peer } from '../channels/peer.ts';
import type { Codec } from '../protocol/codecs/codec.ts';
import { pva } from '../protocol/codecs/pva.ts';
import { PvaError, reasonOf } from '../protocol/errors.ts';
import { Framer, type Frame } from '../protocol/framer.ts';
import { EndedOperations } from '../protocol/machines/ended-operations.ts';
import { SERVER_LINK, type ServerLinkEvent, type ServerLinkState } from '../protocol/machines/server-link.ts';
import { nextState } from '../protocol/machines/state-table.ts';
import { decodeClientMessage, type ClientMessage, type ServerMessageToSend } from '../protocol/messages/index.ts';
import type { DecodeContext } from '../protocol/messages/message-module.ts';
import { MESSAGE_SEVERITIES } from '../protocol/messages/message.ts';
import { TypeReceiver } from '../protocol/types/wire.ts';
import { cut } from '../protocol/text.ts';
import type { Endpoint, TcpConnection } from '../transport/network.ts';
import type { Link, LinkChannel, LinkOperation } from './link.ts';
import type { LinkHost } from './link-host.ts';
import type { LinkAccount } from './link-ledger.ts';
import { contain } from './contained.ts';
import { greet } from './greeting.ts';
import { HeldRequests } from './held-requests.ts';
import { mayAnswerMuch } from './large-answers.ts';
import { LinkOutput } from './link-output.ts';
import { RequestsInPlace } from './requests-in-place.ts';
import { dispatch } from './requests.ts';
import type { ServedPorts } from './search-answer.ts';
import { TurnBudget } from './turn-budget.ts';
import type { UnsentAccount } from './unsent-ledger.ts';

export interface ServerLinkOptions {
  readonly host: LinkHost;
  readonly connection: TcpConnection;
  /** What a search over this link is answered with. */
  readonly ports: ServedPorts;
  /** pvAccess by default. */
  readonly codec?: Codec;
  /** Called once, when the connection is gone. */
  readonly closed: (link: ServerLink) => void;
}

export class ServerLink implements Link {
  readonly host: LinkHost;
  readonly output: LinkOutput;
  readonly remote: Endpoint;
  readonly ports: ServedPorts;
  readonly codec: Codec;
  readonly bigEndian: boolean;
  /** By serverChannelID. */
  readonly channels = new Map<number, LinkChannel>();
  /** By requestID. */
  readonly operations = new Map<number, LinkOperation>();
  /** Who the client says it is; channels keep the peer they were opened for. */
  peer: Peer;
  openingCount = 0;
  /** What it takes of the memory. */
  readonly account: LinkAccount;
  readonly turn: TurnBudget;
  readonly #unsent: UnsentAccount;

  readonly #connection: TcpConnection;
  readonly #closed: (link: ServerLink) => void;
  readonly #framer: Framer;
  /** Undefined for a codec whose requests are not read where they lie. */
  readonly #inPlace: RequestsInPlace | undefined;
  readonly #accepts = (frame: Frame): void => this.#accept(frame);
  readonly #context: DecodeContext;
  /** Messages that came while reading was paused. */
  readonly #held = new HeldRequests();
  /** Operations of channels that have ended, for which puts may be on their way. */
  #gone: EndedOperations | undefined;
  #state: ServerLinkState = SERVER_LINK.initial;
  #lastHeardAt: number;
  #openedAt: number;
  #isReadingPaused = false;
  /** Messages of others come to their end first. */
  #isHeldBack = false;
  #nextSid = 1;

  constructor({ host, connection, ports, codec = pva, closed }: ServerLinkOptions) {
    const { clock, limits } = host;
    const bigEndian = codec.orderOf(host.bigEndian);
    this.host = host;
    this.codec = codec;
    this.bigEndian = bigEndian;
    this.remote = connection.remote;
    this.ports = ports;
    this.peer = anonymousPeer(connection.remote);
    this.#connection = connection;
    this.#closed = closed;
    this.#framer = new Framer({ expectFromServer: false, limits });
    this.#context = {
      types: new TypeReceiver({ limits }),
      typeOf: (ioid) => this.operations.get(ioid)?.types ?? this.#gone?.typesOf(ioid),
    };
    this.#inPlace = codec === pva ? new RequestsInPlace(this, this.#context.types) : undefined;
    this.#lastHeardAt = clock.now();
    this.#openedAt = this.#lastHeardAt;
    this.account = host.ledger.open({
      silentMs: () => clock.now() - this.#lastHeardAt,
      holdBack: () => this.#readOn(true),
      goOn: () => this.#readOn(false),
      shed: (reason) => this.shed(reason),
    });
    this.turn = new TurnBudget(clock, () => this.#resumeReading());
    this.#unsent = host.unsent.open({
      address: connection.remote.address,
      measure: () => this.output.tellUnsent(),
      stalledMs: () => this.output.stalledMs(clock.now()),
      wake: () => this.output.flushSoon(),
      shed: (reason) => this.shed(reason),
    });
    this.output = new LinkOutput({
      connection,
      clock,
      limits,
      unsent: this.#unsent,
      codec,
      bigEndian,
      readable: () => this.#resumeReading(),
    });
  }

  get state(): ServerLinkState {
    return this.#state;
  }

  get isClosed(): boolean {
    return this.#state === 'closed';
  }

  /** Greets the client and begins to listen to it. */
  open(): void {
    greet(this);
    this.output.flush();
    this.#connection.listen({
      data: (chunk) => this.#read(chunk),
      drain: () => this.output.look(),
      close: (cause) => this.#ended(cause),
    });
  }

  follow(event: ServerLinkEvent): void {
    this.#state = nextState(SERVER_LINK, this.#state, event);
  }

  send(message: ServerMessageToSend): void {
    if (this.#state === 'closed') return;
    this.output.send(message);
  }

  tell(ioid: number, text: string, level: TellLevel): void {
    this.send({ command: 'MESSAGE', ioid, severity: MESSAGE_SEVERITIES[level], text });
  }

  channelOf(sid: number): LinkChannel | undefined {
    const channel = this.channels.get(sid);
    if (channel === undefined) this.host.counters.unknownIds++;
    return channel;
  }

  takeSid(): number {
    do this.#nextSid = (this.#nextSid + 1) >>> 0;
    while (this.channels.has(this.#nextSid));
    return this.#nextSid;
  }

  addChannel(channel: LinkChannel): void {
    this.channels.set(channel.sid, channel);
  }

  addOperation(operation: LinkOperation): void {
    this.operations.set(operation.ioid, operation);
    this.#gone?.delete(operation.ioid);
    operation.channel.operations.set(operation.ioid, operation);
    this.account.begun(operation.keptBytes);
  }

  endOperation(operation: LinkOperation): void {
    this.operations.delete(operation.ioid);
    operation.channel.operations.delete(operation.ioid);
    this.account.ended(operation.keptBytes);
    operation.destroy();
  }

  endChannel(channel: LinkChannel): void {
    if (!this.channels.delete(channel.sid)) return;
    this.#unlisten(channel);
    for (const operation of channel.operations.values()) {
      const { command, ioid, types } = operation;
      if (command === 'PUT' || command === 'PUT_GET') (this.#gone ??= new EndedOperations()).add(ioid, types);
      this.endOperation(operation);
    }
    this.send({ command: 'DESTROY_CHANNEL', sid: channel.sid, cid: channel.cid });
  }

  /** Ends all channels to a name that the server has no more. */
  endChannelsNamed(pvName: string): void {
    for (const channel of this.channels.values()) if (channel.pvName === pvName) this.endChannel(channel);
  }

  /** Closes a link that is silent or takes nothing. Called every now and then. */
  check(now: number): void {
    if (this.#state === 'closed') return;
    const { connectionTimeoutMs, limits } = this.host;
    this.output.look();
    if (this.output.stalledMs(now) > limits.writeStallMs) {
      return this.fail(`took nothing of ${this.output.unsentBytes} bytes for ${limits.writeStallMs / 1_000} s`);
    }
    // Peers do not insist on validation before channels; whoever has neither only takes the place of another.
    if (this.#state === 'awaitingValidation' && this.channels.size + this.openingCount === 0) {
      const { handshakeMs } = limits;
      if (now - this.#openedAt > handshakeMs) return this.fail(`did not say who it is within ${handshakeMs / 1_000} s`);
    }
    // While we do not read, we cannot hear an echo either.
    if (this.#isReadingPaused || this.#isHeldBack) this.#lastHeardAt = now;
    if (now - this.#lastHeardAt > connectionTimeoutMs) this.fail(`sent nothing for ${connectionTimeoutMs / 1_000} s`);
  }

  /** The process was asleep for so long: nobody could be heard or sent anything. */
  forgive(sleptMs: number): void {
    this.#lastHeardAt += sleptMs;
    this.#openedAt += sleptMs;
    this.output.forgive(sleptMs);
  }

  /** Ends the link once nothing is under way on it, nor awaited if that counts; true when it has ended. */
  endWhenIdle(isAwaiting: boolean): boolean {
    if (this.#state === 'closed') return true;
    // What has come, or begun to come, is carried out first.
    if (this.openingCount > 0 || this.#held.bytes > 0 || this.#framer.pendingBytes > 0) return false;
    for (const { isUnderWay, isAwaited } of this.operations.values())
      if (isUnderWay || (isAwaiting && isAwaited)) return false;
    this.end();
    return true;
  }

  /** Memory that goes free when it is closed, as far as can be known, and not by itself. */
  get heldBytes(): number {
    return this.output.stuckBytes(this.host.clock.now()) + this.account.heldBytes;
  }

  /** Closes the connection at once, because of the memory that it takes. */
  shed(reason: string): void {
    if (this.#state === 'closed') return;
    this.host.counters.linksShed++;
    this.fail(reason);
  }

  /** Closes the connection after everything written is out. */
  end(): void {
    if (this.#state === 'closed') return;
    this.#close();
    this.#connection.end();
  }

  /** Closes the connection at once, for a fault of the client. */
  fail(reason: string): void {
    if (this.#state === 'closed') return;
    this.host.counters.linksFaulted++;
    this.host.notices.ofLink('linkClosed', 'warning', this.remote, reason);
    this.#close();
    this.#connection.destroy();
  }

  #read(chunk: Uint8Array): void {
    if (this.#state === 'closed') return;
    this.#lastHeardAt = this.host.clock.now();
    this.output.hold();
    try {
      this.#framer.push(chunk, this.#accepts, this.#inPlace);
    } catch (thrown) {
      this.#failOf(thrown);
    } finally {
      this.#inPlace?.forget();
      this.output.release();
      this.#tellHeld();
    }
  }

  /** Whether requests are to wait. */
  get isHolding(): boolean {
    return this.#isReadingPaused || this.output.isFull || this.turn.isSpent;
  }

  /** Whether requests are to wait that may be answered with much. */
  get isCrowded(): boolean {
    return this.host.unsent.isOver;
  }

  #accept(frame: Frame): void {
    if (this.isHolding) {
      this.#pauseReading();
      return this.#held.push(frame);
    }
    const message = decodeClientMessage(frame, this.#context, this.codec);
    if (message === undefined) return this.#skip(frame);
    if (this.#mustWait(message)) return this.#wait(message, frame.body.length);
    dispatch(this, message);
  }

  #skip({ header: { command, isControl } }: Frame): void {
    this.host.counters.unknownCommands++;
    const name = `${isControl ? 'control command' : 'command'} 0x${command.toString(16).padStart(2, '0')}`;
    this.host.notices.ofLink('linkWarning', 'debug', this.remote, `${name} is none of a client's, skipped`);
  }

  #mustWait(message: ClientMessage): boolean {
    return this.isCrowded && !this.#unsent.hasRoom && mayAnswerMuch(this, message);
  }

  /** Its answer would be one more that clients do not take; what comes behind it waits as well. */
  #wait(message: ClientMessage, bytes: number): void {
    this.#pauseReading();
    this.#held.setFirst(message, bytes);
    this.#unsent.wait();
  }

  /** No more is read until the client has taken some of what waits for it. */
  #pauseReading(): void {
    if (this.#isReadingPaused) return;
    this.#isReadingPaused = true;
    this.#connection.pause();
  }

  /** Reads on, unless messages of others are to come to their end first. */
  #readOn(isHeldBack: boolean = this.#isHeldBack): void {
    this.#isHeldBack = isHeldBack;
    if (isHeldBack) this.#connection.pause();
    else if (!this.#isReadingPaused) this.#connection.resume();
  }

  /** Tells what it holds of messages that are not carried out yet, and keeps of others. */
  #tellHeld(): void {
    if (this.#state === 'closed') return;
    this.account.arrived(this.#framer.pendingBytes);
    this.account.keeps(this.#held.bytes, this.#context.types.keptBytes);
    this.account.opens(this.channels.size, this.operations.size);
  }

  #resumeReading(): void {
    if (!this.#isReadingPaused || this.output.isFull || this.#state === 'closed') return;
    const { first } = this.#held;
    if (first !== undefined && this.#mustWait(first)) return this.#unsent.wait();
    this.#isReadingPaused = false;
    try {
      const message = this.#held.shiftFirst();
      if (message !== undefined) dispatch(this, message);
      while (!this.isHolding) {
        const frame = this.#held.shift();
        if (frame === undefined) return this.#readOn();
        this.#accept(frame);
      }
      this.#isReadingPaused = true;
    } catch (thrown) {
      this.#failOf(thrown);
    } finally {
      this.#tellHeld();
    }
  }

  /** The reason may repeat what the client sent, such as the name of a field. */
  #failOf(thrown: unknown): void {
    const reason = cut(reasonOf(thrown), this.host.limits.maxMessageCharacters);
    if (!(thrown instanceof PvaError)) {
      // Not the client's doing: the link is lost all the same, and the others go on.
      this.host.notices.ofLink('linkWarning', 'error', this.remote, `fault of this server: ${reason}`);
    }
    this.fail(reason);
  }

  #unlisten({ pvName, unlisten }: LinkChannel): void {
    contain(this, `${pvName}: the end of a wait for its end`, unlisten);
  }

  /** The connection is gone, by whomever. */
  #ended(cause: Error | undefined): void {
    if (this.#state !== 'closed') {
      const reason = cause === undefined ? 'disconnected' : `lost: ${cause.message}`;
      this.host.notices.ofLink('linkClosed', 'info', this.remote, reason);
      this.#close();
    }
    this.#closed(this);
  }

  #close(): void {
    this.follow('close');
    this.#framer.stop();
    this.#held.clear();
    this.output.close();
    for (const channel of this.channels.values()) this.#unlisten(channel);
    for (const operation of this.operations.values()) operation.destroy();
    this.channels.clear();
    this.operations.clear();
    this.account.close();
  }
}
