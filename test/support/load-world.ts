// How do tests run a load? Against our own server over a wire that cuts and delays, or against one that lies, in memory.

import { expect } from 'vitest';

import { SharedPV } from '../../src/channels/shared-pv.ts';
import type { ServerConfig } from '../../src/config/effective.ts';
import type { LoadResult, LoadScenario, RunLoadOptions } from '../../src/load/load.ts';
import { measureLoad } from '../../src/load/measure-load.ts';
import { msgpack } from '../../src/protocol/codecs/msgpack.ts';
import { pva } from '../../src/protocol/codecs/pva.ts';
import { ntScalar } from '../../src/protocol/normative/nt-scalar.ts';
import type { ScalarType, StructureType } from '../../src/protocol/types/type-desc.ts';
import { ManualClock } from '../../src/transport/manual-clock.ts';
import { MemoryNetwork } from '../../src/transport/memory-network.ts';
import { FakeServer, type FakeHandler } from './fake-server.ts';
import { makeWorld, type World } from './server-world.ts';

export type LoadOptions = Omit<RunLoadOptions, 'server' | 'clock' | 'network'>;

/** A load of our own server, over a wire that cuts and delays. */
export async function loadPvkit(
  pvs: Readonly<Record<string, SharedPV>>,
  scenario: LoadScenario,
  options: LoadOptions,
  during?: (tick: number, world: World) => void,
  config: Partial<ServerConfig> = {},
): Promise<LoadResult> {
  const isPacked = options.codec === 'msgpack';
  const world = await makeWorld(
    { config: { ...config, ...(isPacked && { msgpackPort: 0 }) } },
    { delayMs: [0.5, 1], chunkBytes: [1, 200] },
  );
  for (const [name, pv] of Object.entries(pvs)) world.server.add(name, pv);
  const { udpPort, tcpPort, msgpackPort = tcpPort } = world.server;
  const port = scenario.startsWith('search') ? udpPort : isPacked ? msgpackPort : tcpPort;
  let tick = 0;
  const timer = during === undefined ? undefined : world.clock.every(5, () => during(++tick, world));
  const result = await world.clock.until(
    measureLoad(scenario, {
      seconds: 0.2,
      warmupSeconds: 0.05,
      ...options,
      server: { address: '127.0.0.1', port },
      clock: world.clock,
      network: world.host,
    }),
  );
  timer?.cancel();
  // Whatever the load was, it leaves nothing behind.
  await world.clock.advanceAsync(50);
  expect(world.server.linkCount).toBe(0);
  await world.clock.until(world.server.close());
  return result;
}

export const FAULTLESS = { wrong: 0, lost: 0, errors: 0, problems: [] };

export function mailbox(type: ScalarType, value: unknown): SharedPV {
  const structureType: StructureType = ntScalar(type);
  return SharedPV.mailbox(structureType, { initial: { value } });
}

export async function loadFake(
  handle: FakeHandler,
  scenario: LoadScenario,
  options: Partial<LoadOptions> = {},
): Promise<LoadResult> {
  const clock = new ManualClock();
  const network = new MemoryNetwork({ clock, delayMs: [0.5, 1] });
  const host = network.host('server');
  const server = await clock.until(FakeServer.start(host, { codec: options.codec === 'msgpack' ? msgpack : pva }));
  server.pvNames.add('x');
  server.on(handle);
  return clock.until(
    measureLoad(scenario, {
      names: ['x'],
      seconds: 0.1,
      warmupSeconds: 0,
      timeoutMs: 1_000,
      ...options,
      server: { address: '127.0.0.1', port: server.tcpPort },
      clock,
      network: host,
    }),
  );
}
