// Does a diagnosis find what is wrong, and say what helps? Every network that can be in the way, in memory.

import { afterEach, describe, expect, it } from 'vitest';

import { diagnose, type DiagnoseOptions } from '../../src/client/diagnose.ts';
import type { Diagnosis, FindingCode } from '../../src/client/diagnose-result.ts';
import { SharedPV } from '../../src/channels/shared-pv.ts';
import type { Source } from '../../src/channels/source.ts';
import { double } from '../../src/protocol/types/type-desc.ts';
import { error } from '../../src/protocol/status.ts';
import { ntScalar } from '../../src/protocol/normative/nt-scalar.ts';
import { Server } from '../../src/server/server.ts';
import { ManualClock } from '../../src/transport/manual-clock.ts';
import { MemoryNetwork, type MemoryHost } from '../../src/transport/memory-network.ts';
import { clientConfig } from '../support/client-world.ts';
import { FakeServer } from '../support/fake-server.ts';
import { configWith, LOOPBACK } from '../support/server-world.ts';

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

function host(name: string, ...addresses: string[]): MemoryHost {
  return network.host(name, ...addresses);
}

async function serve(on: MemoryHost, names: readonly string[], settings: Parameters<typeof configWith>[0] = {}) {
  const pvs = Object.fromEntries(
    names.map((name) => [name, SharedPV.mailbox(ntScalar(double), { initial: { value: 1 } })]),
  );
  const server = new Server({ network: on, clock, pvs, config: configWith({ autoBeacon: false, ...settings }) });
  await clock.until(server.listen());
  closing.push(() => server.close());
  return server;
}

async function fake(on: MemoryHost, ...names: string[]): Promise<FakeServer> {
  const server = await FakeServer.start(on);
  for (const name of names) server.pvNames.add(name);
  closing.push(() => server.stop());
  return server;
}

function examine(
  from: MemoryHost,
  pvName: string | undefined,
  environment: Record<string, string> = {},
  options: DiagnoseOptions = {},
): Promise<Diagnosis> {
  const config = clientConfig(environment);
  const identity = { user: 'tester', host: 'client' };
  return clock.until(diagnose({ pvName, config, network: from, clock, random: () => 0, identity, ...options }));
}

function codes({ findings }: Diagnosis): readonly FindingCode[] {
  return findings.map(({ code }) => code);
}

/** The one finding of a code. */
function finding(diagnosis: Diagnosis, code: FindingCode): { readonly text: string; readonly advice: string } {
  expect(codes(diagnosis)).toContain(code);
  return diagnosis.findings.find((each) => each.code === code) ?? { text: '', advice: '' };
}

const NO_BROADCAST = { EPICS_PVA_AUTO_ADDR_LIST: 'NO' };

describe('a PV that is there', () => {
  it('is found, with all that is known of its server, and nothing is wrong', async () => {
    const client = host('client');
    const server = await serve(host('server'), ['x']);
    const diagnosis = await examine(client, 'x');
    expect(diagnosis).toMatchObject({ pvName: 'x', findings: [], isWell: true, beacons: [], nameServers: [] });
    expect(diagnosis.udpPort).toEqual({ port: 5076, state: 'free' });
    expect(diagnosis.searches).toMatchObject([
      { to: '127.0.0.1:5076', kind: 'unicast', via: { name: 'lo' }, isConfigured: true, sentCount: 3, answers: [] },
      {
        to: '10.0.0.255:5076',
        kind: 'broadcast',
        via: { address: '10.0.0.1' },
        answers: [{ guid: server.guid, server: '10.0.0.2:5075', via: '10.0.0.2:5076', version: 2, hasPv: true }],
      },
    ]);
    expect(diagnosis.servers).toMatchObject([
      {
        guid: server.guid,
        server: '10.0.0.2:5075',
        source: 'search',
        hasPv: true,
        visit: {
          stage: 'validated',
          failure: undefined,
          version: 2,
          byteOrder: 'little endian',
          authMethod: 'ca',
          authMethods: ['anonymous', 'ca'],
          channel: { state: 'created', typeId: 'epics:nt/NTScalar:1.0' },
        },
      },
    ]);
  });

  it('is found within two seconds', async () => {
    const client = host('client');
    await serve(host('server'), ['x']);
    const startedAt = clock.now();
    await examine(client, 'x');
    expect(clock.now() - startedAt).toBeLessThan(2_000);
  });

  it('is found by a name server alone', async () => {
    const client = host('client');
    await serve(host('server'), ['x']);
    const environment = { ...NO_BROADCAST, EPICS_PVA_NAME_SERVERS: 'server' };
    const diagnosis = await examine(client, 'x', environment);
    expect(diagnosis).toMatchObject({ isWell: true, searches: [], findings: [] });
    expect(diagnosis.nameServers).toMatchObject([{ name: 'server:5075', visit: { search: { state: 'found' } } }]);
    expect(diagnosis.servers).toMatchObject([{ source: 'nameServer', server: '10.0.0.2:5075', hasPv: true }]);
  });

  it('is told of a big-endian server, and of one that knows us not', async () => {
    const client = host('client');
    const server = await FakeServer.start(host('server'), { bigEndian: true, methods: ['x509'] });
    closing.push(() => server.stop());
    server.pvNames.add('x');
    server.on((message, link) => {
      if (message.command !== 'CONNECTION_VALIDATION') return false;
      link.send({ command: 'CONNECTION_VALIDATED', status: error('who are you') });
      return true;
    });
    const diagnosis = await examine(client, 'x');
    expect(diagnosis.servers[0]?.visit).toMatchObject({ byteOrder: 'big endian', authMethod: 'anonymous' });
    expect(finding(diagnosis, 'credentialsRefused').text).toContain('who are you');
    expect(diagnosis.isWell).toBe(true);
  });
});

