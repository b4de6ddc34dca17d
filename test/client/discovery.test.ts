// Finding servers instead of PVs: discovery, beacons, probes.

import { describe, expect, it } from 'vitest';
import type { DiscoveredServer } from '../../src/client/discovery.ts';
import { TimeoutError } from '../../src/protocol/errors.ts';
import { makeWorld } from '../support/client-world.ts';
import { FakeServer } from '../support/fake-server.ts';
import { fromHex } from '../support/vectors.ts';

const GUID = '0102030405060708090a0b0c';
const OTHER_GUID = 'ffffffffffffffffffffffff';
const BROADCAST = { address: '10.0.0.255', port: 5076 };

/** What core-pva 5.0.5 answers to a discovery ping, recorded: id 0, any address, TCP port 42995, nothing found. */
const CORE_PVA_PONG = fromHex(
  'ca03c004 00000029' + '0d58cb3a534e6b17dafed4ee 00000000 00000000000000000000ffff00000000 a7f3 03 746370 00 0000',
);

function collect(events: AsyncIterable<DiscoveredServer>): {
  readonly seen: DiscoveredServer[];
  readonly end: Promise<void>;
} {
  const seen: DiscoveredServer[] = [];
  const end = (async () => {
    for await (const event of events) seen.push(event);
  })();
  end.catch(() => {});
  return { seen, end };
}

describe('discover', () => {
  it('names each server once, however often it answers, and ends by itself', async () => {
    const world = makeWorld();
    await FakeServer.start(world.serverHost);
    const third = world.network.host('third', '10.0.0.3/24');
    await FakeServer.start(third, { guid: OTHER_GUID, tcpPort: 6000 });
    const { seen, end } = collect(world.context.discover());
    await world.clock.until(end);
    expect(seen.toSorted((a, b) => a.server.localeCompare(b.server))).toEqual([
      { kind: 'online', guid: GUID, server: '10.0.0.2:5075', protocol: 'tcp', version: 2, via: '10.0.0.2:5076' },
      { kind: 'online', guid: OTHER_GUID, server: '10.0.0.3:6000', protocol: 'tcp', version: 2, via: '10.0.0.3:5076' },
    ]);
    expect(world.clock.now()).toBe(5000);
    await world.context.close();
    expect(world.clock.timerCount).toBe(0);
  });

  it('sees servers of core-pva, which answer every ping with the id 0', async () => {
    const world = makeWorld();
    const server = await FakeServer.start(world.serverHost);
    server.answer = (_, to) => server.udp.send(CORE_PVA_PONG, to);
    const { seen, end } = collect(world.context.discover({ timeoutMs: 100 }));
    await world.clock.until(end);
    const found = { guid: '0d58cb3a534e6b17dafed4ee', server: '10.0.0.2:42995', protocol: 'tcp', version: 3 };
    expect(seen).toEqual([{ kind: 'online', ...found, via: '10.0.0.2:5076' }]);
    expect(await world.clock.until(world.context.probe('10.0.0.2'))).toMatchObject(found);
    await world.context.close();
  });

  it('asks with no name and no protocol, for an answer in any case', async () => {
    const world = makeWorld({ environment: { EPICS_PVA_ADDR_LIST: '10.0.0.2', EPICS_PVA_AUTO_ADDR_LIST: 'NO' } });
    const server = await FakeServer.start(world.serverHost);
    const { end } = collect(world.context.discover({ timeoutMs: 100 }));
    await world.clock.until(end);
    expect(server.searches.map(({ search }) => search)).toMatchObject([{ flags: 0x81, protocols: [], names: [] }]);
    await world.context.close();
  });

  it('tells of servers that come, restart and fall silent, by their beacons', async () => {
    const world = makeWorld();
    const server = await FakeServer.start(world.serverHost);
    server.answer = () => {};
    const { seen } = collect(world.context.discover({ timeoutMs: Number.POSITIVE_INFINITY }));
    await world.clock.advanceAsync(1000);
    server.sendBeacon(BROADCAST);
    server.sendBeacon(BROADCAST);
    await world.clock.advanceAsync(1000);
    server.sendBeacon(BROADCAST, OTHER_GUID);
    await world.clock.advanceAsync(1000);
    expect(seen.map(({ kind, guid }) => [kind, guid])).toEqual([
      ['online', GUID],
      ['offline', GUID],
      ['online', OTHER_GUID],
    ]);
    await world.clock.advanceAsync(500_000);
    expect(seen.at(-1)).toMatchObject({ kind: 'offline', guid: OTHER_GUID });
    await world.context.close();
    expect(world.clock.timerCount).toBe(0);
  });

  it('tells what is known already to whoever asks later', async () => {
    const world = makeWorld();
    await FakeServer.start(world.serverHost);
    const first = collect(world.context.discover({ timeoutMs: 100 }));
    await world.clock.until(first.end);
    const second = collect(world.context.discover({ timeoutMs: 0 }));
    await world.clock.until(second.end);
    expect(second.seen).toEqual(first.seen);
    await world.context.close();
  });

  it('ends by break, by abort and with the context', async () => {
    const world = makeWorld();
    await FakeServer.start(world.serverHost);
    const broken = (async () => {
      for await (const event of world.context.discover()) return event;
      return undefined;
    })();
    await expect(world.clock.until(broken)).resolves.toMatchObject({ guid: GUID });
    const abort = new AbortController();
    const aborted = collect(world.context.discover({ signal: abort.signal }));
    abort.abort(new Error('no longer'));
    await expect(world.clock.until(aborted.end)).rejects.toThrow('no longer');
    const closed = collect(world.context.discover());
    await world.context.close();
    await expect(closed.end).rejects.toThrow('discovery: the context is closed');
    expect(world.clock.timerCount).toBe(0);
  });

  it('goes on without beacons when somebody has the port for himself', async () => {
    const world = makeWorld();
    await FakeServer.start(world.serverHost);
    await world.clientHost.bindUdp({ address: '0.0.0.0', port: 5076 }, { message: () => {}, error: () => {} });
    const { seen, end } = collect(world.context.discover({ timeoutMs: 1000 }));
    await world.clock.until(end);
    expect(seen).toHaveLength(1);
    expect(world.notices.map(({ text }) => text)).toContainEqual(expect.stringMatching(/^beacons: .*EADDRINUSE/));
    await world.context.close();
  });
});

