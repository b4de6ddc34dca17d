// Are a server's PVs found, by everybody who may find them, and by each search that peers send?
import { describe, expect, test } from 'vitest';
import { NO_RIGHTS } from '../../src/channels/access/rights.ts';
import { SharedPV } from '../../src/channels/shared-pv.ts';
import type { Source } from '../../src/channels/source.ts';
import { readDatagram } from '../../src/protocol/datagram.ts';
import {
  datagramContext,
  decodeMessage,
  encodeMessage,
  type ClientMessage,
  type ServerMessage,
} from '../../src/protocol/messages/index.ts';
import {
  SEARCH_MUST_REPLY,
  SEARCH_REPLY_TO_SOURCE,
  SEARCH_UNICAST,
  type Search,
} from '../../src/protocol/messages/search.ts';
import { ntScalar } from '../../src/protocol/normative/nt-scalar.ts';
import { FORWARD_GROUP, forwardedSearch } from '../../src/protocol/machines/search-forward.ts';
import { double } from '../../src/protocol/types/type-desc.ts';
import { Writer } from '../../src/protocol/writer.ts';
import { Server } from '../../src/server/server.ts';
import { ManualClock } from '../../src/transport/manual-clock.ts';
import { MemoryNetwork, type MemoryHost } from '../../src/transport/memory-network.ts';
import type { Endpoint, UdpSocket } from '../../src/transport/network.ts';
import { hitsLimit } from '../support/hits-limit.ts';
import { configWith, LOOPBACK, makeWorld } from '../support/server-world.ts';
import { fromHex, toHex } from '../support/vectors.ts';
import { loadTranscript } from '../support/transcript.ts';

const SCALAR = ntScalar(double);
const makePv = () => new SharedPV(SCALAR, { initial: { value: 1 } });
const UDP_PORT = 5076;

const SEARCH: Search = {
  command: 'SEARCH',
  sequenceId: 0x66696e64,
  flags: SEARCH_UNICAST,
  responseAddress: '0.0.0.0',
  responsePort: 0,
  protocols: ['tcp'],
  names: [{ instanceId: 1, pvName: 'x' }],
};

interface Heard {
  readonly message: ClientMessage | ServerMessage;
  readonly from: Endpoint;
}

/** A socket that keeps the messages it hears. */
async function makeEar(host: MemoryHost, address = '0.0.0.0', port = 0, group?: string) {
  const heard: Heard[] = [];
  const socket: UdpSocket = await host.bindUdp(
    { address, port, shared: true, broadcast: true },
    {
      message: (bytes, from) => {
        for (const frame of readDatagram(bytes)) {
          const message = decodeMessage(frame, datagramContext());
          if (message !== undefined) heard.push({ message, from });
        }
      },
      error: () => undefined,
    },
  );
  if (group !== undefined) socket.joinGroup(group, '127.0.0.1');
  return { heard, socket, port: socket.local.port };
}

function datagram(search: Search, bigEndian = false): Uint8Array {
  const writer = new Writer(bigEndian);
  encodeMessage(writer, search, { fromServer: false });
  return writer.detach(0);
}

function fail(): never {
  throw new Error('a message expected');
}

async function makeSearch(settings: Parameters<typeof makeWorld>[0] = {}) {
  const world = await makeWorld({ pvs: { x: makePv(), y: makePv() }, ...settings });
  const far = world.network.host('far');
  const ear = await makeEar(far);
  /** Sends from the far host to the server's and gives what comes back. */
  async function ask(search: Partial<Search>, to = '10.0.0.1', bigEndian = false): Promise<readonly Heard[]> {
    ear.heard.length = 0;
    const bytes = datagram({ ...SEARCH, responsePort: ear.port, ...search }, bigEndian);
    ear.socket.send(bytes, { address: to, port: UDP_PORT });
    await world.settle();
    return [...ear.heard];
  }
  return { world, far, ear, ask };
}

