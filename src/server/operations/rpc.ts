// How does a server carry out RPC? It hands the arguments to the channel, and answers when it has the result.

import type { OperationTypes } from '../../protocol/messages/message-module.ts';
import type { RpcExecRequest, RpcInitRequest, RpcRequest } from '../../protocol/messages/rpc.ts';
import { isLast } from '../../protocol/messages/subcommand.ts';
import { OK, type Status } from '../../protocol/status.ts';
import type { AnyValue } from '../../protocol/types/value-of.ts';
import type { Link, LinkChannel } from '../link.ts';
import { begin, busy, channelForInit, findOperation, Operation, refusal } from './operation.ts';
import { Work } from './work.ts';

export function handleRpc(link: Link, request: RpcRequest): void {
  if (request.phase === 'init') return handleInit(link, request);
  findOperation(link, request, RpcOperation)?.call(request);
}

function handleInit(link: Link, request: RpcInitRequest): void {
  const channel = channelForInit(link, request);
  if (channel === undefined) return;
  const operation = begin(link, () => new RpcOperation(link, channel, request));
  const { ioid, subcommand } = request;
  const status = operation instanceof Operation ? OK : operation;
  link.send({ command: 'RPC', phase: 'init', ioid, subcommand, status });
}

class RpcOperation extends Operation {
  readonly types: OperationTypes = { command: 'RPC', type: null };
  readonly #pvRequest: AnyValue;
  readonly #work = new Work();

  constructor(link: Link, channel: LinkChannel, request: RpcInitRequest) {
    super(link, channel, request);
    this.#pvRequest = request.pvRequest;
  }

  call({ subcommand, argument }: RpcExecRequest): void {
    const { channel, peer } = this.channel;
    if (!this.allows('execute')) return this.#refuse(subcommand, busy(this));
    this.#work.begin(
      this,
      channel.callTimeoutMs ?? this.link.host.limits.callTimeoutMs,
      (signal) => channel.call({ argument, peer, pvRequest: this.#pvRequest, signal }),
      (outcome) => {
        if (outcome.ok) this.#answer(subcommand, outcome.result);
        else this.#refuse(subcommand, outcome.status);
        if (isLast(subcommand)) this.link.endOperation(this);
      },
    );
  }

  #answer(subcommand: number, result: AnyValue): void {
    const { link, ioid } = this;
    try {
      link.send({ command: 'RPC', phase: 'exec', ioid, subcommand, status: OK, result });
    } catch (thrown) {
      // The handler's result does not fit the type it names; nothing of it was written.
      this.#refuse(subcommand, refusal(thrown));
    }
  }

  #refuse(subcommand: number, status: Status): void {
    this.link.send({ command: 'RPC', phase: 'exec', ioid: this.ioid, subcommand, status, result: null });
  }

  protected stopWork(): void {
    this.#work.abort();
  }
}
