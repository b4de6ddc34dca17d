// How does a server carry out PUT? It hands what the client put to the channel, and answers when that has taken effect.

import { DecodedPut } from '../../channels/decoded-put.ts';
import type { Selection } from '../../channels/encoded-cache.ts';
import { nativePromise } from '../../channels/promise-like.ts';
import { requireStructure } from '../../channels/standard-fields.ts';
import type { OperationTypes } from '../../protocol/messages/message-module.ts';
import type { PutInitRequest, PutRequest } from '../../protocol/messages/put.ts';
import { OK, type Status } from '../../protocol/status.ts';
import { leafMask } from '../../protocol/values/leaf-mask.ts';
import type { TypedUpdate } from '../../protocol/values/update.ts';
import type { Link, LinkChannel, PlacedRequest } from '../link.ts';
import { begin, channelForInit, findOperation, Operation, refusal } from './operation.ts';
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
  /** What its handler has at this moment; undefined again once this operation is ended meanwhile. */
  #inPlace: DecodedPut | undefined;

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
    this.endAfter(subcommand);
  }

  /** A put that is done when its handler returns, as most are, costs one object: no work, no outcome, no log. */
  takeInPlace(request: PlacedRequest): boolean {
    if (request.subcommand !== 0 || !this.channel.rights.write || !this.allows('execute')) return false;
    if (this.link.host.putLog !== undefined) return false;
    const { channel } = this.channel;
    const { type, state } = channel;
    const update = request.update(type, state.value);
    if (update === undefined) return false;
    const changed = leafMask(type, update.changed);
    this.#carryOutNow(new DecodedPut(this, changed, requireStructure(update.value), state.value));
    return true;
  }

  #carryOutNow(put: DecodedPut): void {
    this.#inPlace = put;
    let result: void | Promise<void>;
    try {
      result = nativePromise(this.channel.channel.put(put));
    } catch (thrown) {
      return this.#answerNow(put, refusal(thrown));
    }
    if (!(result instanceof Promise)) return this.#answerNow(put, OK);
    // Its handler ended this operation, by ending the PV perhaps: what it will say has no one to hear it.
    if (this.#inPlace !== put) return void result.catch(() => undefined);
    this.#inPlace = undefined;
    this.goOn(this.putTimeoutMs, put.controller, result, (outcome) =>
      this.#answer(0, outcome.ok ? OK : outcome.status),
    );
  }

  #answerNow(put: DecodedPut, status: Status): void {
    if (this.#inPlace !== put) return;
    this.#inPlace = undefined;
    this.#answer(0, status);
  }

  #answer(subcommand: number, status: Status): void {
    const { link, ioid } = this;
    if (status === OK) link.output.sendPutDone(ioid, subcommand);
    else link.send({ command: 'PUT', phase: 'exec', ioid, subcommand, status });
  }

  protected override stopWork(): void {
    const put = this.#inPlace;
    this.#inPlace = undefined;
    put?.controller.abort();
    super.stopWork();
  }

  put(subcommand: number, update: TypedUpdate): void {
    const { channel } = this.channel;
    const changed = leafMask(channel.type, update.changed);
    const value = requireStructure(update.value);
    this.carryOut(
      subcommand,
      this.putTimeoutMs,
      (known) => this.putInto(known, { changed, value }),
      (outcome) => this.#answer(subcommand, outcome.ok ? OK : outcome.status),
    );
  }
}