describe('beacons', () => {
  it('of a new server make a channel that waits be searched for at once', async () => {
    const world = makeWorld();
    const server = await FakeServer.start(world.serverHost);
    const waiting = world.context.info('x', { timeoutMs: Number.POSITIVE_INFINITY });
    waiting.catch(() => {});
    await world.clock.advanceAsync(200_000);
    const before = server.searches.length;
    server.sendBeacon(BROADCAST);
    await world.clock.advanceAsync(6_000);
    expect(server.searches.length).toBe(before + 1);
    await world.context.close();
  });

  it('port: a search for a server of this host is passed on to it', async () => {
    const world = makeWorld();
    // The server was there first, so what is sent to this host alone reaches the client.
    const local = await FakeServer.start(world.clientHost, { tcpPort: 7000 });
    local.udp.joinGroup('224.0.0.128', '127.0.0.1');
    local.pvNames.add('x');
    const { end } = collect(world.context.discover({ timeoutMs: Number.POSITIVE_INFINITY }));
    await world.clock.advanceAsync(100);
    const before = local.searches.length;
    const other = await FakeServer.start(world.serverHost);
    other.udp.send(searchDatagram(), { address: '10.0.0.1', port: 5076 });
    await world.clock.advanceAsync(100);
    const passedOn = local.searches.slice(before);
    expect(passedOn).toHaveLength(1);
    expect(passedOn[0]?.search).toMatchObject({ flags: 0, responseAddress: '10.0.0.2', responsePort: 4242 });
    await world.context.close();
    await end.catch(() => {});
  });
});

describe('probe', () => {
  it('tells who answers, and how fast', async () => {
    const world = makeWorld({ network: { delayMs: [5, 5] } });
    await FakeServer.start(world.serverHost);
    const reply = await world.clock.until(world.context.probe('10.0.0.2'));
    expect(reply).toMatchObject({
      roundTripMs: 10,
      guid: GUID,
      server: '10.0.0.2:5075',
      protocol: 'tcp',
      version: 2,
      via: '10.0.0.2:5076',
    });
    await world.context.close();
    expect(world.clock.timerCount).toBe(0);
  });

  it('asks again when a ping is lost, and says so when nobody answers', async () => {
    const world = makeWorld();
    const failed = world.context.probe('server:9', { timeoutMs: 900 });
    await expect(world.clock.until(failed)).rejects.toThrow(TimeoutError);
    await expect(failed).rejects.toThrow(
      'server:9: timed out after 0.9 s: asked 10.0.0.2:9 4 times, no server answered',
    );
    await expect(world.clock.until(world.context.probe('server:9', { timeoutMs: 100 }))).rejects.toThrow(
      'server:9: timed out after 0.1 s: asked 10.0.0.2:9 1 time, no server answered',
    );
    await expect(world.context.probe('no such host')).rejects.toThrow(/server 'no such host'/);
    await expect(world.clock.until(world.context.probe('nowhere'))).rejects.toThrow(/nowhere/);
    await world.context.close();
  });
});

/** SEARCH for x, unicast, to be answered at port 4242 of its sender. */
function searchDatagram(): Uint8Array {
  const body = '00000001 80 000000 00000000000000000000000000000000 1092 01 03746370 0001 0000000a 0178'.replaceAll(
    ' ',
    '',
  );
  return Uint8Array.from(
    Buffer.from(`ca028003 ${(body.length / 2).toString(16).padStart(8, '0')} ${body}`.replaceAll(' ', ''), 'hex'),
  );
}
