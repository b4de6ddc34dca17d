// Who is measured? Servers with the same PVs, one of pvkit and one of pvxs. They post nothing while nobody looks.

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { Child } from './child.ts';
import { SERVER_CORE, type Cores } from './cores.ts';
import { pvxsServer, type PvxsServer } from './pvxs.ts';

const LOOPBACK = '127.0.0.1';
const PVKIT_SERVER = fileURLToPath(new URL('pvkit-server.js', import.meta.url));

export type PeerName = 'pvkit' | 'pvxs';

const ports = z.object({ tcpPort: z.int(), udpPort: z.int() });

/** A server under way. */
export interface Peer {
  readonly pid: number;
  /** `HOST:PORT` */
  readonly server: string;
  readonly udpPort: number;
  /** Milliseconds from its start until it said that it serves. */
  readonly readyMs: number;
  ask(line: string): Promise<string>;
  end(): Promise<void>;
}

export class Peers {
  readonly pvxs: PvxsServer = pvxsServer();

  /** Both have the PVs of pvkit-server.ts. */
  start(name: PeerName, cores: Cores): Promise<Peer> {
    return startPeer(name === 'pvxs' ? this.pvxs.command : [process.execPath, PVKIT_SERVER], cores);
  }
}

/** The server of pvkit's public API; it can be asked for the bytes that it uses. */
export function startMeasurable(): Promise<Peer> {
  return startPeer([process.execPath, '--expose-gc', PVKIT_SERVER], SERVER_CORE);
}

/** `pvkit serve WORDS` on loopback. */
export async function startServe(words: readonly string[], cores: Cores): Promise<Peer> {
  const place = ['--interface', LOOPBACK, '--tcp-port', '0', '--udp-port', String(await freeUdpPort()), '--json'];
  return startPeer([process.execPath, 'dist/cli/main.js', 'serve', ...place, ...words], cores);
}

async function startPeer(command: readonly string[], cores: Cores): Promise<Peer> {
  const environment = {
    EPICS_PVAS_INTF_ADDR_LIST: LOOPBACK,
    EPICS_PVAS_SERVER_PORT: '0',
    EPICS_PVAS_BROADCAST_PORT: String(await freeUdpPort()),
    EPICS_PVAS_AUTO_BEACON_ADDR_LIST: 'NO',
    EPICS_PVAS_BEACON_ADDR_LIST: LOOPBACK,
  };
  const start = performance.now();
  const child = new Child(command, { cores, environment });
  const { tcpPort, udpPort } = ports.parse(JSON.parse(await child.line()));
  return {
    pid: child.pid,
    server: `${LOOPBACK}:${tcpPort}`,
    udpPort,
    readyMs: performance.now() - start,
    ask: (line) => child.ask(line),
    end: () => child.end(),
  };
}

/** A UDP port that nobody has just now: pvxs does not look for one itself. */
async function freeUdpPort(): Promise<number> {
  const socket = createSocket('udp4');
  socket.bind(0, LOOPBACK);
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  await once(socket, 'close');
  return port;
}
