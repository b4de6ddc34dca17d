// One TCP connection: who we say we are, byte orders, staying alive, noticing that nobody is there.

import { describe, expect, it } from 'vitest';
import { readHeader } from '../../src/protocol/header.ts';
import { ntScalar } from '../../src/protocol/normative/nt-scalar.ts';
import { error, OK } from '../../src/protocol/status.ts';
import { BitSet } from '../../src/protocol/bit-set.ts';
import { double, string, structure } from '../../src/protocol/types/type-desc.ts';
import { codecOf } from '../../src/protocol/values/codec.ts';
import { makeWorld, type ClientWorld } from '../support/client-world.ts';
import { FakeServer } from '../support/fake-server.ts';

const TYPE = ntScalar(double);
const valueOf = (value: number) => ({ changed: BitSet.of(1), value: { ...codecOf(TYPE).defaultValue(), value } });

async function serving(world: ClientWorld, options = {}): Promise<FakeServer> {
  const server = await FakeServer.start(world.serverHost, options);
  server.serve('x', TYPE, () => valueOf(1));
  return server;
}

describe('authentication', () => {
  it('is by `ca`, with user and host, when the server offers it', async () => {
    const world = makeWorld();
    const server = await serving(world);
    await world.clock.until(world.context.get('x'));
    expect(server.link.received[0]).toMatchObject({
      command: 'CONNECTION_VALIDATION',
      method: 'ca',
      credentials: { value: { user: 'tester', host: 'client' } },
    });
    await world.context.close();
  });

  it('never sends an empty user', async () => {
    const world = makeWorld({ context: { identity: { user: '', host: '' } } });
    const server = await serving(world);
    await world.clock.until(world.context.get('x'));
    expect(server.link.received[0]).toMatchObject({ credentials: { value: { user: 'nobody', host: 'invalidhost.' } } });
    await world.context.close();
  });

  it.each([[['anonymous']], [['krb', 'anonymous']], [['krb']], [[]]])(
    'is anonymous when offered %j',
    async (methods) => {
      const world = makeWorld();
      const server = await serving(world, { methods });
      await world.clock.until(world.context.get('x'));
      expect(server.link.received[0]).toMatchObject({ method: 'anonymous', credentials: null });
      const warnings = world.notices.filter(({ kind }) => kind === 'linkWarning');
      expect(warnings).toHaveLength(methods.includes('anonymous') ? 0 : 1);
      await world.context.close();
    },
  );

  it('that fails is told, and what is possible goes on', async () => {
    const world = makeWorld();
    const server = await serving(world);
    server.on((message, link) => {
      if (message.command !== 'CONNECTION_VALIDATION') return false;
      link.send({ command: 'CONNECTION_VALIDATED', status: error('who are you?') });
      return true;
    });
    await expect(world.clock.until(world.context.get('x', { type: TYPE }))).resolves.toMatchObject({ value: 1 });
    expect(world.notices.map(({ text }) => text)).toContain(
      '10.0.0.2:5075: refused our credentials: who are you?; going on without',
    );
    await world.context.close();
  });

  it('is answered once, however often the server asks', async () => {
    const world = makeWorld();
    const server = await serving(world);
    await world.clock.until(world.context.get('x'));
    const { link } = server;
    for (let time = 0; time < 3; time++) {
      link.send({ command: 'CONNECTION_VALIDATION', receiveBufferBytes: 1, registrySize: 1, methods: ['ca'] });
      link.send({ command: 'CONNECTION_VALIDATED', status: OK });
    }
    await world.clock.until(world.context.get('x'));
    expect(link.commands.filter((command) => command === 'CONNECTION_VALIDATION')).toHaveLength(1);
    await world.context.close();
  });
});

describe('byte order', () => {
  it.each([
    ['little endian', '41', 0],
    ['big endian', 'c1', 0x80],
  ])('of what we send is %s when SET_BYTE_ORDER says so', async (_name, flags, expected) => {
    const world = makeWorld();
    const bytes: number[] = [];
    await world.serverHost.listenTcp({ address: '0.0.0.0', port: 5075 }, (tcp) => {
      tcp.listen({ data: (chunk) => void bytes.push(...chunk), drain: () => {}, close: () => {} });
      // The order of the validation itself is another matter: each message has its own.
      tcp.write(Uint8Array.from(Buffer.from(`ca02${flags}0200000000`, 'hex')));
      tcp.write(
        Uint8Array.from(
          Buffer.from('ca02400114000000000001 00ff7f0209616e6f6e796d6f7573026361'.replaceAll(' ', ''), 'hex'),
        ),
      );
    });
    const call = world.context.get('x', { server: '10.0.0.2', timeoutMs: 500 });
    await expect(world.clock.until(call)).rejects.toThrow('no CONNECTION_VALIDATED');
    const header = readHeader(Uint8Array.from(bytes), 0);
    expect(header.flags & 0x80).toBe(expected);
    expect(header.size).toBe(bytes.length - 8);
    await world.context.close();
  });

  it('is that of the validation when nobody says anything', async () => {
    const world = makeWorld();
    const bytes: number[] = [];
    await world.serverHost.listenTcp({ address: '0.0.0.0', port: 5075 }, (tcp) => {
      tcp.listen({ data: (chunk) => void bytes.push(...chunk), drain: () => {}, close: () => {} });
      tcp.write(Uint8Array.from(Buffer.from('ca02c00100000014000100007fff0209616e6f6e796d6f7573026361', 'hex')));
    });
    const call = world.context.get('x', { server: '10.0.0.2', timeoutMs: 500 });
    await expect(world.clock.until(call)).rejects.toThrow('no CONNECTION_VALIDATED');
    expect((bytes[2] ?? 0) & 0x80).toBe(0x80);
    await world.context.close();
  });
});