describe('a search by UDP', () => {
  test.each([false, true])('is answered with guid, port and the ids of what is there (big endian: %s)', async (big) => {
    const { world, ask } = await makeSearch();
    const names = [
      { instanceId: 7, pvName: 'x' },
      { instanceId: 8, pvName: 'nosuch' },
      { instanceId: 0xffff_fffe, pvName: 'y' },
    ];
    expect(await ask({ names }, '10.0.0.1', big)).toEqual([
      {
        from: { address: '10.0.0.1', port: UDP_PORT },
        message: {
          command: 'SEARCH_RESPONSE',
          guid: world.server.guid,
          sequenceId: SEARCH.sequenceId,
          serverAddress: '0.0.0.0',
          serverPort: world.server.tcpPort,
          protocol: 'tcp',
          found: true,
          instanceIds: [7, 0xffff_fffe],
        },
      },
    ]);
    expect(world.server.counters.searchesAnswered).toBe(1);
  });

  test('by broadcast too', async () => {
    const { ask } = await makeSearch();
    expect(await ask({ flags: 0 }, '10.0.0.255')).toMatchObject([{ message: { found: true, instanceIds: [1] } }]);
  });

  test('for nothing that is here is not answered, unless it must be', async () => {
    const { ask } = await makeSearch();
    const names = [{ instanceId: 3, pvName: 'nosuch' }];
    expect(await ask({ names })).toEqual([]);
    expect(await ask({ names, flags: SEARCH_UNICAST | SEARCH_MUST_REPLY })).toMatchObject([
      { message: { found: false, instanceIds: [] } },
    ]);
  });

  test('without names and protocols is a call that is answered with the sequence id', async () => {
    const { ask } = await makeSearch();
    const ping = { names: [], protocols: [], flags: SEARCH_UNICAST | SEARCH_MUST_REPLY, sequenceId: 0xcafe };
    expect(await ask(ping)).toMatchObject([{ message: { found: false, sequenceId: 0xcafe, instanceIds: [] } }]);
    expect(await ask({ ...ping, flags: SEARCH_UNICAST })).toEqual([]);
  });

  test('over protocols other than tcp finds nothing; tcp among others does', async () => {
    const { ask } = await makeSearch();
    expect(await ask({ protocols: ['tls'] })).toEqual([]);
    expect(await ask({ protocols: [] })).toEqual([]);
    expect(await ask({ protocols: ['tls', 'tcp', 'x'] })).toMatchObject([{ message: { found: true } }]);
  });

  test('goes to the port that the body names, on the host that it came from', async () => {
    const { far, ask } = await makeSearch();
    const other = await makeEar(far);
    expect(await ask({ responsePort: other.port })).toEqual([]);
    expect(await ask({ responseAddress: '10.0.0.2', responsePort: other.port })).toEqual([]);
    expect(other.heard).toMatchObject([{ message: { command: 'SEARCH_RESPONSE' } }, { message: { found: true } }]);
  });

  test('that names another host goes back to where it came from, address and port, as through an address translation', async () => {
    const { world, ask } = await makeSearch();
    const victim = await makeEar(world.network.host('third'));
    const flags = [SEARCH_UNICAST, 0, SEARCH_UNICAST | SEARCH_REPLY_TO_SOURCE];
    for (const each of flags) {
      const heard = await ask({ responseAddress: '10.0.0.3', responsePort: victim.port, flags: each });
      expect(heard).toMatchObject([{ message: { command: 'SEARCH_RESPONSE', found: true } }]);
    }
    expect(victim.heard).toEqual([]);
  });

  test('that names another host goes there when it came from a relay of the configuration', async () => {
    for (const relay of ['10.0.0.2', '0.0.0.0']) {
      const searchRelays = [{ ...LOOPBACK, host: relay }];
      const { world, ask } = await makeSearch({ config: { searchRelays } });
      const other = await makeEar(world.network.host('third'));
      expect(await ask({ responseAddress: '10.0.0.3', responsePort: other.port })).toEqual([]);
      expect(other.heard).toMatchObject([{ message: { command: 'SEARCH_RESPONSE', found: true } }]);
    }
  });

  test('of core-pva, with 0x02, goes to the port that it came from', async () => {
    const { ask } = await makeSearch();
    expect(await ask({ responsePort: 9, flags: SEARCH_UNICAST | SEARCH_REPLY_TO_SOURCE })).toHaveLength(1);
  });

  test('that asks to answer to nowhere or to a group is not answered', async () => {
    const { world, ask } = await makeSearch();
    const before = world.server.counters.datagramsIgnored;
    expect(await ask({ responsePort: 0 })).toEqual([]);
    expect(await ask({ responseAddress: FORWARD_GROUP, responsePort: UDP_PORT })).toEqual([]);
    expect(world.server.counters.datagramsIgnored).toBe(before + 2);
  });

  test('that asks to answer to a whole network is not answered, and not passed on', async () => {
    const { world, ask } = await makeSearch();
    const [broadcast] = world.host.interfaces().flatMap((each) => each.broadcast ?? []);
    expect(broadcast).toBe('10.0.0.255');
    expect(await ask({ responseAddress: '10.0.0.255' })).toEqual([]);
    expect(await ask({ responseAddress: '255.255.255.255' })).toEqual([]);
    expect(world.server.counters).toMatchObject({ searchesAnswered: 0, searchesForwarded: 0 });
  });

  test('several in one datagram are each answered', async () => {
    const { world, ear } = await makeSearch();
    const search = { ...SEARCH, responsePort: ear.port };
    const bytes = Buffer.concat([datagram(search), datagram({ ...search, sequenceId: 2 })]);
    ear.socket.send(bytes, { address: '10.0.0.1', port: UDP_PORT });
    await world.settle();
    expect(ear.heard).toMatchObject([{ message: { sequenceId: SEARCH.sequenceId } }, { message: { sequenceId: 2 } }]);
  });

  test('of very many in one datagram the first are answered', async () => {
    hitsLimit('maxSearchesPerDatagram');
    const { world, ear } = await makeSearch();
    const bytes = Buffer.concat(Array.from({ length: 500 }, () => datagram({ ...SEARCH, responsePort: ear.port })));
    ear.socket.send(bytes, { address: '10.0.0.1', port: UDP_PORT });
    await world.settle();
    expect(ear.heard).toHaveLength(world.server.limits.maxSearchesPerDatagram);
    expect(world.server.counters.searchesForwarded).toBe(world.server.limits.maxSearchesPerDatagram);
  });

  test('a source that throws is passed over', async () => {
    const bad: Source = {
      has: () => {
        throw new Error('database is away');
      },
      open: () => undefined,
      names: () => {
        throw new Error('database is away');
      },
      revision: 0,
    };
    const good: Source = { has: (name) => name === 'z', open: () => makePv(), names: () => ['z'], revision: 0 };
    const { world, ask } = await makeSearch({ sources: [bad, good] });
    expect(await ask({ names: [{ instanceId: 5, pvName: 'z' }] })).toMatchObject([{ message: { instanceIds: [5] } }]);
    expect(world.notices.at(-1)).toMatchObject({ kind: 'sourceFailed', level: 'error' });
    expect(world.notices.at(-1)?.text).toContain('database is away');
    expect(world.server.names()).toEqual(['x', 'y', 'z']);
  });

  test("finds no 'server', which every server has", async () => {
    const { ask } = await makeSearch();
    expect(await ask({ names: [{ instanceId: 1, pvName: 'server' }] })).toEqual([]);
  });
});

