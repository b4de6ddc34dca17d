// Which ports are free, and which EPICS settings keep a client or a server of any make on loopback?

import { createSocket } from 'node:dgram';
import { connect, createServer } from 'node:net';
import type { Environment } from './line-process.ts';

export const LOOPBACK = '127.0.0.1';

/** A UDP port that nobody has. */
export async function freeUdpPort(): Promise<number> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => {
    socket.bind(0, LOOPBACK, resolve);
  });
  const { port } = socket.address();
  await new Promise<void>((resolve) => {
    socket.close(() => resolve());
  });
  return port;
}

/** A TCP port that nobody has. */
export async function freeTcpPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, LOOPBACK, resolve);
  });
  const address = server.address();
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  if (address === null || typeof address === 'string') throw new Error('a TCP server has no port');
  return address.port;
}

/** The bytes, in hex, that a server sends unasked to whoever connects. */
export async function firstBytes(tcpPort: number, count: number): Promise<string> {
  const socket = connect(tcpPort, LOOPBACK);
  try {
    const bytes = await new Promise<Buffer>((resolve, reject) => {
      socket.once('data', resolve).once('error', reject);
    });
    return (bytes.subarray(0, count).toString('hex').match(/../gu) ?? []).join(' ');
  } finally {
    socket.destroy();
  }
}

/** Settings that make a client search on loopback, at one UDP port. */
export function clientEnvironment(udpPort: number): Environment {
  return {
    EPICS_PVA_ADDR_LIST: LOOPBACK,
    EPICS_PVA_AUTO_ADDR_LIST: 'NO',
    EPICS_PVA_NAME_SERVERS: '',
    EPICS_PVA_BROADCAST_PORT: String(udpPort),
    EPICS_PVA_INTF_ADDR_LIST: LOOPBACK,
  };
}

/** Settings that make a client find servers over TCP alone; `unusedUdpPort` is where no server listens. */
export function nameServerEnvironment(tcpPort: number, unusedUdpPort: number): Environment {
  return {
    ...clientEnvironment(unusedUdpPort),
    EPICS_PVA_ADDR_LIST: '',
    EPICS_PVA_NAME_SERVERS: `${LOOPBACK}:${tcpPort}`,
  };
}

/** Settings that keep a server on loopback; 0 leaves it the choice of its TCP port. */
export function serverEnvironment(udpPort: number, tcpPort = 0): Environment {
  return {
    EPICS_PVAS_INTF_ADDR_LIST: LOOPBACK,
    EPICS_PVAS_SERVER_PORT: String(tcpPort),
    EPICS_PVAS_BROADCAST_PORT: String(udpPort),
    EPICS_PVAS_AUTO_BEACON_ADDR_LIST: 'NO',
    EPICS_PVAS_BEACON_ADDR_LIST: LOOPBACK,
  };
}
