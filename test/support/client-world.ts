// A network of two hosts, a clock moved by hand and a context on one of them: what most tests of the client need.

import { resolveClientConfig, type ClientSettings } from '../../src/config/effective.ts';
import type { ContextOptions } from '../../src/client/context-options.ts';
import { Context } from '../../src/client/context.ts';
import type { ClientNotice } from '../../src/client/notices.ts';
import { ManualClock } from '../../src/transport/manual-clock.ts';
import { MemoryNetwork, type MemoryHost, type MemoryNetworkOptions } from '../../src/transport/memory-network.ts';

export interface ClientWorld {
  readonly clock: ManualClock;
  readonly network: MemoryNetwork;
  readonly clientHost: MemoryHost;
  readonly serverHost: MemoryHost;
  readonly context: Context;
  readonly notices: ClientNotice[];
}

export function clientConfig(environment: Record<string, string> = {}): ClientSettings {
  return resolveClientConfig({ processEnvironment: environment });
}

/** `network` options seed delays and splitting; the context searches by broadcast unless the environment says else. */
export function makeWorld(
  options: {
    readonly network?: Omit<MemoryNetworkOptions, 'clock'>;
    readonly environment?: Record<string, string>;
    readonly context?: ContextOptions;
  } = {},
): ClientWorld {
  const clock = new ManualClock();
  const network = new MemoryNetwork({ clock, ...options.network });
  const clientHost = network.host('client', '10.0.0.1/24');
  const serverHost = network.host('server', '10.0.0.2/24');
  const context = new Context({
    config: clientConfig(options.environment),
    network: clientHost,
    clock,
    random: () => 0,
    identity: { user: 'tester', host: 'client' },
    ...options.context,
  });
  const notices: ClientNotice[] = [];
  context.onNotice((notice) => notices.push(notice));
  return { clock, network, clientHost, serverHost, context, notices };
}
