// Does a server speak MessagePack on its port for it: found by who lists it, closed to who breaks a rule, and unseen by
// clients of pvAccess?

import { encode } from '@msgpack/msgpack';
import { describe, expect, test } from 'vitest';
import { SharedPV } from '../../src/channels/shared-pv.ts';
import { Selection } from '../../src/channels/encoded-cache.ts';
import { BitSet } from '../../src/protocol/bit-set.ts';
import { msgpack } from '../../src/protocol/codecs/msgpack.ts';
import { pva } from '../../src/protocol/codecs/pva.ts';
import { readDatagram } from '../../src/protocol/datagram.ts';
import { readHeader } from '../../src/protocol/header.ts';
import { datagramContext, decodeServerMessage, encodeMessage } from '../../src/protocol/messages/index.ts';
import type { SearchResponse } from '../../src/protocol/messages/search-response.ts';
import { SEARCH_MUST_REPLY, SEARCH_UNICAST, type Search } from '../../src/protocol/messages/search.ts';
import { ntScalar, ntScalarArray } from '../../src/protocol/normative/nt-scalar.ts';
import { double } from '../../src/protocol/types/type-desc.ts';
import { Writer } from '../../src/protocol/writer.ts';
import { Server } from '../../src/server/server.ts';
import { ManualClock } from '../../src/transport/manual-clock.ts';
import { MemoryNetwork } from '../../src/transport/memory-network.ts';
import { configWith, LOOPBACK, makeWorld, type World } from '../support/server-world.ts';
import { fromHex, toHex } from '../support/vectors.ts';
import { WireClient } from '../support/wire-client.ts';

const MSGPACK_PORT = 5080;
const SCALAR = ntScalar(double);

function makeServer(config: Parameters<typeof makeWorld>[0] = {}): Promise<World> {
  return makeWorld({
    pvs: { x: SharedPV.mailbox(SCALAR, { initial: { value: 1 } }) },
    ...config,
    config: { msgpackPort: MSGPACK_PORT, ...config.config },
  });
}

async function connect({ clock, host, server, settle }: World): Promise<WireClient> {
  const port = server.msgpackPort ?? 0;
  const client = await clock.until(WireClient.connect(host, port, { codec: msgpack, settle }));
  await settle();
  return client;
}

async function validated(world: World): Promise<WireClient> {
  const client = await connect(world);
  await client.validate();
  client.heard.length = 0;
  return client;
}

/** A whole message with this body. */
function message(command: number, body: Uint8Array): Uint8Array {
  const header = Buffer.from([0xca, 2, 0x80, command, 0, 0, 0, 0]);
  header.writeUInt32BE(body.length, 4);
  return Buffer.concat([header, body]);
}

async function close({ clock, server }: World): Promise<void> {
  await clock.until(server.close());
}

/** The bytes of the answer to a search that lists these protocols, or undefined. */
async function answerTo(
  world: World,
  protocols: readonly string[],
  pvName = 'x',
  flags = 0,
  to = '127.0.0.1',
): Promise<Uint8Array | undefined> {
  let heard: Uint8Array | undefined;
  const socket = await world.host.bindUdp(
    { address: '127.0.0.1', port: 0 },
    { message: (bytes) => (heard = Uint8Array.from(bytes)), error: () => undefined },
  );
  const writer = new Writer(true);
  const search: Search = {
    command: 'SEARCH',
    sequenceId: 5,
    flags,
    responseAddress: '0.0.0.0',
    responsePort: socket.local.port,
    protocols,
    names: [{ instanceId: 3, pvName }],
  };
  encodeMessage(writer, search, { fromServer: false });
  socket.send(writer.copy(), { address: to, port: world.server.udpPort });
  await world.settle();
  socket.close();
  return heard;
}

function responseOf(bytes: Uint8Array | undefined): SearchResponse | undefined {
  for (const frame of bytes === undefined ? [] : readDatagram(bytes)) {
    const read = decodeServerMessage(frame, datagramContext());
    if (read?.command === 'SEARCH_RESPONSE') return read;
  }
  return undefined;
}

