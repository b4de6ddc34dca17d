// How does a server carry out PUT? It hands what the client put to the channel, and answers when that has taken effect.

import type { Selection } from '../../channels/encoded-cache.ts';
import { requireStructure } from '../../channels/standard-fields.ts';
import type { OperationTypes } from '../../protocol/messages/message-module.ts';
import type { PutInitRequest, PutRequest } from '../../protocol/messages/put.ts';
import { isLast } from '../../protocol/messages/subcommand.ts';
import { OK } from '../../protocol/status.ts';
import { leafMask } from '../../protocol/values/leaf-mask.ts';
import type { TypedUpdate } from '../../protocol/values/update.ts';
import type { Link, LinkChannel, PlacedRequest } from '../link.ts';
import { begin, channelForInit, findOperation, Operation } from './operation.ts';
import { readState, selectionFor } from './selection.ts';
import { WorkingOperation } from './working-operation.ts';

export function handlePut(link: Link, request: PutRequest): void {
  if (request.phase === 'init') return handleInit(link, request);
  const operation = findOperation(link, request, PutOperation);
  if (operation === undefined || request.phase === 'outOfScope') return;
  if (request.phase === 'get') operation.readBack(request.subcommand);
  else operation.put(request.subcommand, request.update);
}

function handleInit(link: Link, request: PutInitRequest): void {
  const channel = channelForInit(link, request);
  if (channel === undefined) return;
  const operation = begin(link, () => new PutOperation(link, channel, request));
  const { ioid, subcommand } = request;
  const [status, type] = operation instanceof Operation ? [OK, operation.types.type] : [operation, null];
  link.send({ command: 'PUT', phase: 'init', ioid, subcommand, status, type });
}

class PutOperation extends WorkingOperation {
  readonly #selection: Selection;

  constructor(link: Link, channel: LinkChannel, request: PutInitRequest) {
    super(link, channel, request);
    this.#selection = selectionFor(link, channel, request);
  }

  /** What is put is read over the value as it is now. */
  get types(): OperationTypes {
    const { type, state } = this.channel.channel;
    return { command: 'PUT', type, base: state.value };
  }

  readBack(subcommand: number): void {
    const { link, ioid } = this;
    const [status, update] = readState(this, this.#selection);
    link.send({ command: 'PUT', phase: 'get', ioid, subcommand, status, update });
    if (isLast(subcommand)) link.endOperation(this);
  }

  takeInPlace(request: PlacedRequest): boolean {
    if (request.subcommand !== 0 || !this.channel.rights.write) return false;
    const { type, state } = this.channel.channel;
    const update = request.update(type, state.value);
    if (update === undefined) return false;
    this.put(0, update);
    return true;
  }

  put(subcommand: number, update: TypedUpdate): void {
    const { link, ioid } = this;
    const { channel } = this.channel;
    const changed = leafMask(channel.type, update.changed);
    const value = requireStructure(update.value);
    this.carryOut(
      subcommand,
      this.putTimeoutMs,
      (known) => this.putInto(known, { changed, value }),
      (outcome) => {
        if (outcome.ok) link.output.sendPutDone(ioid, subcommand);
        else link.send({ command: 'PUT', phase: 'exec', ioid, subcommand, status: outcome.status });
      },
    );
  }
}
