// How are worker processes of this machine started, and how do sockets get to them? This file alone names
// `node:child_process`, in the process that starts them and in those that are started.
//
// A worker has two ways to its parent. Sockets go over the channel of `fork`, which the system's descriptors can travel
// on. All else goes over a pipe of its own: bytes as they are, without a JSON text for each message.

import { fork, type ChildProcess } from 'node:child_process';
import { Socket } from 'node:net';
import { LocalProtocolError } from '../protocol/errors.ts';
import type { Endpoint, TcpConnection } from './network.ts';
import type { HandedConnection, IncomingConnection, Processes, WorkerProcess } from './processes.ts';
import { connectionOf, endsOf, listenSockets } from './tcp.ts';

/** What travels with a socket, as JSON. */
type Label = Omit<HandedConnection, 'connection'>;

/** Descriptor of the pipe in the worker; 0 to 2 are the standard streams, 3 is the channel of `fork`. */
const PIPE_FD = 4;
/** What stands where a connection has addresses. */
const PIPE_ENDS = { local: { address: 'pipe', port: 0 }, remote: { address: 'pipe', port: 0 } };

/** Processes that run the compiled file `entry`. */
export function nodeProcesses(entry: URL): Processes {
  return {
    startWorker: (ended) => start(entry, ended),
    listenTcp: (options, accept) =>
      listenSockets(options, { pauseOnConnect: true }, (socket) => {
        const ends = endsOf(socket);
        if (ends === undefined) socket.on('error', ignore).destroy();
        else accept(new SocketToHand(socket, ends));
      }),
  };
}

/** In a worker: the pipe to its parent. `accept` gets the connections that the parent hands on. */
export function parentOfWorker(accept: (handed: HandedConnection) => void): TcpConnection {
  process.on('message', (message, handle) => {
    // Of the same program, which started this one.
    accept({ ...(message as Label), connection: handle instanceof Socket ? connectionOf(handle) : undefined });
  });
  return pipeOf(new Socket({ fd: PIPE_FD, readable: true, writable: true }));
}

class SocketToHand implements IncomingConnection {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly socket: Socket;

  constructor(socket: Socket, { local, remote }: { readonly local: Endpoint; readonly remote: Endpoint }) {
    this.local = local;
    this.remote = remote;
    this.socket = socket.on('error', ignore);
  }

  destroy(): void {
    this.socket.destroy();
  }
}

function start(entry: URL, ended: (how: string) => void): WorkerProcess {
  const child = fork(entry, { stdio: ['ignore', 'inherit', 'inherit', 'ipc', 'pipe'] });
  let isOver = false;
  const over = (how: string): void => {
    if (!isOver) ended(how);
    isOver = true;
  };
  child.on('exit', (code, signal) => over(signal === null ? `exit code ${code}` : `signal ${signal}`));
  // It could not be started, or not be told something; in the second case its exit follows.
  child.on('error', (error) => {
    if (child.pid === undefined) over(error.message);
  });
  return {
    pid: child.pid ?? 0,
    pipe: pipeOf(child.stdio[PIPE_FD]),
    hand: (connection, otherPort) => hand(child, connection, otherPort),
    kill: () => void child.kill('SIGKILL'),
  };
}

function hand(child: ChildProcess, connection: IncomingConnection, otherPort: number | undefined): void {
  if (!(connection instanceof SocketToHand)) throw new LocalProtocolError('only sockets of this host can be handed on');
  if (!child.connected) return connection.destroy();
  const label: Label = { address: connection.remote.address, otherPort };
  child.send(label, connection.socket, {}, (error) => {
    if (error !== null) connection.destroy();
  });
}

function pipeOf(stream: unknown): TcpConnection {
  const pipe = stream instanceof Socket ? connectionOf(stream, PIPE_ENDS) : undefined;
  if (pipe === undefined) throw new LocalProtocolError('a worker process was started without its pipe');
  return pipe;
}

function ignore(): void {
  // A socket that is handed on or destroyed may still report why it broke; nobody waits for that.
}
