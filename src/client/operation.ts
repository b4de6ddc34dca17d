// How does one request after the other run on a channel, each with its reply? For every operation but MONITOR.
//
// Which reply may come when is in the table (machines/client-operation.ts); any other closes the link, as in pvxs.

import { DisconnectedError, RemoteProtocolError, StatusError } from '../protocol/errors.ts';
import {
  CLIENT_OPERATION,
  type ClientOperationEvent,
  type ClientOperationState,
} from '../protocol/machines/client-operation.ts';
import { nextState } from '../protocol/machines/state-table.ts';
import type { ClientMessageToSend, ServerMessage } from '../protocol/messages/index.ts';
import type { OperationCommand, OperationTypes } from '../protocol/messages/message-module.ts';
import { isSuccess, STATUS_FATAL, type Status } from '../protocol/status.ts';
import type { StructureType, TypeDesc } from '../protocol/types/type-desc.ts';
import type { ActiveChannel, Receiver } from './active-channel.ts';
import type { Call } from './call.ts';
import type { Channel } from './channel.ts';
import { said } from './notices.ts';

export interface Exchange<R> {
  readonly message: ClientMessageToSend;
  /** The reply if it is the right one, else undefined: then the server is at fault. */
  readonly pick: (reply: ServerMessage) => R | undefined;
  /** 'GET INIT', for messages. */
  readonly name: string;
  readonly isInit?: boolean;
  /** Why there may be no reply at all, for the error of a call that waits for it in vain. */
  readonly hint?: string;
  /** The server may have acted on it although its reply never came: it must not be sent again unasked. */
  readonly hasEffects?: boolean;
}

interface Pending {
  readonly name: string;
  readonly hasEffects: boolean;
  /** False when the reply is not the one that is awaited. */
  take(reply: ServerMessage): boolean;
  reject(reason: unknown): void;
}

export class Operation implements Receiver {
  readonly command: OperationCommand | 'GET_FIELD';
  readonly active: ActiveChannel;
  readonly ioid: number;
  types: OperationTypes | undefined;
  /** Why the channel ended, when the operation can be begun anew on the next. */
  repeatableLoss: DisconnectedError | undefined;
  /** The server refused it, and has more room now. */
  #isRoomMade = false;
  #isKept = false;
  /** Its caller gave up, at once; it ends a moment later. */
  #isGivenUp = false;
  #state: ClientOperationState = CLIENT_OPERATION.initial;
  #pending: Pending | undefined;
  /** Whether the server holds something for it. */
  #isHeld = false;

  constructor(active: ActiveChannel, command: OperationCommand | 'GET_FIELD') {
    this.active = active;
    this.command = command;
    this.ioid = active.link.open(this);
  }

  /** Whether another request can be sent at once. */
  get isIdle(): boolean {
    return this.#state === 'idle' && this.active.isAlive;
  }

  /** Whether it rests until it is used again. */
  get isKept(): boolean {
    return this.#isKept;
  }

  /** It rests until `resume`, unless its link ends it before. */
  rest(): void {
    this.#isKept = true;
    this.active.link.kept.add(this);
  }

  resume(): void {
    this.#isKept = false;
    this.active.link.kept.delete(this);
  }

