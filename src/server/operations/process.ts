// How does a server carry out PROCESS? It has the channel do what it does when it is asked to, and answers when that is
// done. Nothing is put and nothing read.

import { LocalProtocolError } from '../../protocol/errors.ts';
import type { OperationTypes } from '../../protocol/messages/message-module.ts';
import type { ProcessExecRequest, ProcessInitRequest, ProcessRequest } from '../../protocol/messages/process.ts';
import { OK } from '../../protocol/status.ts';
import type { Link, LinkChannel } from '../link.ts';
import { begin, channelForInit, findOperation, Operation } from './operation.ts';
import { WorkingOperation } from './working-operation.ts';

export function handleProcess(link: Link, request: ProcessRequest): void {
  if (request.phase === 'init') return handleInit(link, request);
  findOperation(link, request, ProcessOperation)?.process(request);
}

function handleInit(link: Link, request: ProcessInitRequest): void {
  const channel = channelForInit(link, request);
  if (channel === undefined) return;
  const operation = begin(link, () => new ProcessOperation(link, channel, request));
  const { ioid, subcommand } = request;
  const status = operation instanceof Operation ? OK : operation;
  link.send({ command: 'PROCESS', phase: 'init', ioid, subcommand, status });
}

class ProcessOperation extends WorkingOperation {
  readonly types: OperationTypes = { command: 'PROCESS', type: null };

  constructor(link: Link, channel: LinkChannel, request: ProcessInitRequest) {
    super(link, channel, request);
    if (channel.channel.process === undefined)
      throw new LocalProtocolError('this PV does nothing when it is processed');
  }

  process({ subcommand }: ProcessExecRequest): void {
    const { link, ioid } = this;
    const { channel } = this.channel;
    this.carryOut(
      subcommand,
      this.putTimeoutMs,
      (known) => channel.process?.(known),
      (outcome) => {
        const status = outcome.ok ? OK : outcome.status;
        link.send({ command: 'PROCESS', phase: 'exec', ioid, subcommand, status });
      },
    );
  }
}
