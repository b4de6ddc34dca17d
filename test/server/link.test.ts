// How does a server treat one TCP connection, from greeting to end, and what does it do against those who misuse it?
import { describe, expect, test } from 'vitest';
import type { Peer } from '../../src/channels/peer.ts';
import { SharedPV } from '../../src/channels/shared-pv.ts';
import { StaticSource, type Source } from '../../src/channels/source.ts';
import { ntScalar, ntScalarArray } from '../../src/protocol/normative/nt-scalar.ts';
import { OK, STATUS_ERROR } from '../../src/protocol/status.ts';
import { double, int, string, structure } from '../../src/protocol/types/type-desc.ts';
import { Server } from '../../src/server/server.ts';
import { ManualClock } from '../../src/transport/manual-clock.ts';
import { MemoryNetwork } from '../../src/transport/memory-network.ts';
import { hitsLimit } from '../support/hits-limit.ts';
import { configWith, makeWorld } from '../support/server-world.ts';
import { fromHex } from '../support/vectors.ts';

const SCALAR = ntScalar(double);
const { limits: DEFAULTS } = configWith();
const makePv = () => new SharedPV(SCALAR, { initial: { value: 1 } });
/** Streams are not cut, so that a write is a chunk. */
const WHOLE = { chunkBytes: [65_536, 65_536] as const };

describe('greeting', () => {
  test.each(['little', 'big'] as const)(
    'SET_BYTE_ORDER and CONNECTION_VALIDATION in one write, %s endian',
    async (byteOrder) => {
      const world = await makeWorld({ byteOrder }, WHOLE);
      const client = await world.connect();
      expect(client.chunks).toHaveLength(1);
      expect(client.heard).toEqual([
        { command: 'SET_BYTE_ORDER', bigEndian: byteOrder === 'big', value: 0 },
        {
          command: 'CONNECTION_VALIDATION',
          receiveBufferBytes: 0x1_0000,
          registrySize: 0x7fff,
          methods: ['anonymous', 'ca'],
        },
      ]);
    },
  );

  test('the bytes are those of pvxs', async () => {
    const world = await makeWorld({}, WHOLE);
    const client = await world.connect();
    // test/vectors/transcripts/pvxs-get-double.json, the server's first two messages
    const expected =
      'ca 02 41 02 00 00 00 00' + 'ca 02 40 01 14 00 00 00  00 00 01 00  ff 7f  02 09 616e6f6e796d6f7573 02 6361';
    expect(client.chunks[0]).toEqual(Uint8Array.from(fromHex(expected.replaceAll(' ', ''))));
  });
});

describe('who the client is', () => {
  const CREDENTIALS = structure({ user: string, host: string });

  /** A source that notes for whom a channel is opened. */
  function noting() {
    const peers: Peer[] = [];
    const source: Source = {
      has: () => true,
      open: (_, peer) => {
        peers.push(peer);
        return makePv();
      },
      names: () => [],
      revision: 0,
    };
    return { peers, source };
  }

  async function peerAfter(method: string, value: { user: string; host: string } | null) {
    const { peers, source } = noting();
    const world = await makeWorld({ sources: [source] });
    const client = await world.connect();
    const { status } = await client.validate(method, value === null ? null : { type: CREDENTIALS, value });
    await client.createChannel('x');
    const [peer] = peers;
    return { status, peer };
  }

  test('ca: user and host as the client says', async () => {
    const { status, peer } = await peerAfter('ca', { user: 'vera', host: 'console-3' });
    expect(status).toEqual(OK);
    expect(peer).toMatchObject({ method: 'ca', user: 'vera', host: 'console-3', address: '127.0.0.1' });
    expect(peer?.port).toBeGreaterThan(0);
  });

  test.each([
    ['ca with empty user and host, as pvxs 1.5.2 sends them', 'ca', { user: '', host: '' }],
    ['ca without credentials', 'ca', null],
    ['anonymous', 'anonymous', null],
  ])('%s is anonymous', async (_, method, value) => {
    const { status, peer } = await peerAfter(method, value);
    expect(status).toEqual(OK);
    expect(peer).toMatchObject({ method: 'anonymous', user: 'anonymous', host: '' });
  });

  test('a user that is no text is anonymous', async () => {
    const { peers, source } = noting();
    const world = await makeWorld({ sources: [source] });
    const client = await world.connect();
    await client.validate('ca', { type: structure({ user: int }), value: { user: 7 } });
    await client.createChannel('x');
    expect(peers).toMatchObject([{ user: 'anonymous' }]);
  });

  test('a method that was not offered is refused, and the link goes on as anonymous', async () => {
    const { status, peer } = await peerAfter('krb5', { user: 'vera', host: '' });
    expect(status).toMatchObject({ type: STATUS_ERROR, message: "method 'krb5' was not offered; you are anonymous" });
    expect(peer).toMatchObject({ method: 'anonymous', user: 'anonymous' });
  });

  test('a client that does not say is anonymous and served', async () => {
    const { peers, source } = noting();
    const world = await makeWorld({ sources: [source] });
    const client = await world.connect();
    expect(await client.createChannel('x')).toBeGreaterThan(0);
    expect(peers).toMatchObject([{ user: 'anonymous' }]);
  });
});

