// Does a client that asks for MessagePack find who speaks it, and say what is wrong where somebody does not?

import { afterEach, describe, expect, test } from 'vitest';
import { SharedPV } from '../../src/channels/shared-pv.ts';
import type { ContextOptions } from '../../src/client/context-options.ts';
import { Context } from '../../src/client/context.ts';
import { readDatagram } from '../../src/protocol/datagram.ts';
import { datagramContext, decodeClientMessage } from '../../src/protocol/messages/index.ts';
import { ntScalar } from '../../src/protocol/normative/nt-scalar.ts';
import { double } from '../../src/protocol/types/type-desc.ts';
import { Server } from '../../src/server/server.ts';
import { ManualClock } from '../../src/transport/manual-clock.ts';
import { MemoryNetwork } from '../../src/transport/memory-network.ts';
import { clientConfig } from '../support/client-world.ts';
import { configWith } from '../support/server-world.ts';

const MSGPACK_PORT = 5080;

const closers: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

async function makeWorld(
  {
    hasPort = true,
    environment = {},
  }: { readonly hasPort?: boolean; readonly environment?: Record<string, string> } = {},
  options: ContextOptions = { codec: 'msgpack' },
) {
  const clock = new ManualClock();
  const network = new MemoryNetwork({ clock });
  const clientHost = network.host('client');
  const pvs = { x: SharedPV.mailbox(ntScalar(double), { initial: { value: 1.5 } }) };
  const config = configWith({ msgpackPort: hasPort ? MSGPACK_PORT : undefined });
  const server = new Server({ clock, network: network.host('server'), pvs, config });
  await clock.until(server.listen());
  const context = new Context({ clock, network: clientHost, config: clientConfig(environment), ...options });
  closers.push(async () => {
    await context.close();
    await clock.until(server.close());
  });
  return { clock, network, context, server };
}

describe('a client of MessagePack', () => {
  test('searches for that protocol alone', async () => {
    const { clock, network, context } = await makeWorld();
    const searched: unknown[] = [];
    await network.host('ear').bindUdp(
      { address: '0.0.0.0', port: 5076, shared: true },
      {
        message: (bytes) => {
          for (const frame of readDatagram(bytes)) {
            const message = decodeClientMessage(frame, datagramContext());
            if (message?.command === 'SEARCH') searched.push(message.protocols);
          }
        },
        error: () => undefined,
      },
    );
    expect(await clock.until(context.get('x'))).toMatchObject({ value: 1.5 });
    expect(searched).toEqual([['msgpack']]);
    expect((await clock.until(context.info('x'))).server).toMatch(/:5080$/u);
  });

  test('does not find a server that speaks pvAccess alone', async () => {
    const { clock, context } = await makeWorld({ hasPort: false });
    await expect(clock.until(context.get('x', { timeoutMs: 1_000 }))).rejects.toThrow('no server answered');
  });

  test('finds one through a name server, which is asked in pvAccess', async () => {
    const environment = { EPICS_PVA_AUTO_ADDR_LIST: 'NO', EPICS_PVA_NAME_SERVERS: 'server' };
    const { clock, context } = await makeWorld({ environment });
    expect(await clock.until(context.get('x'))).toMatchObject({ value: 1.5 });
    expect((await clock.until(context.info('x'))).server).toMatch(/:5080$/u);
  });

  test('has to name the port of a server that it goes to without a search', async () => {
    const { clock, context } = await makeWorld();
    await expect(clock.until(context.get('x', { server: 'server' }))).rejects.toThrow(
      "server 'server' has no port, and MessagePack none by default; expected host:port",
    );
    expect(await clock.until(context.get('x', { server: `server:${MSGPACK_PORT}` }))).toMatchObject({ value: 1.5 });
  });

  test('says what is wrong with a port that speaks pvAccess', async () => {
    const { clock, context } = await makeWorld();
    await expect(clock.until(context.get('x', { server: 'server:5075', timeoutMs: 1_000 }))).rejects.toThrow(
      /CONNECTION_VALIDATION at offset 1 of \d+: an integer \(0x00\) at offset 0, an array expected/u,
    );
  });
});

describe('a client of pvAccess', () => {
  test('says what is wrong with a port that speaks MessagePack', async () => {
    const { clock, context } = await makeWorld({}, {});
    await expect(clock.until(context.get('x', { server: `server:${MSGPACK_PORT}`, timeoutMs: 1_000 }))).rejects.toThrow(
      /CONNECTION_VALIDATION at offset \d+ of \d+/u,
    );
  });
});
