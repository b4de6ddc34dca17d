// What is an operation of a client while it lives, and how does every kind of it begin and end?

import { counted } from '../../protocol/counted.ts';
import { RemoteProtocolError, reasonOf } from '../../protocol/errors.ts';
import { isPossible, nextState } from '../../protocol/machines/state-table.ts';
import {
  SERVER_OPERATION,
  type ServerOperationEvent,
  type ServerOperationState,
} from '../../protocol/machines/server-operation.ts';
import type { OperationCommand, OperationTypes } from '../../protocol/messages/message-module.ts';
import { isLast } from '../../protocol/messages/subcommand.ts';
import { error, type Status } from '../../protocol/status.ts';
import type { Link, LinkChannel, LinkOperation } from '../link.ts';

/** What every request of an operation says. */
export interface OperationRequest {
  readonly command: OperationCommand;
  readonly sid: number;
  readonly ioid: number;
  readonly subcommand: number;
}

/** One operation: a client's GET, PUT, MONITOR or RPC from INIT until it is destroyed. */
export abstract class Operation implements LinkOperation {
  readonly link: Link;
  readonly channel: LinkChannel;
  readonly ioid: number;
  readonly command: OperationCommand;
  #state: ServerOperationState = SERVER_OPERATION.initial;

  constructor(link: Link, channel: LinkChannel, request: OperationRequest) {
    this.link = link;
    this.channel = channel;
    this.ioid = request.ioid;
    this.command = request.command;
  }

  get state(): ServerOperationState {
    return this.#state;
  }

  get isUnderWay(): boolean {
    return false;
  }

  get keptBytes(): number {
    return 0;
  }

  get isAwaited(): boolean {
    return false;
  }

  /** What its messages are decoded with. */
  abstract readonly types: OperationTypes;

  /** Follows an event; what the table does not allow is a fault of this server. */
  follow(event: ServerOperationEvent): void {
    this.#state = nextState(SERVER_OPERATION, this.#state, event);
  }

  /** Whether the client may ask for this now, or is to be told that it cannot. */
  allows(event: ServerOperationEvent): boolean {
    return isPossible(SERVER_OPERATION, this.#state, event);
  }

  /** Called when a request is answered: with the reply to the last one the operation is gone. */
  endAfter(subcommand: number): void {
    if (isLast(subcommand)) this.link.endOperation(this);
  }

  /** The client's CANCEL_REQUEST: what is under way is given up. */
  cancel(): void {
    this.follow('cancel');
    this.stopWork();
  }

  /** Only what goes on by itself needs to do anything: each request is held against the rules as it comes. */
  withdraw(_status: Status): void {
    // Nothing goes on.
  }

  /** Its link calls this once it has forgotten the operation. Idempotent. */
  destroy(): void {
    this.follow('destroy');
    this.stopWork();
  }

  /** Gives up what is under way: aborts a handler, ends a subscription. */
  protected abstract stopWork(): void;
}

/**
 * The channel on which INIT is to make an operation; undefined when there is none, which happens when the PV ended
 * while the request was on its way.
 * @throws RemoteProtocolError when the ioid is in use
 */
export function channelForInit(link: Link, request: OperationRequest): LinkChannel | undefined {
  if (link.operations.has(request.ioid)) {
    throw new RemoteProtocolError(
      `${request.command} INIT with requestID ${request.ioid}, which is in use; a free one expected`,
    );
  }
  return link.channelOf(request.sid);
}

/**
 * Makes an operation and adds it to its link.
 * @returns OK or the reason why there is none
 */
export function begin<O extends Operation>(link: Link, make: () => O): O | Status {
  const { maxOperationsPerLink } = link.host.limits;
  if (link.operations.size >= maxOperationsPerLink) {
    return error(`this link has ${counted(maxOperationsPerLink, 'operation')}, no more are allowed on one`);
  }
  try {
    const operation = make();
    const { channel } = operation;
    // A handler that hears of the first subscriber may end the PV.
    if (link.channels.get(channel.sid) !== channel) {
      operation.destroy();
      return error(`${channel.pvName} has ended`);
    }
    link.addOperation(operation);
    operation.follow('accept');
    return operation;
  } catch (thrown) {
    return error(reasonOf(thrown));
  }
}

/**
 * The live operation that a request means. A late request for one that is gone is no error.
 * @throws RemoteProtocolError when the operation is of another command
 */
export function lookUp(link: Link, request: OperationRequest): LinkOperation | undefined {
  const operation = link.operations.get(request.ioid);
  if (operation === undefined || operation.channel.sid !== request.sid) {
    link.host.counters.unknownIds++;
    return undefined;
  }
  if (operation.command !== request.command) {
    throw new RemoteProtocolError(
      `${request.command} with requestID ${request.ioid}, which belongs to ${operation.command}`,
    );
  }
  return operation;
}

/** As `lookUp`, for the class of the command's operations. */
export function findOperation<O extends Operation>(
  link: Link,
  request: OperationRequest,
  kind: new (...args: never[]) => O,
): O | undefined {
  const operation = lookUp(link, request);
  return operation instanceof kind ? operation : undefined;
}

/** Answer to a request that comes before the one before it is answered. */
export function busy(operation: Operation): Status {
  return error(`${operation.command} of ${operation.channel.pvName} is still being carried out; wait for its reply`);
}

/** What a client is told of something thrown while its request was carried out. */
export function refusal(thrown: unknown): Status {
  const reason = reasonOf(thrown);
  return error(reason === '' ? 'the handler refused and gave no reason' : reason);
}
