// How are real sockets shaken? Every TCP connection goes through a proxy that cuts it into pieces, delays them and breaks
// it on demand; every datagram may be lost, doubled or late.

import { connect, createServer, type Server, type Socket } from 'node:net';
import { nodeNetwork, type Endpoint, type Network } from '../../../src/index.ts';
import type { SeededRandom } from '../../../src/transport/seeded-random.ts';

const LOOPBACK = '127.0.0.1';
/** Chances of a datagram. */
const LOSS = 0.2;
const DUPLICATION = 0.1;
const LATENESS = 0.2;
const LATE_MS = 30;

export class ShakyNetwork {
  readonly network: Network;
  readonly #random: SeededRandom;
  readonly #proxies = new Map<number, Promise<Proxy>>();
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(random: SeededRandom) {
    this.#random = random;
    this.network = {
      ...nodeNetwork,
      connectTcp: async (to, options) => {
        const proxy = await this.#proxyFor(to);
        return nodeNetwork.connectTcp({ address: LOOPBACK, port: proxy.port }, options);
      },
      bindUdp: async (options, handlers) => {
        const socket = await nodeNetwork.bindUdp(options, handlers);
        return {
          local: socket.local,
          get errorCount() {
            return socket.errorCount;
          },
          joinGroup: (group, via) => socket.joinGroup(group, via),
          setMulticast: (via, ttl, loopback) => socket.setMulticast(via, ttl, loopback),
          send: (bytes, to) => this.#shake(() => socket.send(bytes, to)),
          close: () => socket.close(),
        };
      },
    };
  }

  /** Breaks every connection there is. */
  async cut(): Promise<void> {
    for (const proxy of this.#proxies.values()) (await proxy).cut();
  }

  /** Nothing passes any more, and nobody is told: half-open connections. Until `false`. */
  async hold(isHeld: boolean): Promise<void> {
    for (const proxy of this.#proxies.values()) (await proxy).hold(isHeld);
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    for (const proxy of this.#proxies.values()) await (await proxy).close();
  }

  #shake(send: () => void): void {
    if (this.#random.chance(LOSS)) return;
    if (this.#random.chance(DUPLICATION)) send();
    if (!this.#random.chance(LATENESS)) return send();
    const timer = setTimeout(
      () => {
        this.#timers.delete(timer);
        send();
      },
      this.#random.between(0, LATE_MS),
    );
    this.#timers.add(timer);
  }

  #proxyFor(to: Endpoint): Promise<Proxy> {
    const known = this.#proxies.get(to.port) ?? Proxy.open(to, this.#random);
    this.#proxies.set(to.port, known);
    return known;
  }
}

class Proxy {
  port = 0;
  readonly #to: Endpoint;
  readonly #random: SeededRandom;
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  #isHeld = false;

  private constructor(to: Endpoint, random: SeededRandom) {
    this.#to = to;
    this.#random = random;
    this.#server = createServer({ noDelay: true }, (socket) => this.#accept(socket));
  }

  static open(to: Endpoint, random: SeededRandom): Promise<Proxy> {
    const proxy = new Proxy(to, random);
    return new Promise((resolve) => {
      proxy.#server.listen(0, LOOPBACK, () => {
        const bound = proxy.#server.address();
        proxy.port = bound !== null && typeof bound === 'object' ? bound.port : 0;
        resolve(proxy);
      });
    });
  }

  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  hold(isHeld: boolean): void {
    this.#isHeld = isHeld;
    for (const socket of this.#sockets) {
      if (isHeld) socket.pause();
      else socket.resume();
    }
  }

  close(): Promise<void> {
    this.cut();
    return new Promise((resolve) => void this.#server.close(() => resolve()));
  }

  #accept(near: Socket): void {
    const far = connect({ host: this.#to.address, port: this.#to.port, noDelay: true });
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(from);
      if (this.#isHeld) from.pause();
      from.on('data', (chunk) => this.#pass(from, to, chunk));
      from.on('end', () => to.end());
      from.on('error', () => to.destroy());
      from.on('close', () => {
        this.#sockets.delete(from);
        to.destroy();
      });
    }
  }

  /** In pieces, with a pause between them now and then; what follows waits. */
  #pass(from: Socket, to: Socket, chunk: Uint8Array): void {
    from.pause();
    const size = Math.min(chunk.length, this.#random.size(1, 5_000));
    to.write(chunk.subarray(0, size));
    const rest = chunk.subarray(size);
    const next = (): void => {
      if (rest.length > 0) this.#pass(from, to, rest);
      else if (!this.#isHeld) from.resume();
    };
    if (this.#random.chance(0.1)) setTimeout(next, this.#random.between(0, 5));
    else setImmediate(next);
  }
}
