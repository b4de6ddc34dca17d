// How does one stream run in memory? Cut and joined at random, delayed, in order, with kernel buffers that fill up.
import { LocalProtocolError, TimeoutError } from '../protocol/errors.ts';
import type { TimerHandle } from './clocks.ts';
import { DelayLine, showOnce, type Wire } from './memory-wire.ts';
import { endpointText, networkError } from './network-error.ts';
import { END_LINGER_MS } from './network.ts';
import type { Endpoint, TcpConnection, TcpConnectionHandlers } from './network.ts';

/** Where `write` begins to return false; node's sockets do so at 16 KiB. */
const HIGH_MARK_BYTES = 16_384;

/** One side of a stream: which host, which endpoint. */
export interface Side {
  readonly host: string;
  readonly endpoint: Endpoint;
}

/** What is under way: bytes, the orderly end, or the news that nobody reads any more. */
type Segment = Uint8Array | 'end' | 'reset';

export class MemoryConnection implements TcpConnection {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly #wire: Wire;
  readonly #line: DelayLine<Segment>;
  readonly #getPeer: () => MemoryConnection;
  readonly #onClosed: (connection: MemoryConnection) => void;
  #handlers: TcpConnectionHandlers | undefined;

  /** Written, not yet accepted by the kernel. The first view may be partly gone. */
  #unsent: Uint8Array[] = [];
  #unsentBytes = 0;
  /** Accepted by the kernel, not yet read by the peer. */
  #kernelBytes = 0;
  #isPumpDue = false;
  #needsDrain = false;
  #received: Uint8Array[] = [];

  #isPaused = false;
  /** We ended or destroyed it: what still arrives is thrown away. */
  #isLeft = false;
  /** Nothing more is written: we ended, or the peer did. */
  #isEnding = false;
  #hasSentEnd = false;
  #hasReceivedEnd = false;
  #hasReadEnd = false;
  #isClosed = false;
  #isCloseTold = false;
  #error: Error | undefined;
  #lingerTimer: TimerHandle | undefined;

  private constructor(
    wire: Wire,
    local: Side,
    remote: Side,
    getPeer: () => MemoryConnection,
    onClosed: (connection: MemoryConnection) => void,
  ) {
    this.local = local.endpoint;
    this.remote = remote.endpoint;
    this.#wire = wire;
    this.#getPeer = getPeer;
    this.#onClosed = onClosed;
    this.#line = new DelayLine(wire, local.host, remote.host, (segments) => getPeer().#receive(segments));
  }

  /** Both ends of one stream, in the order of the sides. */
  static pair(
    wire: Wire,
    one: Side,
    other: Side,
    onClosed: (connection: MemoryConnection) => void,
  ): readonly [MemoryConnection, MemoryConnection] {
    const near: MemoryConnection = new MemoryConnection(wire, one, other, () => far, onClosed);
    const far: MemoryConnection = new MemoryConnection(wire, other, one, () => near, onClosed);
    return [near, far];
  }

  get bufferedBytes(): number {
    return this.#unsentBytes;
  }

  listen(handlers: TcpConnectionHandlers): void {
    if (this.#handlers !== undefined) {
      throw new LocalProtocolError(`TCP connection with ${endpointText(this.remote)}: handlers are set already`);
    }
    this.#handlers = handlers;
    this.#wire.clock.soon(() => (this.#isClosed ? this.#tellClose() : this.#read()));
  }