describe('without a PV', () => {
  it('many servers cause no warning of a leak', async () => {
    const warnings: Error[] = [];
    const note = (warning: Error): void => void warnings.push(warning);
    process.on('warning', note);
    const client = host('client');
    for (let count = 0; count < 12; count++) await serve(host(`server${count}`), []);
    expect((await examine(client, undefined)).servers).toHaveLength(12);
    await new Promise(setImmediate);
    process.off('warning', note);
    expect(warnings).toEqual([]);
  });

  it('all servers are looked at', async () => {
    const client = host('client');
    await serve(host('a'), []);
    await serve(host('b'), []);
    const diagnosis = await examine(client, undefined);
    expect(diagnosis).toMatchObject({ isWell: true, findings: [], pvName: undefined });
    expect(diagnosis.servers.map(({ server, visit }) => [server, visit.stage, visit.channel])).toEqual([
      ['10.0.0.2:5075', 'validated', undefined],
      ['10.0.0.3:5075', 'validated', undefined],
    ]);
  });

  it('nobody there is a problem', async () => {
    const diagnosis = await examine(host('client'), undefined, { EPICS_PVA_ADDR_LIST: '127.0.0.1' });
    expect(codes(diagnosis)).toEqual(['noAnswer']);
    expect(finding(diagnosis, 'noAnswer').text).toBe(
      'No server answers the searches sent to 127.0.0.1:5076, 10.0.0.255:5076.',
    );
    expect(diagnosis.isWell).toBe(false);
  });

  it('name servers are enough', async () => {
    const client = host('client');
    await serve(host('server'), []);
    const diagnosis = await examine(client, undefined, { ...NO_BROADCAST, EPICS_PVA_NAME_SERVERS: '10.0.0.2' });
    expect(diagnosis).toMatchObject({ isWell: true, findings: [] });
    expect(diagnosis.nameServers).toMatchObject([{ visit: { search: { state: 'notFound' } } }]);
  });

  it('an address of the list at which nobody answers is a warning, when others do', async () => {
    const client = host('client');
    await serve(host('server'), []);
    const diagnosis = await examine(client, undefined, { EPICS_PVA_ADDR_LIST: '10.0.0.77' });
    expect(finding(diagnosis, 'addressSilent').text).toBe(
      'Nobody answers searches at 10.0.0.77:5076, which EPICS_PVA_ADDR_LIST names.',
    );
    expect(diagnosis.isWell).toBe(true);
  });
});