describe('echo', () => {
  test('gives the payload back, and that of a control message too', async () => {
    const world = await makeWorld();
    const client = await world.validated();
    await client.send(
      { command: 'ECHO', payload: fromHex('0102030405') },
      { command: 'ECHO_REQUEST', value: 0xdeadbeef },
    );
    expect(client.heard).toMatchObject([
      { command: 'ECHO', payload: { length: 5 } },
      { command: 'ECHO_RESPONSE', value: 0xdeadbeef },
    ]);
  });

  test('what needs no answer gets none', async () => {
    const world = await makeWorld();
    const client = await world.validated();
    await client.send(
      { command: 'MARK', value: 1 },
      { command: 'ACKNOWLEDGE', value: 1 },
      { command: 'ECHO_RESPONSE', value: 1 },
      { command: 'SET_BYTE_ORDER', bigEndian: false, value: 0 },
      { command: 'AUTHNZ', data: null },
      { command: 'ORIGIN_TAG', forwarder: '127.0.0.1' },
      { command: 'MESSAGE', ioid: 5, severity: 1, text: 'hello server' },
    );
    expect(client.heard).toEqual([]);
    expect(world.notices.at(-1)).toMatchObject({ kind: 'clientMessage' });
    expect(world.notices.at(-1)?.text).toContain('request 5: hello server');
  });
});

