// Which channels does a context have? One for each PV name and server that the caller named.

import { CLIENT_LIMITS } from '../protocol/limits.ts';
import type { Endpoint } from '../transport/network.ts';
import { endpointText } from '../transport/network-error.ts';
import { Channel, type ChannelSurroundings } from './channel.ts';

export class Channels {
  readonly #around: Omit<ChannelSurroundings, 'idle' | 'unused'>;
  readonly #byKey = new Map<string, Channel>();
  readonly #byCid = new Map<number, Channel>();
  /** Those that nobody uses, the one unused longest first. */
  readonly #idle = new Set<Channel>();
  #nextCid = 1;

  constructor(around: Omit<ChannelSurroundings, 'idle' | 'unused'>) {
    this.#around = around;
  }

  get size(): number {
    return this.#byKey.size;
  }

  byCid(cid: number): Channel | undefined {
    return this.#byCid.get(cid);
  }

  /** The channel, in use by one more; its user releases it. */
  use(pvName: string, direct: Endpoint | undefined): Channel {
    const key = keyOf(pvName, direct);
    let channel = this.#byKey.get(key);
    if (channel === undefined) {
      channel = this.#make(pvName, direct);
      channel.use();
      channel.open();
    } else {
      this.#idle.delete(channel);
      channel.use();
    }
    return channel;
  }

  close(): void {
    for (const channel of this.#byKey.values()) this.#remove(channel);
  }

  #make(pvName: string, direct: Endpoint | undefined): Channel {
    while (this.#byCid.has(this.#nextCid)) this.#nextCid = (this.#nextCid + 1) >>> 0;
    const channel = new Channel(pvName, this.#nextCid, direct, {
      ...this.#around,
      idle: (idle) => this.#keep(idle),
      unused: (unused) => this.#remove(unused),
    });
    this.#nextCid = (this.#nextCid + 1) >>> 0;
    this.#byCid.set(channel.cid, channel);
    this.#byKey.set(keyOf(pvName, direct), channel);
    return channel;
  }

  #keep(channel: Channel): void {
    this.#idle.add(channel);
    if (this.#idle.size <= CLIENT_LIMITS.maxIdleChannels) return;
    const [longest] = this.#idle;
    if (longest !== undefined) this.#remove(longest);
  }

  #remove(channel: Channel): void {
    this.#idle.delete(channel);
    this.#byKey.delete(keyOf(channel.pvName, channel.direct));
    this.#byCid.delete(channel.cid);
    channel.close();
  }
}

function keyOf(pvName: string, direct: Endpoint | undefined): string {
  // No endpoint contains a space, so no two keys are alike.
  return direct === undefined ? ` ${pvName}` : `${endpointText(direct)} ${pvName}`;
}