describe('a PV that is not found', () => {
  it('may be misspelt', async () => {
    const client = host('client');
    await serve(host('server'), ['lab:temperature', 'lab:pressure']);
    const diagnosis = await examine(client, 'lab:temprature');
    expect(finding(diagnosis, 'notServed')).toMatchObject({
      text: '1 server answers, but it does not have lab:temprature.',
      advice: 'Did you mean lab:temperature, which 10.0.0.2:5075 has?',
    });
    const unlike = finding(await examine(client, 'other'), 'notServed');
    expect(unlike.advice).toBe(
      'Check the spelling of the name, whether its server is running, and whether access rules hide it.',
    );
    expect(finding(await examine(client, 'Pressure'), 'notServed').advice).toContain('lab:pressure');
  });

  it('may be on loopback, which is not searched', async () => {
    const client = host('client');
    await serve(client, ['x'], { interfaces: [LOOPBACK] });
    const environment = { ...NO_BROADCAST, EPICS_PVA_ADDR_LIST: '10.0.0.9' };
    const diagnosis = await examine(client, 'x', environment);
    expect(finding(diagnosis, 'foundElsewhere')).toMatchObject({
      text: '127.0.0.1:5075 has x and answers at 127.0.0.1:5076, where the configuration does not search.',
      advice: "Set EPICS_PVA_ADDR_LIST='10.0.0.9 127.0.0.1'",
    });
    expect(diagnosis.isWell).toBe(false);
    expect(diagnosis.udpPort.state).toBe('shared');
    expect((await examine(client, 'x')).isWell).toBe(true);
  });

  it('may be on a network that is not searched', async () => {
    const client = host('client');
    await serve(host('server'), ['x']);
    const diagnosis = await examine(client, 'x', NO_BROADCAST);
    expect(codes(diagnosis)).toEqual(['nowhereToSearch', 'foundElsewhere']);
    expect(finding(diagnosis, 'foundElsewhere').advice).toBe('Set EPICS_PVA_AUTO_ADDR_LIST=YES');
  });

  it('may be searched for on another port than that of its server', async () => {
    const client = host('client');
    await serve(host('server'), ['x']);
    const diagnosis = await examine(client, 'x', { EPICS_PVA_BROADCAST_PORT: '6000' });
    expect(finding(diagnosis, 'foundElsewhere').advice).toBe(
      'Set EPICS_PVA_ADDR_LIST=10.0.0.255:5076, or EPICS_PVA_BROADCAST_PORT=5076',
    );
  });

  it('may be where UDP does not get through', async () => {
    const client = host('client');
    const server = await fake(host('server'), 'x');
    server.answer = () => {};
    const diagnosis = await examine(client, 'x', { ...NO_BROADCAST, EPICS_PVA_ADDR_LIST: 'server' });
    expect(finding(diagnosis, 'foundByTcpOnly')).toMatchObject({
      text: '10.0.0.2:5075 has x, but does not answer searches by UDP.',
      advice: expect.stringContaining('EPICS_PVA_NAME_SERVERS=10.0.0.2:5075') as string,
    });
    const without = await examine(client, undefined, { ...NO_BROADCAST, EPICS_PVA_ADDR_LIST: 'server' });
    expect(finding(without, 'foundByTcpOnly').text).toContain('takes TCP connections');
  });

  it('may be on a server whose beacons come, but not its answers', async () => {
    const client = host('client');
    const server = await fake(host('server'), 'x');
    server.answer = () => {};
    const beacons = clock.every(500, () => server.sendBeacon({ address: '10.0.0.255', port: 5076 }));
    const diagnosis = await examine(client, 'x');
    beacons.cancel();
    expect(finding(diagnosis, 'beaconOnly').text).toBe(
      '10.0.0.2:5075 sends beacons (from 10.0.0.2:5076), but does not answer searches.',
    );
    expect(codes(diagnosis)).toContain('noAnswer');
  });

  it('may be on nobody', async () => {
    const diagnosis = await examine(host('client'), 'x');
    expect(codes(diagnosis)).toEqual(['noAnswer']);
    expect(finding(diagnosis, 'noAnswer').advice).toContain('EPICS_PVA_ADDR_LIST');
  });

  it('may be on a server that lists it and does not answer for it', async () => {
    const client = host('client');
    const source: Source = { has: () => false, open: () => undefined, names: () => ['x'], revision: 0 };
    const server = new Server({ network: host('server'), clock, sources: [source], config: configWith() });
    await clock.until(server.listen());
    closing.push(() => server.close());
    expect(finding(await examine(client, 'x'), 'listedButSilent').text).toBe(
      '10.0.0.2:5075 lists x, but does not answer searches for it.',
    );
  });

  it('may be on a server that speaks only another protocol', async () => {
    const client = host('client');
    const server = await fake(host('server'), 'x');
    server.answer = (search, to) => {
      const ids = search.names.map(({ instanceId }) => instanceId);
      const response = server.response(search, ids, server.tcpPort);
      if (ids.length > 0) server.sendDatagram(to, { ...response, protocol: 'tls' } as typeof response);
    };
    expect(finding(await examine(client, 'x'), 'otherProtocol').text).toBe('10.0.0.2:5075 has x, but speaks tls only.');
  });
});