describe('channels', () => {
  test('each of a request is answered by itself', async () => {
    const world = await makeWorld({ pvs: { a: makePv(), b: makePv() } });
    const client = await world.validated();
    await client.send({
      command: 'CREATE_CHANNEL',
      channels: [
        { cid: 1, pvName: 'a' },
        { cid: 2, pvName: 'nosuch' },
        { cid: 3, pvName: '' },
        { cid: 4, pvName: 'b' },
      ],
    });
    const replies = client.takeAll('CREATE_CHANNEL');
    expect(replies.map(({ cid, status }) => [cid, status.message])).toEqual([
      [1, ''],
      [2, "there is no PV 'nosuch' here"],
      [3, "there is no PV '' here"],
      [4, ''],
    ]);
    expect(replies[1]).toMatchObject({ sid: 0xffff_ffff, status: { type: STATUS_ERROR } });
    expect(replies[0]?.sid).not.toBe(replies[3]?.sid);
  });

  test('the client ends one and is told', async () => {
    const world = await makeWorld({ pvs: { a: makePv() } });
    const client = await world.validated();
    const sid = await client.createChannel('a');
    await client.send({ command: 'DESTROY_CHANNEL', sid, cid: 1 });
    expect(client.take('DESTROY_CHANNEL')).toEqual({ command: 'DESTROY_CHANNEL', sid, cid: 1 });
    await client.init('GET', sid);
    expect(client.heard).toEqual([]);
  });

  test('a PV that is closed or removed takes its channels along', async () => {
    const a = makePv();
    const world = await makeWorld({ pvs: { a, b: makePv() } });
    const client = await world.validated();
    const sidA = await client.createChannel('a');
    const sidB = await client.createChannel('b');
    await client.initMonitor(sidA);
    client.heard.length = 0;
    a.close();
    expect(world.server.remove('b')).toBeDefined();
    expect(world.server.remove('b')).toBeUndefined();
    await world.settle();
    expect(client.takeAll('DESTROY_CHANNEL').map(({ sid }) => sid)).toEqual([sidA, sidB]);
    expect(a.subscriberCount).toBe(0);
    // Neither is there any more.
    await expect(client.createChannel('a')).rejects.toThrow("no PV 'a'");
    await expect(client.createChannel('b')).rejects.toThrow("no PV 'b'");
  });

  test('added later, a PV is there', async () => {
    const world = await makeWorld();
    const client = await world.validated();
    await expect(client.createChannel('late')).rejects.toThrow("no PV 'late'");
    world.server.add('late', makePv());
    expect(await client.createChannel('late')).toBeGreaterThan(0);
    world.server.addSource(new StaticSource().add('other', makePv()));
    expect(await client.createChannel('other')).toBeGreaterThan(0);
  });

  test('a source may refuse with a reason', async () => {
    const source: Source = {
      has: () => true,
      open: () => {
        throw new Error('not for you');
      },
      names: () => [],
      revision: 0,
    };
    const world = await makeWorld({ sources: [source] });
    const client = await world.validated();
    await expect(client.createChannel('x')).rejects.toThrow('not for you');
  });

  test('more than a link may have, and names that are too long, are refused', async () => {
    hitsLimit('maxChannelsPerLink', 'maxNameBytes');
    const world = await makeWorld({
      pvs: { a: makePv() },
      config: { limits: { ...DEFAULTS, maxChannelsPerLink: 2, maxNameBytes: 10 } },
    });
    const client = await world.validated();
    await client.createChannel('a');
    const sid = await client.createChannel('a');
    await expect(client.createChannel('a')).rejects.toThrow('this link has 2 channels');
    await client.send({ command: 'DESTROY_CHANNEL', sid, cid: 0 });
    await expect(client.createChannel('long'.repeat(3))).rejects.toThrow('PV name of 12 bytes, at most 10 are allowed');
    expect(await client.createChannel('a')).toBeGreaterThan(0);
  });
});

describe('writes', () => {
  test('all answers of a turn go out in one', async () => {
    const world = await makeWorld({ pvs: { a: makePv() } }, WHOLE);
    const client = await world.validated();
    const sid = await client.createChannel('a');
    const ioid = await client.init('GET', sid);
    client.chunks.length = 0;
    const get = { command: 'GET', phase: 'exec', sid, ioid, subcommand: 0 } as const;
    await client.send(get, get, get, get);
    expect(client.takeAll('GET').length).toBe(5);
    expect(client.chunks).toHaveLength(1);
  });

  test('a message of the client may come in any pieces', async () => {
    const world = await makeWorld({ pvs: { a: makePv() } }, { chunkBytes: [1, 1] });
    const client = await world.validated();
    const sid = await client.createChannel('a');
    const ioid = await client.init('GET', sid);
    client.take('GET');
    expect(await client.get(sid, ioid)).toMatchObject({ update: { value: { value: 1 } } });
  });
});