describe('staying alive', () => {
  it('takes an echo each 15 s, while data flows, too', async () => {
    const world = makeWorld();
    const server = await serving(world);
    const monitor = world.context.monitor('x');
    await world.clock.advanceAsync(61_000);
    expect(server.link.commands.filter((command) => command === 'ECHO')).toHaveLength(4);
    await monitor.close();
    await world.context.close();
    await world.clock.advanceAsync(10);
    expect(world.clock.timerCount).toBe(0);
  });

  it('takes more of them when the timeout is short', async () => {
    const world = makeWorld({ environment: { EPICS_PVA_CONN_TMO: '3' } });
    const server = await serving(world);
    const monitor = world.context.monitor('x');
    await world.clock.advanceAsync(15_100);
    // 4 s of silence are allowed, 3/8 of that between two echoes.
    expect(server.link.commands.filter((command) => command === 'ECHO')).toHaveLength(10);
    await monitor.close();
    await world.context.close();
  });

  it('ends after 40 s of silence, and the channel is looked for anew', async () => {
    const world = makeWorld();
    const server = await serving(world);
    const monitor = world.context.monitor('x');
    await world.clock.advanceAsync(1_000);
    server.on((message) => message.command === 'ECHO');
    const { link } = server;
    await world.clock.advanceAsync(39_000);
    expect(link.isClosed).toBe(false);
    await world.clock.advanceAsync(1_100);
    expect(link.isClosed).toBe(true);
    expect(world.notices.map(({ text }) => text)).toContainEqual(expect.stringMatching(/silent for 40 s/));
    await world.clock.advanceAsync(10_000);
    expect(server.links).toHaveLength(2);
    await monitor.close();
    await world.context.close();
  });

  it('answers the echo of a control message', async () => {
    const world = makeWorld();
    const server = await serving(world);
    await world.clock.until(world.context.get('x'));
    server.link.send({ command: 'ECHO_REQUEST', value: 77 });
    await world.clock.advanceAsync(10);
    expect(server.link.received.at(-1)).toEqual({ command: 'ECHO_RESPONSE', value: 77 });
    await world.context.close();
  });

  it('is not expected of a server that never gets to the point', async () => {
    const world = makeWorld();
    const server = await serving(world);
    server.on((message) => message.command === 'CONNECTION_VALIDATION');
    const monitor = world.context.monitor('x');
    await world.clock.advanceAsync(100);
    const { link } = server;
    // It does send something all the time.
    for (let second = 0; second < 39; second++) {
      link.send({ command: 'ECHO', payload: new Uint8Array() });
      await world.clock.advanceAsync(1_000);
    }
    expect(link.isClosed).toBe(false);
    await world.clock.advanceAsync(2_000);
    expect(link.isClosed).toBe(true);
    await monitor.close();
    await world.context.close();
  });

  it('is not expected of a server that reads nothing', async () => {
    const world = makeWorld({ network: { kernelBytes: 4_000 } });
    const server = await serving(world);
    const monitor = world.context.monitor('x');
    await world.clock.advanceAsync(100);
    const { link } = server;
    link.tcp.pause();
    for (let time = 0; time < 100; time++) {
      world.context.get('x', { request: 'y'.repeat(1000), timeoutMs: 1 }).catch(() => {});
    }
    for (let second = 0; second < 60; second++) {
      link.send({ command: 'ECHO', payload: new Uint8Array() });
      await world.clock.advanceAsync(1_000);
    }
    expect(world.notices.map(({ text }) => text)).toContainEqual(expect.stringMatching(/has read nothing for 40 s/));
    await monitor.close();
    await world.context.close();
  });
});