describe('a server that answers searches', () => {
  async function liar(act: (server: FakeServer) => void): Promise<Diagnosis> {
    const client = host('client');
    const server = await fake(host('server'), 'x');
    act(server);
    return examine(client, 'x');
  }

  it('and tells a port at which nobody listens', async () => {
    const diagnosis = await liar((server) => {
      server.answer = (search, to) => {
        const ids = search.names.map(({ instanceId }) => instanceId);
        server.sendDatagram(to, server.response(search, ids, 4));
      };
    });
    expect(finding(diagnosis, 'tcpRefused').text).toBe(
      '10.0.0.2:4 answers searches for x, but TCP connections to it are refused.',
    );
    expect(diagnosis.isWell).toBe(false);
  });

  it('and tells an address from which nothing comes back', async () => {
    const diagnosis = await liar((server) => {
      server.answer = (search, to) => {
        const ids = search.names.map(({ instanceId }) => instanceId);
        const response = server.response(search, ids, 5075);
        server.sendDatagram(to, { ...response, serverAddress: '10.0.0.99' } as typeof response);
      };
    });
    expect(finding(diagnosis, 'tcpSilent').text).toBe(
      '10.0.0.99:5075 answers searches for x, but TCP connections to it are not answered.',
    );
  });

  it('and tells an address of ours', async () => {
    const diagnosis = await liar((server) => {
      server.answer = (search, to) => {
        const ids = search.names.map(({ instanceId }) => instanceId);
        const response = server.response(search, ids, 5075);
        server.sendDatagram(to, { ...response, serverAddress: '127.0.0.1' } as typeof response);
      };
    });
    expect(finding(diagnosis, 'loopbackAdvertised').text).toBe(
      'The server at 10.0.0.2:5076 tells clients to connect to 127.0.0.1:5075, which is this host to them.',
    );
  });

  it('and says nothing over TCP', async () => {
    const diagnosis = await liar((server) => (server.greets = false));
    expect(finding(diagnosis, 'notGreeted').text).toBe('10.0.0.2:5075 takes TCP connections, but says nothing.');
  });

  it('and says what no server says', async () => {
    const diagnosis = await liar((server) => {
      server.greets = false;
      const greet = (): void => {
        if (server.links.length > 0) server.link.sendHex('485454502f312e3120');
      };
      clock.after(1_200, greet);
    });
    expect(finding(diagnosis, 'notGreeted').text).toMatch(/^10\.0\.0\.2:5075 takes TCP connections, but connection/u);
  });

  it('and does not let us in', async () => {
    const diagnosis = await liar((server) => server.on(({ command }) => command === 'CONNECTION_VALIDATION'));
    expect(finding(diagnosis, 'notValidated')).toMatchObject({
      text: '10.0.0.2:5075 does not let us in: CONNECTION_VALIDATED does not come.',
      advice: expect.stringContaining('anonymous, ca') as string,
    });
  });

  it('and refuses the channel', async () => {
    const diagnosis = await liar((server) => {
      server.on((message, link) => {
        if (message.command !== 'CREATE_CHANNEL') return false;
        const [{ cid } = { cid: 0 }] = message.channels;
        link.send({ command: 'CREATE_CHANNEL', cid, sid: 0, status: error('out of channels') });
        return true;
      });
    });
    expect(finding(diagnosis, 'channelRefused').text).toBe(
      '10.0.0.2:5075 answers searches for x, but refuses the channel: out of channels.',
    );
  });

  it('and does not answer CREATE_CHANNEL', async () => {
    const diagnosis = await liar((server) => server.on(({ command }) => command === 'CREATE_CHANNEL'));
    expect(finding(diagnosis, 'channelSilent').text).toContain('does not answer CREATE_CHANNEL');
  });

  it('is one of two with the same PV', async () => {
    const client = host('client');
    const first = await serve(host('a'), ['x']);
    const second = await serve(host('b'), ['x']);
    const diagnosis = await examine(client, 'x');
    const { text, advice } = finding(diagnosis, 'duplicatePv');
    for (const part of ['2 servers have x', '10.0.0.2:5075', '10.0.0.3:5075', first.guid, second.guid]) {
      expect(text).toContain(part);
    }
    expect(advice).toContain('answers first');
    expect(diagnosis.isWell).toBe(false);
  });
});

