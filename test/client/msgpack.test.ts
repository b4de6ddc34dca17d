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

  test('is told so at once, and each time that it asks, instead of when its patience ends', async () => {
    const { clock, context } = await makeWorld();
    for (const count of [1, 2]) {
      const startedAt = clock.now();
      await expect(clock.until(context.get('x', { server: 'server:5075', timeoutMs: 60_000 }))).rejects.toThrow(
        /^x: connection closed to \S+:5075: it speaks pvAccess, not MessagePack \(CONNECTION_VALIDATION at /u,
      );
      // A server that was lost is left alone for two seconds.
      expect(clock.now() - startedAt).toBeLessThan(count * 2_100);
    }
  });

  test('watches nothing there either, and says so', async () => {
    const { clock, context } = await makeWorld();
    const monitor = context.monitor('x', { server: 'server:5075' });
    await expect(clock.until(monitor[Symbol.asyncIterator]().next())).rejects.toThrow('it speaks pvAccess, not');
  });

  test('hears at the end of its patience that nobody else was asked', async () => {
    const { clock, context } = await makeWorld({ hasPort: false });
    await expect(clock.until(context.get('x', { timeoutMs: 1_000 }))).rejects.toThrow(
      /^x: timed out after 1 s: searched \d times, no server answered; only servers that speak MessagePack were asked$/u,
    );
  });

  test('goes on to ask a server that speaks neither, which may be a port that another program had for a while', async () => {
    const { clock, context, network } = await makeWorld();
    const hello = Buffer.from('ca 02 c0 01 00 00 00 02 c1 c1'.replaceAll(' ', ''), 'hex');
    let count = 0;
    await network.host('odd').listenTcp({ address: '0.0.0.0', port: 5075 }, (tcp) => {
      count++;
      tcp.listen({ data: () => {}, drain: () => {}, close: () => {} });
      tcp.write(hello);
    });
    await expect(clock.until(context.get('x', { server: 'odd:5075', timeoutMs: 5_000 }))).rejects.toThrow(
      /^x: timed out after 5 s: .*; before that .*: its first message is neither MessagePack nor pvAccess \(/u,
    );
    expect(count).toBeGreaterThan(1);
  });
});

describe('a client of pvAccess', () => {
  test('says what is wrong with a port that speaks MessagePack', async () => {
    const { clock, context } = await makeWorld({}, {});
    await expect(clock.until(context.get('x', { server: `server:${MSGPACK_PORT}`, timeoutMs: 1_000 }))).rejects.toThrow(
      /CONNECTION_VALIDATION at offset \d+ of \d+/u,
    );
  });

  test('is told so at once', async () => {
    const { clock, context } = await makeWorld({}, {});
    const startedAt = clock.now();
    await expect(
      clock.until(context.get('x', { server: `server:${MSGPACK_PORT}`, timeoutMs: 60_000 })),
    ).rejects.toThrow(/^x: connection closed to \S+:5080: it speaks MessagePack, not pvAccess \(/u);
    expect(clock.now() - startedAt).toBeLessThan(1_000);
  });
});
