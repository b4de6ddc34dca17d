// Does a server say that it is there, often enough, everywhere it should, and with what clients look at?
import { describe, expect, test } from 'vitest';
import { SharedPV } from '../../src/channels/shared-pv.ts';
import { readDatagram } from '../../src/protocol/datagram.ts';
import type { Beacon } from '../../src/protocol/messages/beacon.ts';
import { datagramContext, decodeServerMessage } from '../../src/protocol/messages/index.ts';
import { ntScalar } from '../../src/protocol/normative/nt-scalar.ts';
import { double } from '../../src/protocol/types/type-desc.ts';
import type { ServerConfig } from '../../src/config/effective.ts';
import { Server } from '../../src/server/server.ts';
import { ManualClock } from '../../src/transport/manual-clock.ts';
import { MemoryNetwork, type MemoryHost } from '../../src/transport/memory-network.ts';
import type { Endpoint, Network } from '../../src/transport/network.ts';
import { configWith, LOOPBACK } from '../support/server-world.ts';
import { loadTranscript } from '../support/transcript.ts';
import { fromHex } from '../support/vectors.ts';

const makePv = () => new SharedPV(ntScalar(double));
const QUICK_MS = 15_000;
const SLOW_MS = 180_000;

function beaconOf(bytes: Uint8Array): Beacon | undefined {
  for (const frame of readDatagram(bytes)) {
    const message = decodeServerMessage(frame, datagramContext());
    if (message?.command === 'BEACON') return message;
  }
  return undefined;
}

/** A server on one host, beacons heard on another. */
async function makeBeacons(config: Partial<ServerConfig> = {}, groups: readonly string[] = []) {
  const clock = new ManualClock();
  const network = new MemoryNetwork({ clock });
  const host = network.host('ioc');
  const far = network.host('far');
  const heard: { readonly at: number; readonly beacon: Beacon; readonly from: Endpoint }[] = [];
  const notices: string[] = [];
  const ear = await listenFor(far, (beacon, from) => heard.push({ at: clock.now(), beacon, from }));
  for (const group of groups) ear.joinGroup(group, '10.0.0.2');
  const server = new Server({
    clock,
    network: host,
    config: configWith(config),
    onNotice: ({ text, level }) => notices.push(`${level}: ${text}`),
  });
  await clock.until(server.listen());
  await clock.advanceAsync(1);
  return { clock, server, heard, notices };
}

function listenFor(host: MemoryHost, hear: (beacon: Beacon, from: Endpoint) => void) {
  return host.bindUdp(
    { address: '0.0.0.0', port: 5076, shared: true },
    {
      message: (bytes, from) => {
        const beacon = beaconOf(bytes);
        if (beacon !== undefined) hear(beacon, from);
      },
      error: () => undefined,
    },
  );
}

