// Where searches go, how they look, and the TCP name servers.

import { describe, expect, it, vi } from 'vitest';
import { searchTargets, type SearchAddress } from '../../src/client/search-targets.ts';
import { BitSet } from '../../src/protocol/bit-set.ts';
import { ntScalar } from '../../src/protocol/normative/nt-scalar.ts';
import { double } from '../../src/protocol/types/type-desc.ts';
import { codecOf } from '../../src/protocol/values/codec.ts';
import type { NetworkInterface } from '../../src/transport/network.ts';
import { makeWorld, type ClientWorld } from '../support/client-world.ts';
import { FakeServer } from '../support/fake-server.ts';

const TYPE = ntScalar(double);
const valueOf = (value: number) => ({ changed: BitSet.of(1), value: { ...codecOf(TYPE).defaultValue(), value } });

const INTERFACES: readonly NetworkInterface[] = [
  { name: 'lo', address: '127.0.0.1', netmask: '255.0.0.0', isLoopback: true, family: 'IPv4' },
  { name: 'lo', address: '::1', netmask: 'ffff::', isLoopback: true, family: 'IPv6' },
  {
    name: 'eth0',
    address: '10.0.0.1',
    netmask: '255.255.255.0',
    broadcast: '10.0.0.255',
    isLoopback: false,
    family: 'IPv4',
  },
  {
    name: 'eth1',
    address: '10.1.0.1',
    netmask: '255.255.255.0',
    broadcast: '10.1.0.255',
    isLoopback: false,
    family: 'IPv4',
  },
  { name: 'eth1', address: 'fe80::1%eth1', netmask: 'ffff::', isLoopback: false, family: 'IPv6' },
];

function targets(addresses: readonly Partial<SearchAddress>[], autoAddresses = false, interfaces = ['0.0.0.0']) {
  return searchTargets(
    {
      addresses: addresses.map((each) => ({
        address: '10.0.0.9',
        port: 5076,
        ttl: undefined,
        via: undefined,
        ...each,
      })),
      autoAddresses,
      udpPort: 5076,
      interfaces: interfaces.map((host) => ({ host })),
    },
    INTERFACES,
  ).map(({ to, isUnicast, multicast }) => [to.address, isUnicast, multicast?.interfaceAddress, multicast?.ttl]);
}

describe('targets of a search', () => {
  it('are loopback and the broadcast addresses of all networks, by default', () => {
    expect(targets([], true)).toEqual([
      ['127.0.0.1', true, undefined, undefined],
      ['10.0.0.255', false, undefined, undefined],
      ['10.1.0.255', false, undefined, undefined],
    ]);
  });

  it('are only those of the interfaces that are named', () => {
    expect(targets([], true, ['10.1.0.1'])).toEqual([['10.1.0.255', false, undefined, undefined]]);
    expect(targets([], true, ['127.0.0.1'])).toEqual([['127.0.0.1', true, undefined, undefined]]);
  });

  it('tell one host from many', () => {
    expect(targets([{}, { address: '10.0.0.255' }, { address: '255.255.255.255' }])).toEqual([
      ['10.0.0.9', true, undefined, undefined],
      ['10.0.0.255', false, undefined, undefined],
      ['255.255.255.255', false, undefined, undefined],
    ]);
  });

  it('of multicast go through the named interface, or the first that leads out', () => {
    expect(
      targets([
        { address: '239.1.2.3' },
        { address: '239.1.2.3', via: 'eth1', ttl: 4 },
        { address: '239.1.2.3', via: '127.0.0.1' },
        { address: '239.1.2.3', via: 'eth7' },
        { address: 'ff02::42:1', via: 'eth1' },
      ]),
    ).toEqual([
      ['239.1.2.3', false, '10.0.0.1', 1],
      ['239.1.2.3', false, '10.1.0.1', 4],
      ['239.1.2.3', false, '127.0.0.1', 1],
      ['239.1.2.3', false, undefined, undefined],
      ['ff02::42:1', false, 'fe80::1%eth1', 1],
    ]);
  });

  it('are searched once', () => {
    expect(targets([{ address: '10.0.0.255' }, {}, {}], true)).toHaveLength(4);
  });
});

