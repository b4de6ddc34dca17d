// What do the operations have in common whose requests take time and have effects? PUT, PUT_GET, RPC, PROCESS and ARRAY
// carry out one request at a time, give the channel the same things to know, and answer every request exactly once.
//
// Spec: Protocol-Prose, "Channel life-cycle": completion is always reported, that of a cancelled request too. pvxs says
// nothing then; its client never cancels, and pvAccessCPP's waits for the answer.

import type { ChannelRequest } from '../../channels/channel.ts';
import { isLast } from '../../protocol/messages/subcommand.ts';
import type { AnyValue } from '../../protocol/types/value-of.ts';
import type { Link, LinkChannel } from '../link.ts';
import { busy, Operation, type OperationRequest } from './operation.ts';
import { Work, type Outcome } from './work.ts';

/** What INIT says. */
export interface InitRequest extends OperationRequest {
  readonly pvRequest: AnyValue;
}

export abstract class WorkingOperation extends Operation {
  protected readonly pvRequest: AnyValue;
  readonly #work = new Work();

  constructor(link: Link, channel: LinkChannel, request: InitRequest) {
    super(link, channel, request);
    this.pvRequest = request.pvRequest;
  }

  override cancel(): void {
    this.#work.cancel(this.command);
    super.cancel();
  }

  protected stopWork(): void {
    this.#work.abort();
  }

  /**
   * Carries a request out and has it answered, at once when the outcome is known at once. A second request before the
   * answer to the first is refused, and the first goes on.
   */
  protected carryOut<R>(
    subcommand: number,
    timeoutMs: number,
    act: (request: ChannelRequest) => R | Promise<R>,
    answer: (outcome: Outcome<R>) => void,
  ): void {
    if (!this.allows('execute')) return answer({ ok: false, status: busy(this) });
    this.#work.begin(
      this,
      timeoutMs,
      (signal) => act(this.#requestWith(signal)),
      (outcome) => {
        answer(outcome);
        if (isLast(subcommand)) this.link.endOperation(this);
      },
    );
  }

  /** How long a put, or the processing that follows one, may take. */
  protected get putTimeoutMs(): number {
    return this.channel.channel.putTimeoutMs ?? this.link.host.limits.putTimeoutMs;
  }

  #requestWith(signal: AbortSignal): ChannelRequest {
    const { link, ioid, pvRequest } = this;
    return {
      peer: this.channel.peer,
      pvRequest,
      signal,
      tell: (text, level = 'info') => link.tell(ioid, text, level),
    };
  }
}
