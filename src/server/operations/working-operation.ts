// What do the operations have in common whose requests take time and have effects? PUT, PUT_GET, RPC, PROCESS and ARRAY
// carry out one request at a time, give the channel the same things to know, and answer every request exactly once.
//
// Spec: Protocol-Prose, "Channel life-cycle": completion is always reported, that of a cancelled request too. pvxs says
// nothing then; its client never cancels, and pvAccessCPP's waits for the answer.

import type { ChannelRequest } from '../../channels/channel.ts';
import type { Peer } from '../../channels/peer.ts';
import type { LazyAbort } from '../../channels/lazy-abort.ts';
import { nativePromise } from '../../channels/promise-like.ts';
import { PutWith } from '../../channels/request-with.ts';
import { LimitError } from '../../protocol/errors.ts';
import { isLast } from '../../protocol/messages/subcommand.ts';
import type { AnyValue } from '../../protocol/types/value-of.ts';
import { weightWithTypes } from '../../protocol/values/weight.ts';
import type { Link, LinkChannel } from '../link.ts';
import type { PutData, PutRecord } from '../put-log.ts';
import { busy, Operation, type OperationRequest } from './operation.ts';
import { Work, type Outcome } from './work.ts';

/** What INIT says. */
export interface InitRequest extends OperationRequest {
  readonly pvRequest: AnyValue;
}

/** What a pvRequest takes that says what clients have to say; those of all operations are bounded by their number. */
const COMMON_BYTES = 1_024;

export abstract class WorkingOperation extends Operation {
  readonly pvRequest: AnyValue;
  readonly #pvRequestBytes: number;
  readonly #work = new Work();
  /** Its last request has come. */
  #isEnding = false;
  /** What the put log will be told of the request that is under way. */
  #record: PutRecord | undefined;
  /** Made when it is first asked for. */
  #tell: ChannelRequest['tell'] | undefined;

  /** @throws LimitError when the pvRequest is too large to be kept */
  constructor(link: Link, channel: LinkChannel, request: InitRequest) {
    super(link, channel, request);
    this.pvRequest = request.pvRequest;
    this.#pvRequestBytes = weightWithTypes(request.pvRequest);
    const { maxPvRequestBytes } = link.host.limits;
    if (this.#pvRequestBytes > maxPvRequestBytes) {
      throw new LimitError('maxPvRequestBytes', this.#pvRequestBytes, maxPvRequestBytes, 'bytes of a pvRequest');
    }
  }

  override get keptBytes(): number {
    return Math.max(this.#pvRequestBytes - COMMON_BYTES, 0);
  }

  override get isUnderWay(): boolean {
    return this.#work.isUnderWay;
  }

  override get isAwaited(): boolean {
    return this.state === 'idle';
  }

  /**
   * What is under way is answered before: a last request that comes behind it, to read or to be refused, is no reason to give
   * it up.
   */
  override endAfter(subcommand: number): void {
    this.#isEnding ||= isLast(subcommand);
    if (this.#isEnding && !this.isUnderWay) this.link.endOperation(this);
  }

  override cancel(): void {
    this.#work.cancel(this.command);
    super.cancel();
  }

  protected stopWork(): void {
    this.#work.abort();
    this.#record?.abandoned();
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
    const record = this.#newRecord();
    if (!this.allows('execute')) {
      const status = busy(this);
      record?.refused(status);
      answer({ ok: false, status });
      return this.endAfter(subcommand);
    }
    this.#record = record;
    this.#work.begin(
      this,
      timeoutMs,
      (controller) => {
        const result = nativePromise(act(new RequestUnderWay(this, controller)));
        record?.follow(result);
        return result;
      },
      (outcome) => {
        if (outcome.ok) record?.accepted();
        else record?.refused(outcome.status);
        answer(outcome);
        this.endAfter(subcommand);
      },
    );
  }

  /** As `carryOut`, for what was begun without it and takes time; the put log knows nothing of it. */
  protected goOn<R>(
    timeoutMs: number,
    controller: LazyAbort,
    result: Promise<R>,
    answer: (outcome: Outcome<R>) => void,
  ): void {
    this.#work.adopt(this, timeoutMs, controller, result, (outcome) => {
      answer(outcome);
      this.endAfter(0);
    });
  }

  get peer(): Peer {
    return this.channel.peer;
  }

  /** `tell` of all requests of this operation: a request that nobody tells anything makes no function. */
  get tell(): ChannelRequest['tell'] {
    this.#tell ??= (text, level = 'info') => this.link.tell(this.ioid, text, level);
    return this.#tell;
  }

  /** Hands a put to the channel. */
  protected putInto(known: ChannelRequest, data: PutData): void | Promise<void> {
    this.#record?.puts(data);
    return this.channel.channel.put(new PutWith(known, data.changed, data.value));
  }

  /** Calls write nothing that a log of puts could show. */
  #newRecord(): PutRecord | undefined {
    return this.command === 'RPC' ? undefined : this.link.host.putLog?.begin(this.command, this.channel);
  }

  /** How long a put, or the processing that follows one, may take. */
  protected get putTimeoutMs(): number {
    return this.channel.channel.putTimeoutMs ?? this.link.host.limits.putTimeoutMs;
  }
}

class RequestUnderWay implements ChannelRequest {
  readonly peer: Peer;
  readonly pvRequest: AnyValue;
  readonly tell: ChannelRequest['tell'];
  readonly #controller: LazyAbort;

  constructor({ peer, pvRequest, tell }: WorkingOperation, controller: LazyAbort) {
    this.peer = peer;
    this.pvRequest = pvRequest;
    this.tell = tell;
    this.#controller = controller;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }
}
