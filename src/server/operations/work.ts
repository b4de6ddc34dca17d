// How is a request carried out whose answer may take time? One at a time for each operation, ended by its deadline, and
// never answered after the client has given it up.

import { TimeoutError } from '../../protocol/errors.ts';
import type { Status } from '../../protocol/status.ts';
import type { TimerHandle } from '../../transport/clocks.ts';
import { refusal, type Operation } from './operation.ts';

export type Outcome<R> = { readonly ok: true; readonly result: R } | { readonly ok: false; readonly status: Status };

const MS_PER_SECOND = 1_000;

/** What one operation has under way. */
export class Work {
  #underWay: AbortController | undefined;
  #deadline: TimerHandle | undefined;

  /**
   * Carries `act` out and calls `answer` with the outcome, at once when it is known at once. When `timeoutMs` pass
   * without one, the signal is aborted and the outcome is an error that says so. After `abort` there is none.
   */
  begin<R>(
    operation: Operation,
    timeoutMs: number,
    act: (signal: AbortSignal) => R | Promise<R>,
    answer: (outcome: Outcome<R>) => void,
  ): void {
    operation.follow('execute');
    const controller = new AbortController();
    this.#underWay = controller;
    const settle = (outcome: Outcome<R>): void => {
      if (this.#underWay !== controller) return;
      this.#underWay = undefined;
      this.#deadline?.cancel();
      operation.follow('complete');
      answer(outcome);
    };
    let result: R | Promise<R>;
    try {
      result = act(controller.signal);
    } catch (thrown) {
      return settle({ ok: false, status: refusal(thrown) });
    }
    if (!(result instanceof Promise)) return settle({ ok: true, result });
    this.#deadline = operation.link.host.clock.after(timeoutMs, () => {
      const seconds = timeoutMs / MS_PER_SECOND;
      const late = new TimeoutError(`${operation.command} did not finish within ${seconds} s`);
      settle({ ok: false, status: refusal(late) });
      // Only now: what the handler says to that is not the answer.
      controller.abort(late);
    });
    result.then(
      (value) => settle({ ok: true, result: value }),
      (thrown: unknown) => settle({ ok: false, status: refusal(thrown) }),
    );
  }

  /** Nobody waits for the outcome any more. */
  abort(): void {
    const controller = this.#underWay;
    this.#underWay = undefined;
    this.#deadline?.cancel();
    controller?.abort();
  }
}
