// Which server is loaded? The one that was named, or the one that has the first PV.

import type { CliHost } from './host.ts';
import type { Endpoint } from '../index.ts';
import { UsageError } from './fault.ts';
import {
  timeoutMsOf,
  type CodecOptions,
  type DebugOptions,
  type ServerOptions,
  type TimeoutOptions,
} from './options.ts';
import { clientConfig, withClient } from './session.ts';

/** The server's TCP address. @throws TimeoutError when no server has the PV */
export function endpointOf(
  pvName: string,
  options: DebugOptions & CodecOptions & ServerOptions & TimeoutOptions,
  host: CliHost,
): Promise<Endpoint> {
  return withClient(host, options, async (context) => {
    if (options.server !== undefined) return addressOf(options.server, context.config.tcpPort, host);
    const { server } = await context.info(pvName, { timeoutMs: timeoutMsOf(options), signal: host.interrupt });
    return addressOf(server, context.config.tcpPort, host);
  });
}

/** The server's UDP address, at the port that searches go to; this host's without `--server`. */
export async function searchEndpointOf(
  options: DebugOptions & ServerOptions & { readonly udpPort?: number },
  host: CliHost,
): Promise<Endpoint> {
  const { server = '127.0.0.1', udpPort: port = clientConfig(host, options).udpPort } = options;
  const { address } = await addressOf(server, port, host);
  return { address, port };
}

async function addressOf(text: string, defaultPort: number, host: CliHost): Promise<Endpoint> {
  const [, name = text, port] = /^(.*?)(?::(\d+))?$/u.exec(bracketed(text)) ?? [];
  const [address] = await host.network.resolve(name.replaceAll(/[[\]]/gu, ''));
  if (address === undefined) throw new UsageError(`host ${name} has no address`);
  return { address, port: port === undefined ? defaultPort : Number(port) };
}

/** An IPv6 address without a port may come without brackets. */
function bracketed(text: string): string {
  return !text.startsWith('[') && text.split(':').length > 2 ? `[${text}]` : text;
}
