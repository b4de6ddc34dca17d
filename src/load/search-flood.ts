// Are searches still answered while a flood of others comes? The flood asks for names that nobody has; beside it the PVs
// that were named are searched for one at a time, and the time of each answer is measured.

import { ANY_IPV4, ANY_IPV6 } from '../protocol/address.ts';
import { encodeMessage } from '../protocol/messages/index.ts';
import { SEARCH_UNICAST } from '../protocol/messages/search.ts';
import { Writer } from '../protocol/writer.ts';
import type { TimerHandle } from '../transport/clocks.ts';
import type { UdpSocket } from '../transport/network.ts';
import { Searches } from './searches.ts';
import type { Workload, WorkloadSettings } from './workload.ts';

const DEFAULT_NAMES_PER_SECOND = 50_000;
/** As many searches a second as a control room that starts up, and few enough to be no flood. */
const SEARCHES_PER_SECOND = 100;
const PACE_MS = 1;
const MS_PER_SECOND = 1_000;
/** One turn sends this many at most: a timer that was late must not make a burst that the kernel drops. */
const MOST_AT_ONCE = 64;
const DATAGRAMS = 64;
/** The flood comes from another address of the loopback network, where there is one, as from another host. */
const FLOODER = '127.0.0.2';

export class SearchFlood implements Workload {
  readonly isBroken = false;
  readonly #settings: WorkloadSettings;
  readonly #searches: Searches;
  #datagrams: readonly Buffer[] = [];
  #socket: UdpSocket | undefined;
  #timer: TimerHandle | undefined;
  #startedAt = 0;
  #sentCount = 0;
  #answerCount = 0;
  #floodedMs = 0;

  constructor(settings: WorkloadSettings) {
    this.#settings = settings;
    this.#searches = new Searches({ ...settings, rate: SEARCHES_PER_SECOND, namesPerDatagram: 1 });
  }

  async open(): Promise<void> {
    await this.#searches.open();
    const socket = await this.#bound();
    this.#socket = socket;
    this.#datagrams = Array.from({ length: DATAGRAMS }, (_, index) => this.#datagram(index, socket.local.port));
  }

  start(): void {
    const { rate = DEFAULT_NAMES_PER_SECOND, namesPerDatagram, link } = this.#settings;
    this.#searches.start();
    this.#startedAt = link.clock.now();
    const perMs = rate / namesPerDatagram / MS_PER_SECOND;
    let due = 0;
    let at = this.#startedAt;
    this.#timer = link.clock.every(PACE_MS, () => {
      const now = link.clock.now();
      due = Math.min(MOST_AT_ONCE, due + (now - at) * perMs);
      at = now;
      for (; due >= 1; due--) {
        const datagram = this.#datagrams[this.#sentCount++ % this.#datagrams.length];
        if (datagram !== undefined) this.#socket?.send(datagram, link.server);
      }
    });
  }

  async stop(): Promise<void> {
    this.#timer?.cancel();
    this.#floodedMs = this.#settings.link.clock.now() - this.#startedAt;
    await this.#searches.stop();
    if (this.#answerCount === 0) return;
    const { tally } = this.#settings;
    tally.wrong += this.#answerCount;
    tally.tell(`${this.#answerCount} searches of the flood were answered, for names that nobody has`);
  }

  close(): void {
    this.#timer?.cancel();
    this.#searches.close();
    this.#socket?.close();
  }

  figures(): Readonly<Record<string, number>> {
    const names = this.#sentCount * this.#settings.namesPerDatagram;
    return {
      floodNames: names,
      floodNamesPerSecond: Math.round((names * MS_PER_SECOND) / Math.max(1, this.#floodedMs)),
      // Nobody has these names: answers are a fault of the server, or of whoever answers in its place.
      floodAnswers: this.#answerCount,
    };
  }

  // -------------------------------------------------------------------------------------------------------------

  async #bound(): Promise<UdpSocket> {
    const { network, server } = this.#settings.link;
    const handlers = { message: () => void this.#answerCount++, error: () => undefined };
    if (server.address.startsWith('127.')) {
      const socket = await network.bindUdp({ address: FLOODER, port: 0 }, handlers).catch(() => undefined);
      if (socket !== undefined) return socket;
    }
    const address = server.address.includes(':') ? ANY_IPV6 : ANY_IPV4;
    return network.bindUdp({ address, port: 0 }, handlers);
  }

  #datagram(index: number, responsePort: number): Buffer {
    const { namesPerDatagram } = this.#settings;
    const writer = new Writer(false);
    encodeMessage(
      writer,
      {
        command: 'SEARCH',
        sequenceId: index,
        flags: SEARCH_UNICAST,
        responseAddress: '::',
        responsePort,
        protocols: ['tcp'],
        names: Array.from({ length: namesPerDatagram }, (_, id) => ({
          instanceId: id,
          pvName: `flood:${index}:${id}:nobody-has-this-name`,
        })),
      },
      { fromServer: false },
    );
    return Buffer.from(writer.copy());
  }
}