describe('beacons', () => {
  test('the first comes at once and says who and where', async () => {
    const { server, heard } = await makeBeacons();
    expect(heard).toMatchObject([
      {
        from: { address: '10.0.0.1', port: 5076 },
        beacon: {
          command: 'BEACON',
          guid: server.guid,
          flags: 0,
          sequence: 0,
          serverAddress: '0.0.0.0',
          serverPort: 5075,
          protocol: 'tcp',
          serverStatus: null,
        },
      },
    ]);
  });

  test('ten come 15 s apart, then one every 180 s, numbered', async () => {
    const { clock, heard } = await makeBeacons();
    await clock.advanceAsync(9 * QUICK_MS + 3 * SLOW_MS);
    const times = heard.map(({ at }) => Math.round(at / 1_000));
    const quick = Array.from({ length: 10 }, (_, index) => index * 15);
    expect(times).toEqual([...quick, 135 + 180, 135 + 360, 135 + 540]);
    expect(heard.map(({ beacon }) => beacon.sequence)).toEqual(times.map((_, index) => index));
  });

  test('the sequence starts over after 255', async () => {
    const { clock, heard } = await makeBeacons({ beaconPeriodMs: 100 });
    await clock.advanceAsync(100 * 10 + 1_200 * 250);
    expect(heard.slice(254, 258).map(({ beacon }) => beacon.sequence)).toEqual([254, 255, 0, 1]);
  });

  test('the change count moves when the PVs do, and only then', async () => {
    const { clock, server, heard } = await makeBeacons();
    const count = async (): Promise<number> => {
      await clock.advanceAsync(QUICK_MS);
      return heard.at(-1)?.beacon.changeCount ?? -1;
    };
    const first = await count();
    expect(await count()).toBe(first);
    server.add('x', makePv());
    const second = await count();
    expect(second).not.toBe(first);
    server.remove('x');
    expect(await count()).not.toBe(second);
  });

  test('end with the server', async () => {
    const { clock, server, heard } = await makeBeacons();
    await clock.until(server.close());
    await clock.advanceAsync(SLOW_MS);
    expect(heard).toHaveLength(1);
    expect(server.counters.beaconsSent).toBe(1);
  });

  test('tell at once that names have moved, a burst in one, and at most once a second', async () => {
    const { clock, server, heard } = await makeBeacons();
    await clock.advanceAsync(5_000);
    expect(heard).toHaveLength(1);
    for (let index = 0; index < 1_000; index++) server.add(`lab:${index}`, makePv());
    await clock.advanceAsync(20);
    expect(heard).toHaveLength(2);
    const [first, second] = heard;
    expect(second?.beacon).toMatchObject({ sequence: 1, guid: server.guid });
    expect((second?.beacon.changeCount ?? 0) - (first?.beacon.changeCount ?? 0)).toBe(1_000);
    server.remove('lab:0');
    await clock.advanceAsync(900);
    expect(heard).toHaveLength(2);
    await clock.advanceAsync(100);
    expect(heard[2]?.beacon.changeCount).toBe((second?.beacon.changeCount ?? 0) + 1);
    // The others come when they would have come anyway.
    await clock.advanceAsync(QUICK_MS);
    expect(heard.map(({ at }) => at)).toEqual([expect.any(Number), expect.any(Number), expect.any(Number), QUICK_MS]);
    server.add('lab:late', makePv());
    await clock.until(server.close());
    expect(clock.timerCount).toBe(0);
  });

  test('go nowhere by themselves if that is configured', async () => {
    const { heard, server } = await makeBeacons({ autoBeacon: false });
    expect(heard).toEqual([]);
    expect(server.beaconDestinations).toEqual([]);
  });

  test('go to configured addresses, with or without a port, and to groups through their interface', async () => {
    const unicast = { ...LOOPBACK, host: '10.0.0.2' };
    const group = { ...LOOPBACK, host: '239.1.2.3', ttl: 4, via: '10.0.0.1' };
    const named = { ...LOOPBACK, host: 'far', family: 'name' as const, port: 7_000 };
    const { clock, heard, server } = await makeBeacons(
      { autoBeacon: false, beaconAddresses: [unicast, group, named] },
      ['239.1.2.3'],
    );
    expect(server.beaconDestinations).toEqual(['10.0.0.2:5076', '239.1.2.3:5076', '10.0.0.2:7000']);
    expect(heard).toHaveLength(2);
    expect(new Set(heard.map(({ beacon }) => beacon.guid))).toEqual(new Set([server.guid]));
    await clock.until(server.close());
    expect(clock.timerCount).toBe(0);
  });

  test('leave no socket open where one of their addresses cannot be found', async () => {
    const clock = new ManualClock();
    const host = new MemoryNetwork({ clock }).host('ioc');
    let openCount = 0;
    const network: Network = {
      ...host,
      bindUdp: async (...args) => {
        const socket = await host.bindUdp(...args);
        openCount++;
        const close = socket.close.bind(socket);
        return Object.assign(socket, {
          close: () => {
            openCount--;
            close();
          },
        });
      },
    };
    const group = { ...LOOPBACK, host: '239.1.2.3', via: '10.0.0.1' };
    const named = { ...LOOPBACK, host: 'nowhere', family: 'name' as const };
    const server = new Server({ clock, network, config: configWith({ beaconAddresses: [group, named] }) });
    await expect(clock.until(server.listen())).rejects.toThrow('nowhere');
    expect(openCount).toBe(0);
  });

  test('a destination that cannot be is told and left out', async () => {
    const { notices, server } = await makeBeacons({
      beaconAddresses: [
        { ...LOOPBACK, host: 'fe80::1', family: 'ipv6' },
        { ...LOOPBACK, host: '239.1.2.3', via: 'eth9' },
      ],
    });
    expect(notices.slice(0, 2)).toEqual([
      'warning: no beacons to fe80::1: the server has no IPv6 address',
      'warning: no beacons to 239.1.2.3: 239.1.2.3@eth9: this host has no interface eth9',
    ]);
    expect(server.beaconDestinations).toEqual(['10.0.0.255:5076']);
  });

  test('a server of one address sends from it, to its network', async () => {
    const { heard } = await makeBeacons({ interfaces: [{ ...LOOPBACK, host: '10.0.0.1' }] });
    expect(heard).toMatchObject([{ from: { address: '10.0.0.1', port: 5076 } }]);
    expect((await makeBeacons({ interfaces: [LOOPBACK] })).heard).toEqual([]);
  });

  test('look like those of pvxs', async () => {
    // test/vectors/transcripts/beacons-pvxs.json
    const recorded = loadTranscript('beacons-pvxs').udp.flatMap(({ hex }) => beaconOf(fromHex(hex)) ?? []);
    const { heard } = await makeBeacons();
    const { guid, serverPort, sequence, changeCount, ...ours } = heard[0]?.beacon ?? ({} as Beacon);
    expect(recorded.length).toBeGreaterThan(0);
    expect(recorded[0]).toMatchObject(ours);
    expect([typeof guid, typeof serverPort, typeof sequence, typeof changeCount]).toEqual([
      'string',
      'number',
      'number',
      'number',
    ]);
  });
});
