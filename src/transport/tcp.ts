// How do streams run over real sockets?
import { connect, createServer, type AddressInfo, type OnReadOpts, type Socket } from 'node:net';
import { LocalProtocolError, TimeoutError } from '../protocol/errors.ts';
import { busyPoll, type BusyPoll } from './busy-poll.ts';
import { systemClock } from './clocks.ts';
import { endpointText, networkErrorFrom, networkError } from './network-error.ts';
import { PieceWriter } from './piece-writer.ts';
import { CONNECT_TIMEOUT_MS, END_LINGER_MS, LISTEN_BACKLOG } from './network.ts';
import type {
  ConnectTcpOptions,
  Endpoint,
  ListenTcpOptions,
  TcpConnection,
  TcpConnectionHandlers,
  TcpListener,
} from './network.ts';

export function listenTcp(
  options: ListenTcpOptions,
  accept: (connection: TcpConnection) => void,
): Promise<TcpListener> {
  return listenSockets(options, { pauseOnConnect: false }, (socket) => {
    const connection = connectionOf(socket, endsOf(socket), options.isBusyPolled === true ? busyPoll : undefined);
    if (connection !== undefined) accept(connection);
  });
}

/** Listens for sockets; with `pauseOnConnect` nothing is read from them here, so that another process can. */
export function listenSockets(
  { address, port, backlog = LISTEN_BACKLOG }: ListenTcpOptions,
  options: { readonly pauseOnConnect: boolean },
  accept: (socket: Socket) => void,
): Promise<TcpListener> {
  return new Promise((resolve, reject) => {
    const server = createServer({ ...options, noDelay: true }, accept);
    const refuse = (error: Error): void =>
      reject(networkErrorFrom(error, `TCP port ${endpointText({ address, port })} cannot be opened`));
    server.once('error', refuse);
    // exclusive: under node:cluster, too, the port belongs to this process or is taken.
    server.listen({ host: address, port, backlog, exclusive: true, ipv6Only: true }, () => {
      server.removeListener('error', refuse);
      let errorCount = 0;
      server.on('error', () => errorCount++);
      const bound = server.address();
      resolve({
        local: { address, port: isAddressInfo(bound) ? bound.port : port },
        get errorCount() {
          return errorCount;
        },
        // The port is free at once; the callback of server.close would wait for every connection.
        close: async () => void server.close(),
      });
    });
  });
}

export function connectTcp(
  to: Endpoint,
  { signal, timeoutMs = CONNECT_TIMEOUT_MS, readBuffer, isBusyPolled = false }: ConnectTcpOptions = {},
): Promise<TcpConnection> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const what = `no connection to ${endpointText(to)}`;
    const reads = readBuffer === undefined ? undefined : new BufferedReads(readBuffer);
    const socket = connect({
      host: to.address,
      port: to.port,
      noDelay: true,
      ...(reads === undefined ? {} : { onread: reads.onread }),
    });
    const timer = systemClock.after(Math.max(timeoutMs, 0), () =>
      giveUp(new TimeoutError(`${what}: no answer within ${timeoutMs} ms`)),
    );
    const onAbort = (): void => giveUp(signal?.reason);
    const onError = (error: Error): void => giveUp(networkErrorFrom(error, what));
    const onConnect = (): void => {
      const ends = endsOf(socket);
      if (ends === undefined) return giveUp(networkError('ECONNRESET', what));
      // Linux can connect a free port of this host to itself: nobody listens there.
      if (isSame(ends.local, ends.remote)) return giveUp(networkError('ECONNREFUSED', what));
      stopWaiting();
      // Its owner has not said yet where the bytes go.
      if (reads !== undefined) socket.pause();
      resolve(new SocketConnection(socket, ends, { reads, poll: isBusyPolled ? busyPoll : undefined }));
    };
    const stopWaiting = (): void => {
      timer.cancel();
      signal?.removeEventListener('abort', onAbort);
      socket.removeListener('error', onError).removeListener('connect', onConnect);
    };
    const giveUp = (reason: unknown): void => {
      stopWaiting();
      socket.on('error', ignore).destroy();
      reject(reason);
    };
    signal?.addEventListener('abort', onAbort);
    socket.on('error', onError).on('connect', onConnect);
  });
}

/** The connection of a socket; undefined when its peer is gone already, so that there is nobody to talk to. */
export function connectionOf(
  socket: Socket,
  ends: Ends | undefined = endsOf(socket),
  poll?: BusyPoll,
): TcpConnection | undefined {
  if (ends !== undefined) return new SocketConnection(socket, ends, { poll });
  socket.on('error', ignore).destroy();
  return undefined;
}

interface Ends {
  readonly local: Endpoint;
  readonly remote: Endpoint;
}

