// How is a request carried out whose answer may take time? One at a time for each operation, and never answered after
// the client has given it up.

import type { Status } from '../../protocol/status.ts';
import { refusal, type Operation } from './operation.ts';

export type Outcome<R> = { readonly ok: true; readonly result: R } | { readonly ok: false; readonly status: Status };

/** What one operation has under way. */
export class Work {
  #underWay: AbortController | undefined;

  /**
   * Carries `act` out and calls `answer` with the outcome, at once when it is known at once. After `abort` the outcome
   * is dropped.
   */
  begin<R>(
    operation: Operation,
    act: (signal: AbortSignal) => R | Promise<R>,
    answer: (outcome: Outcome<R>) => void,
  ): void {
    operation.follow('execute');
    const controller = new AbortController();
    this.#underWay = controller;
    const settle = (outcome: Outcome<R>): void => {
      if (this.#underWay !== controller) return;
      this.#underWay = undefined;
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
    result.then(
      (value) => settle({ ok: true, result: value }),
      (thrown: unknown) => settle({ ok: false, status: refusal(thrown) }),
    );
  }

  /** Nobody waits for the outcome any more. */
  abort(): void {
    const controller = this.#underWay;
    this.#underWay = undefined;
    controller?.abort();
  }
}
