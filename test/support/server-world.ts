// How do tests run a server without sockets and without waiting? A memory network, a clock moved by hand, one server.

import { Server, type ServerOptions } from '../../src/server/server.ts';
import type { ServerNotice } from '../../src/server/notices.ts';
import { resolveServerConfig, type ServerConfig } from '../../src/config/effective.ts';
import { ManualClock } from '../../src/transport/manual-clock.ts';
import { MemoryNetwork, type MemoryHost, type MemoryNetworkOptions } from '../../src/transport/memory-network.ts';
import { WireClient } from './wire-client.ts';

export interface World {
  readonly clock: ManualClock;
  readonly network: MemoryNetwork;
  readonly host: MemoryHost;
  readonly server: Server;
  readonly notices: ServerNotice[];
  readonly settle: () => Promise<void>;
  connect(options?: { readonly bigEndian?: boolean; readonly from?: MemoryHost }): Promise<WireClient>;
  /** A client that is anonymous and has said so. */
  validated(options?: { readonly bigEndian?: boolean }): Promise<WireClient>;
}

/** The configuration without anything from the machine's environment. */
export function configWith(settings: Partial<ServerConfig> = {}): ServerConfig {
  return { ...resolveServerConfig({ processEnvironment: {} }), ...settings };
}

export const LOOPBACK = { host: '127.0.0.1', family: 'ipv4', port: undefined, ttl: undefined, via: undefined } as const;

export async function makeWorld(
  { config, ...options }: Omit<ServerOptions, 'config'> & { readonly config?: Partial<ServerConfig> } = {},
  wire: Omit<MemoryNetworkOptions, 'clock'> = {},
): Promise<World> {
  const clock = new ManualClock();
  const network = new MemoryNetwork({ clock, ...wire });
  const host = network.host('server');
  const notices: ServerNotice[] = [];
  const server = new Server({
    clock,
    network: host,
    onNotice: (notice) => notices.push(notice),
    ...options,
    config: configWith(config),
  });
  await clock.until(server.listen());
  const settle = (): Promise<void> => clock.advanceAsync(1);
  const connect: World['connect'] = async ({ bigEndian = false, from = host } = {}) => {
    const address = from === host ? '127.0.0.1' : '10.0.0.1';
    const client = await clock.until(WireClient.connect(from, server.tcpPort, { bigEndian, settle, address }));
    await settle();
    return client;
  };
  const validated: World['validated'] = async (clientOptions) => {
    const client = await connect(clientOptions);
    await client.validate();
    client.heard.length = 0;
    return client;
  };
  return { clock, network, host, server, notices, settle, connect, validated };
}
