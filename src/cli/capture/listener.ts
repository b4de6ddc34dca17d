// What does one side of a conversation say? Its bytes, as entries.

import {
  Conversation,
  DEFAULT_LIMITS,
  MessageCutter,
  type ConversationOptions,
  type CutterOptions,
  type Limits,
  type Piece,
} from '../../protocol/index.ts';
import type { Entry, Place } from './entry.ts';

/** Cuts the bytes of one side, or of both where they are in one row, and lets the conversation hear the messages. */
export class Listener {
  readonly #conversation: Conversation;
  readonly #cutter: MessageCutter;
  /** Whose messages they are, once one was heard. */
  #fromServer: boolean | undefined;

  constructor(conversation: Conversation, options: CutterOptions = {}) {
    this.#conversation = conversation;
    this.#cutter = new MessageCutter(options);
  }

  /** Whether any message was heard. */
  get hasSpoken(): boolean {
    return this.#fromServer !== undefined;
  }

  push(bytes: Uint8Array, place: Place): Entry[] {
    return this.#entries(this.#cutter.push(bytes), place);
  }

  /** Bytes that should come next are missing. */
  skip(count: number, place: Place): Entry[] {
    const entries = this.#entries(this.#cutter.skip(count, 'not in the capture'), place);
    if (this.#fromServer !== undefined) this.#conversation.forget(this.#fromServer);
    return entries;
  }

  end(place: Place): Entry[] {
    return this.#entries(this.#cutter.end(), place);
  }

  #entries(pieces: readonly Piece[], place: Place): Entry[] {
    return pieces.flatMap((piece): readonly Entry[] => {
      if (piece.kind === 'skipped') return [{ kind: 'skipped', place, skipped: piece }];
      this.#fromServer = piece.header.fromServer;
      const { offset } = piece;
      return this.#conversation.hear(piece).map((traced) => ({ kind: 'message', place, offset, traced }));
    });
  }
}

/** The messages of one datagram; none if it is no pvAccess. */
export function hearDatagram(bytes: Uint8Array, options: ConversationOptions, place: Place): Entry[] {
  const limits: Limits = options.limits ?? DEFAULT_LIMITS;
  const listener = new Listener(new Conversation(options), { limits });
  const entries = [...listener.push(bytes.subarray(0, limits.maxDatagramBytes), place), ...listener.end(place)];
  return listener.hasSpoken ? entries : [];
}
