// Which requests of a link wait, and how much memory do they take? One that is read and waits for room for its answer, and
// behind it, or alone, those that came while nothing was to be carried out.

import type { Frame } from '../protocol/framer.ts';
import type { ClientMessage } from '../protocol/messages/index.ts';

export class HeldRequests {
  /** Of the bodies. */
  bytes = 0;
  /** Before all frames. */
  #first: { readonly message: ClientMessage; readonly bytes: number } | undefined;
  readonly #frames: Frame[] = [];

  get first(): ClientMessage | undefined {
    return this.#first?.message;
  }

  /** A request whose body had so many bytes. */
  setFirst(message: ClientMessage, bytes: number): void {
    this.#first = { message, bytes };
    this.bytes += bytes;
  }

  shiftFirst(): ClientMessage | undefined {
    const first = this.#first;
    this.#first = undefined;
    this.bytes -= first?.bytes ?? 0;
    return first?.message;
  }

  push({ header, body }: Frame): void {
    // Not slice(): of a Buffer that would be a view.
    this.#frames.push({ header, body: Uint8Array.from(body) });
    this.bytes += body.length;
  }

  shift(): Frame | undefined {
    const frame = this.#frames.shift();
    this.bytes -= frame?.body.length ?? 0;
    return frame;
  }

  clear(): void {
    this.#first = undefined;
    this.#frames.length = 0;
    this.bytes = 0;
  }
}
