// How is a request carried out whose answer may take time? One at a time for each operation, ended by its deadline, and
// never answered after the client has given it up.

import { LazyAbort } from '../../channels/lazy-abort.ts';
import { nativePromise } from '../../channels/promise-like.ts';
import { TimeoutError } from '../../protocol/errors.ts';
import { error, type Status } from '../../protocol/status.ts';
import type { TimerHandle } from '../../transport/clocks.ts';
import { refusal, type Operation } from './operation.ts';

export type Outcome<R> = { readonly ok: true; readonly result: R } | { readonly ok: false; readonly status: Status };

const MS_PER_SECOND = 1_000;

interface UnderWay {
  readonly controller: LazyAbort;
  /** Ends it with what is no success. */
  readonly refuse: (status: Status) => void;
}

/** The same, for whoever knows what its result is. */
interface Settling<R> extends UnderWay {
  readonly settle: (outcome: Outcome<R>) => void;
}

/** What one operation has under way. */
export class Work {
  #underWay: UnderWay | undefined;
  #deadline: TimerHandle | undefined;

  get isUnderWay(): boolean {
    return this.#underWay !== undefined;
  }

  /**
   * Carries `act` out and calls `answer` with the outcome, at once when it is known at once. When `timeoutMs` pass
   * without one, the signal is aborted and the outcome is an error that says so. After `abort` there is none.
   */
  begin<R>(
    operation: Operation,
    timeoutMs: number,
    act: (controller: LazyAbort) => R | Promise<R>,
    answer: (outcome: Outcome<R>) => void,
  ): void {
    const controller = new LazyAbort();
    const underWay = this.#start(operation, controller, answer);
    let result: R | Promise<R>;
    try {
      result = nativePromise(act(controller));
    } catch (thrown) {
      return underWay.refuse(refusal(thrown));
    }
    if (!(result instanceof Promise)) return underWay.settle({ ok: true, result });
    if (this.#underWay === underWay) this.#limit(underWay, operation, timeoutMs);
    follow(underWay, result);
  }

  /** As `begin`, where the act has begun already and its result comes later. */
  adopt<R>(
    operation: Operation,
    timeoutMs: number,
    controller: LazyAbort,
    result: Promise<R>,
    answer: (outcome: Outcome<R>) => void,
  ): void {
    const underWay = this.#start(operation, controller, answer);
    this.#limit(underWay, operation, timeoutMs);
    follow(underWay, result);
  }

  /** The client has cancelled what is under way, if anything is: that is the outcome, whatever the handler says to it. */
  cancel(command: string): void {
    const underWay = this.#underWay;
    underWay?.refuse(error(`${command} was cancelled by its client`));
    underWay?.controller.abort();
  }

  /** Nobody waits for the outcome any more. */
  abort(): void {
    const underWay = this.#underWay;
    this.#underWay = undefined;
    this.#deadline?.cancel();
    underWay?.controller.abort();
  }

  #start<R>(operation: Operation, controller: LazyAbort, answer: (outcome: Outcome<R>) => void): Settling<R> {
    operation.follow('execute');
    const settle = (outcome: Outcome<R>): void => {
      if (this.#underWay !== underWay) return;
      this.#underWay = undefined;
      this.#deadline?.cancel();
      operation.follow('complete');
      answer(outcome);
    };
    const underWay: Settling<R> = { controller, settle, refuse: (status) => settle({ ok: false, status }) };
    this.#underWay = underWay;
    return underWay;
  }

  #limit({ controller, refuse }: UnderWay, { command, link }: Operation, timeoutMs: number): void {
    this.#deadline = link.host.clock.after(timeoutMs, () => {
      const seconds = timeoutMs / MS_PER_SECOND;
      const late = new TimeoutError(`${command} did not finish within ${seconds} s`);
      refuse(refusal(late));
      // Only now: what the handler says to that is not the answer.
      controller.abort(late);
    });
  }
}

function follow<R>({ settle, refuse }: Settling<R>, result: Promise<R>): void {
  result.then(
    (value) => settle({ ok: true, result: value }),
    (thrown: unknown) => refuse(refusal(thrown)),
  );
}