describe('EPICS_PVAS_IGNORE_ADDR_LIST', () => {
  const ignoring = (host: string, port?: number) => ({
    config: { ignoreAddresses: [{ host, family: 'ipv4', port, ttl: undefined, via: undefined } as const] },
  });

  test('drops searches from an address', async () => {
    const { world, ask } = await makeSearch(ignoring('10.0.0.2'));
    const before = world.server.counters.datagramsIgnored;
    expect(await ask({})).toEqual([]);
    expect(world.server.counters.datagramsIgnored).toBe(before + 1);
  });

  test('drops them from one port of it only, if it names one', async () => {
    const { ask } = await makeSearch(ignoring('10.0.0.2', 9));
    expect(await ask({})).toHaveLength(1);
  });

  test('knows the asker of a forwarded search by its address in the body', async () => {
    const { world } = await makeSearch(ignoring('10.0.0.2'));
    const ear = await makeEar(world.host, '127.0.0.1');
    ear.socket.setMulticast('127.0.0.1', 1, true);
    const [frame = fail()] = readDatagram(datagram(SEARCH));
    const forwarded = forwardedSearch(frame, { address: '10.0.0.2', port: 9_999 }, '0.0.0.0');
    const before = world.server.counters.searchesAnswered;
    ear.socket.send(forwarded, { address: FORWARD_GROUP, port: UDP_PORT });
    await world.settle();
    expect(world.server.counters.searchesAnswered).toBe(before);
  });
});