describe('name servers', () => {
  it.each([
    ['10.0.0.2:9', 'nameServerRefused', 'Name server 10.0.0.2:9 refuses TCP connections.'],
    ['10.0.0.77', 'nameServerSilent', 'Name server 10.0.0.77:5075 does not answer: no TCP connection.'],
    ['nosuch', 'nameServerUnknown', 'Name server nosuch:5075 has a host name that is not known to this host.'],
  ] as const)('%s: %s', async (nameServer, code, text) => {
    const client = host('client');
    await serve(host('server'), ['x']);
    const diagnosis = await examine(client, 'x', { EPICS_PVA_NAME_SERVERS: nameServer });
    expect(finding(diagnosis, code).text).toBe(text);
    expect(codes(diagnosis)).toEqual([code]);
    expect(diagnosis.isWell).toBe(false);
  });

  it('that are dead are told of once', async () => {
    const client = host('client');
    const diagnosis = await examine(client, 'x', { ...NO_BROADCAST, EPICS_PVA_NAME_SERVERS: '127.0.0.1:9' });
    expect(codes(diagnosis)).toEqual(['nameServerRefused']);
  });

  it('may be no servers at all, or deaf ones', async () => {
    const client = host('client');
    const server = await fake(host('server'));
    server.answer = () => {};
    const environment = { EPICS_PVA_NAME_SERVERS: 'server' };
    expect(finding(await examine(client, 'x', environment), 'nameServerDeaf').text).toContain(
      'does not answer searches',
    );
    server.greets = false;
    expect(finding(await examine(client, 'x', environment), 'nameServerFailed').text).toBe(
      'Name server server:5075 takes TCP connections, but says nothing.',
    );
  });

  it('that know nothing of a PV are told of', async () => {
    const client = host('client');
    await serve(host('server', '10.9.9.9/24'), []);
    const diagnosis = await examine(client, 'x', { ...NO_BROADCAST, EPICS_PVA_NAME_SERVERS: '10.9.9.9' });
    expect(codes(diagnosis)).toEqual(['notServed']);
    expect(finding(diagnosis, 'notServed').text).toBe('No name server knows x, and nothing else is searched.');
  });
});

describe('the way out', () => {
  it('may be closed: searches that cannot be sent are told with the reason', async () => {
    const client = host('client');
    const diagnosis = await examine(client, 'x', { ...NO_BROADCAST, EPICS_PVA_ADDR_LIST: '[2001:db8::1]' });
    expect(finding(diagnosis, 'searchNotSent').text).toMatch(/^Searches to \[2001:db8::1\]:5076 do not go out: .+\.$/u);
  });

  it('may be a host that is not known', async () => {
    const diagnosis = await examine(host('client'), 'x', { ...NO_BROADCAST, EPICS_PVA_ADDR_LIST: 'nosuch' });
    expect(finding(diagnosis, 'hostUnknown').text).toContain('nosuch');
  });

  it('may be taken by a program that does not share the port', async () => {
    const client = host('client');
    const socket = await client.bindUdp({ address: '0.0.0.0', port: 5076 }, { message: () => {}, error: () => {} });
    const diagnosis = await examine(client, undefined);
    socket.close();
    expect(diagnosis.udpPort.state).toBe('taken');
    expect(finding(diagnosis, 'portTaken').text).toContain('UDP port 5076');
  });
});

it('ends when its signal aborts, and leaves nothing behind', async () => {
  const stop = new AbortController();
  clock.after(300, () => stop.abort(new Error('enough')));
  await expect(examine(host('client'), 'x', {}, { signal: stop.signal })).rejects.toThrow('enough');
  await expect(examine(host('other'), 'x', {}, { signal: stop.signal })).rejects.toThrow('enough');
});
