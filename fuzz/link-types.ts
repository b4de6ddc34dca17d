// What does a link know while its messages are read? Types by id, and what INIT agreed on, from whichever side it came.

import { isDeepStrictEqual } from 'node:util';

import type { Codec } from '../src/protocol/codecs/codec.ts';
import { pva } from '../src/protocol/codecs/pva.ts';
import type { Frame } from '../src/protocol/framer.ts';
import { HEADER_BYTES, readHeader } from '../src/protocol/header.ts';
import {
  decodeMessage,
  encodeMessage,
  type ClientMessage,
  type ServerMessage,
} from '../src/protocol/messages/index.ts';
import type { DecodeContext, OperationCommand, OperationTypes } from '../src/protocol/messages/message-module.ts';
import { TypeReceiver } from '../src/protocol/types/wire.ts';
import { Writer } from '../src/protocol/writer.ts';

import { requireThat } from './target.ts';

/** One direction of a link. */
export class LinkTypes {
  readonly #operations = new Map<number, OperationTypes>();
  readonly #types = new TypeReceiver();
  readonly #codec: Codec;

  constructor(codec: Codec = pva) {
    this.#codec = codec;
  }

  /** Reads the next message; what it decodes to must encode to bytes that decode to the same. Throws as decoders do. */
  take(frame: Frame): void {
    const message = decodeMessage(frame, this.#context(), this.#codec);
    if (message === undefined) return;
    this.#remember(message);
    if ('phase' in message && message.phase === 'outOfScope') return;
    const again = decodeMessage(this.#encoded(message, frame), this.#context(new TypeReceiver()), this.#codec);
    requireThat(isDeepStrictEqual(again, message), `${message.command} comes back as it was`);
  }

  #context(types = this.#types): DecodeContext {
    return { types, typeOf: (ioid) => this.#operations.get(ioid) };
  }

  #remember(message: ClientMessage | ServerMessage): void {
    if (!('phase' in message) || message.phase !== 'init') return;
    const command: OperationCommand = message.command;
    // In a client's messages only the pvRequest has a type; as that of the data it is as good as any.
    const type = 'pvRequest' in message ? (message.pvRequest?.type ?? null) : 'type' in message ? message.type : null;
    this.#operations.set(message.ioid, { command, type, putType: type });
  }

  #encoded(message: ClientMessage | ServerMessage, { header }: Frame): Frame {
    const codec = this.#codec;
    const writer = new Writer(codec.orderOf(header.bigEndian));
    // Which of the two unions the message is of, the header says.
    if (header.fromServer) encodeMessage(writer, message as never, { fromServer: true, codec });
    else encodeMessage(writer, message as never, { fromServer: false, codec });
    const bytes = writer.detach(0);
    return { header: readHeader(bytes, 0), body: bytes.subarray(HEADER_BYTES) };
  }
}
