// How are many requests made with one operation? It is begun when the first needs it, kept, and begun anew on the next
// channel when its channel is lost. One request runs at a time, as the protocol demands; others wait their turn.

import { StatusError } from '../protocol/errors.ts';
import type { OperationCommand } from '../protocol/messages/message-module.ts';
import type { ActiveChannel } from './active-channel.ts';
import type { Call } from './call.ts';
import type { Channel } from './channel.ts';
import { Operation } from './operation.ts';

interface Kept<A> {
  readonly operation: Operation;
  /** What INIT agreed on; undefined until it is answered. */
  agreed: A | undefined;
}

export class KeptOperation<A> {
  readonly #command: OperationCommand;
  readonly #init: (call: Call, operation: Operation) => Promise<A>;
  readonly #calls = new Set<Call>();
  #kept: Kept<A> | undefined;
  /** Settles when the request before has ended, however it ended. */
  #turn: Promise<unknown> = Promise.resolve();
  #closed: Error | undefined;

  constructor(command: OperationCommand, init: (call: Call, operation: Operation) => Promise<A>) {
    this.#command = command;
    this.#init = init;
  }

  /** Runs `act`, as often as it takes: see `withOperation`. Rejects when the call ends, also while it waits its turn. */
  async run<R>(call: Call, channel: Channel, act: (operation: Operation, agreed: A) => Promise<R>): Promise<R> {
    if (this.#closed !== undefined) throw this.#closed;
    this.#calls.add(call);
    call.waitingFor = () => `an earlier ${this.#command} request is under way`;
    const result = this.#turn.then(() => this.#run(call, channel, act));
    this.#turn = result.catch(() => {});
    try {
      return await call.until(result);
    } finally {
      this.#calls.delete(call);
    }
  }

  /** Frees what the server holds; requests under way reject with `reason`, as do later ones. Idempotent. */
  close(reason: Error): void {
    this.#closed ??= reason;
    for (const call of this.#calls) call.fail(reason);
    this.#end();
  }

  async #run<R>(call: Call, channel: Channel, act: (operation: Operation, agreed: A) => Promise<R>): Promise<R> {
    for (;;) {
      call.throwIfEnded();
      const active = await channel.whenActive(call);
      // Lost again between the news of it and this turn.
      if (!active.isAlive) continue;
      const kept = this.#keptOn(active);
      const { operation } = kept;
      try {
        kept.agreed ??= await this.#init(call, operation);
        return await act(operation, kept.agreed);
      } catch (error) {
        // A refusal is an answer, and the operation lives on unless it was refused as a whole. After anything else a
        // reply may still be on its way, which the next request must not take for its own.
        if (!(error instanceof StatusError) || kept.agreed === undefined || call.isEnded) this.#end();
        if (!operation.isRepeatable(error) || call.isEnded) throw error;
      }
    }
  }

  #keptOn(active: ActiveChannel): Kept<A> {
    if (this.#kept?.operation.active !== active) {
      this.#end();
      this.#kept = { operation: new Operation(active, this.#command), agreed: undefined };
    }
    return this.#kept;
  }

  #end(): void {
    this.#kept?.operation.end();
    this.#kept = undefined;
  }
}
