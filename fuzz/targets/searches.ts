// What does a server make of any datagram? It never answers with more bytes than a search may bring about, and searches
// that keep to the rules are answered as before.

import { SharedPV } from '../../src/channels/shared-pv.ts';
import { resolveServerConfig } from '../../src/config/effective.ts';
import { readDatagram } from '../../src/protocol/datagram.ts';
import { datagramContext, decodeMessage, encodeMessage } from '../../src/protocol/messages/index.ts';
import { SEARCH_UNICAST } from '../../src/protocol/messages/search.ts';
import { ntScalar } from '../../src/protocol/normative/nt-scalar.ts';
import { double } from '../../src/protocol/types/type-desc.ts';
import { Writer } from '../../src/protocol/writer.ts';
import { Server } from '../../src/server/server.ts';
import { ManualClock } from '../../src/transport/manual-clock.ts';
import { MemoryNetwork } from '../../src/transport/memory-network.ts';
import type { Endpoint, UdpSocket } from '../../src/transport/network.ts';

import { withFittingSizes } from '../repair.ts';
import { requireThat, type Target } from '../target.ts';
import { datagrams } from '../vectors.ts';

const ADDRESS = '127.0.0.1';
const NAME = 'fuzz:found';
/** After so many inputs everything is made anew. */
const MOST_RUNS = 500;
/** Of one search: header, GUID, ids, address, protocol; each name that was found adds four bytes and took five to ask for. */
const MOST_ANSWER_BYTES = 64;
/** A datagram may hold several searches, and one for the server itself is answered, too. */
const LEAST_SEARCH_BYTES = 8 + 26;

/** What UDP carries at most. */
const MOST_DATAGRAM_BYTES = 65_507;

interface World {
  readonly clock: ManualClock;
  readonly server: Server;
  readonly socket: UdpSocket;
  readonly to: Endpoint;
  readonly heard: Uint8Array[];
  runs: number;
}

let world: World | undefined;

export const searches: Target = {
  name: 'searches',
  seeds: () => [...datagrams(), search(0, 40_000), search(0, 40_000, ['tls', 'msgpack', 'tcp'])],
  repair: withFittingSizes,
  mostBytes: MOST_DATAGRAM_BYTES,
  speaks: 'pva',
  async run(input) {
    world ??= await makeWorld();
    const here = world;
    try {
      await ask(here, Uint8Array.from(input));
      const bytes = here.heard.splice(0).reduce((sum, { length }) => sum + length, 0);
      const most = (1 + Math.floor(input.length / LEAST_SEARCH_BYTES)) * MOST_ANSWER_BYTES + input.length;
      requireThat(bytes <= most, `answers are not larger than searches make them: ${bytes} bytes to ${input.length}`);
      await ask(here, search(here.runs, here.socket.local.port));
      requireThat(
        here.heard.splice(0).some((answer) => isAnswer(answer, here.runs)),
        'others are answered as before',
      );
    } catch (thrown) {
      world = undefined;
      throw thrown;
    }
    if (++here.runs < MOST_RUNS) return;
    here.socket.close();
    await here.clock.until(here.server.close());
    requireThat(here.clock.timerCount === 0, 'no timer is left');
    world = undefined;
  },
};

async function ask({ clock, socket, to }: World, datagram: Uint8Array): Promise<void> {
  socket.send(datagram, to);
  await clock.settle();
  await clock.advanceAsync(1);
}

function search(sequenceId: number, responsePort: number, protocols = ['tcp']): Uint8Array {
  const writer = new Writer(false);
  encodeMessage(
    writer,
    {
      command: 'SEARCH',
      sequenceId,
      flags: SEARCH_UNICAST,
      responseAddress: '::',
      responsePort,
      protocols,
      names: [{ instanceId: 7, pvName: NAME }],
    },
    { fromServer: false },
  );
  return writer.copy();
}

/** What the server says must be messages; whether this is the one that was asked for. */
function isAnswer(datagram: Uint8Array, sequenceId: number): boolean {
  for (const frame of readDatagram(datagram, { onMalformed: (problem) => requireThat(false, String(problem)) })) {
    const message = decodeMessage(frame, datagramContext());
    if (message?.command === 'SEARCH_RESPONSE' && message.sequenceId === sequenceId) {
      return message.found && message.instanceIds.includes(7);
    }
  }
  return false;
}

async function makeWorld(): Promise<World> {
  const clock = new ManualClock();
  const host = new MemoryNetwork({ clock }).host('host');
  const config = { ...resolveServerConfig({ processEnvironment: {} }), autoBeacon: false, msgpackPort: 0 };
  const server = new Server({ clock, network: host, config });
  server.add(NAME, SharedPV.mailbox(ntScalar(double)));
  for (const name of ['vec:double', 'vec:string', 'vec:enum', 'vec:array']) {
    server.add(name, SharedPV.mailbox(ntScalar(double)));
  }
  await clock.until(server.listen());
  const heard: Uint8Array[] = [];
  const socket = await clock.until(
    host.bindUdp(
      { address: ADDRESS, port: 0 },
      { message: (bytes) => heard.push(Uint8Array.from(bytes)), error: () => undefined },
    ),
  );
  return { clock, server, socket, to: { address: ADDRESS, port: server.udpPort }, heard, runs: 0 };
}
