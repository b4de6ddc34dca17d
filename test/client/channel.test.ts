// From wanting a PV to having it, and what is said when it does not come to that.

import { getEventListeners } from 'node:events';
import { describe, expect, it, vi } from 'vitest';
import type { ClientNotice } from '../../src/client/notices.ts';
import { BitSet } from '../../src/protocol/bit-set.ts';
import {
  DisconnectedError,
  LimitError,
  LocalProtocolError,
  reasonOf,
  StatusError,
  TimeoutError,
} from '../../src/protocol/errors.ts';
import { ntScalar } from '../../src/protocol/normative/nt-scalar.ts';
import { error, OK } from '../../src/protocol/status.ts';
import { double, int, string, structure } from '../../src/protocol/types/type-desc.ts';
import { codecOf } from '../../src/protocol/values/codec.ts';
import { makeWorld, type ClientWorld } from '../support/client-world.ts';
import { FakeServer } from '../support/fake-server.ts';

const TYPE = ntScalar(double);
const valueOf = (value: number) => ({ changed: BitSet.of(1), value: { ...codecOf(TYPE).defaultValue(), value } });
const OTHER_GUID = 'ffffffffffffffffffffffff';

async function serving(world: ClientWorld, options = {}): Promise<FakeServer> {
  const server = await FakeServer.start(world.serverHost, options);
  server.serve('x', TYPE, () => valueOf(1));
  return server;
}

describe('a timeout says what was waited for', () => {
  it('a server that answers the search', async () => {
    const world = makeWorld();
    await serving(world);
    const call = world.context.get('nosuch', { timeoutMs: 2_500 });
    await expect(world.clock.until(call)).rejects.toThrow(TimeoutError);
    await expect(call).rejects.toThrow('nosuch: timed out after 2.5 s: searched 3 times, no server answered');
    await world.context.close();
  });

  it('of five seconds, unless told otherwise', async () => {
    const world = makeWorld();
    const call = world.context.get('nosuch');
    await expect(world.clock.until(call)).rejects.toThrow('timed out after 5 s');
    expect(world.clock.now()).toBe(5_000);
    await world.context.close();
  });

  it('anywhere to search', async () => {
    const world = makeWorld({ environment: { EPICS_PVA_AUTO_ADDR_LIST: 'NO' } });
    const call = world.context.get('x', { timeoutMs: 100 });
    await expect(world.clock.until(call)).rejects.toThrow(
      'searched 1 time, no server answered; there is nowhere to search: no address, no name server, no network with broadcasts',
    );
    await world.context.close();
  });

  it.each([
    ['CONNECTION_VALIDATION', 'found at 10.0.0.2:5075, no CONNECTION_VALIDATED'],
    ['CREATE_CHANNEL', 'found at 10.0.0.2:5075, no reply to CREATE_CHANNEL'],
    ['GET', 'found at 10.0.0.2:5075, no reply to GET INIT'],
    ['GET exec', 'found at 10.0.0.2:5075, no reply to GET'],
  ])('a reply to %s', async (unanswered, expected) => {
    const world = makeWorld();
    const server = await serving(world);
    const [command, phase] = unanswered.split(' ');
    server.on(
      (message) =>
        message.command === command && (phase === undefined || ('phase' in message && message.phase === phase)),
    );
    const call = world.context.get('x', { timeoutMs: 1_000 });
    await expect(world.clock.until(call)).rejects.toThrow(`x: timed out after 1 s: ${expected}`);
    await world.context.close();
  });

  it('for the right PV of many', async () => {
    const world = makeWorld();
    await serving(world);
    const outcomes = await world.clock.until(world.context.getMany(['x', 'a', 'x', 'b'], { timeoutMs: 1_500 }));
    expect(outcomes.map(({ pvName, ok }) => [pvName, ok])).toEqual([
      ['x', true],
      ['a', false],
      ['x', true],
      ['b', false],
    ]);
    expect(outcomes.flatMap((outcome) => (outcome.ok ? [] : [reasonOf(outcome.error)]))).toEqual([
      'a: timed out after 1.5 s: searched 2 times, no server answered',
      'b: timed out after 1.5 s: searched 2 times, no server answered',
    ]);
    await world.context.close();
  });
});

