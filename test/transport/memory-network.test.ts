// Does the memory network keep the contract, and does it shake programs the way it says?
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LocalProtocolError, TimeoutError } from '../../src/protocol/errors.ts';
import { ManualClock } from '../../src/transport/manual-clock.ts';
import { MemoryNetwork, type MemoryHost, type MemoryNetworkOptions } from '../../src/transport/memory-network.ts';
import { CONNECT_TIMEOUT_MS, END_LINGER_MS, type TcpConnection } from '../../src/transport/network.ts';
import { nodeNetwork } from '../../src/transport/node-network.ts';
import { testNetwork } from './network-suite.ts';
import { DatagramRecorder, RecordedConnection } from './recorders.ts';

const HARSH: readonly (MemoryNetworkOptions & { readonly seed: number })[] = [
  { seed: 1 },
  { seed: 2, delayMs: [0, 2] },
  { seed: 3, delayMs: [0, 3], chunkBytes: [1, 30_000], kernelBytes: 20_000 },
];

for (const options of HARSH) {
  testNetwork(`the memory network, ${JSON.stringify(options)}`, () => {
    const net = new MemoryNetwork(options);
    return { here: net.host('here'), there: net.host('there'), address: '10.0.0.2', broadcast: '10.0.0.255' };
  });
}

interface World {
  readonly clock: ManualClock;
  readonly net: MemoryNetwork;
  readonly here: MemoryHost;
  readonly there: MemoryHost;
}

function makeWorld(options: MemoryNetworkOptions = {}): World {
  const clock = new ManualClock();
  const net = new MemoryNetwork({ clock, ...options });
  return { clock, net, here: net.host('here'), there: net.host('there') };
}

const THERE = { address: '10.0.0.2', port: 5075 };

async function openStream({ clock, here, there }: World): Promise<[RecordedConnection, RecordedConnection]> {
  const accepted: TcpConnection[] = [];
  const listener = await there.listenTcp(THERE, (connection) => accepted.push(connection));
  const near = await clock.until(here.connectTcp(THERE));
  await listener.close();
  const [far] = accepted;
  if (far === undefined) throw new Error('nothing was accepted');
  return [new RecordedConnection(near), new RecordedConnection(far)];
}

