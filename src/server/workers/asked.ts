// What has a worker asked its server to carry out for clients, and who waits for the answers?

import type { ChannelRequest, TellLevel } from '../../channels/channel.ts';
import { PvaError, reasonOf } from '../../protocol/errors.ts';
import { encodeAny } from '../../protocol/messages/data.ts';
import type { AnyValue } from '../../protocol/types/value-of.ts';
import { encodeType } from '../../protocol/types/wire.ts';
import type { Writer } from '../../protocol/writer.ts';
import { encodePeer, TO_SERVER } from './messages.ts';
import type { Pipe } from './pipe.ts';

interface Asked {
  readonly resolve: (result: AnyValue) => void;
  readonly reject: (reason: PvaError) => void;
  readonly tell: ChannelRequest['tell'];
}

/** The requests under way of one worker. */
export class AskedRequests {
  readonly #pipe: Pipe;
  readonly #asked = new Map<number, Asked>();
  #lastNumber = 0;

  constructor(pipe: Pipe) {
    this.#pipe = pipe;
  }

  /** A number for a request that is answered elsewhere. */
  takeNumber(): number {
    do this.#lastNumber = (this.#lastNumber + 1) >>> 0;
    while (this.#asked.has(this.#lastNumber));
    return this.#lastNumber;
  }

  /**
   * Has the server carry a request out; `rest` writes what it says beside who asks. Rejects with the reason of a refusal.
   * Once nobody waits for the answer any more, the server is told so.
   */
  ask(command: number, channel: number, request: ChannelRequest, rest: (writer: Writer) => void): Promise<AnyValue> {
    const number = this.takeNumber();
    const { peer, pvRequest, signal, tell } = request;
    this.#pipe.send(command, (writer) => {
      writer.u32(number);
      writer.u32(channel);
      encodePeer(writer, peer);
      encodeAny(writer, pvRequest, encodeType);
      rest(writer);
    });
    signal.addEventListener('abort', () => this.#abandon(number, signal.reason), { once: true });
    return new Promise((resolve, reject) => this.#asked.set(number, { resolve, reject, tell }));
  }

  done(number: number, result: AnyValue): void {
    this.#take(number)?.resolve(result);
  }

  refused(number: number, reason: string): void {
    this.#take(number)?.reject(new PvaError('REFUSED', reason));
  }

  tell(number: number, level: TellLevel, text: string): void {
    this.#asked.get(number)?.tell(text, level);
  }

  #take(number: number): Asked | undefined {
    const asked = this.#asked.get(number);
    this.#asked.delete(number);
    return asked;
  }

  #abandon(number: number, reason: unknown): void {
    if (!this.#asked.delete(number)) return;
    this.#pipe.send(TO_SERVER.abort, (writer) => {
      writer.u32(number);
      writer.string(reason instanceof PvaError ? reason.code : '');
      writer.string(reasonOf(reason));
    });
  }
}
