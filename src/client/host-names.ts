// How does a `host[:port]` that a person wrote become an endpoint to connect to?

import { parseAddress } from '../config/address-list.ts';
import { LocalProtocolError } from '../protocol/errors.ts';
import type { Endpoint, Network } from '../transport/network.ts';

/**
 * Reads `host[:port]`, `[v6]:port`, and looks a host name up.
 * @throws LocalProtocolError when the text is no address; rejects with code ENOTFOUND when there is no such host
 */
export async function resolveServer(
  text: string,
  defaultPort: number | undefined,
  network: Network,
): Promise<Endpoint> {
  const parsed = parseAddress(text);
  if (!parsed.ok) throw new LocalProtocolError(`server '${text}' ${parsed.wrong}; expected host[:port]`);
  const { host, family, port = defaultPort } = parsed.value;
  if (port === undefined) {
    throw new LocalProtocolError(`server '${text}' has no port, and MessagePack none by default; expected host:port`);
  }
  return { address: family === 'name' ? await firstAddress(host, network) : host, port };
}

/** The best address of a host; rejects with code ENOTFOUND. */
export function firstAddress(host: string, network: Network): Promise<string> {
  return bestAddress(host, network, undefined);
}

/** The same, or the one that it had before while it has that still: of several, another may come first each time. */
export async function bestAddress(host: string, network: Network, before: string | undefined): Promise<string> {
  const addresses = await network.resolve(host);
  const address = addresses.find((each) => each === before) ?? addresses[0];
  if (address === undefined) throw new LocalProtocolError(`host ${host} has no address`);
  return address;
}
