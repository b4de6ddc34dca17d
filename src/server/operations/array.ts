// How does a server carry out ARRAY? It reads parts of one array of a channel, and puts the whole array with a part or its
// length changed; the channel sees a put like any other.
//
// Beside pvAccessCPP's there is no server to follow; it refuses arrays of a fixed size. Here these are offered as arrays
// of any length, because a part of one does not fit its type, and puts are held to the size.

import type { ChannelRequest } from '../../channels/channel.ts';
import { requireStructure } from '../../channels/standard-fields.ts';
import { LocalProtocolError, PvaError } from '../../protocol/errors.ts';
import type { ArrayPutRequest, ArrayRequest } from '../../protocol/messages/array.ts';
import type { OperationTypes } from '../../protocol/messages/message-module.ts';
import { OK } from '../../protocol/status.ts';
import { arrayOf, scalar, type ScalarArrayType } from '../../protocol/types/type-desc.ts';
import type { ScalarArrayValue } from '../../protocol/types/value-of.ts';
import { completed, lengthOf, partOf, withLength, withPart } from '../../protocol/values/array-parts.ts';
import { weightOf } from '../../protocol/values/weight.ts';
import type { Link, LinkChannel } from '../link.ts';
import { arrayFieldOf, arrayIn, updateOf, type ArrayField } from './array-field.ts';
import { begin, channelForInit, findOperation, Operation, refusal } from './operation.ts';
import { WorkingOperation, type InitRequest } from './working-operation.ts';

type RequestOf<P> = Extract<ArrayRequest, { phase: P }>;

export function handleArray(link: Link, request: ArrayRequest): void {
  if (request.phase === 'init') return handleInit(link, request);
  const operation = findOperation(link, request, ArrayOperation);
  if (operation === undefined) return;
  switch (request.phase) {
    case 'get':
      return operation.get(request);
    case 'getLength':
      return operation.getLength(request);
    case 'put':
      return operation.putPart(request);
    case 'setLength':
      return operation.setLength(request);
    case 'outOfScope':
  }
}

function handleInit(link: Link, request: RequestOf<'init'>): void {
  const channel = channelForInit(link, request);
  if (channel === undefined) return;
  const operation = begin(link, () => new ArrayOperation(link, channel, request));
  const { ioid, subcommand } = request;
  const [status, type] = operation instanceof Operation ? [OK, operation.types.type] : [operation, null];
  link.send({ command: 'ARRAY', phase: 'init', ioid, subcommand, status, type });
}

class ArrayOperation extends WorkingOperation {
  readonly types: OperationTypes & { readonly type: ScalarArrayType };
  readonly #field: ArrayField;

  constructor(link: Link, channel: LinkChannel, request: InitRequest) {
    super(link, channel, request);
    this.#field = arrayFieldOf(channel.channel.type, request.pvRequest);
    const { type } = this.#field;
    this.types = { command: 'ARRAY', type: type.sizing === 'fixed' ? arrayOf(scalar(type.scalar)) : type };
  }

  get({ subcommand, offset, count, stride }: RequestOf<'get'>): void {
    const { link, ioid } = this;
    const { type } = this.types;
    const reply = { command: 'ARRAY', phase: 'get', ioid, subcommand } as const;
    try {
      const value = partOf(type, this.#array(), { offset, stride }, count);
      link.send({ ...reply, status: OK, array: { type, value } });
    } catch (thrown) {
      link.send({ ...reply, status: refusal(thrown), array: null });
    }
    this.endAfter(subcommand);
  }

  getLength({ subcommand }: RequestOf<'getLength'>): void {
    const { link, ioid } = this;
    const reply = { command: 'ARRAY', phase: 'getLength', ioid, subcommand } as const;
    try {
      link.send({ ...reply, status: OK, length: this.#length() });
    } catch (thrown) {
      link.send({ ...reply, status: refusal(thrown), length: null });
    }
    this.endAfter(subcommand);
  }

  putPart(request: ArrayPutRequest): void {
    const { limits } = this.link.host;
    const { value } = request.array;
    this.#put(request, (array) => withPart(this.#field.type, array, request, requireElements(value), limits));
  }

  setLength(request: RequestOf<'setLength'>): void {
    const { limits } = this.link.host;
    this.#put(request, (array) => withLength(this.#field.type, array, request.length, limits));
  }

  /** Puts the array that `change` makes of the present one. */
  #put(
    { phase, subcommand }: RequestOf<'put' | 'setLength'>,
    change: (array: ScalarArrayValue) => ScalarArrayValue,
  ): void {
    const { link, ioid } = this;
    this.carryOut(
      subcommand,
      this.putTimeoutMs,
      (known) => this.#putArray(known, change),
      (outcome) => {
        const status = outcome.ok ? OK : outcome.status;
        link.send({ command: 'ARRAY', phase, ioid, subcommand, status });
      },
    );
  }

  #putArray(known: ChannelRequest, change: (array: ScalarArrayValue) => ScalarArrayValue): void | Promise<void> {
    const { channel } = this.channel;
    // Before an array is made that nobody would take.
    if (channel.isWritable === false) throw new PvaError('READ_ONLY', 'this PV is read-only');
    const array = change(this.#array());
    this.link.turn.spend(weightOf(array));
    const { changed, value } = updateOf(channel.type, this.#field, array, channel.state.value);
    return this.putInto(known, { changed, value: requireStructure(value) });
  }

  #array(): ScalarArrayValue {
    const { link } = this;
    const present = this.#present();
    const array = completed(this.#field.type, present, link.host.limits);
    if (array !== present) link.turn.spend(weightOf(array));
    return array;
  }

  #length(): number {
    return lengthOf(this.#field.type, this.#present(), this.link.host.limits);
  }

  /** As it is in memory. */
  #present(): ScalarArrayValue {
    return arrayIn(this.channel.channel.state.value, this.#field);
  }
}

/** What was read with the type of an array of scalars is one. */
function requireElements(value: unknown): ScalarArrayValue {
  if (ArrayBuffer.isView(value) || Array.isArray(value)) return value as ScalarArrayValue;
  throw new LocalProtocolError('the elements of an array are no array');
}