describe('streams in memory', () => {
  it('arrive whole and in order for every seed, cut, delay and buffer', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer(),
        fc.integer({ min: 1, max: 50 }),
        fc.integer({ min: 1, max: 100 }),
        fc.integer({ min: 0, max: 20 }),
        fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 12 }),
        async (seed, largestChunk, kernelBytes, delay, writes) => {
          const world = makeWorld({ seed, kernelBytes, chunkBytes: [1, largestChunk], delayMs: [0, delay] });
          const [near, far] = await openStream(world);
          for (const bytes of writes) near.connection.write(bytes);
          near.connection.end();
          expect(await world.clock.until(far.closed(), 1e6)).toBeUndefined();
          expect(far.bytes.equals(Buffer.concat(writes))).toBe(true);
          expect(await world.clock.until(near.closed())).toBeUndefined();
          expect(world.net.connections.size).toBe(0);
          expect(world.clock.timerCount).toBe(0);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('cut one write into pieces, and join several writes into one', async () => {
    const world = makeWorld({ chunkBytes: [1, 64], seed: 5 });
    const [near, far] = await openStream(world);
    for (let count = 0; count < 200; count++) near.connection.write(new Uint8Array(10).fill(count));
    await world.clock.settle();
    const sizes = far.chunks.map(({ length }) => length);
    expect(sizes.some((size) => size < 10)).toBe(true);
    expect(sizes.some((size) => size > 10)).toBe(true);
    expect(far.byteCount).toBe(2000);
  });

  it('happen again exactly for the same seed, and differently for another', async () => {
    const run = async (seed: number): Promise<readonly string[]> => {
      const world = makeWorld({ seed, delayMs: [1, 9], chunkBytes: [1, 100] });
      const [near, far] = await openStream(world);
      near.connection.write(new Uint8Array(1000));
      near.connection.end();
      await world.clock.until(far.closed());
      return [...far.chunks.map(({ length }) => String(length)), `closed at ${world.clock.now()}`];
    };
    expect(await run(42)).toEqual(await run(42));
    expect(await run(42)).not.toEqual(await run(43));
  });

  it('take the time that delay and bandwidth ask for', async () => {
    const world = makeWorld({ delayMs: [10, 10], bytesPerMs: 100, kernelBytes: 1e6, chunkBytes: [1e6, 1e6] });
    const [near, far] = await openStream(world);
    expect(world.clock.now()).toBe(20);
    near.connection.write(new Uint8Array(5000));
    await world.clock.advanceAsync(59);
    expect(far.byteCount).toBe(0);
    await world.clock.advanceAsync(1);
    expect(far.byteCount).toBe(5000);
  });

  it('hold no more than the kernel takes while the reader pauses', async () => {
    const world = makeWorld({ kernelBytes: 1000 });
    const [near, far] = await openStream(world);
    far.connection.pause();
    near.connection.write(new Uint8Array(20_000));
    await world.clock.settle();
    expect(near.connection.bufferedBytes).toBe(19_000);
    expect(near.events).toEqual([]);
    far.connection.resume();
    await world.clock.settle();
    expect(near.connection.bufferedBytes).toBe(0);
    expect(near.events).toEqual(['drain']);
  });

  it('overwrite a chunk when its handler is done', async () => {
    const world = makeWorld();
    const accepted: TcpConnection[] = [];
    await world.there.listenTcp(THERE, (connection) => accepted.push(connection));
    const near = await world.clock.until(world.here.connectTcp(THERE));
    const kept: Uint8Array[] = [];
    near.listen({ data: (chunk) => void kept.push(chunk), drain: () => {}, close: () => {} });
    accepted[0]?.write(Uint8Array.of(1));
    await world.clock.settle();
    expect(kept).toEqual([Buffer.of(0xdb)]);
  });

  it('break on both sides when they are cut', async () => {
    const world = makeWorld({ delayMs: [5, 5] });
    const [near, far] = await openStream(world);
    near.connection.write(new Uint8Array(10));
    await world.clock.advanceAsync(1);
    world.net.cut(near.connection);
    expect(near.events).toEqual([]);
    await world.clock.advanceAsync(100);
    expect([near.events, far.events]).toEqual([['close'], ['close']]);
    expect([near.closeError, far.closeError]).toMatchObject([{ code: 'ECONNRESET' }, { code: 'ECONNRESET' }]);
    expect(world.net.connections.size).toBe(0);
  });

  it('are reset when a side goes away with bytes unread, and when bytes come to one that is gone', async () => {
    const unread = makeWorld();
    const [reader, writer] = await openStream(unread);
    reader.connection.pause();
    writer.connection.write(new Uint8Array(10));
    await unread.clock.settle();
    reader.connection.destroy();
    expect(await unread.clock.until(writer.closed())).toMatchObject({ code: 'ECONNRESET' });

    const late = makeWorld({ kernelBytes: 1 });
    const [gone, talking] = await openStream(late);
    talking.connection.pause();
    talking.connection.write(new Uint8Array(10));
    gone.connection.destroy();
    expect(await late.clock.until(talking.closed())).toMatchObject({ code: 'ECONNRESET' });
  });

  it('stall while their hosts are partitioned, and go on when that is healed', async () => {
    const world = makeWorld({ delayMs: [1, 1] });
    const [near, far] = await openStream(world);
    world.net.partition(world.there, world.here);
    near.connection.write(Buffer.from('held '));
    await world.clock.advanceAsync(1000);
    near.connection.write(Buffer.from('up'));
    await world.clock.advanceAsync(1000);
    expect(far.byteCount).toBe(0);
    world.net.heal(world.here, world.there);
    await world.clock.advanceAsync(1);
    expect(far.bytes.toString()).toBe('held up');
  });

  it('close after the linger time when the peer takes nothing, and say so', async () => {
    const world = makeWorld({ kernelBytes: 100 });
    const [near, far] = await openStream(world);
    far.connection.pause();
    near.connection.write(new Uint8Array(1000));
    near.connection.end();
    await world.clock.advanceAsync(END_LINGER_MS - 1);
    expect(near.events).toEqual([]);
    await world.clock.advanceAsync(1);
    expect(near.closeError).toBeInstanceOf(TimeoutError);
    expect(world.clock.timerCount).toBe(0);
  });

  it('are not hurried at their end as long as the peer goes on taking', async () => {
    const world = makeWorld({ kernelBytes: 10, delayMs: [1000, 1000] });
    const [near, far] = await openStream(world);
    near.connection.write(new Uint8Array(200));
    near.connection.end();
    await world.clock.until(far.closed());
    expect(world.clock.now()).toBeGreaterThan(2 * END_LINGER_MS);
    expect(far.byteCount).toBe(200);
  });

  it('end without an error when everything is out and only the answer to the end is missing', async () => {
    const world = makeWorld();
    const [near] = await openStream(world);
    world.net.partition(world.here, world.there);
    near.connection.end();
    await world.clock.advanceAsync(END_LINGER_MS);
    expect(near.events).toEqual(['close']);
    expect(near.closeError).toBeUndefined();
  });
});

