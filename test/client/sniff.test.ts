// Does a sniffer hear what comes to the port of searches, tell who it was, and not keep it from others?

import { afterEach, describe, expect, it } from 'vitest';

import { sniff, type Sniffed, type SniffOptions } from '../../src/client/sniff.ts';
import { SEARCH_REPLY_TO_SOURCE } from '../../src/protocol/messages/search.ts';
import { ManualClock } from '../../src/transport/manual-clock.ts';
import { MemoryNetwork, type MemoryHost } from '../../src/transport/memory-network.ts';
import { Context } from '../../src/client/context.ts';
import { encodeMessage } from '../../src/protocol/messages/index.ts';
import { Writer } from '../../src/protocol/writer.ts';
import { clientConfig } from '../support/client-world.ts';
import { FakeServer } from '../support/fake-server.ts';

const clock = new ManualClock();
let network = new MemoryNetwork({ clock });
let closing: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closing) await clock.until(close());
  closing = [];
  network = new MemoryNetwork({ clock });
  await clock.advanceAsync(10_000);
  expect(clock.timerCount).toBe(0);
});

/** Hears on a host; gives what was heard until now. */
async function listen(host: MemoryHost, options: SniffOptions = {}): Promise<readonly Sniffed[]> {
  const heard: Sniffed[] = [];
  const stop = new AbortController();
  const reading = (async () => {
    const sniffing = { config: clientConfig(), network: host, clock, signal: stop.signal, ...options };
    for await (const one of sniff(sniffing)) heard.push(one);
  })();
  const ended = reading.catch((thrown: unknown) => thrown);
  closing.push(async () => {
    stop.abort(new Error('enough'));
    return ended;
  });
  await clock.advanceAsync(1);
  return heard;
}

/** Looks for a PV for a while. */
async function seek(host: MemoryHost, pvName: string, environment: Record<string, string> = {}): Promise<void> {
  const context = new Context({ config: clientConfig(environment), network: host, clock, random: () => 0 });
  await expect(clock.until(context.get(pvName, { timeoutMs: 500 }))).rejects.toThrow('no server answered');
  await context.close();
}

describe('a sniffer', () => {
  it('hears who searches for what', async () => {
    const heard = await listen(network.host('here'));
    await seek(network.host('there'), 'x');
    expect(heard.length).toBeGreaterThan(0);
    expect(heard[0]).toEqual({
      kind: 'search',
      client: expect.stringMatching(/^10\.0\.0\.2:\d+$/u) as string,
      pvNames: ['x'],
      protocols: ['tcp'],
      isUnicast: false,
      isForwarded: false,
    });
  });

  it('hears servers come, and restart', async () => {
    const heard = await listen(network.host('here'));
    const server = await FakeServer.start(network.host('there'));
    closing.push(() => server.stop());
    const everybody = { address: '10.0.0.255', port: 5076 };
    for (const guid of ['aa'.repeat(12), 'aa'.repeat(12), 'bb'.repeat(12)]) {
      server.sendBeacon(everybody, guid);
      await clock.advanceAsync(10);
    }
    expect(heard).toMatchObject([
      { kind: 'beacon', change: 'new', server: '10.0.0.2:5075', version: 2, via: '10.0.0.2:5076', sequence: 0 },
      { kind: 'beacon', change: 'known', guid: 'aa'.repeat(12) },
      { kind: 'beacon', change: 'restarted', guid: 'bb'.repeat(12) },
    ]);
  });

  it('passes on what was sent to this host alone, and does not take its own copy for another search', async () => {
    const here = network.host('here');
    const server = await FakeServer.start(here);
    server.udp.joinGroup('224.0.0.128', '127.0.0.1');
    closing.push(() => server.stop());
    const heard = await listen(here);
    await seek(network.host('there'), 'x', { EPICS_PVA_AUTO_ADDR_LIST: 'NO', EPICS_PVA_ADDR_LIST: '10.0.0.1' });
    expect(server.searches.length).toBeGreaterThan(0);
    expect(heard).toHaveLength(server.searches.length);
    expect(heard[0]).toMatchObject({ pvNames: ['x'], isUnicast: true, isForwarded: false });
  });

  it('hears what another program of the host passes on', async () => {
    const here = network.host('here');
    const heard = await listen(here);
    const again = await listen(here);
    await seek(network.host('there'), 'x', { EPICS_PVA_AUTO_ADDR_LIST: 'NO', EPICS_PVA_ADDR_LIST: '10.0.0.1' });
    expect(again[0]).toMatchObject({ pvNames: ['x'], isForwarded: false });
    expect(heard[0]).toMatchObject({ pvNames: ['x'], isForwarded: true, isUnicast: false });
    expect(heard[0]).toHaveProperty('client', again[0]?.kind === 'search' ? again[0].client : '');
  });

  it('reads the port of a client that wants answers where it sent from', async () => {
    const there = network.host('there');
    const heard = await listen(network.host('here'));
    const socket = await there.bindUdp(
      { address: '0.0.0.0', port: 4321, broadcast: true },
      { message: () => {}, error: () => {} },
    );
    const writer = new Writer(true);
    const search = { responseAddress: '::', responsePort: 9, sequenceId: 1, protocols: [], names: [] };
    encodeMessage(writer, { command: 'SEARCH', flags: SEARCH_REPLY_TO_SOURCE, ...search }, { fromServer: false });
    socket.send(writer.detach(), { address: '10.0.0.255', port: 5076 });
    socket.send(new Uint8Array([1, 2, 3]), { address: '10.0.0.255', port: 5076 });
    await clock.advanceAsync(10);
    socket.close();
    expect(heard).toMatchObject([{ client: '10.0.0.1:4321', pvNames: [], protocols: [] }]);
  });

  it('ends when its time is over', async () => {
    const ended = (async () => {
      const options = { config: clientConfig(), network: network.host('here'), clock, timeoutMs: 1_000 };
      for await (const one of sniff(options)) expect(one).toBeUndefined();
      return clock.now();
    })();
    const begin = clock.now();
    expect(await clock.until(ended)).toBe(begin + 1_000);
  });

  it('cannot hear on a port that somebody keeps for himself', async () => {
    const host = network.host('here');
    const socket = await host.bindUdp({ address: '0.0.0.0', port: 5076 }, { message: () => {}, error: () => {} });
    const first = sniff({ config: clientConfig(), network: host, clock }).next();
    await expect(clock.until(first)).rejects.toThrow(/UDP port 0\.0\.0\.0:5076 cannot be opened/u);
    socket.close();
  });

  it('drops the oldest when nobody reads', async () => {
    const host = network.host('here');
    const sniffing = sniff({ config: clientConfig(), network: host, clock });
    const first = sniffing.next();
    await clock.advanceAsync(1);
    const server = await FakeServer.start(network.host('there'));
    const everybody = { address: '10.0.0.255', port: 5076 };
    server.sendBeacon(everybody, '00'.repeat(12));
    await clock.advanceAsync(1);
    expect((await first).value).toMatchObject({ guid: '00'.repeat(12) });
    for (let count = 1; count <= 10_002; count++) {
      server.sendBeacon(everybody, count.toString(16).padStart(24, '0'));
      if (count % 100 === 0) await clock.advanceAsync(1);
    }
    await clock.advanceAsync(1);
    expect((await sniffing.next()).value).toMatchObject({ guid: '3'.padStart(24, '0') });
    await sniffing.return();
    await server.stop();
  });
});
