// Does a server survive any client, with nobody else harmed? A client says arbitrary bytes, in pieces, and may read slowly.
//
// It says it in each codec. Whatever it says: all that the server answers can be read, another client that keeps to the rules puts a number, gets it
// back and hears it from its monitor, and once the link is gone nothing of it is left.

import { ALL_RIGHTS, NO_RIGHTS, type AccessRights } from '../../src/channels/access/rights.ts';
import type { Peer } from '../../src/channels/peer.ts';
import { SharedPV } from '../../src/channels/shared-pv.ts';
import { Context } from '../../src/client/context.ts';
import { resolveClientConfig, resolveServerConfig } from '../../src/config/effective.ts';
import type { Codec } from '../../src/protocol/codecs/codec.ts';
import { msgpack } from '../../src/protocol/codecs/msgpack.ts';
import { pva } from '../../src/protocol/codecs/pva.ts';
import { Framer } from '../../src/protocol/framer.ts';
import { ntScalar } from '../../src/protocol/normative/nt-scalar.ts';
import { double } from '../../src/protocol/types/type-desc.ts';
import { Server } from '../../src/server/server.ts';
import { ManualClock } from '../../src/transport/manual-clock.ts';
import { MemoryNetwork, type MemoryHost } from '../../src/transport/memory-network.ts';

import { LinkTypes } from '../link-types.ts';
import { longMessage } from '../long-values.ts';
import { recordedPvs } from '../recorded-pvs.ts';
import { withFittingSizes } from '../repair.ts';
import { requireThat, type Target } from '../target.ts';
import { conversations, operations, packedConversations, packedMessages } from '../vectors.ts';

const ADDRESS = '127.0.0.1';
/** After so many inputs everything is made anew, so that no finding needs thousands of inputs to be had again. */
const MOST_RUNS = 200;
/** The first channels of a link have these ids. */
const FIRST_IDS = { sid: 2 };
/** The last byte of an input says how it is said. */
const PIECES = 0b11;
const READS_SLOWLY = 0b100;
const TAKES_ITS_TIME = 0b1000;
const LONG_MS = 40_000;
const POSTS = 6;
/** A PV that nobody may use: its operations are refused. */
const HIDDEN = 'testValueOnly';

interface World {
  readonly codec: Codec;
  readonly clock: ManualClock;
  readonly host: MemoryHost;
  readonly server: Server;
  readonly context: Context;
  /** All that strangers can reach. */
  readonly pvs: readonly SharedPV[];
  /** One of them that changes by itself. */
  readonly ticking: SharedPV;
  /** The last value that the monitor of the client beside has given. */
  heard: number;
  isOver: boolean;
  runs: number;
}

let number = 0;

export const serverLink: Target = linkOf(pva, 'server-link', () => [
  ...conversations('client', FIRST_IDS),
  ...operations('client', FIRST_IDS),
]);
export const packedServerLink: Target = linkOf(msgpack, 'msgpack-server-link', () => [
  ...packedConversations('client'),
  ...packedMessages('client'),
]);

function linkOf(codec: Codec, name: string, seeds: Target['seeds']): Target {
  let world: World | undefined;
  return {
    name,
    seeds,
    repair: withFittingSizes,
    speaks: codec.name,
    // A whole world is made, and both ends of its links.
    baseMs: 250,
    usPerByte: 8,
    long: (bytes, random) => longMessage(bytes, random, codec.name, 'client'),
    async run(input) {
      world ??= await makeWorld(codec);
      const { clock, host, server } = world;
      try {
        await speak(world, input);
        await lookBeside(world);
        requireThat(server.linkCount === linksBeside(codec), 'a link that is gone is forgotten');
        requireThat(
          world.pvs.every(({ subscriberCount }) => subscriberCount === 0),
          'subscriptions of a link that is gone are forgotten',
        );
      } catch (thrown) {
        // What is broken now must not be blamed on the inputs that follow.
        world = undefined;
        throw thrown;
      }
      if (++world.runs < MOST_RUNS) return;
      world.isOver = true;
      await clock.until(world.context.close());
      await clock.until(server.close());
      requireThat(clock.timerCount === 0 && host.interfaces().length > 0, 'no timer is left');
      world = undefined;
    },
  };
}