/** Reads into one buffer of the owner's: without one, node allocates and queues a chunk for each read. */
class BufferedReads {
  readonly onread: OnReadOpts;
  /** Who takes what is read. */
  take: (chunk: Uint8Array) => void = ignore;
  /** Of the last read: with replies of one size most reads are as long as the one before. */
  #view: Uint8Array;

  constructor(buffer: Uint8Array) {
    this.#view = buffer;
    this.onread = {
      buffer,
      callback: (count) => {
        if (this.#view.length !== count) this.#view = buffer.subarray(0, count);
        this.take(this.#view);
        return true;
      },
    };
  }
}

/** Ways of reading that are not those of each connection. */
interface Reading {
  readonly reads?: BufferedReads | undefined;
  readonly poll?: BusyPoll | undefined;
}

class SocketConnection implements TcpConnection {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly #socket: Socket;
  readonly #writer: PieceWriter;
  readonly #reads: BufferedReads | undefined;
  readonly #poll: BusyPoll | undefined;
  #handlers: TcpConnectionHandlers | undefined;
  /** We ended or destroyed it: what still arrives is thrown away. */
  #isLeft = false;
  #isClosed = false;
  #error: Error | undefined;
  #lingerTimer: NodeJS.Timeout | undefined;

  constructor(socket: Socket, { local, remote }: Ends, { reads, poll }: Reading) {
    this.local = local;
    this.remote = remote;
    this.#socket = socket;
    this.#writer = new PieceWriter(socket, () => {
      if (!this.#isLeft) this.#handlers?.drain();
    });
    this.#reads = reads;
    this.#poll = poll;
    socket.on('error', (error) => {
      this.#error = networkErrorFrom(error, `TCP connection with ${endpointText(remote)}`);
    });
    // The peer has ended, and node ends our side after what is written; a peer that does not read that is not kept.
    socket.on('end', () => this.#limitLinger());
    socket.on('close', () => {
      clearTimeout(this.#lingerTimer);
      this.#isClosed = true;
      this.#handlers?.close(this.#error);
    });
  }

  get bufferedBytes(): number {
    return this.#writer.bufferedBytes;
  }

  listen(handlers: TcpConnectionHandlers): void {
    if (this.#handlers !== undefined) {
      throw new LocalProtocolError(`TCP connection with ${endpointText(this.remote)}: handlers are set already`);
    }
    this.#handlers = handlers;
    if (this.#isClosed) return void setImmediate(() => handlers.close(this.#error));
    const take = (chunk: Uint8Array): void => {
      this.#poll?.heard();
      if (!this.#isLeft) handlers.data(chunk);
    };
    if (this.#reads === undefined) this.#socket.on('data', take);
    else {
      this.#reads.take = take;
      this.#socket.resume();
    }
  }

  write(bytes: Uint8Array): boolean {
    return this.#writer.write(bytes);
  }

  pause(): void {
    if (!this.#isLeft) this.#socket.pause();
  }

  resume(): void {
    if (!this.#isLeft) this.#socket.resume();
  }

  end(): void {
    if (this.#isLeft) return;
    this.#isLeft = true;
    // Reading waits until all is out, so that a peer that only sends does not look like one that takes our bytes.
    this.#socket.pause();
    this.#limitLinger();
    this.#writer.handOver();
    this.#socket.end(() => {
      if (this.#isClosed) return;
      // Bytes left unread would turn our close into a reset, which can overtake what was written: read to the end.
      this.#socket.resume();
      this.#lingerTimer = setTimeout(() => this.#socket.destroy(), END_LINGER_MS);
    });
  }

  destroy(): void {
    this.#isLeft = true;
    this.#socket.destroy();
  }

  /** node starts this timer anew whenever the kernel has taken some bytes since it last looked. */
  #limitLinger(): void {
    this.#socket.setTimeout(END_LINGER_MS, () => {
      const what = `TCP connection with ${endpointText(this.remote)}`;
      this.#socket.destroy(new TimeoutError(`${what}: nothing taken within ${END_LINGER_MS} ms after the end`));
    });
  }
}

/** Undefined when the socket is not connected any more. */
export function endsOf({ localAddress, localPort, remoteAddress, remotePort }: Socket): Ends | undefined {
  if (localAddress === undefined || localPort === undefined) return undefined;
  if (remoteAddress === undefined || remotePort === undefined) return undefined;
  return {
    local: { address: localAddress, port: localPort },
    remote: { address: remoteAddress, port: remotePort },
  };
}

function isSame(a: Endpoint, b: Endpoint): boolean {
  return a.port === b.port && a.address === b.address;
}

function isAddressInfo(bound: AddressInfo | string | null): bound is AddressInfo {
  return bound !== null && typeof bound === 'object';
}

function ignore(): void {
  // A socket that was given up may still report why it broke; nobody waits for that.
}