  /**
   * Sends a request and waits for its reply.
   * @throws StatusError when the server refuses, DisconnectedError when the channel ends
   */
  async request<R extends { readonly status: Status }>(call: Call, exchange: Exchange<R>): Promise<R> {
    const { name, pick, hint, isInit = false, hasEffects = false } = exchange;
    const { pvName, server } = this.active;
    // Lost after the last reply: nobody would ever answer.
    if (this.repeatableLoss !== undefined) throw this.repeatableLoss;
    call.waitingFor = () => `found at ${server}, no reply to ${name}${hint === undefined ? '' : ` (${hint})`}`;
    const reply = await call.wait<R>((resolve, reject) => {
      this.#follow(isInit ? 'init' : 'execute');
      this.#isHeld = true;
      this.#pending = {
        name,
        hasEffects,
        take: (message) => {
          const picked = pick(message);
          if (picked === undefined) return false;
          resolve(picked);
          return true;
        },
        reject,
      };
      this.active.link.send(exchange.message);
      return () => {
        this.#pending = undefined;
        this.#isGivenUp = true;
      };
    });
    if (isSuccess(reply.status)) return reply;
    if (isInit) {
      // What is refused at INIT does not exist.
      this.#isHeld = false;
      this.#isRoomMade = this.active.link.kept.makeRoom(call);
    }
    throw refusal(pvName, server, name, reply.status);
  }

  /** Whether what ended it leaves nothing behind and may not happen to a new one. */
  isRepeatable(error: unknown): boolean {
    return this.#isRoomMade || error === this.repeatableLoss;
  }

  receive(message: ServerMessage): void {
    const pending = this.#pending;
    // Who hears a notice may give up while the reply is in the same chunk.
    if (this.#state === 'done' || this.#isGivenUp) return;
    // The server answers twice: the next reading has an operation of its own, so that it gets no old reply.
    if (pending === undefined && this.#isKept) return this.end();
    if (pending?.take(message) !== true) {
      const awaited = pending === undefined ? 'no reply is awaited' : `a reply to ${pending.name} is awaited`;
      throw new RemoteProtocolError(`${message.command} reply for request ${this.ioid} out of turn: ${awaited}`);
    }
    this.#pending = undefined;
    // At once: the next message of the same chunk may need it.
    this.types = typesAgreed(message) ?? this.types;
    this.#follow(this.#state === 'initializing' ? 'initialized' : 'executed');
    if (this.command === 'GET_FIELD') this.#isHeld = false;
  }

  lost(reason: DisconnectedError): void {
    const pending = this.#pending;
    this.#pending = undefined;
    this.#isHeld = false;
    if (this.#isKept) this.resume();
    this.#follow('lose');
    if (pending?.hasEffects === true) {
      const text = `${this.active.pvName}: whether ${pending.name} was carried out is not known: ${reason.message}`;
      return pending.reject(new DisconnectedError(text, { cause: reason }));
    }
    this.repeatableLoss = reason;
    pending?.reject(reason);
  }

  /** Frees what the server holds; what it is carrying out is cancelled. Idempotent. */
  end(): void {
    if (this.#state === 'done') return;
    if (this.#isKept) this.resume();
    const { link, sid, isAlive } = this.active;
    // Some servers give up their work only when they are told to cancel it, and only forget it otherwise.
    const isUnderWay = this.#state === 'executing' && this.command !== 'GET_FIELD';
    this.#follow('end');
    if (isUnderWay && isAlive) link.send({ command: 'CANCEL_REQUEST', sid, ioid: this.ioid });
    link.release(this.ioid, this.#isHeld && isAlive);
  }

  #follow(event: ClientOperationEvent): void {
    this.#state = nextState(CLIENT_OPERATION, this.#state, event);
  }
}

/**
 * Runs `act` with an operation on the channel, as often as it takes: when the channel is lost before anything had
 * effects, it begins anew on the next one, and when the server may have had no room, once there is more; until the call
 * ends.
 */
export async function withOperation<R>(
  call: Call,
  channel: Channel,
  command: OperationCommand | 'GET_FIELD',
  act: (operation: Operation) => Promise<R>,
): Promise<R> {
  for (;;) {
    const active = await channel.whenActive(call);
    // Lost again between the news of it and this turn.
    if (!active.isAlive) continue;
    const operation = new Operation(active, command);
    try {
      return await act(operation);
    } catch (error) {
      if (!operation.isRepeatable(error) || call.isEnded) throw error;
    } finally {
      if (!operation.isKept) operation.end();
    }
  }
}

function typesAgreed(message: ServerMessage): OperationTypes | undefined {
  switch (message.command) {
    case 'GET':
    case 'PUT':
    case 'ARRAY':
      return message.phase === 'init' ? { command: message.command, type: message.type } : undefined;
    case 'PUT_GET': {
      if (message.phase !== 'init') return undefined;
      const { command, getType, putType } = message;
      return { command, type: getType, putType };
    }
    default:
      return undefined;
  }
}

/** The error for a Status that is no success. */
export function refusal(pvName: string, server: string, name: string, status: Status): StatusError {
  const text = status.message === '' ? 'no reason given' : said(status.message);
  return new StatusError(
    `${pvName}: ${name} refused by ${server}: ${text}`,
    status.callTree,
    status.type === STATUS_FATAL,
  );
}

/** The type of a channel, which every peer has as a structure. */
export function requireStructure(type: TypeDesc | null, name: string): StructureType {
  if (type?.kind === 'structure') return type;
  throw new RemoteProtocolError(
    `${name} is answered with the type ${type === null ? 'null' : type.kind}, a structure expected`,
  );
}