describe('a refused channel', () => {
  it('is searched for again, much later, and the reason is kept', async () => {
    const world = makeWorld();
    const server = await serving(world);
    server.on((message, link) => {
      if (message.command !== 'CREATE_CHANNEL') return false;
      const [{ cid } = { cid: 0 }] = message.channels;
      link.send({ command: 'CREATE_CHANNEL', cid, sid: 0, status: error('not for you') });
      return true;
    });
    const call = world.context.get('x', { timeoutMs: 20_000 });
    await expect(world.clock.until(call)).rejects.toThrow(
      'x: timed out after 20 s: waiting to search again; before that 10.0.0.2:5075 refused the channel: not for you',
    );
    expect(server.searches).toHaveLength(1);
    expect(world.notices).toContainEqual({
      kind: 'channelRefused',
      level: 'warning',
      pvName: 'x',
      server: '10.0.0.2:5075',
      text: 'x: 10.0.0.2:5075 refused the channel: not for you',
    });
    await world.context.close();
  });

  it('is granted when the server thinks again', async () => {
    const world = makeWorld();
    const server = await serving(world);
    let refusals = 0;
    server.on((message, link) => {
      if (message.command !== 'CREATE_CHANNEL' || refusals++ > 0) return false;
      link.send({ command: 'CREATE_CHANNEL', cid: message.channels[0]?.cid ?? 0, sid: 0, status: error('') });
      return true;
    });
    const call = world.context.get('x', { timeoutMs: 60_000, type: TYPE });
    await expect(world.clock.until(call)).resolves.toMatchObject({ value: 1 });
    expect(world.clock.now()).toBeGreaterThan(28_000);
    await world.context.close();
  });

  it('of a server that the caller named is an error at once', async () => {
    const world = makeWorld();
    await serving(world);
    const call = world.context.get('nosuch', { server: '10.0.0.2' });
    await expect(world.clock.until(call)).rejects.toThrow(StatusError);
    await expect(call).rejects.toThrow('nosuch: 10.0.0.2:5075 refused the channel: no such PV nosuch');
    expect(world.clock.now()).toBeLessThan(100);
    // And the next call asks again.
    const again = world.context.get('nosuch', { server: '10.0.0.2' });
    await expect(world.clock.until(again)).rejects.toThrow('no such PV nosuch');
    await world.context.close();
  });

  it('counts as refused when the server says nothing for 40 s', async () => {
    const world = makeWorld();
    const server = await serving(world);
    let isAsked = false;
    server.on((message) => {
      if (message.command !== 'CREATE_CHANNEL' || isAsked) return false;
      isAsked = true;
      return true;
    });
    const call = world.context.get('x', { timeoutMs: 200_000, type: TYPE });
    await expect(world.clock.until(call, 200_000)).resolves.toMatchObject({ value: 1 });
    expect(world.notices.map(({ text }) => text)).toContain(
      'x: 10.0.0.2:5075 refused the channel: no reply to CREATE_CHANNEL for 40 s',
    );
    await world.context.close();
  });
});

