// What does a load say of a server that refuses, answers out of turn, or finds what nobody asked for? In memory.

import { describe, expect, it } from 'vitest';
import type { LoadResult, LoadScenario, RunLoadOptions } from '../../src/load/load.ts';
import { measureLoad } from '../../src/load/measure-load.ts';
import { BitSet } from '../../src/protocol/bit-set.ts';
import type { SearchResponse } from '../../src/protocol/messages/search-response.ts';
import { error, OK } from '../../src/protocol/status.ts';
import { double, int, structure } from '../../src/protocol/types/type-desc.ts';
import { ManualClock } from '../../src/transport/manual-clock.ts';
import { MemoryNetwork } from '../../src/transport/memory-network.ts';
import { FakeServer, type FakeHandler, type FakeServerOptions } from '../support/fake-server.ts';

const TYPE = structure({ value: double });

interface Odd {
  readonly server?: FakeServerOptions;
  readonly load?: Partial<RunLoadOptions>;
  readonly prepare?: (server: FakeServer) => void;
}

async function loadOdd(
  scenario: LoadScenario,
  handle: FakeHandler,
  { server: serverOptions, load, prepare }: Odd = {},
): Promise<{ readonly result: LoadResult; readonly server: FakeServer }> {
  const clock = new ManualClock();
  const network = new MemoryNetwork({ clock, delayMs: [0.5, 1] });
  const host = network.host('server');
  const server = await clock.until(FakeServer.start(host, serverOptions));
  server.pvNames.add('x');
  server.on(handle);
  prepare?.(server);
  const port = scenario === 'search' ? server.udp.local.port : server.tcpPort;
  const result = await clock.until(
    measureLoad(scenario, {
      names: ['x'],
      seconds: 0.1,
      warmupSeconds: 0,
      timeoutMs: 1_000,
      ...load,
      server: { address: '127.0.0.1', port },
      clock,
      network: host,
    }),
  );
  return { result, server };
}

/** Serves `x` to GET and PUT; what it is given replaces the answer to a phase. */
const serving =
  (answers: { readonly init?: FakeHandler; readonly exec?: FakeHandler } = {}): FakeHandler =>
  (message, link) => {
    if (message.command !== 'GET' && message.command !== 'PUT') return false;
    const { command, phase, ioid, subcommand } = message;
    const instead = phase === 'init' ? answers.init : answers.exec;
    if (instead?.(message, link) === true) return true;
    if (phase === 'init') link.send({ command, phase, ioid, subcommand, status: OK, type: TYPE });
    else if (command === 'PUT') link.send({ command, phase: 'exec', ioid, subcommand, status: OK });
    else {
      const update = { type: TYPE, changed: BitSet.of(1), value: { value: 1 } };
      link.send({ command, phase: 'exec', ioid, subcommand, status: OK, update });
    }
    return true;
  };

const nothing: FakeHandler = () => false;