describe('connecting in memory', () => {
  it('times out, by default after five seconds, when the host is off', async () => {
    const { clock, here } = makeWorld();
    const attempt = here.connectTcp({ address: '10.0.0.99', port: 5075 });
    await expect(clock.until(attempt)).rejects.toThrow('10.0.0.99:5075: no answer within 5000 ms');
    expect(clock.now()).toBe(CONNECT_TIMEOUT_MS);
    expect(clock.timerCount).toBe(0);
  });

  it('times out towards a host behind a partition', async () => {
    const { clock, net, here, there } = makeWorld();
    await there.listenTcp(THERE, () => {});
    net.partition(here, there);
    await expect(clock.until(here.connectTcp(THERE, { timeoutMs: 50 }))).rejects.toBeInstanceOf(TimeoutError);
    expect(clock.now()).toBe(50);
  });

  it('lets the other side hear that nobody waited for its acceptance', async () => {
    const { clock, here, there } = makeWorld({ delayMs: [10, 10] });
    const accepted: RecordedConnection[] = [];
    await there.listenTcp(THERE, (connection) => accepted.push(new RecordedConnection(connection)));
    await expect(clock.until(here.connectTcp(THERE, { timeoutMs: 15 }))).rejects.toBeInstanceOf(TimeoutError);
    await clock.advanceAsync(100);
    expect(accepted.map(({ events }) => events)).toEqual([['close']]);
  });

  it('finds no way to IPv6 beyond loopback', async () => {
    const { here } = makeWorld();
    await expect(here.connectTcp({ address: 'fd00::1', port: 1 })).rejects.toMatchObject({ code: 'ENETUNREACH' });
  });

  it('keeps loopback within each host', async () => {
    const { clock, here, there } = makeWorld();
    await there.listenTcp({ address: '127.0.0.1', port: 5075 }, () => {});
    const attempt = here.connectTcp({ address: '127.0.0.1', port: 5075 });
    await expect(clock.until(attempt)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});

describe('datagrams in memory', () => {
  async function sendMany(options: MemoryNetworkOptions, count: number): Promise<readonly string[]> {
    const { clock, here, there } = makeWorld(options);
    const heard = new DatagramRecorder();
    await there.bindUdp({ address: '0.0.0.0', port: 5076 }, heard);
    const sender = await here.bindUdp({ address: '0.0.0.0', port: 0 }, new DatagramRecorder());
    for (let index = 0; index < count; index++) {
      sender.send(Buffer.from(String(index)), { address: '10.0.0.2', port: 5076 });
    }
    await clock.advanceAsync(1000);
    return heard.texts;
  }
  const inOrder = Array.from({ length: 200 }, (_, index) => String(index));

  it('all arrive once and in order, unless asked otherwise', async () => {
    expect(await sendMany({ delayMs: [0, 50] }, 200)).toEqual(inOrder);
  });

  it('get lost, doubled and out of order as often as asked', async () => {
    const lossy = await sendMany({ datagramLoss: 0.3 }, 200);
    expect(lossy.length).toBeGreaterThan(100);
    expect(lossy.length).toBeLessThan(180);
    const doubled = await sendMany({ datagramDuplication: 0.3 }, 200);
    expect(doubled.length).toBeGreaterThan(220);
    expect(doubled.length).toBeLessThan(300);
    expect(new Set(doubled).size).toBe(200);
    const shuffled = await sendMany({ datagramReorder: 0.5, delayMs: [0, 50] }, 200);
    expect(shuffled).not.toEqual(inOrder);
    expect(shuffled.toSorted((a, b) => Number(a) - Number(b))).toEqual(inOrder);
  });

  it('do not pass a partition', async () => {
    const { clock, net, here, there } = makeWorld();
    const heard = new DatagramRecorder();
    await there.bindUdp({ address: '0.0.0.0', port: 5076 }, heard);
    const sender = await here.bindUdp({ address: '0.0.0.0', port: 0 }, new DatagramRecorder());
    const to = { address: '10.0.0.2', port: 5076 };
    net.partition(here, there);
    sender.send(Buffer.from('lost'), to);
    await clock.settle();
    net.heal(here, there);
    sender.send(Buffer.from('found'), to);
    await clock.settle();
    expect(heard.texts).toEqual(['found']);
  });

  it('are broadcast within one network only, from the interface that is there', async () => {
    const clock = new ManualClock();
    const net = new MemoryNetwork({ clock });
    const gateway = net.host('gateway', '10.0.0.1/24', '10.0.1.1/24');
    const left = net.host('left', '10.0.0.2/24');
    const right = net.host('right', '10.0.1.2/24');
    const recorders = [new DatagramRecorder(), new DatagramRecorder(), new DatagramRecorder()];
    for (const [index, host] of [gateway, left, right].entries()) {
      await host.bindUdp({ address: '0.0.0.0', port: 5076 }, recorders[index] ?? new DatagramRecorder());
    }
    const sender = await gateway.bindUdp({ address: '0.0.0.0', port: 0, broadcast: true }, new DatagramRecorder());
    sender.send(Buffer.from('left'), { address: '10.0.0.255', port: 5076 });
    sender.send(Buffer.from('right'), { address: '10.0.1.255', port: 5076 });
    sender.send(Buffer.from('first'), { address: '255.255.255.255', port: 5076 });
    await clock.settle();
    expect(recorders.map(({ texts }) => texts)).toEqual([['left', 'right', 'first'], ['left', 'first'], ['right']]);
    expect(recorders[2]?.datagrams[0]?.from.address).toBe('10.0.1.1');
    expect(gateway.interfaces().map(({ broadcast }) => broadcast)).toEqual([
      undefined,
      undefined,
      '10.0.0.255',
      '10.0.1.255',
    ]);
  });

  it('reach a group on its network as far as time to live and the sender’s loopback flag say', async () => {
    const { clock, here, there } = makeWorld();
    const own = new DatagramRecorder();
    const other = new DatagramRecorder();
    const stranger = new DatagramRecorder();
    for (const [host, address, recorder] of [
      [here, '10.0.0.1', own],
      [there, '10.0.0.2', other],
    ] as const) {
      (await host.bindUdp({ address: '0.0.0.0', port: 5076 }, recorder)).joinGroup('224.0.0.9', address);
    }
    await there.bindUdp({ address: '0.0.0.0', port: 5077 }, stranger);
    const sender = await here.bindUdp({ address: '10.0.0.1', port: 0 }, new DatagramRecorder());
    const group = { address: '224.0.0.9', port: 5076 };
    sender.send(Buffer.from('default'), group);
    sender.setMulticast('10.0.0.1', 1, false);
    sender.send(Buffer.from('others'), group);
    sender.setMulticast('10.0.0.1', 0, true);
    sender.send(Buffer.from('mine'), group);
    sender.setMulticast('127.0.0.1', 1, true);
    sender.send(Buffer.from('nobody joined there'), group);
    await clock.settle();
    expect(own.texts).toEqual(['default', 'mine']);
    expect(other.texts).toEqual(['default', 'others']);
    expect(stranger.texts).toEqual([]);
  });

  it('to a host that is off, or to IPv6 without a way, go nowhere', async () => {
    const { clock, here } = makeWorld();
    const trouble = new DatagramRecorder();
    const ipv4 = await here.bindUdp({ address: '0.0.0.0', port: 0 }, trouble);
    const ipv6 = await here.bindUdp({ address: '::', port: 0 }, trouble);
    ipv4.send(Buffer.from('off'), { address: '10.0.0.99', port: 1 });
    ipv6.send(Buffer.from('away'), { address: 'fd00::1', port: 1 });
    ipv6.send(Buffer.from('group'), { address: 'ff02::42:1', port: 1 });
    await clock.settle();
    expect(trouble.errors).toMatchObject([{ code: 'ENETUNREACH' }, { code: 'ENETUNREACH' }]);
  });

  it('are overwritten when their handler is done', async () => {
    const { clock, here } = makeWorld();
    const kept: Uint8Array[] = [];
    const socket = await here.bindUdp(
      { address: '127.0.0.1', port: 0 },
      { message: (bytes) => void kept.push(bytes), error: () => {} },
    );
    socket.send(Uint8Array.of(1, 2), socket.local);
    await clock.settle();
    expect(kept).toEqual([Uint8Array.of(0xdb, 0xdb)]);
  });
});

describe('hosts in memory', () => {
  it('are found by name', async () => {
    const { here } = makeWorld();
    expect(await here.resolve('there')).toEqual(['10.0.0.2']);
    await expect(here.resolve('nowhere')).rejects.toMatchObject({ code: 'ENOTFOUND' });
  });

  it('give free ports, and start again at the end of the range', async () => {
    const { here } = makeWorld();
    const ports = new Set<number>();
    for (let count = 0; count < 16_384 + 2; count++) {
      const socket = await here.bindUdp({ address: '0.0.0.0', port: 0 }, new DatagramRecorder());
      if (count > 0) socket.close();
      ports.add(socket.local.port);
    }
    // The first is still taken, so it is passed over.
    expect([Math.min(...ports), Math.max(...ports), ports.size]).toEqual([49_152, 65_535, 16_384]);
  });

  it('are added once, and cut only streams of their own network', async () => {
    const { net } = makeWorld();
    expect(() => net.host('here')).toThrow(LocalProtocolError);
    const listener = await nodeNetwork.listenTcp({ address: '127.0.0.1', port: 0 }, (each) => each.destroy());
    const real = await nodeNetwork.connectTcp(listener.local);
    expect(() => net.cut(real)).toThrow(LocalProtocolError);
    real.destroy();
    await listener.close();
  });
});
