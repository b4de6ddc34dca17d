// What does a server need in order to spread its connections over several processes? Contracts only: node-processes.ts
// keeps them with real processes.

import type { Endpoint, ListenTcpOptions, TcpConnection, TcpListener } from './network.ts';

/** A connection that was accepted and that nothing was read from: it is to be handed to another process, or destroyed. */
export interface IncomingConnection {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  destroy(): void;
}

/** What a process is told of a connection that is handed to it. */
export interface HandedConnection {
  /** Undefined when its client was gone before it was here. */
  readonly connection: TcpConnection | undefined;
  /** Of its client. */
  readonly address: string;
  /** As the process that handed it on had it. */
  readonly otherPort: number | undefined;
}

/** A process that was started by this one and takes connections from it. */
export interface WorkerProcess {
  /** Its process id. */
  readonly pid: number;
  /** A stream of bytes to the process and back; its addresses mean nothing. */
  readonly pipe: TcpConnection;
  /** Hands a connection on, with a port of this host to go with it; it is lost if the process ends before it has it. */
  hand(connection: IncomingConnection, otherPort: number | undefined): void;
  /** Ends it at once. */
  kill(): void;
}

/** A host's way to start workers. */
export interface Processes {
  /** Starts a worker; `ended` is called once, when it is gone, and says how: `exit code 1`, `signal SIGKILL`. */
  startWorker(ended: (how: string) => void): WorkerProcess;
  /** As `Network.listenTcp`, for connections that are handed on. */
  listenTcp(options: ListenTcpOptions, accept: (connection: IncomingConnection) => void): Promise<TcpListener>;
}