describe('forwarding on one host', () => {
  test('a unicast search goes to the group with tag and address, and is answered at once', async () => {
    const { world, ear, ask } = await makeSearch();
    const group = await makeEar(world.host, FORWARD_GROUP, UDP_PORT, FORWARD_GROUP);
    expect(await ask({})).toHaveLength(1);
    expect(group.heard).toMatchObject([
      // The address that the client, on the same network, must have sent to: a server on that one alone takes no other.
      { message: { command: 'ORIGIN_TAG', forwarder: '10.0.0.1' } },
      {
        message: {
          ...SEARCH,
          flags: 0,
          responseAddress: '10.0.0.2',
          responsePort: ear.port,
        },
      },
    ]);
    expect(world.server.counters.searchesForwarded).toBe(1);
  });

  test('the bytes are those of pvxs', () => {
    // test/vectors/transcripts/pvxs-list.json: the search that came, and what the server sent to the group
    const [search, forwarded] = loadTranscript('pvxs-list').udp;
    const [frame = fail()] = readDatagram(fromHex(search?.hex ?? ''));
    const message = decodeMessage(frame, datagramContext());
    if (message?.command !== 'SEARCH') throw new Error('the transcript begins with a search');
    const bytes = forwardedSearch(frame, { address: '127.0.0.1', port: message.responsePort }, '127.0.0.1');
    expect(toHex(bytes)).toBe(forwarded?.hex);
  });

  test('a broadcast search is not forwarded', async () => {
    const { world, ask } = await makeSearch();
    await ask({ flags: 0 }, '10.0.0.255');
    expect(world.server.counters.searchesForwarded).toBe(0);
  });

  test('two servers of one host and port are both found, whichever hears the search', async () => {
    const clock = new ManualClock();
    const network = new MemoryNetwork({ clock });
    const host = network.host('ioc');
    const client = await makeEar(network.host('client'));
    const servers = await Promise.all(
      ['one', 'two'].map(async (pvName) => {
        const server = new Server({ clock, network: host, config: configWith(), pvs: { [pvName]: makePv() } });
        await clock.until(server.listen());
        return server;
      }),
    );
    expect(new Set(servers.map(({ tcpPort }) => tcpPort)).size).toBe(2);
    for (const pvName of ['one', 'two']) {
      client.heard.length = 0;
      const names = [{ instanceId: 4, pvName }];
      const bytes = datagram({ ...SEARCH, responsePort: client.port, names });
      client.socket.send(bytes, { address: '10.0.0.1', port: UDP_PORT });
      await clock.advanceAsync(1);
      const server = servers[pvName === 'one' ? 0 : 1];
      expect(client.heard).toMatchObject([
        { message: { found: true, guid: server?.guid, serverPort: server?.tcpPort, instanceIds: [4] } },
      ]);
    }
    await Promise.all(servers.map((server) => clock.until(server.close())));
    expect(clock.timerCount).toBe(0);
  });

  async function sendForwarded(
    search: Partial<Search>,
    receivedAt: string,
    config = {},
    from: 'here' | 'far' = 'here',
  ) {
    const { world, far } = await makeSearch({ config });
    const ear = await makeEar(world.host, '127.0.0.1');
    const sender = from === 'here' ? await makeEar(world.host, '127.0.0.1') : await makeEar(far);
    if (from === 'here') sender.socket.setMulticast('127.0.0.1', 1, true);
    const writer = new Writer(true);
    encodeMessage(writer, { command: 'ORIGIN_TAG', forwarder: receivedAt }, { fromServer: false });
    const whole = { ...SEARCH, flags: 0, responseAddress: '127.0.0.1', responsePort: ear.port, ...search };
    encodeMessage(writer, whole, { fromServer: false });
    const to = from === 'here' ? FORWARD_GROUP : '10.0.0.1';
    sender.socket.send(writer.detach(0), { address: to, port: UDP_PORT });
    await world.settle();
    return { world, heard: ear.heard };
  }

  test('what another server forwards is answered to the address in the body, and not forwarded again', async () => {
    const { world, heard } = await sendForwarded({ flags: SEARCH_UNICAST }, '0.0.0.0');
    expect(heard).toMatchObject([{ message: { command: 'SEARCH_RESPONSE', found: true } }]);
    expect(world.server.counters.searchesForwarded).toBe(0);
  });

  test('without an address in the body there is nobody to answer', async () => {
    expect((await sendForwarded({ responseAddress: '::' }, '0.0.0.0')).heard).toEqual([]);
  });

  test('0x02 does not count in what was forwarded', async () => {
    expect((await sendForwarded({ flags: SEARCH_REPLY_TO_SOURCE }, '0.0.0.0')).heard).toHaveLength(1);
  });

  test('a tag from another host is not believed', async () => {
    expect((await sendForwarded({}, '0.0.0.0', {}, 'far')).heard).toEqual([]);
  });

  test('a server of one address does not answer what was sent to another', async () => {
    const config = { interfaces: [{ ...LOOPBACK, host: '10.0.0.1' }] };
    expect((await sendForwarded({}, '10.0.0.1', config)).heard).toHaveLength(1);
    expect((await sendForwarded({}, '127.0.0.1', config)).heard).toEqual([]);
  });
});

