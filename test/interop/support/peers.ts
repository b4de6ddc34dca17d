// How does a test start a foreign server, or one of pvkit's own, on loopback?

import { LineProcess, ROOT, type Environment } from './line-process.ts';
import { freeTcpPort, freeUdpPort, LOOPBACK, serverEnvironment } from './loopback.ts';

export const PYTHON = `${ROOT}.venv/bin/python`;
export const PEERS = `${ROOT}test/interop/peers/`;
export const PVKIT = 'dist/cli/main.js';
export const JAVA_CLASSES = `${ROOT}.peers/java/core-pva.jar:${ROOT}.peers/java`;

export interface ServedAt {
  readonly process: LineProcess;
  readonly tcpPort: number;
  readonly udpPort: number;
  readonly names: readonly string[];
}

/** The ports to take; new ones when left out. A server that comes again takes those it had. */
export interface Ports {
  readonly tcpPort?: number;
  readonly udpPort?: number;
}

interface Ready {
  readonly tcpPort: number;
  readonly names?: readonly string[];
}

/** `pvkit serve ARGS` */
export async function startPvkit(args: readonly string[], ports: Ports = {}): Promise<ServedAt> {
  const udpPort = ports.udpPort ?? (await freeUdpPort());
  const { tcpPort = 0 } = ports;
  const place = ['--interface', LOOPBACK, '--tcp-port', String(tcpPort), '--udp-port', String(udpPort)];
  return started('"listening"', udpPort, process.execPath, [PVKIT, 'serve', '--json', ...place, ...args]);
}

/** The server of peers/odd-server.mjs: types that no configuration file can name. */
export async function startOddServer(byteOrder: 'little' | 'big', ports: Ports = {}): Promise<ServedAt> {
  const udpPort = ports.udpPort ?? (await freeUdpPort());
  const environment = serverEnvironment(udpPort, ports.tcpPort);
  return started('"ready"', udpPort, process.execPath, [`${PEERS}odd-server.mjs`, byteOrder], environment);
}

/** The server of peers/p4p_server.py: pvxs. */
export async function startP4pServer(ports: Ports = {}): Promise<ServedAt> {
  const udpPort = ports.udpPort ?? (await freeUdpPort());
  const environment = serverEnvironment(udpPort, ports.tcpPort);
  return started('"ready"', udpPort, PYTHON, [`${PEERS}p4p_server.py`], environment);
}

/**
 * The server of peers/JavaServer.java: core-pva. It listens on every address: its TCP always does, and its UDP hears of
 * searches that others pass on only if it does.
 */
export async function startJavaServer(): Promise<ServedAt> {
  const udpPort = await freeUdpPort();
  const environment = {
    ...serverEnvironment(udpPort),
    EPICS_PVAS_INTF_ADDR_LIST: `0.0.0.0 224.0.0.128,1@${LOOPBACK}`,
    EPICS_PVA_SERVER_PORT: '0',
  };
  return started('"ready"', udpPort, 'java', ['-cp', JAVA_CLASSES, 'JavaServer'], environment);
}

/** A softIoc with peers/softioc.db. */
export async function startSoftIoc(): Promise<ServedAt> {
  const [udpPort, tcpPort, caPort] = [await freeUdpPort(), await freeTcpPort(), await freeTcpPort()];
  const ioc = new LineProcess(PYTHON, ['-u', '-m', 'pvxslibs.ioc', '-d', `${PEERS}softioc.db`], {
    ...serverEnvironment(udpPort, tcpPort),
    EPICS_CAS_INTF_ADDR_LIST: LOOPBACK,
    EPICS_CAS_SERVER_PORT: String(caPort),
    EPICS_CAS_AUTO_BEACON_ADDR_LIST: 'NO',
    EPICS_CAS_BEACON_ADDR_LIST: LOOPBACK,
  });
  await ioc.stderrWith('IOC Running');
  return { process: ioc, tcpPort, udpPort, names: [] };
}

async function started(
  ready: string,
  udpPort: number,
  command: string,
  args: readonly string[],
  environment: Environment = {},
): Promise<ServedAt> {
  const server = new LineProcess(command, args, environment);
  // The peers are this repository's own; what they say has this form.
  const { tcpPort, names = [] } = JSON.parse(await server.lineWith(ready)) as Ready;
  return { process: server, tcpPort, udpPort, names };
}