describe('a load does not begin', () => {
  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])('when a reply may take %d ms', async (timeoutMs) => {
    await expect(loadOdd('get', nothing, { load: { timeoutMs } })).rejects.toThrow(`timeoutMs is ${timeoutMs}: `);
  });

  it('when the server does not take who we are', async () => {
    const refuse: FakeHandler = (message, link) => {
      if (message.command !== 'CONNECTION_VALIDATION') return false;
      link.send({ command: 'CONNECTION_VALIDATED', status: error('who are you?') });
      return true;
    };
    await expect(loadOdd('get', refuse)).rejects.toThrow(/127\.0\.0\.1:5075 refused our credentials: who are you\?$/u);
  });

  it('when the operation is refused', async () => {
    const handle = serving({
      init: (message, link) => {
        if (message.command !== 'GET') return false;
        link.send({
          command: 'GET',
          phase: 'init',
          ioid: message.ioid,
          subcommand: 8,
          status: error('no'),
          type: null,
        });
        return true;
      },
    });
    await expect(loadOdd('get', handle)).rejects.toThrow('x: GET INIT refused by 127.0.0.1:5075: no');
  });

  it('when the value is no structure', async () => {
    const handle = serving({
      init: (message, link) => {
        if (message.command !== 'GET') return false;
        // A double alone (FieldDesc 0x43), as no server of PVs answers.
        const ioid = Buffer.alloc(4);
        ioid.writeUInt32LE(message.ioid);
        link.sendHex(`ca02400a 07000000 ${ioid.toString('hex')} 08 ff 43`);
        return true;
      },
    });
    await expect(loadOdd('get', handle)).rejects.toThrow('x: GET INIT is answered without a structure');
  });

  it('when the answer is to something else', async () => {
    const handle = serving({
      init: (message, link) => {
        if (message.command !== 'GET') return false;
        const { ioid } = message;
        link.send({ command: 'PUT', phase: 'init', ioid, subcommand: 8, status: OK, type: TYPE });
        return true;
      },
    });
    await expect(loadOdd('get', handle)).rejects.toThrow(/^PUT came from 127\.0\.0\.1:5075 where GE/u);
  });

  it('when the server hangs up instead of answering', async () => {
    const handle = serving({
      init: (_message, link) => {
        link.tcp.end();
        return true;
      },
    });
    await expect(loadOdd('get', handle)).rejects.toThrow('connection to 127.0.0.1:5075 lost: the server closed it');
  });

  it('without the name of a PV', async () => {
    await expect(loadOdd('get', nothing, { load: { names: [] } })).rejects.toThrow('a load needs the name of a PV');
  });
});

describe('a load goes on', () => {
  it.each([
    [false, ['anonymous', 'ca'], 'ca'],
    [true, ['anonymous', 'ca'], 'ca'],
    [false, ['anonymous'], 'anonymous'],
  ])('with a server that is big endian: %s, and takes %j', async (bigEndian, methods, method) => {
    const { result, server } = await loadOdd('get', serving(), { server: { bigEndian, methods } });
    expect(result).toMatchObject({ wrong: 0, lost: 0, errors: 0, problems: [] });
    expect(result.operations).toBeGreaterThan(20);
    expect(server.links[0]?.received[0]).toMatchObject({ command: 'CONNECTION_VALIDATION', method });
  });

  it('when the server asks for echoes, which it gets', async () => {
    const { result, server } = await loadOdd('get', (message, link) => {
      if (message.command === 'GET' && message.phase === 'exec') link.send({ command: 'ECHO_REQUEST', value: 7 });
      return serving()(message, link);
    });
    expect(result).toMatchObject({ wrong: 0, errors: 0 });
    expect(result.operations).toBeGreaterThan(20);
    expect(server.links[0]?.received).toContainEqual({ command: 'ECHO_RESPONSE', value: 7 });
  });

  it('when the server answers requests that nobody made', async () => {
    const { result } = await loadOdd('get', (message, link) => {
      if (message.command === 'GET' && message.phase === 'exec') {
        link.send({ command: 'GET', phase: 'exec', ioid: 77_777, subcommand: 0, status: error('x'), update: null });
        link.send({ command: 'MESSAGE', ioid: 1, severity: 0, text: 'hello' });
      }
      return serving()(message, link);
    });
    expect(result).toMatchObject({ wrong: 0, errors: 0 });
    expect(result.operations).toBeGreaterThan(20);
  });

  it('and says so, when the server ends a channel', async () => {
    let count = 0;
    const { result } = await loadOdd('get', (message, link) => {
      if (message.command === 'GET' && message.phase === 'exec' && ++count === 10) {
        link.send({ command: 'DESTROY_CHANNEL', sid: message.sid, cid: 0 });
        return true;
      }
      return serving()(message, link);
    });
    expect(result).toMatchObject({ errors: 1, lost: 1, wrong: 0 });
    expect(result.problems).toContain('the server destroyed channel 0');
  });
});