describe('a large put', () => {
  const TEXT = structure({ value: string });
  /** A server that is sent a put of `length` characters at 1 000 bytes a second, with another PV watched meanwhile. */
  async function putting(length: number) {
    const world = makeWorld({ network: { bytesPerMs: 1, kernelBytes: 4_000 } });
    const server = await FakeServer.start(world.serverHost);
    server.pvNames.add('text');
    server.on((message, link) => {
      if (message.command !== 'PUT') return false;
      const { ioid, subcommand, phase } = message;
      if (phase === 'init') link.send({ command: 'PUT', phase, ioid, subcommand, status: OK, type: TEXT });
      else link.send({ command: 'PUT', phase: 'exec', ioid, subcommand, status: OK });
      return true;
    });
    const put = world.context.put('text', { value: 'y'.repeat(length) }, { timeoutMs: 600_000 });
    return { ...world, server, put };
  }

  it('comes to its end at a server that reads slowly and steadily, which can say nothing meanwhile', async () => {
    const { clock, context, server, put } = await putting(200_000);
    await clock.until(put, 600_000);
    expect(clock.now()).toBeGreaterThan(200_000);
    expect(server.links).toHaveLength(1);
    await context.close();
  });

  it('ends soon after its server has stopped reading in the middle of it', async () => {
    const { clock, context, notices, server, put } = await putting(200_000);
    await clock.advanceAsync(100_000);
    server.link.tcp.pause();
    const rejected = expect(put).rejects.toThrow(/whether PUT was carried out is not known/);
    await clock.advanceAsync(75_000);
    await rejected;
    expect(notices.map(({ text }) => text)).toContainEqual(expect.stringMatching(/silent for 40 s/));
    await context.close();
  });

  it('that our own kernel takes is no sign of life of the server', async () => {
    const world = makeWorld();
    const { clock, context, notices } = world;
    const server = await serving(world);
    await clock.until(context.get('x'));
    server.on(() => true);
    const { link } = server;
    for (let second = 0; second < 41; second++) {
      context.get('x', { request: 'y'.repeat(30_000), timeoutMs: 500 }).catch(() => {});
      await clock.advanceAsync(1_000);
    }
    expect(link.isClosed).toBe(true);
    expect(notices.map(({ text }) => text)).toContainEqual(expect.stringMatching(/silent for 40 s/));
    await context.close();
  });
});

describe('connecting', () => {
  it('to a server that was just lost waits two seconds', async () => {
    const world = makeWorld();
    const server = await serving(world);
    const monitor = world.context.monitor('x');
    await world.clock.advanceAsync(1_000);
    server.link.tcp.destroy();
    await world.clock.advanceAsync(1_900);
    expect(server.links).toHaveLength(1);
    await world.clock.advanceAsync(1_000);
    expect(server.links).toHaveLength(2);
    await monitor.close();
    await world.context.close();
  });

  it('that fails sends the search to a later turn', async () => {
    const world = makeWorld();
    const server = await FakeServer.start(world.serverHost);
    server.pvNames.add('x');
    server.answer = (search, to) => server.sendDatagram(to, server.response(search, [1], 9));
    const call = world.context.get('x', { timeoutMs: 3_000 });
    await expect(world.clock.until(call)).rejects.toThrow(
      /^x: timed out after 3 s: waiting to search again; before that no connection to 10\.0\.0\.2:9: .*ECONNREFUSED/,
    );
    expect(server.searches).toHaveLength(1);
    await world.context.close();
  });

  it('that was never answered ends at once, whether the server still reads or not', async () => {
    const world = makeWorld();
    const server = await serving(world);
    server.greets = false;
    const call = world.context.get('x', { timeoutMs: 1_000 });
    await world.clock.advanceAsync(500);
    server.link.tcp.pause();
    await expect(world.clock.until(call)).rejects.toThrow('no CONNECTION_VALIDATED');
    await world.context.close();
    expect(world.clock.timerCount).toBe(0);
    await world.clock.advanceAsync(10);
    expect([...world.network.connections].filter(({ local }) => local.address === '10.0.0.1')).toEqual([]);
  });

  it('to a dead host takes five seconds and no more', async () => {
    const world = makeWorld({ network: { delayMs: [10, 10] } });
    const server = await serving(world);
    server.answer = (search, to) => {
      server.sendDatagram(to, server.response(search, [1], 5075));
      // The response still arrives.
      world.clock.after(11, () => world.network.partition(world.clientHost, world.serverHost));
    };
    const call = world.context.get('x', { timeoutMs: 6_000 });
    await expect(world.clock.until(call)).rejects.toThrow(/before that no connection to 10\.0\.0\.2:5075: .*/);
    await world.context.close();
    await world.clock.advanceAsync(10_000);
    expect(world.clock.timerCount).toBe(0);
  });
});

describe('a channel that is not used', () => {
  it('is kept for the next call, and destroyed after a while, with its connection', async () => {
    const world = makeWorld();
    const server = await serving(world);
    for (let time = 0; time < 5; time++) {
      await world.clock.until(world.context.get('x'));
      await world.clock.advanceAsync(10_000);
    }
    const { link } = server;
    expect(link.commands.filter((command) => command === 'CREATE_CHANNEL')).toHaveLength(1);
    await world.clock.advanceAsync(20_000);
    expect(link.commands.at(-1)).toBe('DESTROY_CHANNEL');
    expect(link.isClosed).toBe(true);
    expect(world.clock.timerCount).toBe(0);
    await expect(world.clock.until(world.context.get('x', { type: TYPE }))).resolves.toMatchObject({ value: 1 });
    await world.context.close();
  });

  it('leaves nothing when its server goes meanwhile', async () => {
    const world = makeWorld();
    const server = await serving(world);
    await world.clock.until(world.context.get('x'));
    server.link.tcp.destroy();
    await world.clock.advanceAsync(100);
    expect(world.clock.timerCount).toBe(0);
    await world.context.close();
  });
});