async function serving(world: ClientWorld): Promise<FakeServer> {
  const server = await FakeServer.start(world.serverHost);
  server.serve('x', TYPE, () => valueOf(1));
  return server;
}

describe('a search', () => {
  it('by broadcast has no unicast flag, asks for tcp, and is answered at our port', async () => {
    const world = makeWorld();
    const server = await serving(world);
    await world.clock.until(world.context.get('x'));
    const [{ search, from }] = server.searches as [(typeof server.searches)[number]];
    expect(search).toMatchObject({ flags: 0, protocols: ['tcp'], responseAddress: '::', names: [{ pvName: 'x' }] });
    expect(search.responsePort).toBe(from.port);
    await world.context.close();
  });

  it('to one host has it', async () => {
    const world = makeWorld({ environment: { EPICS_PVA_ADDR_LIST: '10.0.0.2', EPICS_PVA_AUTO_ADDR_LIST: 'NO' } });
    const server = await serving(world);
    await world.clock.until(world.context.get('x'));
    expect(server.searches.map(({ search }) => search.flags)).toEqual([0x80]);
    await world.context.close();
  });

  it('by multicast reaches the group', async () => {
    const environment = { EPICS_PVA_ADDR_LIST: '239.1.2.3', EPICS_PVA_AUTO_ADDR_LIST: 'NO' };
    const world = makeWorld({ environment });
    const server = await serving(world);
    server.udp.joinGroup('239.1.2.3', '10.0.0.2');
    await world.clock.until(world.context.get('x'));
    expect(server.searches.map(({ search }) => search.flags)).toEqual([0]);
    await world.context.close();
  });

  it('to a host by name waits for nobody: other addresses are asked meanwhile', async () => {
    const environment = { EPICS_PVA_ADDR_LIST: 'nowhere server', EPICS_PVA_AUTO_ADDR_LIST: 'NO' };
    const world = makeWorld({ environment });
    await serving(world);
    await expect(world.clock.until(world.context.get('x', { type: TYPE }))).resolves.toMatchObject({ value: 1 });
    expect(world.notices.map(({ text }) => text)).toContainEqual(expect.stringMatching(/^search: .*nowhere/));
    await world.context.close();
  });

  describe('to a host by name', () => {
    const environment = { EPICS_PVA_ADDR_LIST: 'later', EPICS_PVA_AUTO_ADDR_LIST: 'NO' };

    it('finds one that is known only later, within some seconds', async () => {
      const world = makeWorld({ environment });
      const call = world.context.get('x', { timeoutMs: 600_000, type: TYPE });
      await world.clock.advanceAsync(60_000);
      const server = await FakeServer.start(world.network.host('later', '10.0.0.9/24'));
      server.serve('x', TYPE, () => valueOf(9));
      await expect(world.clock.until(call, 600_000)).resolves.toMatchObject({ value: 9 });
      expect(world.clock.now()).toBeLessThan(110_000);
      // Told once, however often it was looked up.
      expect(world.notices.filter(({ kind }) => kind === 'searchFailed')).toHaveLength(1);
      await world.context.close();
      await world.clock.advanceAsync(10);
      expect(world.clock.timerCount).toBe(0);
    });

    it('is not in the sentence of a later timeout once the host is known', async () => {
      const world = makeWorld({ environment });
      const early = world.context.get('x', { timeoutMs: 2_000 });
      await expect(world.clock.until(early)).rejects.toThrow(/searched 2 times, no server answered; .*later/);
      world.network.host('later', '10.0.0.9/24');
      const late = world.context.get('x', { timeoutMs: 60_000 });
      await expect(world.clock.until(late, 60_000)).rejects.toThrow(/searched \d+ times, no server answered$/);
      await world.context.close();
    });

    it('follows one that moves, and stays where it is while that is one of several addresses', async () => {
      const world = makeWorld({ environment });
      let known: readonly string[] = ['10.0.0.2', '10.0.0.3'];
      vi.spyOn(world.clientHost, 'resolve').mockImplementation(async () => known);
      const servers = await Promise.all(
        ['3', '4'].map((last) => FakeServer.start(world.network.host(`host${last}`, `10.0.0.${last}/24`))),
      );
      const first = await FakeServer.start(world.serverHost);
      const call = world.context.get('x', { timeoutMs: 600_000, type: TYPE });
      await world.clock.advanceAsync(30_000);
      known = ['10.0.0.3', '10.0.0.2'];
      await world.clock.advanceAsync(60_000);
      expect(first.searches.length).toBeGreaterThan(3);
      expect(servers.map(({ searches }) => searches.length)).toEqual([0, 0]);
      known = ['10.0.0.4'];
      servers[1]?.serve('x', TYPE, () => valueOf(4));
      await expect(world.clock.until(call, 600_000)).resolves.toMatchObject({ value: 4 });
      await world.context.close();
    });

    it('goes on where it was last while it cannot be looked up', async () => {
      const world = makeWorld({ environment: { ...environment, EPICS_PVA_ADDR_LIST: 'server' } });
      const server = await FakeServer.start(world.serverHost);
      const call = world.context.get('x', { timeoutMs: 600_000, type: TYPE });
      await world.clock.advanceAsync(5_000);
      vi.spyOn(world.clientHost, 'resolve').mockRejectedValue(new Error('no name server answers'));
      await world.clock.advanceAsync(60_000);
      server.serve('x', TYPE, () => valueOf(1));
      await expect(world.clock.until(call, 600_000)).resolves.toMatchObject({ value: 1 });
      expect(world.notices.map(({ text }) => text)).toContain('search: no name server answers');
      await world.context.close();
    });
  });

  it('that could not be sent is not in the sentence of an hour later', async () => {
    const world = makeWorld();
    let isDown = true;
    const bind = world.clientHost.bindUdp.bind(world.clientHost);
    vi.spyOn(world.clientHost, 'bindUdp').mockImplementation(async (options, handlers) => {
      const socket = await bind(options, handlers);
      vi.spyOn(socket, 'send').mockImplementation(() => {
        if (isDown) handlers.error(new Error('ENETUNREACH'));
      });
      return socket;
    });
    const early = world.context.get('x', { timeoutMs: 500 });
    await expect(world.clock.until(early)).rejects.toThrow('searched 1 time, no server answered; ENETUNREACH');
    isDown = false;
    await world.clock.advanceAsync(3_600_000);
    const late = world.context.get('y', { timeoutMs: 500 });
    await expect(world.clock.until(late)).rejects.toThrow(/searched 1 time, no server answered$/);
    await world.context.close();
  });

  it('for many PVs takes few datagrams', async () => {
    const world = makeWorld();
    const server = await FakeServer.start(world.serverHost);
    const names = Array.from({ length: 500 }, (_, index) => `some:device:name:${index}`);
    const calls = names.map((name) => world.context.info(name, { timeoutMs: 100 }));
    await world.clock.until(Promise.allSettled(calls));
    expect(server.searches.length).toBe(10);
    expect(server.searches.flatMap(({ search }) => search.names.map(({ pvName }) => pvName))).toEqual(names);
    await world.context.close();
  });

  it('is answered once although the server answers twice', async () => {
    const world = makeWorld();
    const server = await serving(world);
    const answer = server.answer.bind(server);
    server.answer = (search, to) => {
      answer(search, to);
      answer(search, to);
    };
    await world.clock.until(world.context.get('x'));
    expect(server.link.commands.filter((command) => command === 'CREATE_CHANNEL')).toHaveLength(1);
    expect(world.notices.filter(({ kind }) => kind === 'duplicatePv')).toEqual([]);
    await world.context.close();
  });

  it('can be answered for another address than the sender’s', async () => {
    const world = makeWorld();
    const elsewhere = await FakeServer.start(world.network.host('third', '10.0.0.3/24'), { tcpPort: 7_000 });
    elsewhere.serve('x', TYPE, () => valueOf(3));
    elsewhere.answer = () => {};
    const server = await FakeServer.start(world.serverHost);
    server.answer = (search, to) => {
      const response = server.response(
        search,
        search.names.map(({ instanceId }) => instanceId),
        7_000,
      );
      if (response.command === 'SEARCH_RESPONSE') server.sendDatagram(to, { ...response, serverAddress: '10.0.0.3' });
    };
    await expect(world.clock.until(world.context.get('x', { type: TYPE }))).resolves.toMatchObject({ value: 3 });
    await world.context.close();
  });

  it('goes on over TCP when UDP cannot be used', async () => {
    const environment = { EPICS_PVA_NAME_SERVERS: '10.0.0.2' };
    const world = makeWorld({ environment });
    await serving(world);
    world.clientHost.bindUdp = async () => {
      throw new Error('no sockets left');
    };
    await expect(world.clock.until(world.context.get('x', { type: TYPE }))).resolves.toMatchObject({ value: 1 });
    expect(world.notices.map(({ text }) => text)).toContain('search: no sockets left');
    const call = world.context.get('nosuch', { timeoutMs: 100 });
    await expect(world.clock.until(call)).rejects.toThrow('no server answered; no sockets left');
    await world.context.close();
  });
});

