// How do tests run a server with workers, and clients of theirs? As server-world.ts, with workers of memory-processes.ts.

import { expect } from 'vitest';
import { SharedPV, type SharedPVOptions } from '../../src/channels/shared-pv.ts';
import type { ServerNotice } from '../../src/server/notices.ts';
import { Server, type ServerOptions } from '../../src/server/server.ts';
import { ntScalar, ntScalarArray } from '../../src/protocol/normative/nt-scalar.ts';
import { double } from '../../src/protocol/types/type-desc.ts';
import { ManualClock } from '../../src/transport/manual-clock.ts';
import { MemoryNetwork, type MemoryNetworkOptions } from '../../src/transport/memory-network.ts';
import { MemoryProcesses } from './memory-processes.ts';
import { configWith } from './server-world.ts';
import { WireClient } from './wire-client.ts';

export const SCALAR = ntScalar(double);
export const WAVE = ntScalarArray(double);
const START = 0x44;

export function scalarPv(options: Partial<SharedPVOptions<typeof SCALAR>> = {}): SharedPV<typeof SCALAR> {
  return SharedPV.mailbox(SCALAR, { initial: { value: 1 }, ...options });
}

export type CrewWorldOptions = Omit<ServerOptions, 'config' | 'network' | 'clock' | 'processes'> & {
  readonly config?: Parameters<typeof configWith>[0];
  readonly pipe?: Omit<MemoryNetworkOptions, 'clock'>;
};

export function prepare({ config, pipe, ...options }: CrewWorldOptions) {
  const clock = new ManualClock();
  const network = new MemoryNetwork({ clock });
  const host = network.host('server');
  const processes = new MemoryProcesses(clock, host, pipe);
  const notices: ServerNotice[] = [];
  const server = new Server({
    clock,
    network: host,
    processes,
    onNotice: (notice) => notices.push(notice),
    ...options,
    config: configWith({ workers: 2, ...config }),
  });
  return { clock, host, processes, notices, server };
}

export async function makeCrew(options: CrewWorldOptions = {}) {
  const world = prepare(options);
  const { clock, host, processes, server } = world;
  await clock.until(server.listen());
  const settle = (): Promise<void> => clock.advanceAsync(1);
  const connect = async (): Promise<WireClient> => {
    const client = await clock.until(WireClient.connect(host, server.tcpPort, { settle }));
    await settle();
    await client.validate();
    client.heard.length = 0;
    return client;
  };
  const workersOf = () => [...processes.workers];
  const close = async (): Promise<void> => {
    await clock.until(server.close());
    expect(clock.timerCount).toBe(0);
  };
  return { ...world, settle, connect, workersOf, close };
}

export const valuesOf = (client: WireClient): unknown[] =>
  client.takeAll('MONITOR').flatMap((message) => (message.phase === 'update' ? [message.update.value] : []));

/** An operation past its INIT. */
export async function begin(client: WireClient, command: 'GET' | 'PUT', sid: number): Promise<number> {
  const ioid = await client.init(command, sid);
  client.take(command);
  return ioid;
}

export async function watch(client: WireClient, pvName: string): Promise<number> {
  const sid = await client.createChannel(pvName);
  await client.steer(sid, await client.initMonitor(sid), START);
  return sid;
}
