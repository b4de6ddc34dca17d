// The chaos over real sockets of this host's loopback: servers restart and move, connections are cut to pieces, broken and
// held up, datagrams lost. The seed decides what is done; when, the system does.
//
//   PVKIT_CHAOS_SOCKET_SEEDS=20 npx vitest run test/system/chaos-sockets.test.ts      more of them

import { describe, expect, it } from 'vitest';
import { Context, resolveClientConfig, resolveServerConfig, Server, SharedPV } from '../../src/index.ts';
import { ntScalar } from '../../src/protocol/normative/nt-scalar.ts';
import { int } from '../../src/protocol/types/type-desc.ts';
import { SeededRandom } from '../../src/transport/seeded-random.ts';
import { ShakyNetwork } from '../support/chaos/shaky-network.ts';
import { Watcher } from '../support/chaos/watcher.ts';

const COUNT = Number(process.env['PVKIT_CHAOS_SOCKET_SEEDS'] ?? 1);
const SEEDS = Array.from({ length: COUNT }, (_, index) => index + 1);
const LOOPBACK = '127.0.0.1';
const TYPE = ntScalar(int);
const PV_NAMES = ['pv:0', 'pv:1', 'pv:2'];
const STEPS = 12;
const STEP_MS = 300;
/** What the event loop of a busy machine may add to a deadline. */
const GRACE_MS = 1_000;
const LEFT: ReadonlySet<string> = new Set(['TCPSocketWrap', 'TCPServerWrap', 'UDPWrap', 'UDPSendWrap', 'Timeout']);

function resources(): readonly string[] {
  return process.getActiveResourcesInfo().filter((name) => LEFT.has(name));
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms));
}

describe('chaos over real sockets', () => {
  it.each(SEEDS)(
    'of seed %i ends with the last value everywhere, every call in time, and nothing left',
    async (seed) => {
      const before = resources();
      const random = new SeededRandom(seed);
      const shaky = new ShakyNetwork(random);
      const problems: string[] = [];
      const pvs = Object.fromEntries(PV_NAMES.map((name) => [name, SharedPV.mailbox(TYPE, { initial: { value: 0 } })]));
      const serve = async (udpPort: number): Promise<Server> => {
        const flags = { interfaces: [LOOPBACK], tcpPort: '0', udpPort: String(udpPort) };
        const server = new Server({ pvs, config: resolveServerConfig({ processEnvironment: {}, flags }) });
        await server.listen();
        return server;
      };
      let server = await serve(0);
      const { udpPort } = server;
      const environment = {
        EPICS_PVA_ADDR_LIST: LOOPBACK,
        EPICS_PVA_AUTO_ADDR_LIST: 'NO',
        EPICS_PVA_INTF_ADDR_LIST: LOOPBACK,
        EPICS_PVA_BROADCAST_PORT: String(udpPort),
        EPICS_PVA_CONN_TMO: '2',
      };
      const config = resolveClientConfig({ processEnvironment: environment });
      const contexts = [1, 2].map(() => new Context({ network: shaky.network, config, random: () => random.next() }));
      const watchers = contexts.flatMap((context, index) =>
        PV_NAMES.map((name) => new Watcher(context, name, { pipeline: index === 0 }, problems)),
      );
      const calls: Promise<void>[] = [];
      const call = (context: Context): void => {
        const startedAt = performance.now();
        const timeoutMs = random.between(50, 1_500);
        const end = (): void => {
          const lateMs = performance.now() - startedAt - timeoutMs;
          if (lateMs > GRACE_MS) problems.push(`a call ended ${lateMs} ms after its deadline`);
        };
        calls.push(context.get(PV_NAMES[0] ?? '', { timeoutMs }).then(end, end));
      };

      let posted = 0;
      const post = (): void => {
        for (const pv of Object.values(pvs)) pv.post({ value: ++posted });
      };
      const restart = async (): Promise<void> => {
        await server.close();
        server = await serve(udpPort);
      };
      const events = [
        restart,
        async () => shaky.cut(),
        async () => {
          await shaky.hold(true);
          await sleep(random.between(0, 1_000));
          await shaky.hold(false);
        },
      ];
      for (let step = 0; step < STEPS; step++) {
        post();
        for (const context of contexts) call(context);
        if (random.chance(0.5)) await events[Math.floor(random.next() * events.length)]?.();
        await sleep(random.between(0, STEP_MS));
      }
      await restart();
      post();
      const expected = Object.fromEntries(PV_NAMES.map((name) => [name, pvs[name]?.value.value]));
      for (const watcher of watchers) {
        await expect.poll(() => watcher.last, { timeout: 30_000 }).toBe(expected[watcher.pvName]);
      }
      await Promise.all(calls);
      for (const watcher of watchers) watcher.forget();
      for (const context of contexts) await context.close();
      await server.close();
      await shaky.close();
      expect(problems).toEqual([]);
      await expect.poll(resources, { timeout: 12_000 }).toEqual(before);
    },
    60_000,
  );
});