/** Says all of the input, reads all that comes, and leaves. */
async function speak({ codec, clock, host, server, ticking }: World, input: Uint8Array): Promise<void> {
  const manner = input[input.length - 1] ?? 0;
  const connection = await clock.until(host.connectTcp({ address: ADDRESS, port: portOf(server, codec) }));
  const framer = new Framer({ expectFromServer: true });
  const types = new LinkTypes(codec);
  connection.listen({
    data: (chunk) => framer.push(Uint8Array.from(chunk), (frame) => types.take(frame)),
    drain: () => undefined,
    close: () => undefined,
  });
  if ((manner & READS_SLOWLY) !== 0) connection.pause();
  const pieces = (manner & PIECES) + 1;
  for (let piece = 0; piece < pieces; piece++) {
    const [from, to] = [piece, piece + 1].map((part) => Math.floor((part * input.length) / pieces));
    connection.write(Uint8Array.from(input.subarray(from, to)));
    await clock.settle();
    if ((manner & TAKES_ITS_TIME) !== 0 && piece > 0) await clock.advanceAsync(LONG_MS);
    // Whoever has subscribed gets more than fits its queue.
    for (let count = 0; count < POSTS; count++) ticking.post({ value: ++number });
  }
  connection.resume();
  await clock.settle();
  connection.destroy();
  await clock.settle();
}

async function lookBeside(here: World): Promise<void> {
  const { clock, context } = here;
  await clock.until(context.put('fuzz:beside', ++number, { timeoutMs: 2_000 }));
  // A mailbox of a double.
  const { value } = (await clock.until(context.get('fuzz:beside', { timeoutMs: 2_000 }))) as {
    readonly value: unknown;
  };
  requireThat(value === number, 'the others are served as if nothing was');
  for (let waited = 0; waited < 10 && here.heard !== number; waited++) await clock.advanceAsync(1);
  requireThat(here.heard === number, 'the others hear the last value');
}

function portOf(server: Server, codec: Codec): number {
  return codec === pva ? server.tcpPort : (server.msgpackPort ?? 0);
}

/** Those of the client beside: it asks a name server in pvAccess, whatever it speaks otherwise. */
function linksBeside(codec: Codec): number {
  return codec === pva ? 1 : 2;
}

async function makeWorld(codec: Codec): Promise<World> {
  const clock = new ManualClock();
  const host = new MemoryNetwork({ clock }).host('host');
  const config = { ...resolveServerConfig({ processEnvironment: {} }), autoBeacon: false, msgpackPort: 0 };
  const access = (_peer: Peer, pvName: string): AccessRights => (pvName === HIDDEN ? NO_RIGHTS : ALL_RIGHTS);
  const server = new Server({ clock, network: host, config, access });
  server.add('fuzz:beside', SharedPV.mailbox(ntScalar(double)));
  const recorded = recordedPvs(clock);
  const ticking = recorded['vec:tick'];
  if (ticking === undefined) throw new Error('vec:tick is one of the PVs');
  const pvs = Object.entries(recorded).map(([name, pv]) => {
    server.add(name, pv);
    return pv;
  });
  await clock.until(server.listen());
  const context = new Context({
    config: resolveClientConfig({ processEnvironment: { EPICS_PVA_NAME_SERVERS: `${ADDRESS}:${server.tcpPort}` } }),
    codec: codec.name,
    network: host,
    clock,
  });
  const here: World = { codec, clock, host, server, context, pvs, ticking, heard: Number.NaN, isOver: false, runs: 0 };
  listen(here).catch((thrown: unknown) => {
    if (!here.isOver) throw thrown;
  });
  return here;
}

/** Goes on until the context is closed. */
async function listen(here: World): Promise<void> {
  for await (const update of here.context.monitor('fuzz:beside')) {
    // The PV is a mailbox of a double.
    here.heard = (update.value as { readonly value: number }).value;
  }
}
