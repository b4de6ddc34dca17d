// How does one call of the API end? By result, by error, by its deadline or by its caller: exactly once, and nothing
// that it set up stays behind.

import { LocalProtocolError, TimeoutError } from '../protocol/errors.ts';
import type { Clock } from '../transport/clocks.ts';
import { onAbort } from './abort-hub.ts';

export const DEFAULT_TIMEOUT_MS = 5_000;

/** When a call is given up: by its caller or by its deadline. */
export interface CallOptions {
  /** Aborting rejects with the signal's reason; what the server holds for the call is released. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds until the call rejects with a `TimeoutError`; `Infinity` for never. */
  readonly timeoutMs?: number | undefined;
}

/** What an act that is waited for gives: how to give it up. */
export type GiveUp = () => void;

const nothingToGiveUp: GiveUp = () => {};

/** How a call ends that has its result. */
const FINISHED = { reason: undefined };

export class Call {
  /** What the call is about, for messages: a PV name or a server. */
  readonly subject: string;
  /** What is waited for, as the rest of a sentence: 'searched 3 times, no server answered'. */
  waitingFor: () => string = () => 'nothing happened';
  /** A server refused it, and was asked again once there was more room: how much it might have kept before. */
  mostBefore: number | undefined;
  readonly #clock: Clock;
  readonly #cleanUps = new Set<() => void>();
  readonly #waits = new Set<(reason: unknown) => void>();
  #ending: { readonly reason: unknown } | undefined;

  constructor(clock: Clock, subject: string) {
    this.#clock = clock;
    this.subject = subject;
  }

  /** Ends the call with the signal's reason when it aborts. */
  follow(signal: AbortSignal | undefined): void {
    if (signal === undefined) return;
    if (signal.aborted) return this.fail(signal.reason);
    this.#cleanUps.add(onAbort(signal, () => this.fail(signal.reason)));
  }

  /** Ends the call after `timeoutMs` with a `TimeoutError` that says what was waited for; returns how to take it back. */
  limit(timeoutMs: number): GiveUp {
    requireTimeout(timeoutMs);
    if (timeoutMs === Number.POSITIVE_INFINITY || this.isEnded) return nothingToGiveUp;
    const timer = this.#clock.after(timeoutMs, () => {
      this.fail(new TimeoutError(`${this.subject}: timed out after ${timeoutMs / 1000} s: ${this.waitingFor()}`));
    });
    const cancel = (): void => timer.cancel();
    this.#cleanUps.add(cancel);
    return cancel;
  }

  get isEnded(): boolean {
    return this.#ending !== undefined;
  }

  /** Ends the call; what is waited for is given up and rejects. Only the first reason counts. */
  fail(reason: unknown): void {
    if (this.#ending !== undefined) return;
    this.#ending = { reason };
    this.#cleanUp();
    for (const reject of this.#waits) reject(reason);
  }

  /** The call has its result. */
  finish(): void {
    this.#ending ??= FINISHED;
    this.#cleanUp();
  }

  /** @throws the reason, when the call has ended */
  throwIfEnded(): void {
    // Made where it is thrown: an error takes as long to make as all else of a call.
    if (this.#ending === FINISHED) throw new LocalProtocolError('the call has ended');
    if (this.#ending !== undefined) throw this.#ending.reason;
  }

  /**
   * Waits for what `begin` sets going; it gives the way to give that up. The promise rejects when the call ends.
   * `begin` may settle at once.
   */
  wait<T>(begin: (resolve: (value: T) => void, reject: (reason: unknown) => void) => GiveUp): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.throwIfEnded();
      let isSettled = false;
      let giveUp = nothingToGiveUp;
      const settle = (): boolean => {
        if (isSettled) return false;
        isSettled = true;
        this.#waits.delete(end);
        return true;
      };
      const end = (reason: unknown): void => {
        if (!settle()) return;
        reject(reason);
        giveUp();
      };
      this.#waits.add(end);
      try {
        giveUp = begin(
          (value) => settle() && resolve(value),
          (reason) => settle() && reject(reason),
        );
      } catch (error) {
        // It never began: a message that cannot be sent, say.
        if (settle()) reject(error);
      }
    });
  }

  /** Waits for a promise that cannot be given up: when the call ends, its outcome is for nobody. */
  until<T>(promise: Promise<T>): Promise<T> {
    return this.wait((resolve, reject) => {
      promise.then(resolve, reject);
      return nothingToGiveUp;
    });
  }

  #cleanUp(): void {
    for (const cleanUp of this.#cleanUps) cleanUp();
    this.#cleanUps.clear();
  }
}

/** @throws LocalProtocolError */
export function requireTimeout(timeoutMs: number): void {
  if (!(timeoutMs >= 0)) throw new LocalProtocolError(`timeoutMs is ${timeoutMs}, 0 or more expected`);
}