describe('back-pressure', () => {
  const ELEMENTS = 5_000;

  test('a client that asks for more than it takes is not read from until it does', async () => {
    hitsLimit('readPauseBytes');
    const pv = new SharedPV(ntScalarArray(double), { initial: { value: new Float64Array(ELEMENTS) } });
    const readPauseBytes = 400_000;
    const world = await makeWorld({
      pvs: { a: pv },
      config: { limits: { ...DEFAULTS, monitorPauseBytes: 100_000, readPauseBytes } },
    });
    const client = await world.validated();
    const sid = await client.createChannel('a');
    const ioid = await client.init('GET', sid);
    client.heard.length = 0;
    client.connection.pause();
    const get = { command: 'GET', phase: 'exec', sid, ioid, subcommand: 0 } as const;
    await client.send(...Array.from({ length: 1_000 }, () => get));
    const link = [...world.network.connections].find(({ local }) => local.port === world.server.tcpPort);
    // 1 000 answers would be 40 MB.
    expect(link?.bufferedBytes).toBeGreaterThan(readPauseBytes / 2);
    expect(link?.bufferedBytes).toBeLessThan(readPauseBytes * 1.5);
    client.connection.resume();
    for (let round = 0; round < 200; round++) await world.settle();
    expect(client.takeAll('GET')).toHaveLength(1_000);
    // And reading has been taken up again.
    expect(await client.get(sid, ioid)).toMatchObject({ status: OK });
  });

  test('a client that takes nothing for 30 s is closed, although it goes on talking', async () => {
    hitsLimit('writeStallMs');
    const pv = new SharedPV(ntScalarArray(double), { initial: { value: new Float64Array(ELEMENTS * 4) } });
    const world = await makeWorld({ pvs: { a: pv } });
    const client = await world.validated();
    const sid = await client.createChannel('a');
    const ioid = await client.init('GET', sid);
    client.connection.pause();
    await client.send({ command: 'GET', phase: 'exec', sid, ioid, subcommand: 0 });
    for (let second = 0; second < 29; second++) {
      await client.send({ command: 'ECHO', payload: new Uint8Array(0) });
      await world.clock.advanceAsync(999);
    }
    expect(world.server.linkCount).toBe(1);
    await client.send({ command: 'ECHO', payload: new Uint8Array(0) });
    await world.clock.advanceAsync(3_000);
    expect(world.server.linkCount).toBe(0);
    expect(world.notices.at(-1)?.text).toMatch(/took nothing of \d+ bytes for 30 s/);
  });
});

describe('silence', () => {
  test('of 40 s closes the link; anything heard begins anew', async () => {
    const world = await makeWorld();
    const client = await world.validated();
    const other = await world.validated();
    await world.clock.advanceAsync(39_000);
    await client.send({ command: 'ECHO', payload: new Uint8Array(0) });
    await world.clock.advanceAsync(3_000);
    expect(world.server.linkCount).toBe(1);
    expect(other.isClosed).toBe(true);
    expect(world.notices.at(-1)?.text).toContain('sent nothing for 40 s');
    await world.clock.advanceAsync(40_000);
    expect(world.server.linkCount).toBe(0);
  });

  test('follows the configured time', async () => {
    const world = await makeWorld({ config: { connectionTimeoutMs: 2_000 } });
    await world.validated();
    await world.clock.advanceAsync(1_900);
    expect(world.server.linkCount).toBe(1);
    await world.clock.advanceAsync(700);
    expect(world.server.linkCount).toBe(0);
  });

  test('is no fault while the server itself does not read', async () => {
    const pv = new SharedPV(ntScalarArray(double), { initial: { value: new Float64Array(20_000) } });
    const world = await makeWorld({
      pvs: { a: pv },
      config: { connectionTimeoutMs: 2_000, limits: { ...DEFAULTS, monitorPauseBytes: 1_000, readPauseBytes: 1_000 } },
    });
    const client = await world.validated();
    const sid = await client.createChannel('a');
    const ioid = await client.init('GET', sid);
    client.connection.pause();
    const get = { command: 'GET', phase: 'exec', sid, ioid, subcommand: 0 } as const;
    await client.send(get, get, get);
    await world.clock.advanceAsync(10_000);
    expect(world.server.linkCount).toBe(1);
  });
});

describe('many links', () => {
  test('past the limit they are refused at accept, the others go on', async () => {
    hitsLimit('maxLinks');
    const world = await makeWorld({ config: { limits: { ...DEFAULTS, maxLinks: 2 } } });
    const first = await world.validated();
    await world.validated();
    const third = await world.connect();
    expect(third.isClosed).toBe(true);
    expect(third.heard).toEqual([]);
    expect(world.server.counters).toMatchObject({ linksRefused: 1, linksOpened: 2 });
    expect(world.notices.at(-1)).toMatchObject({ kind: 'linkRefused', level: 'warning' });
    first.connection.destroy();
    await world.settle();
    expect((await world.validated()).isClosed).toBe(false);
  });
});

