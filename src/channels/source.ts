// Where do a server's channels come from? A source knows names and opens channels; a table is the simplest one.

import { LocalProtocolError } from '../protocol/errors.ts';
import type { Channel } from './channel.ts';
import type { Peer } from './peer.ts';

/** A provider of PVs. Methods must be quick: `has` is asked for every name that anybody on the network searches. */
export interface Source {
  /** Whether searches for this name are to be answered. */
  has(pvName: string): boolean;
  /**
   * The channel behind a name for this client; undefined where there is none for it. A refusal with a reason throws or
   * rejects. A source that has to ask somebody gives a promise: the client waits, and nobody else does.
   */
  open(pvName: string, peer: Peer): Channel | undefined | Promise<Channel | undefined>;
  /** The names worth listing; a dynamic source lists what it can. */
  names(): Iterable<string>;
  /** Moves whenever the names do; beacons tell it as their change count. 0 for a source that does not count. */
  readonly revision: number;
  /**
   * Has `moved` called whenever the revision moves, so that a beacon tells it at once. For the server that the source is
   * added to, which is one; it never stops.
   */
  onNames?(moved: () => void): void;
}

/** A table of names. */
export class StaticSource implements Source {
  readonly #channels = new Map<string, Channel>();
  #revision = 0;
  #moved: () => void = nobody;

  get revision(): number {
    return this.#revision;
  }

  onNames(moved: () => void): void {
    this.#moved = moved;
  }

  /** @throws LocalProtocolError when the name is taken */
  add(pvName: string, channel: Channel): this {
    if (pvName === '') throw new LocalProtocolError('a PV without a name was added');
    if (this.#channels.has(pvName)) throw new LocalProtocolError(`PV name '${pvName}' is taken`);
    this.#channels.set(pvName, channel);
    this.#move();
    return this;
  }

  /** Takes a name away and returns what was behind it; the channel itself stays open. */
  remove(pvName: string): Channel | undefined {
    const channel = this.#channels.get(pvName);
    if (this.#channels.delete(pvName)) this.#move();
    return channel;
  }

  has(pvName: string): boolean {
    return this.#channels.get(pvName)?.isClosed === false;
  }

  open(pvName: string): Channel | undefined {
    return this.#channels.get(pvName);
  }

  names(): Iterable<string> {
    return this.#channels.keys();
  }

  #move(): void {
    this.#revision++;
    this.#moved();
  }
}

function nobody(): void {
  // No server has it yet.
}
