// What does pvkit need from a network? Contracts only: tcp.ts and udp.ts keep them with real sockets, memory-network.ts in memory.
//
// Addresses are IPv4 or IPv6 text, never host names (`Network.resolve` turns a name into them). An IPv6 socket
// serves IPv6 only: who wants both binds both. Failures are `PvaError`s whose `code` is the system's ('EADDRINUSE',
// 'ECONNRESET', ...). Handlers must not throw: nobody stands above them.

/** One end of a connection or one side of a datagram. */
export interface Endpoint {
  /** IPv4 or IPv6 text; IPv6 link-local addresses carry their zone (`fe80::1%eth0`). */
  readonly address: string;
  readonly port: number;
}

/** One address of one network interface of this host. */
export interface NetworkInterface {
  readonly name: string;
  readonly address: string;
  readonly netmask: string;
  /** Absent for loopback, for IPv6 and for networks too small to have one (/31, /32). */
  readonly broadcast?: string;
  readonly isLoopback: boolean;
  readonly family: 'IPv4' | 'IPv6';
}

/** What the owner of a connection is told. */
export interface TcpConnectionHandlers {
  /** Bytes arrived. The chunk is valid until this returns: keep a copy, not the view. */
  data(chunk: Uint8Array): void;
  /** Everything written is out, after a `write` that returned false, or for which the kernel had no room at once. */
  drain(): void;
  /** The connection is gone: exactly once, always, last, and never from inside a call of the owner. */
  close(error?: Error): void;
}

/** One established stream. The stream is never half open: the end of either direction ends both. */
export interface TcpConnection {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  /** Bytes written here and not yet accepted by the kernel; fewer while a peer takes them, however they were written. */
  readonly bufferedBytes: number;
  /**
   * Sets the handlers, once; what arrived before (bytes or the close) is kept and told after it. Whoever gets a
   * connection must listen to it or destroy it.
   * @throws LocalProtocolError at the second call
   */
  listen(handlers: TcpConnectionHandlers): void;
  /**
   * Hands bytes over; they must not be changed afterwards. Returns false when the socket's own buffer is past its
   * high mark: `drain` or `close` follows. After `end`, `destroy` or the close the bytes are dropped and false is
   * returned.
   */
  write(bytes: Uint8Array): boolean;
  /** Stops reading; the peer's own sending slows down. The peer's end is not noticed while reading is paused. */
  pause(): void;
  resume(): void;
  /**
   * Ends after everything written is out. Bytes that still arrive are thrown away, paused or not. A peer that takes
   * nothing more, or does not end its side, is given `END_LINGER_MS` (real sockets: at most twice that).
   */
  end(): void;
  /** Ends now; what was written may be lost. No `data` or `drain` follows, only `close`. */
  destroy(): void;
}

/** A port that accepts connections. */
export interface TcpListener {
  readonly local: Endpoint;
  /** Connections that the system could not accept (out of file descriptors, for example). */
  readonly errorCount: number;
  /** Resolves when the port is free again. Accepted connections stay. Idempotent. */
  close(): Promise<void>;
}

export interface ListenTcpOptions {
  readonly address: string;
  /** 0: any free port. */
  readonly port: number;
  /** Connections the kernel holds until they are accepted; default `LISTEN_BACKLOG`. */
  readonly backlog?: number;
  /** Connections that ask again at once are waited for awake: busy-poll.ts. */
  readonly isBusyPolled?: boolean;
}

export interface ConnectTcpOptions {
  /** Aborting rejects with the signal's reason. It has no effect on an established connection. */
  readonly signal?: AbortSignal;
  /** Default `CONNECT_TIMEOUT_MS`; `Infinity` for as long as the system tries. */
  readonly timeoutMs?: number;
  /** What arrives is read into this buffer, and each chunk is a view of it: for who has to be very fast. */
  readonly readBuffer?: Uint8Array;
  /** As of `ListenTcpOptions`. */
  readonly isBusyPolled?: boolean;
}

/** What the owner of a UDP socket is told. */
export interface UdpHandlers {
  /** A datagram arrived. The bytes are valid until this returns. Which address it was sent to cannot be known. */
  message(bytes: Uint8Array, from: Endpoint): void;
  /** Something went wrong with one datagram; the socket goes on. Never called from inside `send`. */
  error(error: Error): void;
}

export interface BindUdpOptions {
  /**
   * The wildcard address hears everything sent to the port; a socket bound to one address hears only what was sent to
   * exactly that address: no broadcast, no multicast. (Linux; a broadcast or group address can be bound, too.)
   */
  readonly address: string;
  /** 0: any free port. */
  readonly port: number;
  /**
   * SO_REUSEADDR: several sockets that all ask for it share a port. Each gets every broadcast and multicast; unicast
   * goes to the most exact address and, among equals, to the last binder.
   */
  readonly shared?: boolean;
  /** Allows sending to broadcast addresses; without it the system answers EACCES. */
  readonly broadcast?: boolean;
}

/** One bound UDP socket. */
export interface UdpSocket {
  readonly local: Endpoint;
  /** Datagrams that could not be sent or received. */
  readonly errorCount: number;
  /** Sends one datagram; the bytes must not be changed afterwards. After `close` it does nothing. */
  send(bytes: Uint8Array, to: Endpoint): void;
  /**
   * Joins a multicast group on the interface that has this address; joining twice is one membership. On Linux every
   * wildcard socket of a port hears a group that any socket of the host has joined.
   * @throws PvaError, ENODEV or EADDRNOTAVAIL when no interface has the address
   */
  joinGroup(group: string, interfaceAddress: string): void;
  /**
   * Sets the interface and time to live of multicasts sent here, and whether sockets of this host hear them; on a
   * loopback interface they always do.
   * @throws PvaError when no interface has the address
   */
  setMulticast(interfaceAddress: string, ttl: number, loopback: boolean): void;
  /** Idempotent; nothing is told afterwards. */
  close(): void;
}

/** A host's way to the network. */
export interface Network {
  /** Rejects with code EADDRINUSE (port taken), EADDRNOTAVAIL (not an address of this host), EACCES, ... */
  listenTcp(options: ListenTcpOptions, accept: (connection: TcpConnection) => void): Promise<TcpListener>;
  /** Rejects with code ECONNREFUSED, EHOSTUNREACH, ..., with a `TimeoutError`, or with the signal's reason. */
  connectTcp(to: Endpoint, options?: ConnectTcpOptions): Promise<TcpConnection>;
  /** Rejects with code EADDRINUSE, EADDRNOTAVAIL, ... */
  bindUdp(options: BindUdpOptions, handlers: UdpHandlers): Promise<UdpSocket>;
  /** The addresses of this host as they are now. */
  interfaces(): readonly NetworkInterface[];
  /** Files and connections that this process may have open, where the system says so. */
  descriptorLimit?(): number | undefined;
  /** The addresses of a host name, best first; address text resolves to itself. Rejects with code ENOTFOUND. */
  resolve(hostName: string): Promise<readonly string[]>;
}

/** Users complained that one dead host stalls everything: five seconds, then it counts as away. */
export const CONNECT_TIMEOUT_MS = 5_000;
/** A peer that neither reads nor ends after our `end` would hold a socket for ever. */
export const END_LINGER_MS = 5_000;
/** pvxs accepts with a short backlog, and a burst of 1 000 clients mostly times out there; the kernel caps this. */
export const LISTEN_BACKLOG = 4_096;
