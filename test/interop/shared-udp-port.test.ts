// Are several servers on one host found, although all of them listen for searches on the same UDP port?
//
// A unicast datagram reaches one of the sockets only, the one that was bound last. That server passes the search on to
// the group 224.0.0.128 on loopback, with a tag in front (ORIGIN_TAG), and there the others hear it. Clients that listen
// for beacons on that port do the same.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { Context } from '../../src/client/context.ts';
import { pvkit } from './support/command.ts';
import { contextOf, taggedGet } from './support/library.ts';
import { endEverything, type Environment } from './support/line-process.ts';
import { clientEnvironment, freeUdpPort, LOOPBACK } from './support/loopback.ts';
import { P4pClient } from './support/p4p-client.ts';
import { startOddServer, startP4pServer, startPvkit, type Ports, type ServedAt } from './support/peers.ts';
import { fieldAt } from './support/tagged.ts';

afterAll(endEverything);

const serveFirst = (ports: Ports): Promise<ServedAt> => startPvkit(['--pv', 'first:value=int:1'], ports);
const serveSecond = (ports: Ports): Promise<ServedAt> => startPvkit(['--pv', 'second:value=int:2'], ports);
const serveOdd = (ports: Ports): Promise<ServedAt> => startOddServer('big', ports);

/** A PV of each server, and its value. */
const EXPECTED = { 'first:value': 1, 'second:value': 2, 'peer:readonly': 2.5, 'odd:readonly': 2.5 };
const NAMES = Object.keys(EXPECTED);

// Who comes last gets the searches, so each make comes last once.
describe.each([
  { last: 'pvkit', order: [startP4pServer, serveOdd, serveFirst, serveSecond] },
  { last: 'p4p', order: [serveFirst, serveSecond, serveOdd, startP4pServer] },
])('servers on one UDP port, the last of them $last,', ({ order }) => {
  const servers: ServedAt[] = [];
  let environment: Environment;
  let p4p: P4pClient;
  let context: Context;

  beforeAll(async () => {
    const udpPort = await freeUdpPort();
    for (const start of order) servers.push(await start({ udpPort }));
    environment = clientEnvironment(udpPort);
    p4p = await P4pClient.start(environment);
    context = contextOf(environment);
  });
  afterAll(async () => {
    await p4p.end();
    await context.close();
    for (const { process } of servers) await process.end('SIGTERM');
  });

  it('share it', () => {
    expect(new Set(servers.map(({ udpPort }) => udpPort)).size).toBe(1);
    expect(new Set(servers.map(({ tcpPort }) => tcpPort)).size).toBe(servers.length);
  });

  it('are all found by p4p', async () => {
    const values = await p4p.getAll(NAMES);
    expect(Object.fromEntries(NAMES.map((name, index) => [name, fieldAt(values[index] ?? null, 'value')]))).toEqual(
      EXPECTED,
    );
  });

  it('are all found by pvkit', async () => {
    const values = await Promise.all(
      NAMES.map(async (name) => [name, fieldAt(await taggedGet(context, name), 'value')]),
    );
    expect(Object.fromEntries(values)).toEqual(EXPECTED);
  });

  it('are all found by pvkit list', async () => {
    const { code, stdout } = await pvkit(['list', '-w', '1'], environment);
    expect(code).toBe(0);
    for (const { tcpPort } of servers) expect(stdout).toContain(`${LOOPBACK}:${tcpPort}`);
  });
});

/** Settings of a client that listens for beacons on all addresses, as by default. */
function listening(udpPort: number): Environment {
  return { ...clientEnvironment(udpPort), EPICS_PVA_INTF_ADDR_LIST: '0.0.0.0' };
}

// These servers are bound to 127.0.0.1 alone, and take no search that was passed on for another address.
describe.each([
  { make: 'p4p', pvName: 'peer:readonly', start: startP4pServer },
  { make: 'pvkit', pvName: 'first:value', start: serveFirst },
])('a server of $make on one address', ({ pvName, start }) => {
  let server: ServedAt;

  beforeAll(async () => {
    server = await start({});
  });
  afterAll(async () => {
    await server.process.end('SIGTERM');
  });

  it('is found by a pvkit list that listens on all addresses', async () => {
    const { code, stdout } = await pvkit(['list', '-w', '1'], listening(server.udpPort));
    expect(code).toBe(0);
    expect(stdout).toContain(`${LOOPBACK}:${server.tcpPort}`);
  });

  it('is found by others while a client of pvkit waits for a PV that nobody has', async () => {
    const waiting = contextOf(listening(server.udpPort));
    const never = waiting.info('nobody:has-this', { timeoutMs: Number.POSITIVE_INFINITY }).catch(() => 'closed');
    // Until it has searched three times it does not listen.
    await new Promise((resolve) => {
      setTimeout(resolve, 5_000);
    });
    const p4p = await P4pClient.start(clientEnvironment(server.udpPort));
    expect(await p4p.get(pvName)).toMatchObject({ structure: 'epics:nt/NTScalar:1.0' });
    await p4p.end();
    const other = contextOf(clientEnvironment(server.udpPort));
    expect(await other.info(pvName)).toMatchObject({ server: `${LOOPBACK}:${server.tcpPort}` });
    await other.close();
    await waiting.close();
    expect(await never).toBe('closed');
  });
});
