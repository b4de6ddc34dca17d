// How does a server carry out PUT_GET? It puts, lets the channel process, and reads: one request, one answer.
//
// `putField` and `getField` of the pvRequest say which fields each half is about; `field` stands for one that is missing.
// What is put outside of `putField` is left as it is, as with pvAccessCPP's servers, whose put structure lacks it.
// `record[process=false]` leaves the processing out.

import type { ChannelRequest } from '../../channels/channel.ts';
import type { Selection } from '../../channels/encoded-cache.ts';
import { nativePromise } from '../../channels/promise-like.ts';
import { requireStructure } from '../../channels/standard-fields.ts';
import { LocalProtocolError } from '../../protocol/errors.ts';
import type { OperationTypes } from '../../protocol/messages/message-module.ts';
import type {
  PutGetExecRequest,
  PutGetInitRequest,
  PutGetReadRequest,
  PutGetRequest,
} from '../../protocol/messages/put-get.ts';
import { recordOptions } from '../../protocol/pv-request/record-options.ts';
import { OK } from '../../protocol/status.ts';
import { anyCodecOf } from '../../protocol/values/codec.ts';
import { fieldPaths } from '../../protocol/values/field-paths.ts';
import { leafMask } from '../../protocol/values/leaf-mask.ts';
import type { TypedUpdate } from '../../protocol/values/update.ts';
import type { Link, LinkChannel } from '../link.ts';
import { begin, channelForInit, findOperation, Operation } from './operation.ts';
import { readState, selectionFor } from './selection.ts';
import { WorkingOperation } from './working-operation.ts';

export function handlePutGet(link: Link, request: PutGetRequest): void {
  if (request.phase === 'init') return handleInit(link, request);
  const operation = findOperation(link, request, PutGetOperation);
  if (operation === undefined || request.phase === 'outOfScope') return;
  if (request.phase === 'exec') operation.putGet(request);
  else operation.read(request);
}

function handleInit(link: Link, request: PutGetInitRequest): void {
  const channel = channelForInit(link, request);
  if (channel === undefined) return;
  const operation = begin(link, () => new PutGetOperation(link, channel, request));
  const { ioid, subcommand } = request;
  const [status, type] = operation instanceof Operation ? [OK, operation.types.type] : [operation, null];
  link.send({ command: 'PUT_GET', phase: 'init', ioid, subcommand, status, putType: type, getType: type });
}

class PutGetOperation extends WorkingOperation {
  readonly #toPut: Selection;
  readonly #toGet: Selection;
  readonly #processes: boolean;

  constructor(link: Link, channel: LinkChannel, request: PutGetInitRequest) {
    super(link, channel, request);
    this.#toPut = selectionFor(link, channel, request, 'putField');
    this.#toGet = selectionFor(link, channel, request, 'getField');
    this.#processes = recordOptions(request.pvRequest, link.host.limits).process !== false;
  }

  /** Both halves have the type of the channel; what is put is read over the value as it is now. */
  get types(): OperationTypes {
    const { type, state } = this.channel.channel;
    return { command: 'PUT_GET', type, putType: type, base: state.value };
  }

  /** "get-put" and "get-get": the value as it is now, without an effect. */
  read({ phase, subcommand }: PutGetReadRequest): void {
    const { link, ioid } = this;
    const [status, update] = readState(this, phase === 'getPut' ? this.#toPut : this.#toGet);
    link.send({ command: 'PUT_GET', phase, ioid, subcommand, status, update });
    this.endAfter(subcommand);
  }

  putGet({ subcommand, update: given }: PutGetExecRequest): void {
    const { link, ioid } = this;
    this.carryOut(
      subcommand,
      this.putTimeoutMs,
      (known) => {
        const putting = nativePromise(this.#put(known, given));
        return putting instanceof Promise ? putting.then(() => this.#process(known)) : this.#process(known);
      },
      (outcome) => {
        const [status, update] = outcome.ok ? readState(this, this.#toGet) : [outcome.status, null];
        link.send({ command: 'PUT_GET', phase: 'exec', ioid, subcommand, status, update });
      },
    );
  }

  /** A client that puts nothing wants the processing and the value. */
  #put(known: ChannelRequest, given: TypedUpdate): void | Promise<void> {
    const { channel } = this.channel;
    const asked = leafMask(channel.type, given.changed);
    if (asked.isEmpty()) return undefined;
    const changed = this.#toPut.of(asked);
    if (changed.isEmpty()) {
      const paths = fieldPaths(channel.type, asked).join(', ');
      throw new LocalProtocolError(`nothing to put: putField does not select ${paths}`);
    }
    const { state } = channel;
    const value = changed.equals(asked)
      ? given.value
      : anyCodecOf(channel.type).merge(state.value, given.value, changed);
    return this.putInto(known, { changed, value: requireStructure(value) });
  }

  #process(known: ChannelRequest): void | Promise<void> {
    // Given up while it was put: nobody waits for the rest.
    if (!this.#processes || known.signal.aborted) return undefined;
    return this.channel.channel.process?.(known);
  }
}
