// Does a server survive any client, with nobody else harmed? A client says arbitrary bytes, in pieces, and may read slowly.
//
// Whatever it says: all that the server answers can be read, another client that keeps to the rules puts a number, gets it
// back and hears it from its monitor, and once the link is gone nothing of it is left.

import { ALL_RIGHTS, NO_RIGHTS, type AccessRights } from '../../src/channels/access/rights.ts';
import type { Peer } from '../../src/channels/peer.ts';
import { SharedPV } from '../../src/channels/shared-pv.ts';
import { Context } from '../../src/client/context.ts';
import { resolveClientConfig, resolveServerConfig } from '../../src/config/effective.ts';
import { Framer } from '../../src/protocol/framer.ts';
import { ntEnum, enumValue } from '../../src/protocol/normative/nt-enum.ts';
import { ntScalar, ntScalarArray } from '../../src/protocol/normative/nt-scalar.ts';
import { boundedString, double, int, long, string, structure } from '../../src/protocol/types/type-desc.ts';
import { Server } from '../../src/server/server.ts';
import type { Clock } from '../../src/transport/clocks.ts';
import { ManualClock } from '../../src/transport/manual-clock.ts';
import { MemoryNetwork, type MemoryHost } from '../../src/transport/memory-network.ts';

import { LinkTypes } from '../link-types.ts';
import { withFittingSizes } from '../repair.ts';
import { requireThat, type Target } from '../target.ts';
import { conversations, operations } from '../vectors.ts';

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
const SLOW_MS = 500;
const POSTS = 6;
/** A PV that nobody may use: its operations are refused. */
const HIDDEN = 'testValueOnly';

interface World {
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

let world: World | undefined;
let number = 0;

export const serverLink: Target = {
  name: 'server-link',
  seeds: () => [...conversations('client', FIRST_IDS), ...operations('client', FIRST_IDS)],
  repair: withFittingSizes,
  speaksMessages: true,
  async run(input) {
    world ??= await makeWorld();
    const { clock, host, server } = world;
    try {
      await speak(world, input);
      await lookBeside(world);
      requireThat(server.linkCount === 1, 'a link that is gone is forgotten');
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

/** Says all of the input, reads all that comes, and leaves. */
async function speak({ clock, host, server, ticking }: World, input: Uint8Array): Promise<void> {
  const manner = input[input.length - 1] ?? 0;
  const connection = await clock.until(host.connectTcp({ address: ADDRESS, port: server.tcpPort }));
  const framer = new Framer({ expectFromServer: true });
  const types = new LinkTypes();
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

async function makeWorld(): Promise<World> {
  const clock = new ManualClock();
  const host = new MemoryNetwork({ clock }).host('host');
  const config = { ...resolveServerConfig({ processEnvironment: {} }), autoBeacon: false };
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
    network: host,
    clock,
  });
  const here: World = { clock, host, server, context, pvs, ticking, heard: Number.NaN, isOver: false, runs: 0 };
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

/** The PVs that the recorded clients ask for, so that their conversations get somewhere; `clock` is for those that take time. */
function recordedPvs(clock: Clock): Readonly<Record<string, SharedPV>> {
  const onProcess = (): void => undefined;
  const mailbox = (type: Parameters<typeof ntScalar>[0]): SharedPV => SharedPV.mailbox(ntScalar(type), { onProcess });
  const bounded = (): SharedPV => SharedPV.mailbox(structure('', { value: boundedString(8) }));
  const array = (type: Parameters<typeof ntScalarArray>[0]): SharedPV =>
    SharedPV.mailbox(ntScalarArray(type), { initial: { value: type === string ? ['a', 'b', 'c'] : [1, 2, 3, 4, 5] } });
  const service = (): SharedPV => SharedPV.mailbox(ntScalar(double), { onCall: ({ argument }) => argument });
  const refusing = (): never => {
    throw new Error('not now');
  };
  return {
    'vec:double': mailbox(double),
    'vec:tick': mailbox(int),
    'vec:long': mailbox(long),
    'vec:string': mailbox(string),
    'vec:limited': bounded(),
    'vec:enum': SharedPV.mailbox(ntEnum, { initial: { value: enumValue(['Off', 'On'], 1) } }),
    'vec:array': array(double),
    'vec:get-array': array(double),
    'vec:ro': new SharedPV(ntScalar(double), { initial: 1 }),
    'vec:sum': service(),
    testCounter: mailbox(int),
    testSum: service(),
    testBoundedString: bounded(),
    testArray2600: array(double),
    'ops:scalar': mailbox(double),
    'ops:plain': mailbox(double),
    'ops:readonly': new SharedPV(ntScalar(double), { initial: 1 }),
    'ops:wave': array(double),
    'ops:longs': array(long),
    'ops:names': array(string),
    'ops:refuses': new SharedPV(ntScalar(double), {
      initial: 1,
      onPut: refusing,
      onCall: refusing,
      onProcess: refusing,
    }),
    'ops:slow': new SharedPV(ntScalar(double), {
      initial: 1,
      // Half a second, in which the client says other things, or leaves.
      onPut: async (put, pv) => {
        await new Promise<void>((resolve) => clock.after(SLOW_MS, resolve));
        pv.post(put);
      },
    }),
    'cpp:scalar': mailbox(double),
    'cpp:wave': array(double),
    'x:echo': service(),
    [HIDDEN]: mailbox(double),
  };
}
