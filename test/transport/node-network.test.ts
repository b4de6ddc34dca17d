// Do real sockets keep the contract? On loopback, at free ports only.
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { PvaError, TimeoutError } from '../../src/protocol/errors.ts';
import { END_LINGER_MS, type TcpConnection } from '../../src/transport/network.ts';
import { nodeNetwork } from '../../src/transport/node-network.ts';
import { testNetwork } from './network-suite.ts';
import { DatagramRecorder, Opened, RecordedConnection } from './recorders.ts';

const LOOPBACK = '127.0.0.1';
const MEBIBYTE = 1024 * 1024;

testNetwork('the network of this machine', () => ({
  here: nodeNetwork,
  there: nodeNetwork,
  address: LOOPBACK,
  broadcast: '127.255.255.255',
}));

describe('real sockets', () => {
  const opened = new Opened();
  afterEach(async () => {
    vi.useRealTimers();
    await opened.close();
  });

  it('leave no handle behind', async () => {
    const { near, far } = await opened.stream(nodeNetwork, nodeNetwork, LOOPBACK);
    const socket = await opened.udp(nodeNetwork, { address: '0.0.0.0', port: 0, shared: true });
    socket.joinGroup('224.0.0.128', LOOPBACK);
    await expect(nodeNetwork.bindUdp({ address: '0.0.0.0', port: socket.local.port }, silent)).rejects.toThrow(
      PvaError,
    );
    await expect(nodeNetwork.connectTcp({ address: LOOPBACK, port: 1 })).rejects.toMatchObject({
      code: 'ECONNREFUSED',
    });
    near.connection.write(new Uint8Array(100_000));
    near.connection.end();
    await Promise.all([near.closed(), far.closed()]);
    await opened.close();
    // The system's handles go in the phase of the loop that follows `setImmediate`.
    await turn();
    await turn();
    expect(handles()).toEqual([]);
  });

  it('show what a peer has taken of one large write', async () => {
    const { near, far } = await opened.stream(nodeNetwork, nodeNetwork, LOOPBACK);
    near.connection.write(new Uint8Array(48 * MEBIBYTE));
    await far.received(24 * MEBIBYTE);
    far.connection.pause();
    await turn();
    // The rest of what has left is with the kernel, which has less than this.
    expect(near.connection.bufferedBytes).toBeLessThanOrEqual(24 * MEBIBYTE);
    expect(near.connection.bufferedBytes).toBeGreaterThan(0);
    far.connection.resume();
    expect((await far.received(48 * MEBIBYTE)).length).toBe(48 * MEBIBYTE);
  });

  it('send what was written to a peer that has ended its side and reads on', async () => {
    const server = createServer({ allowHalfOpen: true }).listen(0, LOOPBACK);
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
    const accepted = once(server, 'connection');
    const near = new RecordedConnection(await nodeNetwork.connectTcp({ address: LOOPBACK, port }));
    // `once` gives what the event has.
    const [peer] = (await accepted) as [Socket];
    near.connection.write(new Uint8Array(16 * MEBIBYTE));
    peer.end();
    let readBytes = 0;
    peer.on('data', (chunk: Buffer) => (readBytes += chunk.length));
    await Promise.all([near.closed(), once(peer, 'close')]);
    expect(readBytes).toBe(16 * MEBIBYTE);
    server.close();
  });

  it('leave no timer behind, however connecting went', async () => {
    const { listener } = await opened.stream(nodeNetwork, nodeNetwork, LOOPBACK);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    (await nodeNetwork.connectTcp(listener.local)).destroy();
    await listener.close();
    await expect(nodeNetwork.connectTcp(listener.local)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    const aborted = nodeNetwork.connectTcp(listener.local, { signal: AbortSignal.timeout(0) });
    await expect(aborted).rejects.toThrow();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('connect without a limit, also where the system counts no further than 24.8 days', async () => {
    const timeouts = vi.spyOn(globalThis, 'setTimeout');
    const { listener } = await opened.stream(nodeNetwork, nodeNetwork, LOOPBACK);
    const connection = await nodeNetwork.connectTcp(listener.local, { timeoutMs: Number.POSITIVE_INFINITY });
    connection.destroy();
    // A longer one fires at once.
    expect(Math.max(...timeouts.mock.calls.map(([, ms]) => ms ?? 0))).toBeLessThan(2 ** 31);
    timeouts.mockRestore();
  });

  it('give up connecting when nobody answers in time', async () => {
    // A thread that listens and then sleeps accepts nobody; once its short queue is full, the kernel answers nobody.
    const worker = new Worker(
      `const { parentPort } = require('node:worker_threads');
       const server = require('node:net').createServer().listen({ host: '${LOOPBACK}', port: 0, backlog: 1 }, () => {
         parentPort.postMessage(server.address().port);
         setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0));
       });`,
      { eval: true },
    );
    const port = await new Promise<unknown>((resolve) => void worker.once('message', resolve));
    const attempts = Array.from({ length: 8 }, () =>
      nodeNetwork.connectTcp({ address: LOOPBACK, port: Number(port) }, { timeoutMs: 150 }),
    );
    const outcomes = await Promise.allSettled(attempts);
    for (const outcome of outcomes) if (outcome.status === 'fulfilled') outcome.value.destroy();
    await worker.terminate();
    const reasons = outcomes.flatMap((outcome): unknown[] => (outcome.status === 'rejected' ? [outcome.reason] : []));
    expect(reasons.length).toBeGreaterThan(0);
    for (const reason of reasons) expect(reason).toBeInstanceOf(TimeoutError);
  });

  it('report a reset by the peer as the reason of the close', async () => {
    const server = createServer((socket) => socket.on('data', () => socket.resetAndDestroy()));
    const port = await listen(server);
    const near = new RecordedConnection(await opened.connection(nodeNetwork, { address: LOOPBACK, port }));
    near.connection.write(Buffer.from('hello'));
    expect(await near.closed()).toMatchObject({ code: 'ECONNRESET' });
    expect(near.count('close')).toBe(1);
    server.close();
  });

  it('do not wait for ever for a peer that never ends its side', async () => {
    const peers: Socket[] = [];
    const server = createServer({ allowHalfOpen: true }, (socket) => void peers.push(socket.resume()));
    const port = await listen(server);
    const near = new RecordedConnection(await opened.connection(nodeNetwork, { address: LOOPBACK, port }));
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    near.connection.write(Buffer.from('last words'));
    near.connection.end();
    while (vi.getTimerCount() === 0) await turn();
    expect(near.count('close')).toBe(0);
    vi.advanceTimersByTime(END_LINGER_MS);
    expect(await near.closed()).toBeUndefined();
    for (const peer of peers) peer.destroy();
    server.close();
  });

  it('accept nobody who is gone already', async () => {
    const accepted: TcpConnection[] = [];
    const listener = await opened.listener(nodeNetwork, { address: LOOPBACK, port: 0 }, (each) => {
      accepted.push(each);
      each.destroy();
    });
    const socket = connect(listener.local.port, LOOPBACK);
    await once(socket, 'connect');
    socket.resetAndDestroy();
    const second = new RecordedConnection(await opened.connection(nodeNetwork, listener.local));
    await second.closed();
    expect(accepted.every(({ remote }) => remote.port > 0)).toBe(true);
    expect(listener.errorCount).toBe(0);
  });

  it('survive the refusal of a datagram by its receiver', async () => {
    const trouble = new DatagramRecorder();
    const sender = await opened.udp(nodeNetwork, { address: LOOPBACK, port: 0 }, trouble);
    const gone = await opened.udp(nodeNetwork, { address: LOOPBACK, port: 0 });
    gone.close();
    for (let count = 0; count < 3; count++) {
      sender.send(Buffer.from('anybody?'), gone.local);
      await turn();
    }
    sender.send(Buffer.from('me'), sender.local);
    await trouble.received('me');
    expect(trouble.texts).toEqual(['me']);
  });

  it('that share ports have one that nobody else has, where they ask for any', async () => {
    const ports = new Set<number>();
    for (let count = 0; count < 600; count++) {
      const socket = await opened.udp(nodeNetwork, { address: LOOPBACK, port: 0, shared: true }, silent);
      ports.add(socket.local.port);
    }
    expect(ports.size).toBe(600);
  });

  it('tell a name that cannot exist from an address', async () => {
    // A label of more than 63 characters: refused on this machine, nobody is asked.
    await expect(nodeNetwork.resolve('x'.repeat(64))).rejects.toBeInstanceOf(PvaError);
  });
});

const silent = { message: () => {}, error: () => {} };

function handles(): readonly string[] {
  return process.getActiveResourcesInfo().filter((name) => /TCP|UDP/.test(name));
}

function turn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

async function listen(server: ReturnType<typeof createServer>): Promise<number> {
  server.listen(0, LOOPBACK);
  await once(server, 'listening');
  const bound = server.address();
  return bound !== null && typeof bound === 'object' ? bound.port : 0;
}
