// How does a server carry out RPC? It hands the arguments to the channel, and answers when it has the result.

import { CallWith } from '../../channels/request-with.ts';
import type { OperationTypes } from '../../protocol/messages/message-module.ts';
import type { RpcExecRequest, RpcInitRequest, RpcRequest } from '../../protocol/messages/rpc.ts';
import { OK, type Status } from '../../protocol/status.ts';
import { isType } from '../../protocol/types/type-desc.ts';
import type { AnyValue } from '../../protocol/types/value-of.ts';
import { typeMismatch } from '../../protocol/values/mismatch.ts';
import type { Link } from '../link.ts';
import { begin, channelForInit, findOperation, Operation, refusal } from './operation.ts';
import { WorkingOperation } from './working-operation.ts';

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

class RpcOperation extends WorkingOperation {
  readonly types: OperationTypes = { command: 'RPC', type: null };

  call({ subcommand, argument }: RpcExecRequest): void {
    const { channel } = this.channel;
    this.carryOut(
      subcommand,
      channel.callTimeoutMs ?? this.link.host.limits.callTimeoutMs,
      (known) => channel.call(new CallWith(known, argument)),
      (outcome) => {
        if (outcome.ok) this.#answer(subcommand, outcome.result);
        else this.#refuse(subcommand, outcome.status);
      },
    );
  }

  #answer(subcommand: number, result: AnyValue): void {
    const { link, ioid } = this;
    try {
      requireAny(result);
      link.send({ command: 'RPC', phase: 'exec', ioid, subcommand, status: OK, result });
    } catch (thrown) {
      // The handler's result is none, or does not fit the type it names; nothing of it was written.
      this.#refuse(subcommand, refusal(thrown));
    }
  }

  #refuse(subcommand: number, status: Status): void {
    this.link.send({ command: 'RPC', phase: 'exec', ioid: this.ioid, subcommand, status, result: null });
  }
}

/** Handlers in JavaScript may give anything. @throws PvaError for what is no result */
export function requireAny(result: unknown): AnyValue {
  if (result === null) return null;
  if (typeof result === 'object' && 'type' in result && isType(result.type) && 'value' in result) {
    // Whether the value fits the type is found when it is encoded.
    return result as AnyValue;
  }
  throw typeMismatch("the handler's result: { type, value } with a type of pvkit, or null", result);
}
