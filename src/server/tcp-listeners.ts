// On which TCP ports does a server listen? On the one that was asked for, or on the next that is free.

import { PvaError } from '../protocol/errors.ts';
import { endpointText } from '../transport/network-error.ts';
import type { Network, TcpConnection, TcpListener } from '../transport/network.ts';
import type { ServedAddress } from './interfaces.ts';
import type { NoticeBoard } from './notices.ts';

/** Ports that are tried one after the other before the system is asked for any. */
const NEXT_PORTS = 100;
const LAST_PORT = 65_535;

export interface ListenOptions {
  readonly network: Pick<Network, 'listenTcp'>;
  readonly notices: NoticeBoard;
  readonly served: ServedAddress;
  /** 0: any free port. */
  readonly tcpPort: number;
  readonly isBusyPolled: boolean;
  readonly accept: (connection: TcpConnection) => void;
}

/** A listener on the port, or on another with a warning. @throws PvaError for anything but a port that is taken */
export async function listenNear(options: ListenOptions): Promise<TcpListener> {
  const { network, notices, served, isBusyPolled, accept } = options;
  const wanted = served.tcpPort ?? options.tcpPort;
  for (const port of candidates(wanted)) {
    try {
      const listener = await network.listenTcp({ address: served.address, port, isBusyPolled }, accept);
      if (wanted !== 0 && listener.local.port !== wanted) warn(notices, served.address, wanted, listener.local.port);
      return listener;
    } catch (thrown) {
      // A port below 1024 may be forbidden; another one serves as well.
      if (!(thrown instanceof PvaError && (thrown.code === 'EADDRINUSE' || thrown.code === 'EACCES'))) throw thrown;
    }
  }
  throw new PvaError('EADDRINUSE', `no TCP port is free on ${served.address}`);
}

function candidates(wanted: number): readonly number[] {
  if (wanted === 0) return [0];
  const next = Array.from({ length: NEXT_PORTS + 1 }, (_, step) => wanted + step).filter((port) => port <= LAST_PORT);
  return [...next, 0];
}

function warn(notices: NoticeBoard, address: string, wanted: number, taken: number): void {
  notices.publish({
    kind: 'portTaken',
    level: 'warning',
    text: `TCP port ${endpointText({ address, port: wanted })} is taken; listening on port ${taken}, which searches are answered with`,
  });
}
