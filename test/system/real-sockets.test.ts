// The same over real sockets of this host's loopback: nothing of the in-memory network is a special case.

import { describe, expect, it } from 'vitest';
import { Context, resolveClientConfig, resolveServerConfig, Server, SharedPV } from '../../src/index.ts';
import { ntScalar, ntScalarArray } from '../../src/protocol/normative/nt-scalar.ts';
import { double } from '../../src/protocol/types/type-desc.ts';

const LOOPBACK = '127.0.0.1';
const SOCKETS: ReadonlySet<string> = new Set(['TCPSocketWrap', 'TCPServerWrap', 'UDPWrap', 'Timeout']);

/** Sockets and timers of this process. */
function resources(): readonly string[] {
  return process.getActiveResourcesInfo().filter((name) => SOCKETS.has(name));
}

async function start() {
  const pvs = {
    x: SharedPV.mailbox(ntScalar(double), { initial: { value: 1.5 } }),
    wave: SharedPV.mailbox(ntScalarArray(double), {
      initial: { value: Float64Array.from({ length: 5_000 }, (_, index) => index) },
    }),
  };
  const server = new Server({
    pvs,
    config: resolveServerConfig({
      processEnvironment: {},
      flags: { interfaces: [LOOPBACK], tcpPort: '0', udpPort: '0' },
    }),
  });
  await server.listen();
  const config = (environment: Record<string, string>) =>
    resolveClientConfig({
      processEnvironment: {
        EPICS_PVA_AUTO_ADDR_LIST: 'NO',
        EPICS_PVA_INTF_ADDR_LIST: LOOPBACK,
        EPICS_PVA_BROADCAST_PORT: String(server.udpPort),
        ...environment,
      },
    });
  const udp = config({ EPICS_PVA_ADDR_LIST: LOOPBACK });
  const tcp = config({ EPICS_PVA_NAME_SERVERS: `${LOOPBACK}:${server.tcpPort}` });
  return { pvs, server, udp, tcp };
}

describe('over real sockets', () => {
  it.each(['udp', 'tcp'] as const)(
    'a client that searches by %s reads, writes, watches, and leaves nothing behind',
    async (by) => {
      const before = resources();
      const { pvs, server, ...configs } = await start();
      const context = new Context({ config: configs[by] });
      const seen: unknown[] = [];
      const watching = (async () => {
        for await (const { value } of context.monitor('x', { queueSize: 10, type: ntScalar(double) })) {
          seen.push(value.value);
          if (value.value === 43) break;
        }
      })();
      const { value: wave } = await context.get('wave', { type: ntScalarArray(double) });
      expect(wave).toEqual(pvs.wave.value.value);
      await context.put('x', 42);
      await context.put('x', ({ value }) => ({ value: Number(value) + 1 }));
      await watching;
      expect(seen.at(-1)).toBe(43);
      const { type } = await context.info('x');
      expect(type).toBe(ntScalar(double));
      await context.close();
      await server.close();
      await expect.poll(resources).toEqual(before);
    },
  );

  it('a probe, a discovery and echoes find the server', async () => {
    const before = resources();
    const { server, udp } = await start();
    const context = new Context({ config: udp });
    const { guid, server: address } = await context.probe(LOOPBACK);
    expect([guid, address]).toEqual([server.guid, `${LOOPBACK}:${server.tcpPort}`]);
    for await (const found of context.discover()) {
      expect(found).toMatchObject({ kind: 'online', guid, server: address });
      break;
    }
    const replies: boolean[] = [];
    for await (const { isIntact } of context.echo(address, { count: 20, intervalMs: 0, sizeBytes: 10_000 })) {
      replies.push(isIntact);
    }
    expect(replies).toEqual(Array.from({ length: 20 }, () => true));
    await context.close();
    await server.close();
    await expect.poll(resources).toEqual(before);
  });

  it('a hundred clients at once each get what is theirs', async () => {
    const { server, udp } = await start();
    for (let index = 0; index < 100; index++) server.add(`own:${index}`, SharedPV.mailbox(ntScalar(double)));
    const contexts = Array.from({ length: 100 }, () => new Context({ config: udp }));
    const values = await Promise.all(
      contexts.map(async (context, index) => {
        await context.put(`own:${index}`, index, { timeoutMs: 20_000 });
        const own = await context.get(`own:${index}`, { type: ntScalar(double), timeoutMs: 20_000 });
        const shared = await context.get('x', { type: ntScalar(double), timeoutMs: 20_000 });
        return [own.value, shared.value];
      }),
    );
    expect(values).toEqual(contexts.map((_, index) => [index, 1.5]));
    await Promise.all(contexts.map(async (context) => context.close()));
    await server.close();
  });
});