  write(bytes: Uint8Array): boolean {
    if (this.#isEnding || this.#isClosed) return false;
    if (bytes.length > 0) this.#unsent.push(bytes);
    this.#unsentBytes += bytes.length;
    this.#pumpSoon();
    const isBelow = this.#unsentBytes < HIGH_MARK_BYTES;
    if (!isBelow) this.#needsDrain = true;
    return isBelow;
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#wire.clock.soon(() => this.#read());
  }

  end(): void {
    if (this.#isLeft || this.#isClosed) return;
    this.#isLeft = true;
    this.#finishWriting();
    this.#wire.clock.soon(() => this.#read());
  }

  destroy(): void {
    if (this.#isClosed) return;
    this.#isLeft = true;
    // As Linux: who closes with bytes unread resets the stream.
    this.#line.push(this.#received.length > 0 ? 'reset' : 'end');
    this.#close();
  }

  /** Breaks both sides at once, with everything that is under way. */
  cut(): void {
    for (const side of [this, this.#getPeer()]) {
      side.#line.clear();
      side.#reset();
    }
  }

  #pumpSoon(): void {
    if (this.#isPumpDue || this.#isClosed) return;
    this.#isPumpDue = true;
    this.#wire.clock.soon(() => {
      this.#isPumpDue = false;
      this.#pump();
    });
  }

  /** Moves written bytes to the kernel as far as it has room, in pieces that ignore how they were written. */
  #pump(): void {
    const { kernelBytes, chunkBytes } = this.#wire.options;
    while (this.#unsentBytes > 0 && this.#kernelBytes < kernelBytes) {
      const room = Math.min(this.#unsentBytes, kernelBytes - this.#kernelBytes);
      const piece = this.#takeUnsent(Math.min(room, this.#wire.random.size(...chunkBytes)));
      this.#kernelBytes += piece.length;
      this.#line.push(piece, piece.length);
      if (this.#isEnding) this.#limitLinger();
    }
    if (this.#unsentBytes > 0) {
      this.#needsDrain = true;
      return;
    }
    if (this.#isEnding) return this.#sendEnd();
    if (!this.#needsDrain) return;
    this.#needsDrain = false;
    this.#handlers?.drain();
  }

  #takeUnsent(bytes: number): Uint8Array {
    const piece = new Uint8Array(bytes);
    let filled = 0;
    while (filled < bytes) {
      const [first = new Uint8Array(0)] = this.#unsent;
      const part = first.subarray(0, bytes - filled);
      piece.set(part, filled);
      filled += part.length;
      if (part.length === first.length) this.#unsent.shift();
      else this.#unsent[0] = first.subarray(part.length);
    }
    this.#unsentBytes -= bytes;
    return piece;
  }

  #finishWriting(): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#pumpSoon();
    this.#limitLinger();
  }

  #sendEnd(): void {
    if (this.#hasSentEnd || this.#isClosed) return;
    this.#hasSentEnd = true;
    this.#line.push('end');
    this.#limitLinger();
    this.#closeIfDone();
  }

  /** A peer that takes nothing for this long, or does not end when everything is out, is not waited for. */
  #limitLinger(): void {
    this.#lingerTimer?.cancel();
    this.#lingerTimer = this.#wire.clock.after(END_LINGER_MS, () => {
      const what = `TCP connection with ${endpointText(this.remote)}`;
      if (!this.#hasSentEnd) {
        this.#error = new TimeoutError(`${what}: nothing taken within ${END_LINGER_MS} ms after the end`);
      }
      this.destroy();
    });
  }

  #receive(segments: readonly Segment[]): void {
    for (const segment of segments) {
      if (segment === 'reset') this.#reset();
      else if (segment === 'end') this.#hasReceivedEnd = true;
      else if (this.#isClosed) this.#line.push('reset');
      else this.#received.push(segment);
    }
    this.#read();
  }

  /** Tells what has arrived, as far as the owner wants to know; pieces that wait together may become one. */
  #read(): void {
    while (this.#received.length > 0 && this.#isReading()) {
      const chunk = Buffer.concat(this.#received.splice(0, this.#wire.random.size(1, this.#received.length)));
      this.#getPeer().#wasRead(chunk.length);
      if (this.#isLeft) continue;
      showOnce(chunk, (bytes) => this.#handlers?.data(bytes));
    }
    if (!this.#hasReceivedEnd || this.#received.length > 0 || this.#isClosed) return;
    // An end without bytes before it is noticed even before the owner listens.
    if (this.#isPaused && !this.#isLeft) return;
    this.#hasReadEnd = true;
    this.#finishWriting();
    this.#closeIfDone();
  }

  #isReading(): boolean {
    return !this.#isClosed && (this.#isLeft || (!this.#isPaused && this.#handlers !== undefined));
  }

  #wasRead(bytes: number): void {
    this.#kernelBytes -= bytes;
    this.#pumpSoon();
  }

  #closeIfDone(): void {
    if (this.#hasSentEnd && this.#hasReadEnd) this.#close();
  }

  #reset(): void {
    if (this.#isClosed) return;
    this.#error = networkError('ECONNRESET', `TCP connection with ${endpointText(this.remote)}`);
    this.#close();
  }

  #close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#unsent = [];
    this.#unsentBytes = 0;
    this.#received = [];
    this.#lingerTimer?.cancel();
    this.#onClosed(this);
    this.#wire.clock.soon(() => this.#tellClose());
  }

  #tellClose(): void {
    if (this.#isCloseTold || this.#handlers === undefined) return;
    this.#isCloseTold = true;
    this.#handlers.close(this.#error);
  }
}