describe('searches', () => {
  /** What a server answers instead of what it should. */
  const answering = (change: (response: SearchResponse, count: number) => readonly SearchResponse[]) => {
    let count = 0;
    const prepare = (server: FakeServer): void => {
      server.answer = (search, to) => {
        const instanceIds = search.names.map(({ instanceId }) => instanceId);
        const response = server.response(search, instanceIds, server.tcpPort);
        if (response.command === 'SEARCH_RESPONSE') server.sendDatagram(to, ...change(response, ++count));
      };
    };
    return prepare;
  };

  it.each([false, true])('are answered by a server that is big endian: %s', async (bigEndian) => {
    const { result } = await loadOdd('search', nothing, {
      server: { bigEndian },
      load: { names: ['x', 'y'], namesPerDatagram: 2 },
      prepare: answering((response) => [response]),
    });
    expect(result).toMatchObject({ wrong: 0, lost: 0, problems: [] });
    expect(result.operations).toBeGreaterThan(50);
  });

  it('that are answered twice are counted once', async () => {
    const { result } = await loadOdd('search', nothing, {
      load: { names: ['x', 'y'], namesPerDatagram: 2 },
      prepare: (server) => {
        server.answer = (search, to) => {
          // Each name by itself, the first of them twice.
          for (const id of [0, 0, 1]) server.sendDatagram(to, server.response(search, [id], server.tcpPort));
        };
      },
    });
    expect(result).toMatchObject({ wrong: 0, lost: 0 });
    expect(result.operations % 2).toBe(0);
    expect(result.operations).toBeGreaterThan(50);
  });

  it('find a name that was not asked for', async () => {
    const { result } = await loadOdd('search', nothing, {
      prepare: answering((response, count) => [count === 5 ? { ...response, instanceIds: [0, 9] } : response]),
    });
    expect(result).toMatchObject({ wrong: 1, problems: ['a name was found that was not asked for (id 9)'] });
  });

  it('are told that nothing was found', async () => {
    const { result } = await loadOdd('search', nothing, {
      load: { seconds: 1 },
      prepare: answering((response, count) => [count === 5 ? { ...response, found: false } : response]),
    });
    // That name stays unanswered, too.
    expect(result).toMatchObject({ wrong: 1, lost: 1 });
    expect(result.problems[0]).toBe('a search found nothing');
  });

  it('that are answered too late, or with something else, are left', async () => {
    const { result } = await loadOdd('search', nothing, {
      prepare: (server) => {
        const late: (() => void)[] = [];
        server.answer = (search, to) => {
          const response = server.response(search, [0], server.tcpPort);
          server.udp.send(Uint8Array.of(0xca, 2, 0x40), to);
          server.sendDatagram(to, { command: 'ECHO', payload: new Uint8Array(60) }, response);
          server.sendDatagram(to, response);
          late.shift()?.();
          late.push(() => server.sendDatagram(to, response));
        };
      },
    });
    expect(result).toMatchObject({ wrong: 0, lost: 0, problems: [] });
    expect(result.operations).toBeGreaterThan(20);
  });
});

describe('a put', () => {
  it.each([
    ['int', int],
    ['double', double],
  ])('of type %s that is refused at the end is found out by reading', async (_name, scalar) => {
    const type = structure({ value: scalar });
    const { result } = await loadOdd('put', (message, link) => {
      if (message.command !== 'GET' && message.command !== 'PUT') return false;
      const { command, phase, ioid, subcommand } = message;
      if (phase === 'init') link.send({ command, phase, ioid, subcommand, status: OK, type });
      else if (command === 'PUT') link.send({ command, phase: 'exec', ioid, subcommand, status: OK });
      else link.send({ command, phase: 'exec', ioid, subcommand, status: error('not now'), update: null });
      return true;
    });
    expect(result).toMatchObject({ errors: 1, lost: 0, wrong: 0 });
    expect(result.problems.join('\n')).toContain('not now');
  });
});
