// What does `pvkit serve` say on stdout? One line when it is there, for people who wait and for programs.

import type { Endpoint, Server } from '../index.ts';
import type { CliHost } from './host.ts';
import type { JsonOptions } from './options.ts';

export class ServeEvents {
  readonly #isJson: boolean;
  readonly #host: CliHost;

  constructor({ json }: JsonOptions, host: CliHost) {
    this.#isJson = json === true;
    this.#host = host;
  }

  listening(server: Server): void {
    const { tcpPort, msgpackPort, udpPort } = server;
    const guid = `0x${server.guid}`;
    const tcp = server.tcpEndpoints.map(endpointText);
    const msgpack = server.msgpackEndpoints.map(endpointText);
    if (this.#isJson) {
      const also = msgpackPort === undefined ? {} : { msgpackPort, msgpack };
      return this.#write({ event: 'listening', tcpPort, udpPort, guid, tcp, ...also });
    }
    const also = msgpack.length === 0 ? '' : ` msgpack ${msgpack.join(',')}`;
    this.#host.stdout.write(`listening tcp ${tcp.join(',')} udp ${udpPort} guid ${guid}${also}\n`);
  }

  stopping({ linkCount }: Server): void {
    if (this.#isJson) this.#write({ event: 'stopping', linkCount });
  }

  #write(event: Readonly<Record<string, unknown>>): void {
    this.#host.stdout.write(`${JSON.stringify(event)}\n`);
  }
}

export function endpointText({ address, port }: Endpoint): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