describe('a server of one address', () => {
  const config = { interfaces: [{ ...LOOPBACK, host: '10.0.0.1' }] };

  test('hears what is sent to it and to its network, and answers from it', async () => {
    const { world, ask } = await makeSearch({ config });
    expect(await ask({})).toMatchObject([{ from: { address: '10.0.0.1', port: UDP_PORT } }]);
    expect(await ask({ flags: 0 }, '10.0.0.255')).toMatchObject([{ from: { address: '10.0.0.1', port: UDP_PORT } }]);
    expect(world.server.tcpEndpoints).toEqual([{ address: '10.0.0.1', port: 5075 }]);
    // Sent to it alone, whatever the flag says, it is forwarded with the address it was sent to.
    expect(world.server.counters.searchesForwarded).toBe(1);
  });

  test('listens to groups that are configured', async () => {
    const group = { ...LOOPBACK, host: '239.1.2.3', via: '10.0.0.1' };
    const { world, ear } = await makeSearch({ config: { interfaces: [...config.interfaces, group] } });
    ear.socket.setMulticast('10.0.0.2', 1, false);
    ear.socket.send(datagram({ ...SEARCH, flags: 0, responsePort: ear.port }), {
      address: '239.1.2.3',
      port: UDP_PORT,
    });
    await world.settle();
    expect(ear.heard).toMatchObject([{ message: { found: true } }]);
  });

  test('several addresses share one TCP port', async () => {
    const world = await makeWorld({ config: { interfaces: [LOOPBACK, ...config.interfaces] } });
    expect(world.server.tcpEndpoints).toEqual([
      { address: '127.0.0.1', port: 5075 },
      { address: '10.0.0.1', port: 5075 },
    ]);
    await world.clock.until(world.server.close());
  });

  test('a host name is looked up, one that is not known is an error', async () => {
    const clock = new ManualClock();
    const network = new MemoryNetwork({ clock });
    const host = network.host('ioc');
    const named = (name: string) => ({ interfaces: [{ ...LOOPBACK, host: name, family: 'name' as const }] });
    const server = new Server({ clock, network: host, config: configWith(named('ioc')) });
    await clock.until(server.listen());
    expect(server.tcpEndpoints).toMatchObject([{ address: '10.0.0.1' }]);
    await clock.until(server.close());
    const other = new Server({ clock, network: host, config: configWith(named('nowhere')) });
    await expect(clock.until(other.listen())).rejects.toMatchObject({ code: 'ENOTFOUND' });
    expect(clock.timerCount).toBe(0);
  });

  test('groups alone are no place to connect to, and unknown interfaces none to listen on', async () => {
    const group = { ...LOOPBACK, host: '239.1.2.3' };
    await expect(makeWorld({ config: { interfaces: [group] } })).rejects.toMatchObject({ code: 'NO_INTERFACE' });
    const interfaces = [LOOPBACK, { ...group, via: 'eth9' }];
    await expect(makeWorld({ config: { interfaces } })).rejects.toMatchObject({ code: 'ENODEV' });
  });
});

