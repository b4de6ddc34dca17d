// What did a connection or a UDP socket tell its owner? Tests await what they expect instead of sleeping.
import type {
  BindUdpOptions,
  Endpoint,
  Network,
  TcpConnection,
  TcpListener,
  UdpHandlers,
  UdpSocket,
} from '../../src/transport/network.ts';

/** Settles promises as soon as their condition holds; `check` follows every event. */
class Waiting {
  readonly #waiters = new Set<() => void>();

  check(): void {
    for (const waiter of this.#waiters) waiter();
  }

  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const waiter = (): void => {
        if (!condition()) return;
        this.#waiters.delete(waiter);
        resolve();
      };
      this.#waiters.add(waiter);
      waiter();
    });
  }
}

export class RecordedConnection {
  readonly connection: TcpConnection;
  readonly chunks: Buffer[] = [];
  /** Everything told, in order: 'data', 'drain', 'close'. */
  readonly events: string[] = [];
  closeError: Error | undefined;
  byteCount = 0;
  readonly #waiting = new Waiting();

  constructor(connection: TcpConnection) {
    this.connection = connection;
    connection.listen({
      data: (chunk) => {
        this.chunks.push(Buffer.from(chunk));
        this.byteCount += chunk.length;
        this.#note('data');
      },
      drain: () => this.#note('drain'),
      close: (error) => {
        this.closeError = error;
        this.#note('close');
      },
    });
  }

  get bytes(): Buffer {
    return Buffer.concat(this.chunks);
  }

  count(event: 'data' | 'drain' | 'close'): number {
    return this.events.filter((each) => each === event).length;
  }

  async received(byteCount: number): Promise<Buffer> {
    await this.#waiting.until(() => this.byteCount >= byteCount);
    return this.bytes;
  }

  drained(): Promise<void> {
    return this.#waiting.until(() => this.count('drain') > 0);
  }

  async closed(): Promise<Error | undefined> {
    await this.#waiting.until(() => this.count('close') > 0);
    return this.closeError;
  }

  #note(event: 'data' | 'drain' | 'close'): void {
    this.events.push(event);
    this.#waiting.check();
  }
}

export interface RecordedDatagram {
  readonly text: string;
  readonly bytes: Buffer;
  readonly from: Endpoint;
}

export class DatagramRecorder implements UdpHandlers {
  readonly datagrams: RecordedDatagram[] = [];
  readonly errors: Error[] = [];
  readonly #waiting = new Waiting();

  get texts(): readonly string[] {
    return this.datagrams.map(({ text }) => text);
  }

  message(view: Uint8Array, from: Endpoint): void {
    const bytes = Buffer.from(view);
    this.datagrams.push({ text: bytes.toString(), bytes, from });
    this.#waiting.check();
  }

  error(error: Error): void {
    this.errors.push(error);
    this.#waiting.check();
  }

  async received(text: string): Promise<RecordedDatagram> {
    await this.#waiting.until(() => this.texts.includes(text));
    const found = this.datagrams.find((each) => each.text === text);
    if (found === undefined) throw new Error(`no datagram ${text}`);
    return found;
  }

  failed(): Promise<void> {
    return this.#waiting.until(() => this.errors.length > 0);
  }
}

/** Opens sockets of one network and closes whatever is still open at the end. */
export class Opened {
  readonly #closers: (() => unknown)[] = [];

  /** A listener, both recorded ends of one connection to it, and both hosts' own view. */
  async stream(
    here: Network,
    there: Network,
    address: string,
  ): Promise<{ listener: TcpListener; near: RecordedConnection; far: RecordedConnection }> {
    const accepted: TcpConnection[] = [];
    const waiting = new Waiting();
    const listener = await this.listener(there, { address, port: 0 }, (connection) => {
      accepted.push(connection);
      waiting.check();
    });
    const near = new RecordedConnection(await this.connection(here, listener.local));
    await waiting.until(() => accepted.length > 0);
    const [first] = accepted;
    if (first === undefined) throw new Error('nothing was accepted');
    const far = new RecordedConnection(first);
    this.#closers.push(() => first.destroy());
    return { listener, near, far };
  }

  async listener(network: Network, at: Endpoint, accept: (connection: TcpConnection) => void): Promise<TcpListener> {
    const listener = await network.listenTcp(at, accept);
    this.#closers.push(() => listener.close());
    return listener;
  }

  async connection(network: Network, to: Endpoint): Promise<TcpConnection> {
    const connection = await network.connectTcp(to);
    this.#closers.push(() => connection.destroy());
    return connection;
  }

  async udp(
    network: Network,
    options: BindUdpOptions,
    handlers: UdpHandlers = new DatagramRecorder(),
  ): Promise<UdpSocket> {
    const socket = await network.bindUdp(options, handlers);
    this.#closers.push(() => socket.close());
    return socket;
  }

  async close(): Promise<void> {
    for (const close of this.#closers.splice(0)) await close();
  }
}
