// How does a client subscribe on one channel? MONITOR: INIT agrees on the type, start lets updates come, until either side
// ends it. What outlives the channel (the queue, the reader) is in ../monitor.ts.
//
// Spec: Protocol-Operation-Monitor.

import { type DisconnectedError, RemoteProtocolError } from '../../protocol/errors.ts';
import type { ClientMonitorQueue } from '../../protocol/machines/client-monitor-queue.ts';
import {
  CLIENT_OPERATION,
  type ClientOperationEvent,
  type ClientOperationState,
} from '../../protocol/machines/client-operation.ts';
import { isPossible, nextState } from '../../protocol/machines/state-table.ts';
import type { ServerMessage } from '../../protocol/messages/index.ts';
import type { OperationTypes } from '../../protocol/messages/message-module.ts';
import type { MonitorFinalReply, MonitorInitReply, MonitorUpdateReply } from '../../protocol/messages/monitor.ts';
import {
  SUBCOMMAND_INIT,
  SUBCOMMAND_PIPELINE,
  SUBCOMMAND_START,
  SUBCOMMAND_STOP,
} from '../../protocol/messages/subcommand.ts';
import type { PvRequest } from '../../protocol/pv-request.ts';
import { isSuccess } from '../../protocol/status.ts';
import type { StructureType, TypeDesc } from '../../protocol/types/type-desc.ts';
import type { ActiveChannel, Receiver } from '../active-channel.ts';
import { refusal, requireStructure } from '../operation.ts';
import { readingOf } from './get.ts';

export interface SubscriptionPlan {
  readonly pvRequest: PvRequest;
  readonly isPipelined: boolean;
  /** What comes in goes here; it also keeps the full value that updates are read over. */
  readonly queue: Pick<ClientMonitorQueue, 'queueSize' | 'base' | 'begin' | 'push'>;
}

/** What whoever subscribed is told. */
export interface SubscriptionHandlers {
  /** The server accepted; updates are of this type. False: do not start yet. */
  begun(type: StructureType): boolean;
  /** Something is in the queue. */
  arrived(): void;
  /** The server ended it, or its channel cannot be watched; nothing is told afterwards. */
  finished(error?: unknown): void;
  /** The server did not accept it; nothing is told afterwards. */
  refused(error: Error): void;
  /** The channel is gone; nothing is told afterwards. */
  lost(reason: DisconnectedError): void;
}

export class Subscription implements Receiver {
  readonly command = 'MONITOR';
  readonly active: ActiveChannel;
  readonly #plan: SubscriptionPlan;
  readonly #handlers: SubscriptionHandlers;
  readonly #ioid: number;
  #state: ClientOperationState = CLIENT_OPERATION.initial;
  #type: StructureType | undefined;

  constructor(active: ActiveChannel, plan: SubscriptionPlan, handlers: SubscriptionHandlers) {
    this.active = active;
    this.#plan = plan;
    this.#handlers = handlers;
    this.#ioid = active.link.open(this);
    this.#follow('init');
    active.link.send({
      command: 'MONITOR',
      phase: 'init',
      sid: active.sid,
      ioid: this.#ioid,
      subcommand: plan.isPipelined ? SUBCOMMAND_INIT | SUBCOMMAND_PIPELINE : SUBCOMMAND_INIT,
      pvRequest: plan.pvRequest,
      window: plan.queue.queueSize,
    });
  }

  get types(): OperationTypes | undefined {
    if (this.#type === undefined) return undefined;
    const { base } = this.#plan.queue;
    return base === undefined
      ? { command: 'MONITOR', type: this.#type }
      : { command: 'MONITOR', type: this.#type, base };
  }

  /** Lets updates come; nothing if they do. */
  start(): void {
    if (this.#state !== 'idle') return;
    this.#follow('execute');
    this.#request(SUBCOMMAND_START);
  }

  /** Lets no more updates come; those under way still do. */
  stop(): void {
    if (this.#state !== 'executing') return;
    this.#follow('executed');
    this.#request(SUBCOMMAND_STOP);
  }

  /** Tells the server that so many updates have been read. */
  acknowledge(count: number): void {
    if (this.#state === 'idle' || this.#state === 'executing') this.#request(SUBCOMMAND_PIPELINE, count);
  }

  receive(message: ServerMessage): void {
    if (message.command !== 'MONITOR' || this.#state === 'done') return;
    switch (message.phase) {
      case 'init':
        return this.#begin(message);
      case 'update':
        return this.#update(message);
      case 'final':
        return this.#finish(message);
      case 'outOfScope':
        throw this.#outOfTurn('an update');
    }
  }

  lost(reason: DisconnectedError): void {
    if (this.#state === 'done') return;
    this.#follow('end');
    this.#handlers.lost(reason);
  }

  /** Ends the server's side. Idempotent. */
  end(): void {
    if (this.#state === 'done') return;
    this.#follow('end');
    this.active.link.release(this.#ioid, this.active.isAlive);
  }

  #begin({ status, type }: MonitorInitReply): void {
    this.#followPeer('initialized', 'a reply to INIT');
    const { pvName, server } = this.active;
    if (!isSuccess(status)) {
      this.#forget();
      return this.#handlers.refused(refusal(pvName, server, 'MONITOR INIT', status));
    }
    const structure = this.#structure(type);
    if (structure === undefined) return;
    this.#type = structure;
    this.#plan.queue.begin(structure, server);
    if (this.#handlers.begun(structure)) this.start();
  }

  /** What cannot be watched ends this subscription alone: its link serves others. */
  #structure(type: TypeDesc | null): StructureType | undefined {
    try {
      return requireStructure(type, `${this.active.pvName}: MONITOR INIT`);
    } catch (error) {
      this.end();
      this.#handlers.finished(error);
      return undefined;
    }
  }

  #update({ update, overrun }: Pick<MonitorUpdateReply, 'update' | 'overrun'>): void {
    this.#followPeer('update', 'an update');
    if (this.#type === undefined) throw this.#outOfTurn('an update');
    const { changed, value } = readingOf(update, this.#type);
    this.#plan.queue.push(changed, value, overrun);
    this.#handlers.arrived();
  }

  #finish({ status, update, overrun }: MonitorFinalReply): void {
    // The final message may come without a start, and may bring the last update along.
    if (update !== null) this.#update({ update, overrun });
    const { pvName, server } = this.active;
    this.#forget();
    this.#handlers.finished(isSuccess(status) ? undefined : refusal(pvName, server, 'MONITOR', status));
  }

  /** The server has no subscription any more. */
  #forget(): void {
    this.#follow('end');
    this.active.link.release(this.#ioid, false);
  }

  #request(subcommand: number, acknowledged = 0): void {
    const { link, sid } = this.active;
    link.send({ command: 'MONITOR', phase: 'exec', sid, ioid: this.#ioid, subcommand, acknowledged });
  }

  #follow(event: ClientOperationEvent): void {
    this.#state = nextState(CLIENT_OPERATION, this.#state, event);
  }

  #followPeer(event: ClientOperationEvent, what: string): void {
    if (!isPossible(CLIENT_OPERATION, this.#state, event)) throw this.#outOfTurn(what);
    this.#follow(event);
  }

  #outOfTurn(what: string): RemoteProtocolError {
    return new RemoteProtocolError(`MONITOR ${this.#ioid}: ${what} came out of turn, while ${this.#state}`);
  }
}
