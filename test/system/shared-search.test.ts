// Who answers a search, of two servers of one store? Real datagrams to both: the preferred one at once, the other one
// when the client asks again, so that a server that is gone costs a client one interval of its searches.

import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';

import { eventually } from '../../src/channels/stores/suite/suite-support.ts';
import { resolveServerConfig } from '../../src/config/effective.ts';
import { parsePvFlag } from '../../src/config/pv-flag.ts';
import { openStore, SearchSpread, Server, StoredChannels } from '../../src/index.ts';
import { readDatagram } from '../../src/protocol/datagram.ts';
import { datagramContext, decodeMessage, encodeMessage } from '../../src/protocol/messages/index.ts';
import { SEARCH_UNICAST } from '../../src/protocol/messages/search.ts';
import { Writer } from '../../src/protocol/writer.ts';
import { systemClock } from '../../src/transport/clocks.ts';
import { RedisServer } from '../support/redis-server.ts';

const PVS = Array.from({ length: 40 }, (_, index) => `lab:pv${index}`);
/** pvxs and pvkit search again after a second or so; a server takes searches within 50 ms for one. */
const INTERVAL_MS = 100;

interface Node {
  readonly server: Server;
  readonly spread: SearchSpread;
}

const closers: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

async function startNode(redis: RedisServer): Promise<Node> {
  const store = await openStore(redis.url);
  const definitions = PVS.map((name) => {
    const definition = parsePvFlag(`${name}=double:1`);
    if (!definition.ok) throw new Error(definition.wrong);
    return definition.value;
  });
  const channels = await StoredChannels.open(store, { definitions });
  const flags = { interfaces: ['127.0.0.1'], tcpPort: '0', udpPort: '0' };
  const server = new Server({ config: resolveServerConfig({ processEnvironment: {}, flags }), sources: [channels] });
  const { nodes } = store;
  if (nodes === undefined) throw new Error('a redis store has nodes');
  const spread = new SearchSpread(nodes, (pvName) => channels.has(pvName), systemClock);
  server.spreadSearches(spread);
  await server.listen();
  await nodes.join(() => ({ address: `127.0.0.1:${server.tcpPort}`, channelCount: PVS.length, linkCount: 0 }));
  closers.push(async () => {
    await server.close();
    channels.close();
    await store.close();
  });
  await eventually('the node knows itself', () => nodes.alive.some(({ id }) => id === nodes.own));
  return { server, spread };
}

/** Asks both servers for all PVs, as a broadcast would, and writes down who answers for which. */
class Searcher {
  readonly socket: Socket;
  #sequenceId = 0;
  /** PV -> TCP ports of the servers that have answered, in that order. */
  answers = new Map<string, number[]>();

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('message', (bytes) => {
      for (const frame of readDatagram(bytes)) {
        const message = decodeMessage(frame, datagramContext());
        if (message?.command !== 'SEARCH_RESPONSE' || message.sequenceId !== this.#sequenceId) continue;
        for (const id of message.instanceIds) {
          const pvName = PVS[id] ?? '';
          this.answers.set(pvName, [...(this.answers.get(pvName) ?? []), message.serverPort]);
        }
      }
    });
  }

  static async open(): Promise<Searcher> {
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    closers.push(async () => void socket.close());
    return new Searcher(socket);
  }

  /** Who has answered an interval after as many PVs as are expected were answered for. */
  async ask(udpPorts: readonly number[], expectedCount = PVS.length): Promise<ReadonlyMap<string, readonly number[]>> {
    this.answers = new Map();
    const writer = new Writer(false);
    encodeMessage(
      writer,
      {
        command: 'SEARCH',
        sequenceId: ++this.#sequenceId,
        flags: SEARCH_UNICAST,
        responseAddress: '0.0.0.0',
        responsePort: this.socket.address().port,
        protocols: ['tcp'],
        names: PVS.map((pvName, instanceId) => ({ instanceId, pvName })),
      },
      { fromServer: false },
    );
    for (const port of udpPorts) this.socket.send(writer.copy(), port, '127.0.0.1');
    await eventually(`answers for ${expectedCount} PVs`, () => this.answers.size >= expectedCount);
    await new Promise<void>((resolve) => systemClock.after(INTERVAL_MS, resolve));
    return this.answers;
  }
}

describe('a search that reaches two servers of one store', () => {
  it('is answered by the preferred one at once, and by the other one when the client asks again', async () => {
    const redis = await RedisServer.start();
    closers.push(() => redis.close());
    const [one, other] = [await startNode(redis), await startNode(redis)];
    // Each knows of the other one by now, or within a beat.
    const bothKnown = (): boolean => PVS.every((pv) => one.spread.rankOf(pv) + other.spread.rankOf(pv) === 1);
    await eventually('they have an order for each PV', bothKnown);
    const udpPorts = [one.server.udpPort, other.server.udpPort];
    const preferred = (pvName: string): number => (one.spread.rankOf(pvName) === 0 ? one : other).server.tcpPort;

    const searcher = await Searcher.open();
    const first = await searcher.ask(udpPorts);
    for (const pvName of PVS) expect([pvName, first.get(pvName)]).toEqual([pvName, [preferred(pvName)]]);
    const shares = [one, other].map(({ server }) => PVS.filter((pv) => preferred(pv) === server.tcpPort).length);
    // Spread: 40 coins that all fall on 36 or more of one side are one in a hundred million.
    for (const share of shares) expect(share).toBeGreaterThan(4);

    const second = await searcher.ask(udpPorts);
    for (const pvName of PVS)
      expect([pvName, new Set(second.get(pvName))]).toEqual([
        pvName,
        new Set([one, other].map(({ server }) => server.tcpPort)),
      ]);
  });

  it('is answered one interval later where the preferred one is gone and nobody has missed it yet', async () => {
    const redis = await RedisServer.start();
    closers.push(() => redis.close());
    const [one, other] = [await startNode(redis), await startNode(redis)];
    await eventually('they have an order', () =>
      PVS.every((pv) => one.spread.rankOf(pv) + other.spread.rankOf(pv) === 1),
    );
    // As after kill -9: it does not answer, and its entry in the store stays for some seconds.
    const searcher = await Searcher.open();
    const left = [other.server.udpPort];
    const ownPvs = PVS.filter((pv) => other.spread.rankOf(pv) === 0);
    await one.server.close();
    const first = await searcher.ask(left, ownPvs.length);
    expect([...first.keys()].toSorted()).toEqual(ownPvs.toSorted());
    const second = await searcher.ask(left);
    for (const pvName of PVS) expect([pvName, second.get(pvName)]).toEqual([pvName, [other.server.tcpPort]]);
  });
});