describe('a server that the caller names', () => {
  it('is asked without a search, by address or by name', async () => {
    const world = makeWorld();
    const server = await serving(world);
    server.pvNames.add('hidden');
    for (const name of ['10.0.0.2', '10.0.0.2:5075', 'server', 'server:5075']) {
      const info = world.context.get('x', { server: name, type: TYPE });
      await expect(world.clock.until(info)).resolves.toMatchObject({ value: 1 });
    }
    expect(server.searches).toEqual([]);
    expect(server.links).toHaveLength(1);
    await world.context.close();
  });

  it('is waited for while it is not there', async () => {
    const world = makeWorld();
    const call = world.context.get('x', { server: '10.0.0.2', timeoutMs: 10_000, type: TYPE });
    call.catch(() => {});
    await world.clock.advanceAsync(3_000);
    await serving(world);
    await expect(world.clock.until(call)).resolves.toMatchObject({ value: 1 });
    await world.context.close();
  });

  it('is named in the error when it never comes', async () => {
    const world = makeWorld();
    const call = world.context.get('x', { server: '10.0.0.2:7', timeoutMs: 3_000 });
    await expect(world.clock.until(call)).rejects.toThrow(
      /^x: timed out after 3 s: waiting to connect again; before that no connection to 10\.0\.0\.2:7: .*ECONNREFUSED/,
    );
    await world.context.close();
  });

  it('does not turn in circles when it creates and destroys', async () => {
    const world = makeWorld();
    const server = await serving(world);
    let createCount = 0;
    server.on((message, link) => {
      if (message.command !== 'CREATE_CHANNEL') return false;
      createCount++;
      const cid = message.channels[0]?.cid ?? 0;
      link.send({ command: 'CREATE_CHANNEL', cid, sid: 5, status: OK }, { command: 'DESTROY_CHANNEL', sid: 5, cid });
      return true;
    });
    const call = world.context.get('x', { server: '10.0.0.2', timeoutMs: 10_000 });
    await expect(world.clock.until(call)).rejects.toThrow('before that x: 10.0.0.2:5075 destroyed the channel');
    expect(createCount).toBeLessThan(8);
    await world.context.close();
  });

  it('is not left for another that answers a search nobody sent', async () => {
    const world = makeWorld();
    const host = world.network.host('third', '10.0.0.3/24');
    const liar = await FakeServer.start(host, { guid: OTHER_GUID });
    liar.serve('x', TYPE, () => valueOf(666));
    // A search for another PV tells where we listen; the answers name every channel there may be.
    liar.answer = (search, to) => liar.sendDatagram(to, liar.response(search, [1, 2, 3], 5075));
    const direct = world.context.get('x', { server: '10.0.0.2', timeoutMs: 4_000 });
    const searched = world.context.get('y', { timeoutMs: 4_000 });
    const outcomes = Promise.allSettled([direct, searched]);
    await world.clock.advanceAsync(5_000);
    expect((await outcomes).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await expect(direct).rejects.toThrow(/10\.0\.0\.2:5075.*ECONNREFUSED/);
    await world.context.close();
  });

  it('has to have a name that can be one', async () => {
    const { context, clock } = makeWorld();
    await expect(context.get('x', { server: 'a b' })).rejects.toThrow(LocalProtocolError);
    await expect(context.get('x', { server: '1.2.3' })).rejects.toThrow(/server '1\.2\.3' is not an IPv4 address/);
    await expect(clock.until(context.get('x', { server: 'nowhere' }))).rejects.toThrow(/nowhere/);
    await context.close();
  });
});

describe('two servers with one PV', () => {
  it('are told of once; the first is used', async () => {
    const world = makeWorld();
    const server = await serving(world);
    const host = world.network.host('third', '10.0.0.3/24');
    const other = await FakeServer.start(host, { guid: OTHER_GUID });
    other.pvNames.add('x');
    const answered = server.answer.bind(server);
    server.answer = (search, to) => {
      answered(search, to);
      answered(search, to);
      for (let time = 0; time < 3; time++) other.answer(search, to);
    };
    await world.clock.until(world.context.get('x'));
    const duplicates = world.notices.filter(({ kind }) => kind === 'duplicatePv');
    expect(duplicates).toHaveLength(1);
    expect(duplicates[0]?.text).toMatch(/^x: served by 10\.0\.0\.[23]:5075, and also by 10\.0\.0\.[23]:5075$/);
    await world.context.close();
  });
});

describe('what a server says besides', () => {
  it('a MESSAGE is a notice under the name of the PV, or of the server', async () => {
    const world = makeWorld();
    const server = await serving(world);
    server.on((message, link) => {
      if (message.command !== 'GET' || message.phase !== 'exec') return false;
      link.send({ command: 'MESSAGE', ioid: message.ioid, severity: 1, text: 'slow today' });
      link.send({ command: 'MESSAGE', ioid: 4711, severity: 9, text: 'who knows' });
      return false;
    });
    await world.clock.until(world.context.get('x'));
    expect(world.notices.filter(({ kind }) => kind === 'serverMessage')).toEqual([
      { kind: 'serverMessage', level: 'warning', server: '10.0.0.2:5075', pvName: 'x', text: 'x: slow today' },
      { kind: 'serverMessage', level: 'error', server: '10.0.0.2:5075', text: '10.0.0.2:5075: who knows' },
    ]);
    await world.context.close();
  });

  it('is cut to a sentence wherever it stands, however long it is', async () => {
    const long = 'é'.repeat(20_000);
    const short = `${'é'.repeat(1_000)}... (20000 characters)`;
    const world = makeWorld();
    const server = await serving(world, { methods: [long] });
    server.on((message, link) => {
      switch (message.command) {
        case 'CONNECTION_VALIDATION':
          link.send({ command: 'CONNECTION_VALIDATED', status: error(long) });
          return true;
        case 'CREATE_CHANNEL': {
          const [first] = message.channels;
          if (first?.pvName !== 'nosuch') return false;
          link.send({ command: 'CREATE_CHANNEL', cid: first.cid, sid: 0, status: error(long) });
          return true;
        }
        case 'GET':
          link.send({ command: 'MESSAGE', ioid: message.ioid, severity: 1, text: long });
          link.send({
            command: 'GET',
            phase: 'init',
            ioid: message.ioid,
            subcommand: 8,
            status: error(long),
            type: null,
          });
          return true;
        default:
          return false;
      }
    });
    const refused = world.context.get('x', { server: '10.0.0.2' });
    await expect(world.clock.until(refused)).rejects.toThrow(
      new StatusError(`x: GET INIT refused by 10.0.0.2:5075: ${short}`),
    );
    const unknown = world.context.get('nosuch', { server: '10.0.0.2' });
    const reason = `nosuch: 10.0.0.2:5075 refused the channel: ${short}`;
    await expect(world.clock.until(unknown)).rejects.toThrow(new StatusError(reason));
    expect(world.notices.map(({ text }) => text)).toEqual([
      `10.0.0.2:5075: offers no method that we know (${short}); trying anonymous`,
      '10.0.0.2:5075: connected',
      `10.0.0.2:5075: refused our credentials: ${short}; going on without`,
      `x: ${short}`,
      reason,
    ]);
    await world.context.close();
  });

  it('an ACL_CHANGE before the channel is created is tolerated, as core-pva sends it', async () => {
    const world = makeWorld();
    const server = await serving(world);
    server.on((message, link) => {
      if (message.command !== 'CREATE_CHANNEL') return false;
      link.send({ command: 'ACL_CHANGE', form: 'rights', cid: message.channels[0]?.cid ?? 0, rights: 5 });
      link.send({ command: 'ACL_CHANGE', form: 'rights', cid: 4711, rights: 5 });
      link.send({ command: 'ACL_CHANGE', form: 'unknown', payload: new Uint8Array(9) });
      return false;
    });
    await expect(world.clock.until(world.context.get('x', { type: TYPE }))).resolves.toMatchObject({ value: 1 });
    expect(world.notices.map(({ text }) => text)).toContain('x: rights at 10.0.0.2:5075: put, rpc');
    await world.context.close();
  });

  it('commands that nobody knows are skipped', async () => {
    const world = makeWorld();
    const server = await serving(world);
    server.on((message, link) => {
      if (message.command === 'GET') link.sendHex('ca024055 03000000 010203 ca024177 07000000');
      return false;
    });
    await expect(world.clock.until(world.context.get('x', { type: TYPE }))).resolves.toMatchObject({ value: 1 });
    await world.context.close();
  });
});

describe('a program that closes its client when it hears a notice', () => {
  interface Trouble {
    readonly pvName: string;
    readonly server?: string;
    readonly methods?: readonly string[];
    /** False: the server takes nobody's credentials. */
    readonly knows?: boolean;
  }

  const closed = 'x: the context is closed';
  it.each<[ClientNotice['kind'], Trouble, string]>([
    ['channelRefused', { pvName: 'nosuch' }, 'nosuch: the context is closed'],
    [
      'channelRefused',
      { pvName: 'nosuch', server: '10.0.0.2' },
      'nosuch: 10.0.0.2:5075 refused the channel: no such PV nosuch',
    ],
    ['channelRefused', { pvName: 'mute' }, 'mute: the context is closed'],
    [
      'channelRefused',
      { pvName: 'mute', server: '10.0.0.2' },
      'mute: 10.0.0.2:5075 refused the channel: no reply to CREATE_CHANNEL for 40 s',
    ],
    ['linkOpened', { pvName: 'x' }, closed],
    ['linkClosed', { pvName: 'x' }, 'connection to 10.0.0.2:5075 lost: the server closed it'],
    ['linkWarning', { pvName: 'x', methods: ['x509'] }, closed],
    ['linkWarning', { pvName: 'x', knows: false }, closed],
    ['rightsTold', { pvName: 'x' }, closed],
    ['serverMessage', { pvName: 'x' }, closed],
    ['duplicatePv', { pvName: 'x' }, closed],
  ])('%s: all ends, and nothing is thrown (%o)', async (kind, trouble, reason) => {
    const { pvName, server, methods, knows = true } = trouble;
    const world = makeWorld();
    const { clock, context } = world;
    const fake = await serving(world, methods === undefined ? {} : { methods });
    fake.answer = (search, to) => {
      const ids = search.names.flatMap((asked) => (asked.pvName === 'other' ? [] : asked.instanceId));
      if (ids.length === 0) return;
      fake.sendDatagram(to, fake.response(search, ids, 5075));
      const elsewhere = fake.response(search, ids, 5076);
      if (elsewhere.command === 'SEARCH_RESPONSE') fake.sendDatagram(to, { ...elsewhere, guid: OTHER_GUID });
    };
    fake.on((message, link) => {
      switch (message.command) {
        case 'CONNECTION_VALIDATION':
          link.send({ command: 'CONNECTION_VALIDATED', status: knows ? OK : error('who are you?') });
          return true;
        case 'CREATE_CHANNEL': {
          const [first] = message.channels;
          link.send({ command: 'ACL_CHANGE', form: 'rights', cid: first?.cid ?? 0, rights: 5 });
          return first?.pvName === 'mute';
        }
        case 'GET':
          if (kind === 'linkClosed') link.tcp.destroy();
          else link.send({ command: 'MESSAGE', ioid: message.ioid, severity: 1, text: 'slow today' });
          return true;
        default:
          return false;
      }
    });
    const closings: Promise<void>[] = [];
    context.onNotice((notice) => {
      if (notice.kind === kind) closings.push(context.close());
    });
    const calls = Promise.allSettled([
      context.get(pvName, { server, timeoutMs: 100_000 }),
      context.get('other', { timeoutMs: 100_000 }),
    ]);
    await clock.advanceAsync(100_000);
    expect((await calls).map((result) => result.status === 'rejected' && reasonOf(result.reason))).toEqual([
      reason,
      'other: the context is closed',
    ]);
    expect(closings.length).toBeGreaterThan(0);
    await Promise.all(closings);
    expect(clock.timerCount).toBe(0);
    expect(world.notices.filter((notice) => notice.kind === 'listenerFailed')).toEqual([]);
  });
});

describe('a call', () => {
  it('can be given up at any moment, and the server is told', async () => {
    for (let delay = 0; delay < 60; delay += 4) {
      const world = makeWorld({ network: { delayMs: [5, 5] } });
      const server = await serving(world);
      const abort = new AbortController();
      const call = world.context.get('x', { signal: abort.signal });
      call.catch(() => {});
      await world.clock.advanceAsync(delay);
      abort.abort(new Error('no longer'));
      await Promise.allSettled([call]);
      await world.clock.advanceAsync(100);
      const requests = server.links.flatMap(({ commands }) => commands);
      const inits = requests.filter((command) => command === 'GET init').length;
      expect(requests.filter((command) => command === 'DESTROY_REQUEST')).toHaveLength(inits);
      await world.context.close();
      await world.clock.advanceAsync(100);
      expect(world.clock.timerCount).toBe(0);
    }
  });

  it.each(['init', 'exec'] as const)(
    'can be given up from a notice, although the reply to %s follows it in the same chunk: the link stays',
    async (noticed) => {
      const world = makeWorld();
      const server = await serving(world);
      server.pvNames.add('y');
      server.on((message, link) => {
        if (message.command !== 'PUT') return false;
        const { ioid, subcommand, phase } = message;
        const reply =
          phase === 'init'
            ? ({ command: 'PUT', phase, ioid, subcommand, status: OK, type: TYPE } as const)
            : ({ command: 'PUT', phase: 'exec', ioid, subcommand, status: OK } as const);
        if (phase === noticed) link.send({ command: 'MESSAGE', ioid, severity: 2, text: 'the pump is off' }, reply);
        else link.send(reply);
        return true;
      });
      await world.clock.until(world.context.get('x'));
      const gone = new AbortController();
      world.context.onNotice(({ pvName }) => pvName === 'y' && gone.abort(new Error('the pump is off')));
      const put = world.context.put('y', 3, { signal: gone.signal });
      await expect(world.clock.until(put)).rejects.toThrow('the pump is off');
      await world.clock.advanceAsync(100);
      expect(server.links.map(({ isClosed }) => isClosed)).toEqual([false]);
      expect(server.link.commands.at(-1)).toBe('DESTROY_REQUEST');
      await world.context.close();
    },
  );

  it('shares its signal with any number of others, by one listener that goes with the last of them', async () => {
    const world = makeWorld();
    await serving(world);
    const abort = new AbortController();
    const added = vi.spyOn(abort.signal, 'addEventListener');
    const removed = vi.spyOn(abort.signal, 'removeEventListener');
    const options = { signal: abort.signal, timeoutMs: 60_000 };
    await world.clock.until(
      world.context.getMany(
        Array.from({ length: 50 }, () => 'x'),
        options,
      ),
    );
    expect([added.mock.calls.length, removed.mock.calls.length]).toEqual([1, 1]);

    const calls = ['a', 'b', 'c'].map((name) => world.context.get(name, options));
    const settled = Promise.allSettled([...calls, world.clock.until(world.context.get('x', options))]);
    await world.clock.advanceAsync(100);
    abort.abort(new Error('no longer'));
    expect((await settled).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected', 'fulfilled']);
    expect(added).toHaveBeenCalledTimes(2);
    await world.context.close();
  });

  it('that is aborted before it begins does nothing', async () => {
    const world = makeWorld();
    const server = await serving(world);
    const call = world.context.get('x', { signal: AbortSignal.abort(new Error('never')) });
    await expect(call).rejects.toThrow('never');
    await world.clock.advanceAsync(100);
    expect(server.searches).toEqual([]);
    await world.context.close();
  });

  it('ends with the context, and none begins after it', async () => {
    const world = makeWorld();
    await serving(world);
    const calls = [
      world.context.get('nosuch'),
      world.context.info('x', { server: 'nowhere' }),
      world.context.probe('server'),
    ];
    const settled = Promise.allSettled(calls);
    await world.context.close();
    await world.context.close();
    const outcomes = await settled;
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    await expect(calls[0]).rejects.toThrow(DisconnectedError);
    await expect(world.context.get('x')).rejects.toThrow('x: the context is closed');
    await world.clock.advanceAsync(10_000);
    expect(world.clock.timerCount).toBe(0);
  });

  it('needs a name, a deadline and a request that can be used', async () => {
    const { context } = makeWorld();
    await expect(context.get('')).rejects.toThrow('a PV name is empty');
    await expect(context.get('x'.repeat(501))).rejects.toThrow(LimitError);
    await expect(context.get('x', { request: 'field(' })).rejects.toThrow(/pvRequest/);
    await expect(context.get('x', { timeoutMs: -1 })).rejects.toThrow('timeoutMs is -1, 0 or more expected');
    await expect(context.get('x', { timeoutMs: Number.NaN })).rejects.toThrow('timeoutMs is NaN');
    await context.close();
  });

  it('leaves nothing at its signal when its deadline cannot be used', async () => {
    const { context } = makeWorld();
    const { signal } = new AbortController();
    await expect(context.get('x', { timeoutMs: -1, signal })).rejects.toThrow('timeoutMs is -1');
    expect(() => context.monitor('x', { timeoutMs: -1, signal })).toThrow('timeoutMs is -1');
    expect(getEventListeners(signal, 'abort')).toEqual([]);
    await context.close();
  });

  it('expects the type that it is given', async () => {
    const world = makeWorld();
    await serving(world);
    const get = (type: ReturnType<typeof structure>) => world.clock.until(world.context.get('x', { type }));
    await expect(get(structure({ value: double }))).resolves.toMatchObject({ value: 1 });
    await expect(get(structure({ value: int }))).rejects.toThrow('x: field value is double, int expected');
    await expect(get(structure({ values: int }))).rejects.toThrow('x: the channel has no values, int expected');
    await expect(get(structure({ alarm: structure({ text: string }) }))).rejects.toThrow(
      'x: field alarm has no text, string expected',
    );
    await expect(get(structure({ alarm: string }))).rejects.toThrow(
      'x: field alarm is structure alarm_t, string expected',
    );
    await world.context.close();
  });
});
