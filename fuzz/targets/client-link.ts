// Does a client survive any server? One that answers with arbitrary bytes costs it that server, and nothing else.

import { SharedPV } from '../../src/channels/shared-pv.ts';
import { Context } from '../../src/client/context.ts';
import { resolveClientConfig, resolveServerConfig } from '../../src/config/effective.ts';
import { PvaError } from '../../src/protocol/errors.ts';
import { ntScalar } from '../../src/protocol/normative/nt-scalar.ts';
import { double } from '../../src/protocol/types/type-desc.ts';
import { Server } from '../../src/server/server.ts';
import { ManualClock } from '../../src/transport/manual-clock.ts';
import { MemoryNetwork, type MemoryHost } from '../../src/transport/memory-network.ts';
import type { TcpListener } from '../../src/transport/network.ts';

import { withFittingSizes } from '../repair.ts';
import { requireThat, type Target } from '../target.ts';
import { conversations } from '../vectors.ts';

const ADDRESS = '127.0.0.1';
const EVIL_PORT = 6_000;
const TIMEOUT_MS = 1_000;
const NUMBER = 42;

export const clientLink: Target = {
  name: 'client-link',
  seeds: () => conversations('server'),
  repair: withFittingSizes,
  async run(input) {
    const clock = new ManualClock();
    const host = new MemoryNetwork({ clock }).host('host');
    const server = await honestServer(clock, host);
    const evil = await evilServer(host, input);
    const context = new Context({
      config: resolveClientConfig({ processEnvironment: { EPICS_PVA_NAME_SERVERS: `${ADDRESS}:${server.tcpPort}` } }),
      network: host,
      clock,
    });
    const at = `${ADDRESS}:${EVIL_PORT}`;
    const asked = [
      context.get('fuzz:a', { server: at, timeoutMs: TIMEOUT_MS }),
      context.info('fuzz:b', { server: at, timeoutMs: TIMEOUT_MS }),
      context.put('fuzz:c', 1, { server: at, timeoutMs: TIMEOUT_MS }),
    ];
    const answers = await clock.until(Promise.allSettled(asked));
    for (const answer of answers) {
      if (answer.status === 'rejected' && !(answer.reason instanceof PvaError)) throw answer.reason;
    }
    const { value } = (await clock.until(context.get('fuzz:honest', { timeoutMs: 5_000 }))) as {
      readonly value: unknown;
    };
    requireThat(value === NUMBER, 'other servers are not affected');
    await clock.until(context.close());
    await clock.until(server.close());
    await evil.close();
    requireThat(clock.timerCount === 0, 'no timer is left');
  },
};

async function honestServer(clock: ManualClock, host: MemoryHost): Promise<Server> {
  const config = { ...resolveServerConfig({ processEnvironment: {} }), autoBeacon: false };
  const server = new Server({ clock, network: host, config });
  server.add('fuzz:honest', new SharedPV(ntScalar(double), { initial: NUMBER }));
  await clock.until(server.listen());
  return server;
}

/** Says a part of the input at once and the rest piece by piece, as it is spoken to. */
function evilServer(host: MemoryHost, input: Uint8Array): Promise<TcpListener> {
  return host.listenTcp({ address: ADDRESS, port: EVIL_PORT }, (connection) => {
    let at = 0;
    const say = (count: number): void => {
      connection.write(Uint8Array.from(input.subarray(at, at + count)));
      at += count;
    };
    connection.listen({ data: () => say(64), drain: () => undefined, close: () => undefined });
    say(64);
  });
}