describe('a server with a port for MessagePack', () => {
  test('greets with big-endian headers and bodies that are MessagePack', async () => {
    const world = await makeServer({ byteOrder: 'little' });
    const client = await connect(world);
    const bytes = Buffer.concat(client.chunks);
    expect(toHex(bytes)).toBe(
      `ca02c10200000000 ca02c00100000017 93 ce00010000 cd7fff 92 a9${toHex(Buffer.from('anonymous'))} a2${toHex(Buffer.from('ca'))}`.replaceAll(
        ' ',
        '',
      ),
    );
    await close(world);
  });

  test('takes headers of either byte order', async () => {
    const world = await makeServer();
    const client = await validated(world);
    const body = encode([new Uint8Array([7])]);
    const little = Buffer.concat([Buffer.from([0xca, 2, 0, 2, body.length, 0, 0, 0]), body]);
    await client.sendBytes(little);
    await client.sendBytes(message(2, body));
    expect(client.takeAll('ECHO').map(({ payload }) => toHex(payload))).toEqual(['07', '07']);
    await close(world);
  });

  test('sends the update of one post once encoded to all of one codec and selection', () => {
    const state = { changed: BitSet.of(0), value: { value: 1 } } as const;
    const whole = new Selection(SCALAR, BitSet.of(0));
    const update = whole.encode(state, true, msgpack);
    expect(new Selection(SCALAR, BitSet.of(0)).encode(state, true, msgpack)).toBe(update);
    expect(whole.encode(state, true, pva)).not.toBe(update);
    expect(whole.encode(state, true)).toBe(whole.encode(state, true, pva));
    expect(new Selection(SCALAR, BitSet.of(1)).encode(state, true, msgpack)).not.toBe(update);
  });

  test.each([
    ['truncated', message(0x07, encode([[[1, 'x']]]).subarray(0, 4)), 'CREATE_CHANNEL at offset'],
    ['of another arity', message(0x07, encode([[[1, 'x']], 1])), '2 fields in the body, 1 expected'],
    [
      'nested without end',
      message(0x05, Buffer.concat([fromHex('9192'), Buffer.alloc(5_000, 0x91)])),
      'maxTypeNesting',
    ],
    [
      'with a prototype key',
      message(0x05, encode([[{ kind: 'structure', constructor: {} }, {}]])),
      "key 'constructor'",
    ],
    ['with a key twice', message(0x05, fromHex('919282a26964a0a26964a080')), "key 'id' at offset 7 is there twice"],
    ['that claims a huge array', message(0x07, fromHex('91ddffffffff00')), '4294967295 elements claimed'],
    ['of pvAccess', message(0x07, fromHex('0001000000010178')), 'an integer (0x00) at offset 0, an array expected'],
  ])('closes a link on a body that is %s, and no other', async (_what, bytes, reason) => {
    const world = await makeServer();
    const other = await validated(world);
    const ofPva = await world.validated();
    const client = await validated(world);
    await client.sendBytes(bytes);
    expect(client.isClosed).toBe(true);
    expect(world.notices.filter(({ kind }) => kind === 'linkClosed').map(({ text }) => text)).toEqual([
      expect.stringContaining(reason),
    ]);
    for (const each of [other, ofPva]) {
      const sid = await each.createChannel('x');
      const ioid = await each.init('GET', sid, 'field(value)');
      each.take('GET');
      expect(await each.get(sid, ioid)).toMatchObject({ phase: 'exec', update: { value: { value: 1 } } });
    }
    await close(world);
  });

  test('holds updates back from a client that takes nothing, squashes them and says so', async () => {
    const wave = SharedPV.mailbox(ntScalarArray(double), { initial: { value: new Float64Array(8) } });
    const world = await makeServer({ pvs: { wave } });
    const client = await validated(world);
    const sid = await client.createChannel('wave');
    const ioid = await client.initMonitor(sid, 'field(value)');
    await client.steer(sid, ioid, 0x44);
    client.heard.length = 0;
    for (let round = 1; round <= 50; round++) wave.post({ value: new Float64Array(8_192).fill(round) });
    await world.clock.advanceAsync(1_000);
    const updates = client.updates(ioid);
    expect(updates.length).toBeLessThan(50);
    expect(updates.at(-1)?.value).toMatchObject({ value: new Float64Array(8_192).fill(50) });
    expect(updates.some(({ overrun }) => overrun.includes(1))).toBe(true);
    await close(world);
  });

  test('is found under that name by who lists it, and by nobody else', async () => {
    const world = await makeServer();
    const { tcpPort } = world.server;
    expect(responseOf(await answerTo(world, ['msgpack']))).toMatchObject({
      protocol: 'msgpack',
      serverPort: MSGPACK_PORT,
    });
    expect(responseOf(await answerTo(world, ['tls', 'msgpack', 'tcp']))).toMatchObject({ protocol: 'msgpack' });
    expect(responseOf(await answerTo(world, ['tcp', 'msgpack']))).toMatchObject({
      protocol: 'tcp',
      serverPort: tcpPort,
    });
    expect(responseOf(await answerTo(world, ['tcp']))).toMatchObject({ protocol: 'tcp', serverPort: tcpPort });
    expect(await answerTo(world, ['tls'])).toBeUndefined();
    expect(await answerTo(world, ['msgpack'], 'nosuch')).toBeUndefined();
    const nothing = responseOf(await answerTo(world, ['msgpack'], 'nosuch', SEARCH_MUST_REPLY));
    expect(nothing).toMatchObject({ found: false, protocol: 'msgpack', instanceIds: [] });
    await close(world);
  });

  test('answers a search over its links too, in either direction', async () => {
    const world = await makeServer();
    const ask = { command: 'SEARCH', sequenceId: 1, flags: 0, responseAddress: '::', responsePort: 0 } as const;
    const names = [{ instanceId: 9, pvName: 'x' }];
    for (const client of [await validated(world), await world.validated()]) {
      await client.send({ ...ask, protocols: ['msgpack'], names });
      expect(client.take('SEARCH_RESPONSE')).toMatchObject({ protocol: 'msgpack', serverPort: MSGPACK_PORT });
      await client.send({ ...ask, protocols: ['tcp'], names });
      expect(client.take('SEARCH_RESPONSE')).toMatchObject({ protocol: 'tcp', serverPort: world.server.tcpPort });
    }
    await close(world);
  });
});