describe('notices', () => {
  test('tell of links that open and close, with the client and the reason', async () => {
    const world = await makeWorld();
    const client = await world.validated();
    const { port } = client.connection.local;
    await client.sendBytes(fromHex('ca02000703000000050001'));
    expect(world.notices.map(({ kind, level, text }) => [kind, level, text])).toEqual([
      ['listening', 'info', expect.stringMatching(/^listening tcp 0\.0\.0\.0:5075 udp 5076 guid 0x[0-9a-f]{24}$/)],
      ['linkOpened', 'info', `client 127.0.0.1:${port}: connected`],
      [
        'linkClosed',
        'warning',
        `client 127.0.0.1:${port}: CREATE_CHANNEL at offset 2 of 3: 5 channels claimed, 1 bytes are there`,
      ],
    ]);
    await world.clock.until(world.server.close());
    expect(world.notices.at(-1)).toMatchObject({ kind: 'closed' });
  });

  test('tell of commands that are skipped, for who looks for them', async () => {
    const world = await makeWorld();
    const client = await world.validated();
    await client.sendBytes(fromHex('ca02007f03000000616263'));
    await client.sendBytes(fromHex('ca02017e00000000'));
    expect(world.server.counters.unknownCommands).toBe(2);
    expect(world.notices.slice(-2).map(({ level, text }) => [level, text.replace(/^client \S+: /, '')])).toEqual([
      ['debug', "command 0x7f is none of a client's, skipped"],
      ['debug', "control command 0x7e is none of a client's, skipped"],
    ]);
  });

  test('a listener is told until it does not want to be', async () => {
    const world = await makeWorld();
    const kinds: string[] = [];
    const stop = world.server.onNotice(({ kind }) => kinds.push(kind));
    const client = await world.connect();
    stop();
    client.connection.destroy();
    await world.settle();
    expect(kinds).toEqual(['linkOpened']);
    expect(world.notices.at(-1)).toMatchObject({ kind: 'linkClosed', level: 'info' });
    expect(world.notices.at(-1)?.text).toContain('disconnected');
  });

  test("a link that is cut is told with the system's reason", async () => {
    const world = await makeWorld();
    const client = await world.connect();
    world.network.cut(client.connection);
    await world.settle();
    expect(world.notices.at(-1)?.text).toMatch(/lost: .*ECONNRESET/);
  });
});

describe('the end of the server', () => {
  test('sends what is under way, ends all links, leaves no timer, and happens once', async () => {
    const pv = new SharedPV(ntScalarArray(double), { initial: { value: new Float64Array(50_000) } });
    const world = await makeWorld({ pvs: { a: pv } });
    const client = await world.validated();
    const sid = await client.createChannel('a');
    const ioid = await client.init('GET', sid);
    client.heard.length = 0;
    client.connection.write(new Uint8Array(0));
    const sending = client.send({ command: 'GET', phase: 'exec', sid, ioid, subcommand: 0 });
    await sending;
    const closing = world.server.close();
    expect(world.server.close()).toBe(closing);
    await world.clock.until(closing);
    await world.clock.settle();
    expect(client.take('GET')).toMatchObject({ status: OK });
    expect(client.isClosed).toBe(true);
    expect(world.server.linkCount).toBe(0);
    expect(world.clock.timerCount).toBe(0);
    await world.server[Symbol.asyncDispose]();
  });

  test('also ends what is being opened: listen() rejects, and nothing stays open', async () => {
    const clock = new ManualClock();
    const network = new MemoryNetwork({ clock }).host('server');
    const server = new Server({ clock, network, config: configWith() });
    const listening = server.listen();
    const closing = server.close();
    await expect(clock.until(listening)).rejects.toThrow('closed while it opened its ports');
    await clock.until(closing);
    expect(clock.timerCount).toBe(0);
    await expect(clock.until(network.connectTcp({ address: '127.0.0.1', port: 5075 }))).rejects.toThrow('ECONNREFUSED');
  });

  test('what was never opened closes too, and does not listen again', async () => {
    const world = await makeWorld();
    await expect(world.server.listen()).rejects.toThrow('listen() of a server that is listening');
    await world.clock.until(world.server.close());
    await expect(world.server.listen()).rejects.toThrow('closed');
  });
});
