// What must every Network do? Run against real sockets and against the memory network; a new one runs it, too.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LocalProtocolError, PvaError } from '../../src/protocol/errors.ts';
import type { Network, TcpConnection } from '../../src/transport/network.ts';
import { DatagramRecorder, Opened, RecordedConnection } from './recorders.ts';

export interface NetworkUnderTest {
  /** Two hosts, or one twice. */
  readonly here: Network;
  readonly there: Network;
  /** An address of `there` that `here` reaches, and its broadcast address. */
  readonly address: string;
  readonly broadcast: string;
}

const LOOPBACK = '127.0.0.1';
const LOOPBACK_GROUP = '224.0.0.128';
const NOT_OURS = '203.0.113.1';
const MEBIBYTE = 1024 * 1024;

export function testNetwork(title: string, make: () => NetworkUnderTest): void {
  describe(title, () => {
    let net: NetworkUnderTest;
    let opened: Opened;
    beforeEach(() => {
      net = make();
      opened = new Opened();
    });
    afterEach(() => opened.close());
    const openStream = (address = net.address): ReturnType<Opened['stream']> =>
      opened.stream(net.here, net.there, address);

    describe('TCP', () => {
      it('carries every byte in order, both ways, however it is written', async () => {
        const { near, far } = await openStream();
        const sizes = [1, 2, 8, 0, 1000, 65_536, 3, 70_001, 1];
        const sent = sizes.map((size, index) => patternOf(size, index));
        for (const bytes of sent) {
          near.connection.write(bytes);
          far.connection.write(bytes);
        }
        const all = Buffer.concat(sent);
        expect((await far.received(all.length)).equals(all)).toBe(true);
        expect((await near.received(all.length)).equals(all)).toBe(true);
      });

      it('gives both ends the same pair of endpoints', async () => {
        const { listener, near, far } = await openStream();
        expect(listener.local.port).toBeGreaterThan(0);
        expect(near.connection.remote).toEqual({ address: net.address, port: listener.local.port });
        expect(far.connection.local).toEqual(near.connection.remote);
        expect(far.connection.remote).toEqual(near.connection.local);
      });

      it('keeps bytes and the close for an owner who listens late', async () => {
        const accepted: TcpConnection[] = [];
        const listener = await opened.listener(net.there, { address: net.address, port: 0 }, (each) => {
          accepted.push(each);
        });
        const near = new RecordedConnection(await opened.connection(net.here, listener.local));
        near.connection.write(patternOf(5000, 7));
        near.connection.end();
        // A second round trip: by then the first connection's bytes and end are here.
        const { far: other, near: otherNear } = await openStream();
        otherNear.connection.write(patternOf(1, 1));
        await other.received(1);
        const [late] = accepted;
        const far = new RecordedConnection(late ?? near.connection);
        expect(await far.closed()).toBeUndefined();
        expect(far.bytes.equals(patternOf(5000, 7))).toBe(true);
        expect(far.events.at(-1)).toBe('close');
      });

      it('tells an owner who listens after the close', async () => {
        const { near } = await openStream();
        const unheard = await opened.connection(net.here, near.connection.remote);
        unheard.destroy();
        near.connection.end();
        await near.closed();
        const late = new RecordedConnection(unheard);
        expect(late.events).toEqual([]);
        expect(await late.closed()).toBeUndefined();
      });

      it('lets handlers be set once only', async () => {
        const { near } = await openStream();
        expect(() => new RecordedConnection(near.connection)).toThrow(LocalProtocolError);
      });

      it('ends after everything written is out, and both sides hear of it exactly once', async () => {
        const { near, far } = await openStream();
        near.connection.write(patternOf(MEBIBYTE, 3));
        near.connection.end();
        near.connection.end();
        expect(await far.closed()).toBeUndefined();
        expect(await near.closed()).toBeUndefined();
        expect(far.bytes.equals(patternOf(MEBIBYTE, 3))).toBe(true);
        expect([near.count('close'), far.count('close')]).toEqual([1, 1]);
      });

      it('throws away what arrives after our end, even while reading is paused', async () => {
        const { near, far } = await openStream();
        near.connection.pause();
        far.connection.write(patternOf(100_000, 1));
        near.connection.end();
        expect(await near.closed()).toBeUndefined();
        await far.closed();
        expect(near.events).toEqual(['close']);
      });

      it('drops what is written after the end, whoever ended', async () => {
        const { near, far } = await openStream();
        near.connection.end();
        expect(near.connection.write(patternOf(3, 1))).toBe(false);
        await far.closed();
        expect(far.connection.write(patternOf(3, 1))).toBe(false);
        expect(far.byteCount).toBe(0);
      });

      it('destroys at once, and tells the close later, not from inside the call', async () => {
        const { near, far } = await openStream();
        near.connection.destroy();
        near.connection.destroy();
        expect(near.events).toEqual([]);
        expect(await near.closed()).toBeUndefined();
        await far.closed();
        expect([near.count('close'), far.count('close')]).toEqual([1, 1]);
      });

      it('tells nothing but the close after a destroy from inside the data handler', async () => {
        const listener = await opened.listener(net.there, { address: net.address, port: 0 }, (accepted) => {
          for (let count = 0; count < 50; count++) accepted.write(patternOf(10_000, count));
        });
        const connection = await opened.connection(net.here, listener.local);
        const events: string[] = [];
        await new Promise<void>((resolve) => {
          connection.listen({
            data: () => {
              events.push('data');
              connection.destroy();
            },
            drain: () => events.push('drain'),
            close: () => {
              events.push('close');
              resolve();
            },
          });
        });
        expect(events).toEqual(['data', 'close']);
      });

      it('makes bufferedBytes grow while the peer does not read, and drains afterwards', async () => {
        const { near, far } = await openStream();
        far.connection.pause();
        const block = patternOf(MEBIBYTE, 9);
        let writtenBytes = 0;
        while (near.connection.bufferedBytes < 2 * MEBIBYTE) {
          near.connection.write(block);
          writtenBytes += block.length;
        }
        expect(near.connection.write(patternOf(1, 0))).toBe(false);
        expect(far.byteCount).toBe(0);
        far.connection.resume();
        await near.drained();
        expect(near.connection.bufferedBytes).toBe(0);
        expect((await far.received(writtenBytes + 1)).length).toBe(writtenBytes + 1);
      });

      it('tells that all is out also where little had to wait', async () => {
        const { near, far } = await openStream();
        far.connection.pause();
        const block = patternOf(1_000, 6);
        let writtenBytes = 0;
        do {
          near.connection.write(block);
          writtenBytes += block.length;
          // The kernel of the memory network takes what it has room for a turn later.
          await new Promise((resolve) => setImmediate(resolve));
        } while (near.connection.bufferedBytes === 0);
        expect(near.events).toEqual([]);
        far.connection.resume();
        await near.drained();
        expect(near.connection.bufferedBytes).toBe(0);
        expect((await far.received(writtenBytes)).length).toBe(writtenBytes);
      });

      it('refuses a port that is taken, by its code, and names it', async () => {
        const { listener } = await openStream();
        const again = net.there.listenTcp(listener.local, () => {});
        await expect(again).rejects.toMatchObject({ code: 'EADDRINUSE' });
        await expect(again).rejects.toThrow(`${net.address}:${listener.local.port}`);
      });

      it('refuses to listen on an address of somebody else', async () => {
        const foreign = net.there.listenTcp({ address: NOT_OURS, port: 0 }, () => {});
        await expect(foreign).rejects.toMatchObject({ code: 'EADDRNOTAVAIL' });
      });

      it('frees the port at close, while accepted connections stay', async () => {
        const { listener, near, far } = await openStream();
        await listener.close();
        await listener.close();
        await expect(net.here.connectTcp(listener.local)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
        await opened.listener(net.there, listener.local, () => {});
        near.connection.write(patternOf(10, 4));
        expect((await far.received(10)).equals(patternOf(10, 4))).toBe(true);
      });

      it('rejects with the reason of a signal, before and during connecting', async () => {
        const { listener } = await openStream();
        const reason = new Error('changed our mind');
        const early = net.here.connectTcp(listener.local, { signal: AbortSignal.abort(reason) });
        await expect(early).rejects.toBe(reason);
        const controller = new AbortController();
        const underWay = net.here.connectTcp(listener.local, { signal: controller.signal });
        controller.abort(reason);
        await expect(underWay).rejects.toBe(reason);
      });

      it('leaves an established connection alone when its signal is aborted', async () => {
        const { listener } = await openStream();
        const controller = new AbortController();
        const connection = await net.here.connectTcp(listener.local, { signal: controller.signal });
        controller.abort();
        const recorded = new RecordedConnection(connection);
        recorded.connection.end();
        expect(await recorded.closed()).toBeUndefined();
      });

      it.runIf(hasIPv6(make()))('runs over IPv6', async () => {
        const { near, far } = await opened.stream(net.here, net.here, '::1');
        near.connection.write(patternOf(10, 6));
        expect((await far.received(10)).equals(patternOf(10, 6))).toBe(true);
        expect(near.connection.remote.address).toBe('::1');
      });
    });

    describe('UDP', () => {
      it('carries a datagram whole and names its sender', async () => {
        const heard = new DatagramRecorder();
        const receiver = await opened.udp(net.there, { address: net.address, port: 0 }, heard);
        const sender = await opened.udp(net.here, { address: '0.0.0.0', port: 0 });
        sender.send(patternOf(9000, 2), receiver.local);
        sender.send(Buffer.from('hello'), receiver.local);
        const { from } = await heard.received('hello');
        expect(from.port).toBe(sender.local.port);
        expect(heard.datagrams[0]?.bytes.equals(patternOf(9000, 2))).toBe(true);
      });

      it('answers to the address that a datagram came from', async () => {
        const heard = new DatagramRecorder();
        const answered = new DatagramRecorder();
        const server = await opened.udp(net.there, { address: '0.0.0.0', port: 0 }, heard);
        const client = await opened.udp(net.here, { address: '0.0.0.0', port: 0 }, answered);
        client.send(Buffer.from('anybody?'), { address: net.address, port: server.local.port });
        const { from } = await heard.received('anybody?');
        server.send(Buffer.from('me'), from);
        expect((await answered.received('me')).from).toEqual({ address: net.address, port: server.local.port });
      });

      it('shares a port only among sockets that all ask for it', async () => {
        const alone = await opened.udp(net.there, { address: '0.0.0.0', port: 0 });
        const joining = net.there.bindUdp({ address: net.address, port: alone.local.port, shared: true }, silent);
        await expect(joining).rejects.toMatchObject({ code: 'EADDRINUSE' });
        const first = await opened.udp(net.there, { address: '0.0.0.0', port: 0, shared: true });
        const second = await opened.udp(net.there, { ...first.local, shared: true });
        expect(second.local.port).toBe(first.local.port);
      });

      it('gives unicast to the most exact address, and among equals to the last binder', async () => {
        const recorders = [new DatagramRecorder(), new DatagramRecorder(), new DatagramRecorder()];
        const [first, last, exact] = recorders;
        const { port } = (await opened.udp(net.there, { address: '0.0.0.0', port: 0, shared: true }, first)).local;
        await opened.udp(net.there, { address: '0.0.0.0', port, shared: true }, last);
        const sender = await opened.udp(net.here, { address: '0.0.0.0', port: 0 });
        sender.send(Buffer.from('one'), { address: net.address, port });
        await last?.received('one');
        await opened.udp(net.there, { address: net.address, port, shared: true }, exact);
        sender.send(Buffer.from('two'), { address: net.address, port });
        await exact?.received('two');
        expect(recorders.map(({ texts }) => texts)).toEqual([[], ['one'], ['two']]);
      });

      it('gives a multicast on loopback to every wildcard socket of the port', async () => {
        const recorders = [new DatagramRecorder(), new DatagramRecorder(), new DatagramRecorder()];
        const [first, second, exact] = recorders;
        const one = await opened.udp(net.here, { address: '0.0.0.0', port: 0, shared: true }, first);
        const two = await opened.udp(net.here, { ...one.local, shared: true }, second);
        await opened.udp(net.here, { address: LOOPBACK, port: one.local.port, shared: true }, exact);
        for (const socket of [one, two, two]) socket.joinGroup(LOOPBACK_GROUP, LOOPBACK);
        const sender = await opened.udp(net.here, { address: '0.0.0.0', port: 0 });
        sender.setMulticast(LOOPBACK, 1, true);
        sender.send(Buffer.from('all'), { address: LOOPBACK_GROUP, port: one.local.port });
        sender.send(Buffer.from('exact'), { address: LOOPBACK, port: one.local.port });
        expect((await first?.received('all'))?.from.address).toBe(LOOPBACK);
        await second?.received('all');
        await exact?.received('exact');
        expect(exact?.texts).toEqual(['exact']);
      });

      it('gives a broadcast to every wildcard socket of the port, if the sender may', async () => {
        const recorders = [new DatagramRecorder(), new DatagramRecorder()];
        const [first, second] = recorders;
        const one = await opened.udp(net.there, { address: '0.0.0.0', port: 0, shared: true }, first);
        await opened.udp(net.there, { ...one.local, shared: true }, second);
        const everybody = { address: net.broadcast, port: one.local.port };
        const refused = new DatagramRecorder();
        const careless = await opened.udp(net.here, { address: '0.0.0.0', port: 0 }, refused);
        careless.send(Buffer.from('no'), everybody);
        await refused.failed();
        expect(refused.errors).toMatchObject([{ code: 'EACCES' }]);
        const sender = await opened.udp(net.here, { address: '0.0.0.0', port: 0, broadcast: true });
        sender.send(Buffer.from('yes'), everybody);
        await first?.received('yes');
        await second?.received('yes');
        expect(recorders.map(({ texts }) => texts)).toEqual([['yes'], ['yes']]);
      });

      it('refuses a group or a route on an interface that is not there', async () => {
        const socket = await opened.udp(net.here, { address: '0.0.0.0', port: 0 });
        expect(() => socket.joinGroup(LOOPBACK_GROUP, NOT_OURS)).toThrow(PvaError);
        expect(() => socket.setMulticast(NOT_OURS, 1, true)).toThrow(PvaError);
      });

      it('counts and reports a datagram that cannot go out, later, and goes on', async () => {
        const trouble = new DatagramRecorder();
        const heard = new DatagramRecorder();
        const receiver = await opened.udp(net.there, { address: net.address, port: 0 }, heard);
        const sender = await opened.udp(net.here, { address: '0.0.0.0', port: 0 }, trouble);
        sender.send(new Uint8Array(65_508), receiver.local);
        sender.send(Buffer.from('nowhere'), { address: net.address, port: 0 });
        sender.send(Buffer.from('wrong family'), { address: '::1', port: receiver.local.port });
        expect(trouble.errors).toEqual([]);
        sender.send(Buffer.from('fine'), receiver.local);
        await heard.received('fine');
        expect(trouble.errors.map((error) => error instanceof PvaError)).toEqual([true, true, true]);
        expect(trouble.errors.some((error) => error instanceof PvaError && error.code === 'EMSGSIZE')).toBe(true);
        expect(sender.errorCount).toBe(3);
      });

      it('outlives datagrams that nobody hears', async () => {
        const trouble = new DatagramRecorder();
        const gone = await opened.udp(net.there, { address: net.address, port: 0 });
        gone.close();
        const sender = await opened.udp(net.here, { address: '0.0.0.0', port: 0 }, trouble);
        sender.send(Buffer.from('anybody?'), gone.local);
        sender.send(Buffer.from('anybody?'), gone.local);
        const heard = new DatagramRecorder();
        const receiver = await opened.udp(net.there, { address: net.address, port: 0 }, heard);
        sender.send(Buffer.from('you!'), receiver.local);
        await heard.received('you!');
        expect(heard.texts).toEqual(['you!']);
      });

      it('is silent after close, and its port is free', async () => {
        const heard = new DatagramRecorder();
        const socket = await opened.udp(net.there, { address: net.address, port: 0 }, heard);
        const sender = await opened.udp(net.here, { address: '0.0.0.0', port: 0 });
        sender.send(Buffer.from('too late'), socket.local);
        socket.close();
        socket.close();
        socket.send(Buffer.from('dropped'), sender.local);
        const next = new DatagramRecorder();
        await opened.udp(net.there, socket.local, next);
        sender.send(Buffer.from('in time'), socket.local);
        await next.received('in time');
        expect(heard.texts).toEqual([]);
        expect(socket.errorCount).toBe(0);
      });

      it('refuses to bind an address of somebody else', async () => {
        const foreign = net.there.bindUdp({ address: NOT_OURS, port: 0 }, silent);
        await expect(foreign).rejects.toMatchObject({ code: 'EADDRNOTAVAIL' });
      });

      // No multicast is sent: Linux has no route for IPv6 groups on loopback, and tests stay on loopback.
      it.runIf(hasIPv6(make()))('runs over IPv6, and joins groups there', async () => {
        const heard = new DatagramRecorder();
        const receiver = await opened.udp(net.here, { address: '::', port: 0, shared: true }, heard);
        const sender = await opened.udp(net.here, { address: '::', port: 0 });
        receiver.joinGroup('ff02::42:1', '::1');
        receiver.joinGroup('ff02::42:1', '::1');
        sender.setMulticast('::1', 1, true);
        sender.send(Buffer.from('one'), { address: '::1', port: receiver.local.port });
        expect((await heard.received('one')).from).toEqual({ address: '::1', port: sender.local.port });
        expect(() => receiver.joinGroup('ff02::42:1', 'fd00::dead')).toThrow(PvaError);
      });
    });

    describe('the host', () => {
      it('lists its loopback interface, without a broadcast address', () => {
        const loopback = net.here.interfaces().find(({ address }) => address === LOOPBACK);
        expect(loopback).toMatchObject({ isLoopback: true, family: 'IPv4', netmask: '255.0.0.0' });
        expect(loopback).not.toHaveProperty('broadcast');
      });

      it('resolves host names, and address text to itself', async () => {
        expect(await net.here.resolve('localhost')).toContain(LOOPBACK);
        expect(await net.here.resolve('192.0.2.7')).toEqual(['192.0.2.7']);
        expect(await net.here.resolve('fe80::1')).toEqual(['fe80::1']);
      });
    });
  });
}

const silent = { message: () => {}, error: () => {} };

function patternOf(size: number, salt: number): Uint8Array {
  return new Uint8Array(size).map((_, index) => (index * 7 + salt) & 0xff);
}

function hasIPv6({ here }: NetworkUnderTest): boolean {
  return here.interfaces().some(({ address }) => address === '::1');
}