describe('name servers', () => {
  const environment = { EPICS_PVA_NAME_SERVERS: 'server:5075', EPICS_PVA_AUTO_ADDR_LIST: 'NO' };

  it('are asked over TCP: as for one host, without address and port', async () => {
    const world = makeWorld({ environment });
    const server = await serving(world);
    await expect(world.clock.until(world.context.get('x', { type: TYPE }))).resolves.toMatchObject({ value: 1 });
    expect(server.searches).toEqual([]);
    const search = server.link.received.find(({ command }) => command === 'SEARCH');
    expect(search).toMatchObject({ flags: 0x80, responsePort: 0, protocols: ['tcp'], names: [{ pvName: 'x' }] });
    // Found on the very server: the channel shares its connection.
    expect(server.links).toHaveLength(1);
    await world.context.close();
    await world.clock.advanceAsync(10);
    expect(server.links[0]?.isClosed).toBe(true);
    expect(world.clock.timerCount).toBe(0);
  });

  it('can send us to another server', async () => {
    const world = makeWorld({ environment });
    const nameServer = await FakeServer.start(world.serverHost);
    const server = await FakeServer.start(world.network.host('third', '10.0.0.3/24'));
    server.serve('x', TYPE, () => valueOf(3));
    nameServer.on((message, link) => {
      if (message.command !== 'SEARCH') return false;
      const response = nameServer.response(
        message,
        message.names.map(({ instanceId }) => instanceId),
        5075,
      );
      if (response.command === 'SEARCH_RESPONSE') link.send({ ...response, serverAddress: '10.0.0.3' });
      return true;
    });
    await expect(world.clock.until(world.context.get('x', { type: TYPE }))).resolves.toMatchObject({ value: 3 });
    await world.context.close();
  });

  it('are connected again when they come back, and told at once of all that is searched for', async () => {
    const world = makeWorld({ environment });
    const first = await FakeServer.start(world.serverHost);
    const call = world.context.get('x', { timeoutMs: 100_000, type: TYPE });
    call.catch(() => {});
    await world.clock.advanceAsync(1_000);
    await first.stop();
    await world.clock.advanceAsync(30_000);
    await serving(world);
    await expect(world.clock.until(call)).resolves.toMatchObject({ value: 1 });
    expect(world.clock.now()).toBeLessThan(43_000);
    await world.context.close();
  });

  it('that are away are named in the error', async () => {
    const world = makeWorld({ environment });
    const call = world.context.get('x', { timeoutMs: 1_000 });
    await expect(world.clock.until(call)).rejects.toThrow('no server answered; no name server is connected');
    await world.context.close();
    const lost = makeWorld({ environment: { ...environment, EPICS_PVA_NAME_SERVERS: 'nowhere' } });
    await expect(lost.clock.until(lost.context.get('x', { timeoutMs: 1_000 }))).rejects.toThrow(
      'no name server is connected',
    );
    expect(lost.notices.map(({ text }) => text)).toContainEqual(expect.stringMatching(/^name server nowhere: /));
    await lost.context.close();
  });
});
