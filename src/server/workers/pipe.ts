// How do a server and its workers talk? In messages with the header of pvAccess and commands of their own, over a stream
// of bytes; all messages of one turn of the event loop go out in one write.
//
// The header and its framer are those of the network: what comes over the pipe is bounded and checked like what a peer
// sends. Whoever breaks the rules there loses the pipe, and with it the worker.

import { LimitError, reasonOf } from '../../protocol/errors.ts';
import { Framer, type Frame } from '../../protocol/framer.ts';
import { HEADER_BYTES, writeHeader } from '../../protocol/header.ts';
import { DEFAULT_LIMITS, type Limits } from '../../protocol/limits.ts';
import { Reader } from '../../protocol/reader.ts';
import { TypeReceiver } from '../../protocol/types/wire.ts';
import { Writer } from '../../protocol/writer.ts';
import type { Clock } from '../../transport/clocks.ts';
import type { TcpConnection } from '../../transport/network.ts';

export interface PipeOptions {
  readonly connection: TcpConnection;
  readonly clock: Clock;
  /** Of the server; a worker is told later, and until then believes what its server sends. */
  readonly limits?: Limits;
  /** Whether this is the end of the server; the other is that of a worker. */
  readonly isServer: boolean;
  /** Called with each message; what it throws ends the pipe. */
  readonly receive: (command: number, body: Reader, types: TypeReceiver) => void;
  /** Called with each message sent while so much waits that nobody is to ask for more. */
  readonly full?: () => void;
  /** Called whenever more may be sent after the pipe was congested. */
  readonly room: () => void;
  /** Called once, when the pipe is gone; with the fault that ended it, if there was one. */
  readonly closed: (fault: string | undefined) => void;
}

/**
 * What a message here may need more than the largest of a client: several of them may have written a value, and a request
 * goes with what its INIT said.
 */
const VALUE_FACTOR = 4;
/** What the size of a value can say. */
const MOST_BYTES = 0x7fff_ffff;
const INITIAL_BYTES = 4_096;

export class Pipe {
  /** Bytes that one message may have: past it nothing is sent, and what comes breaks the rules. */
  #maxBodyBytes: number;
  readonly #writer = new Writer(false, INITIAL_BYTES);
  readonly #options: PipeOptions;
  #limits: Limits;
  #types: TypeReceiver;
  readonly #framer: Framer;
  #isFlushDue = false;
  #isClosed = false;
  #fault: string | undefined;

  constructor(options: PipeOptions) {
    const { connection, limits = DEFAULT_LIMITS, isServer } = options;
    this.#maxBodyBytes = options.limits === undefined ? MOST_BYTES : mostBytes(limits);
    this.#options = options;
    this.#limits = limits;
    this.#types = typesWithin(limits);
    const bounds = { ...limits, maxBodyBytes: this.#maxBodyBytes };
    this.#framer = new Framer({ expectFromServer: !isServer, limits: bounds });
    connection.listen({
      data: (chunk) => this.#read(chunk),
      drain: () => this.#tellRoom(),
      close: () => this.#ended(),
    });
  }

  /** Bytes that the other end has not taken yet. */
  get unsentBytes(): number {
    return this.#writer.length + this.#options.connection.bufferedBytes;
  }

  /** Whether the other end falls behind: what can be squashed is to wait. */
  get isCongested(): boolean {
    return this.unsentBytes >= this.#limits.monitorPauseBytes;
  }

  /** Has the limits of the server hold for values that come from now on, and for what is sent: it takes no more. */
  useLimits(limits: Limits): void {
    this.#limits = limits;
    this.#maxBodyBytes = mostBytes(limits);
    this.#types = typesWithin(limits);
  }

  /**
   * Sends a message at the end of this turn.
   * @throws what `write` throws, and LimitError for what is too large; nothing of it is sent then
   */
  send(command: number, write: (writer: Writer) => void): void {
    if (this.#isClosed) return;
    const writer = this.#writer;
    const start = writer.length;
    writer.growUpTo(start + HEADER_BYTES + this.#maxBodyBytes);
    try {
      writeHeader(writer, { command, fromServer: this.#options.isServer, size: 0 });
      write(writer);
      const bodyBytes = writer.length - start - HEADER_BYTES;
      const allowed = this.#maxBodyBytes;
      if (bodyBytes > allowed) throw new LimitError('maxBodyBytes', bodyBytes, allowed, 'message');
      writer.patchU32(start + HEADER_BYTES - 4, bodyBytes);
    } catch (thrown) {
      writer.truncate(start);
      throw thrown;
    }
    this.#flushSoon();
    if (this.#options.full !== undefined && this.unsentBytes >= this.#limits.readPauseBytes) this.#options.full();
  }

  /** Has `room` called at the end of this turn, if there is room then, or else as soon as there is. */
  askForRoom(): void {
    this.#flushSoon();
  }

  /** Sends what is there and ends the pipe. */
  end(): void {
    if (this.#isClosed) return;
    this.#flush();
    this.#isClosed = true;
    this.#options.connection.end();
  }

  #flushSoon(): void {
    if (this.#isFlushDue) return;
    this.#isFlushDue = true;
    this.#options.clock.soon(() => {
      this.#isFlushDue = false;
      this.#flush();
      this.#tellRoom();
    });
  }

  #flush(): void {
    if (this.#isClosed || this.#writer.length === 0) return;
    this.#options.connection.write(this.#writer.detach(INITIAL_BYTES));
  }

  #tellRoom(): void {
    if (!this.#isClosed && !this.isCongested) this.#options.room();
  }

  #read(chunk: Uint8Array): void {
    try {
      this.#framer.push(chunk, (frame) => this.#accept(frame));
    } catch (thrown) {
      this.#fault ??= reasonOf(thrown);
      this.#framer.stop();
      this.#options.connection.destroy();
    }
  }

  #accept({ header: { command, bigEndian }, body }: Frame): void {
    this.#types.beginMessage();
    this.#options.receive(command, new Reader(body, bigEndian), this.#types);
  }

  #ended(): void {
    this.#isClosed = true;
    this.#options.closed(this.#fault);
  }
}

function mostBytes({ maxBodyBytes }: Limits): number {
  return Math.min(maxBodyBytes * VALUE_FACTOR, MOST_BYTES);
}

function typesWithin(limits: Limits): TypeReceiver {
  return new TypeReceiver({ limits: { ...limits, maxValueNodes: limits.maxValueNodes * VALUE_FACTOR } });
}
