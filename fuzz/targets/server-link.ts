// Does a server survive any conversation, and serve its other clients right beside it?
//
// A client says arbitrary bytes, in two chunks; another client, which keeps to the rules, then puts a number and gets it back.

import { SharedPV } from '../../src/channels/shared-pv.ts';
import { Context } from '../../src/client/context.ts';
import { resolveClientConfig, resolveServerConfig } from '../../src/config/effective.ts';
import { ntEnum, enumValue } from '../../src/protocol/normative/nt-enum.ts';
import { ntScalar, ntScalarArray } from '../../src/protocol/normative/nt-scalar.ts';
import { double, string } from '../../src/protocol/types/type-desc.ts';
import { Server } from '../../src/server/server.ts';
import { ManualClock } from '../../src/transport/manual-clock.ts';
import { MemoryNetwork, type MemoryHost } from '../../src/transport/memory-network.ts';

import { withFittingSizes } from '../repair.ts';
import { requireThat, type Target } from '../target.ts';
import { conversations } from '../vectors.ts';

const ADDRESS = '127.0.0.1';
/** After so many inputs everything is made anew, so that no finding needs thousands of inputs to be had again. */
const MOST_RUNS = 200;
/** The PVs that the recorded clients ask for, so that their conversations get somewhere. */
const RECORDED_NAMES = ['vec:double', 'vec:string', 'vec:enum', 'vec:array', 'vec:get-array'];

interface World {
  readonly clock: ManualClock;
  readonly host: MemoryHost;
  readonly server: Server;
  readonly context: Context;
  runs: number;
}

let world: World | undefined;
let number = 0;

export const serverLink: Target = {
  name: 'server-link',
  seeds: () => conversations('client'),
  repair: withFittingSizes,
  async run(input) {
    world ??= await makeWorld();
    const { clock, host, server, context } = world;
    const connection = await clock.until(host.connectTcp({ address: ADDRESS, port: server.tcpPort }));
    connection.listen({ data: () => undefined, drain: () => undefined, close: () => undefined });
    const half = (input[input.length - 1] ?? 0) % (input.length + 1);
    connection.write(Uint8Array.from(input.subarray(0, half)));
    await clock.settle();
    connection.write(Uint8Array.from(input.subarray(half)));
    await clock.settle();
    await clock.until(context.put('fuzz:beside', ++number, { timeoutMs: 2_000 }));
    const { value } = (await clock.until(context.get('fuzz:beside', { timeoutMs: 2_000 }))) as {
      readonly value: unknown;
    };
    requireThat(value === number, 'the others are served as if nothing was');
    connection.destroy();
    await clock.settle();
    requireThat(server.linkCount === 1, 'a link that is gone is forgotten');
    if (++world.runs < MOST_RUNS) return;
    await clock.until(world.context.close());
    await clock.until(world.server.close());
    world = undefined;
  },
};

async function makeWorld(): Promise<World> {
  const clock = new ManualClock();
  const host = new MemoryNetwork({ clock }).host('host');
  const config = { ...resolveServerConfig({ processEnvironment: {} }), autoBeacon: false };
  const server = new Server({ clock, network: host, config });
  server.add('fuzz:beside', SharedPV.mailbox(ntScalar(double)));
  for (const name of RECORDED_NAMES) server.add(name, SharedPV.mailbox(ntScalar(string)));
  server.add('fuzz:array', SharedPV.mailbox(ntScalarArray(double)));
  server.add('fuzz:enum', SharedPV.mailbox(ntEnum, { initial: { value: enumValue(['Off', 'On'], 1) } }));
  await clock.until(server.listen());
  const context = new Context({
    config: resolveClientConfig({ processEnvironment: { EPICS_PVA_NAME_SERVERS: `${ADDRESS}:${server.tcpPort}` } }),
    network: host,
    clock,
  });
  return { clock, host, server, context, runs: 0 };
}
