// How does a server answer GET? With the fields that were ever set, of those that the client asked to see.

import type { GetExecRequest, GetInitRequest, GetRequest } from '../../protocol/messages/get.ts';
import type { OperationTypes } from '../../protocol/messages/message-module.ts';
import { SUBCOMMAND_DESTROY, SUBCOMMAND_INIT } from '../../protocol/messages/subcommand.ts';
import { OK } from '../../protocol/status.ts';
import type { Selection } from '../../channels/encoded-cache.ts';
import type { Link, LinkChannel, PlacedRequest } from '../link.ts';
import { begin, channelForInit, findOperation, Operation } from './operation.ts';
import { readState, selectionFor } from './selection.ts';

export function handleGet(link: Link, request: GetRequest): void {
  if (request.phase === 'init') return handleInit(link, request);
  const operation = findOperation(link, request, GetOperation);
  operation?.answer(request);
}

function handleInit(link: Link, request: GetInitRequest): void {
  const channel = channelForInit(link, request);
  if (channel === undefined) return;
  const operation = begin(link, () => new GetOperation(link, channel, request));
  const { ioid, subcommand } = request;
  const [status, type] = operation instanceof Operation ? [OK, operation.types.type] : [operation, null];
  link.send({ command: 'GET', phase: 'init', ioid, subcommand, status, type });
}

class GetOperation extends Operation {
  readonly types: OperationTypes;
  readonly #selection: Selection;

  constructor(link: Link, channel: LinkChannel, request: GetInitRequest) {
    super(link, channel, request);
    this.types = { command: 'GET', type: channel.channel.type };
    this.#selection = selectionFor(link, channel, request);
  }

  answer({ ioid, subcommand }: GetExecRequest): void {
    const { link } = this;
    const [status, update] = readState(this, this.#selection);
    if (update === null) link.send({ command: 'GET', phase: 'exec', ioid, subcommand, status, update });
    else link.output.sendGot(ioid, subcommand, update);
    this.endAfter(subcommand);
  }

  takeInPlace({ subcommand }: PlacedRequest): boolean {
    if ((subcommand & (SUBCOMMAND_INIT | SUBCOMMAND_DESTROY)) !== 0 || !this.channel.rights.read) return false;
    const [, update] = readState(this, this.#selection);
    if (update === null) return false;
    this.link.output.sendGot(this.ioid, subcommand, update);
    return true;
  }

  protected stopWork(): void {
    // Reading the state takes no time: nothing is ever under way.
  }
}