describe('ports', () => {
  test('a taken TCP port: the next free one, a warning, and searches are answered with it', async () => {
    const clock = new ManualClock();
    const network = new MemoryNetwork({ clock });
    const host = network.host('ioc');
    const accept = (): void => undefined;
    await host.listenTcp({ address: '0.0.0.0', port: 5075 }, accept);
    await host.listenTcp({ address: '0.0.0.0', port: 5076 }, accept);
    const notices: string[] = [];
    const server = new Server({
      clock,
      network: host,
      config: configWith(),
      pvs: { x: makePv() },
      onNotice: ({ level, text }) => notices.push(`${level}: ${text}`),
    });
    await clock.until(server.listen());
    expect(server.tcpPort).toBe(5077);
    expect(notices[0]).toBe(
      'warning: TCP port 0.0.0.0:5075 is taken; listening on port 5077, which searches are answered with',
    );
    const client = await makeEar(network.host('client'));
    client.socket.send(datagram({ ...SEARCH, responsePort: client.port }), { address: '10.0.0.1', port: UDP_PORT });
    await clock.advanceAsync(1);
    expect(client.heard).toMatchObject([{ message: { serverPort: 5077 } }]);
    await clock.until(server.close());
  });

  test('0 takes any, TCP and UDP', async () => {
    const world = await makeWorld({ config: { tcpPort: 0, udpPort: 0 } });
    expect(world.server.tcpPort).toBeGreaterThan(1_024);
    expect(world.server.udpPort).toBeGreaterThan(1_024);
    expect(world.notices.map(({ kind }) => kind)).toEqual(['listening']);
  });

  test('a UDP port that another does not share is an error, and nothing stays open', async () => {
    const clock = new ManualClock();
    const host = new MemoryNetwork({ clock }).host('ioc');
    await host.bindUdp({ address: '0.0.0.0', port: UDP_PORT }, { message: () => undefined, error: () => undefined });
    const server = new Server({ clock, network: host, config: configWith() });
    await expect(clock.until(server.listen())).rejects.toMatchObject({ code: 'EADDRINUSE' });
    expect(clock.timerCount).toBe(0);
    await host.listenTcp({ address: '0.0.0.0', port: 5075 }, () => undefined);
  });
});

describe('a search by TCP', () => {
  test('is answered on the link, with its port', async () => {
    const world = await makeWorld({ pvs: { x: makePv() } });
    const client = await world.validated();
    await client.send({ ...SEARCH, sequenceId: 9, names: [...SEARCH.names, { instanceId: 2, pvName: 'nosuch' }] });
    expect(client.take('SEARCH_RESPONSE')).toEqual({
      command: 'SEARCH_RESPONSE',
      guid: world.server.guid,
      sequenceId: 9,
      serverAddress: '0.0.0.0',
      serverPort: world.server.tcpPort,
      protocol: 'tcp',
      found: true,
      instanceIds: [1],
    });
    await client.send({ ...SEARCH, names: [{ instanceId: 2, pvName: 'nosuch' }] });
    expect(client.heard).toEqual([]);
    await client.send({ ...SEARCH, flags: SEARCH_UNICAST | SEARCH_MUST_REPLY, names: [] });
    expect(client.take('SEARCH_RESPONSE')).toMatchObject({ found: false, instanceIds: [] });
  });

  test("finds 'server': who asks over TCP means this one", async () => {
    const world = await makeWorld({ access: () => NO_RIGHTS });
    const client = await world.validated();
    await client.send({ ...SEARCH, names: [{ instanceId: 7, pvName: 'server' }] });
    expect(client.take('SEARCH_RESPONSE')).toMatchObject({ found: true, instanceIds: [7] });
  });
});