describe('a client of pvAccess', () => {
  test('hears the same bytes from a server that speaks MessagePack too', async () => {
    const withPort = await makeServer();
    const without = await makeWorld({ pvs: { x: SharedPV.mailbox(SCALAR, { initial: { value: 1 } }) } });
    const answers = [await answerTo(withPort, ['tcp']), await answerTo(without, ['tcp'])];
    // The GUID is another one each time.
    const [one, other] = answers.map((bytes) => toHex(bytes ?? new Uint8Array()).replace(/^(.{16}).{24}/u, '$1'));
    expect(one).toBe(other);
    expect(one).not.toBe('');
    const [first, second] = await Promise.all(
      [withPort, without].map(async (world) => {
        const client = await world.validated();
        const sid = await client.createChannel('x');
        const ioid = await client.init('GET', sid, 'field(value)');
        client.take('GET');
        await client.get(sid, ioid);
        return toHex(Buffer.concat(client.chunks));
      }),
    );
    expect(first).toBe(second);
    await close(withPort);
    await close(without);
  });

  test('hears of MessagePack in beacons behind its own', async () => {
    const heard: Uint8Array[] = [];
    const world = await makeServer();
    const far = world.network.host('far');
    await far.bindUdp(
      { address: '0.0.0.0', port: 5076, shared: true },
      { message: (bytes) => heard.push(Uint8Array.from(bytes)), error: () => undefined },
    );
    await world.clock.advanceAsync(16_000);
    const [datagram = new Uint8Array()] = heard;
    const beacons = [...readDatagram(datagram)].map((frame) => decodeServerMessage(frame, datagramContext()));
    expect(beacons).toMatchObject([
      { command: 'BEACON', protocol: 'tcp', serverPort: world.server.tcpPort, guid: world.server.guid },
      { command: 'BEACON', protocol: 'msgpack', serverPort: MSGPACK_PORT, guid: world.server.guid },
    ]);
    expect(readHeader(datagram, 0).size).toBeLessThan(datagram.length - 8);
    await close(world);
  });
});

describe('the port', () => {
  test('is told for each interface as it is there', async () => {
    const clock = new ManualClock();
    const network = new MemoryNetwork({ clock });
    const host = network.host('server', '10.0.0.1', '10.0.0.2');
    // Somebody else has the port on one of them.
    await host.listenTcp({ address: '10.0.0.2', port: MSGPACK_PORT }, () => undefined);
    const interfaces = [
      { ...LOOPBACK, host: '10.0.0.1' },
      { ...LOOPBACK, host: '10.0.0.2' },
    ];
    const server = new Server({
      clock,
      network: host,
      pvs: { x: SharedPV.mailbox(SCALAR, { initial: { value: 1 } }) },
      config: configWith({ msgpackPort: MSGPACK_PORT, interfaces }),
    });
    await clock.until(server.listen());
    const settle = (): Promise<void> => clock.advanceAsync(1);
    const world = { clock, network, host, server, settle } as World;
    const ports = [];
    for (const { address } of server.msgpackEndpoints) {
      ports.push(responseOf(await answerTo(world, ['msgpack'], 'x', SEARCH_UNICAST, address))?.serverPort);
    }
    expect(new Set(server.msgpackEndpoints.map(({ port }) => port)).size).toBe(2);
    expect(ports).toEqual(server.msgpackEndpoints.map(({ port }) => port));
    await close(world);
  });

  test('is not opened unless asked for', async () => {
    const world = await makeWorld();
    expect(world.server.msgpackPort).toBeUndefined();
    expect(world.server.msgpackEndpoints).toEqual([]);
    await close(world);
  });

  test('is another one, with a warning, where that is taken', async () => {
    const world = await makeServer({ config: { tcpPort: MSGPACK_PORT } });
    expect(world.server.tcpPort).toBe(MSGPACK_PORT);
    expect(world.server.msgpackPort).toBe(MSGPACK_PORT + 1);
    expect(world.notices.map(({ kind }) => kind)).toContain('portTaken');
    await close(world);
  });
});
