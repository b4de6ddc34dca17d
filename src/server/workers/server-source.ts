// Where do the PVs of a worker come from? From its server, one by one as clients open them; what nobody has open any more
// is given back after a while.
//
// The names are told beforehand, for searches over TCP. The rest is not: with many PVs a worker would take long to begin,
// and be told of changes that none of its clients wants to know.

import type { Channel } from '../../channels/channel.ts';
import type { Peer } from '../../channels/peer.ts';
import { requireStructure } from '../../channels/standard-fields.ts';
import type { Source } from '../../channels/source.ts';
import { BitSet } from '../../protocol/bit-set.ts';
import { PvaError, reasonOf, RemoteProtocolError } from '../../protocol/errors.ts';
import { decodeUpdate } from '../../protocol/messages/data.ts';
import type { Reader } from '../../protocol/reader.ts';
import { decodeStatus } from '../../protocol/status.ts';
import type { TypeReceiver } from '../../protocol/types/wire.ts';
import type { AskedRequests } from './asked.ts';
import { decodeAbilities } from './exported-channel.ts';
import { decodeDeadline, decodeNames, encodePeer, OPENED, TO_SERVER } from './messages.ts';
import type { Pipe } from './pipe.ts';
import { Replica } from './replica.ts';

interface Opening {
  readonly resolve: (channel: Channel | undefined) => void;
  readonly reject: (reason: Error) => void;
}

/** Looks, one a second, until a channel that nobody has open is given back: clients come again soon, or not at all. */
const LOOKS_BEFORE_RELEASE = 5;

export class ServerSource implements Source {
  readonly #pipe: Pipe;
  readonly #asked: AskedRequests;
  readonly #names = new Set<string>();
  readonly #opening = new Map<number, Opening>();
  readonly #replicas = new Map<number, Replica>();
  #revision = 0;

  constructor(pipe: Pipe, asked: AskedRequests) {
    this.#pipe = pipe;
    this.#asked = asked;
  }

  get revision(): number {
    return this.#revision;
  }

  /** Channels of which there is a copy here. */
  get replicaCount(): number {
    return this.#replicas.size;
  }

  has(pvName: string): boolean {
    return this.#names.has(pvName);
  }

  names(): Iterable<string> {
    return this.#names;
  }

  /** Asks the server each time: it may have another channel now, or refuse this client. */
  open(pvName: string, peer: Peer): Promise<Channel | undefined> {
    const request = this.#asked.takeNumber();
    this.#pipe.send(TO_SERVER.open, (writer) => {
      writer.u32(request);
      writer.string(pvName);
      encodePeer(writer, peer);
    });
    return new Promise((resolve, reject) => this.#opening.set(request, { resolve, reject }));
  }

  /** Gives back what nobody has open. Called once a second. */
  look(): void {
    for (const replica of this.#replicas.values()) {
      if (!replica.isIdle) replica.idleCount = 0;
      else if (replica.idleCount++ === LOOKS_BEFORE_RELEASE) this.#release(replica);
    }
  }

  readNames(body: Reader): void {
    for (const name of decodeNames(body)) this.#names.add(name);
    for (const name of decodeNames(body)) this.#names.delete(name);
    this.#revision++;
  }

  readOpened(body: Reader, types: TypeReceiver): void {
    const request = body.u32();
    const opening = this.#opening.get(request);
    if (opening === undefined) throw new RemoteProtocolError(`answer to request ${request}, which is not under way`);
    this.#opening.delete(request);
    try {
      opening.resolve(this.#openedFrom(body, types));
    } catch (thrown) {
      opening.reject(thrown instanceof Error ? thrown : new PvaError('REFUSED', reasonOf(thrown)));
    }
  }

  readUpdate(body: Reader, types: TypeReceiver): void {
    const replica = this.#replicas.get(body.u32());
    // It may be on its way while the copy ends.
    if (replica === undefined || replica.isClosed) return;
    try {
      const isTold = body.boolean();
      const update = decodeUpdate(body, replica.type, types, replica.state.value);
      const overrun = BitSet.decode(body, replica.type.bitCount);
      const full = { changed: update.changed, value: requireStructure(update.value) };
      replica.follow(full, overrun.isEmpty() ? undefined : overrun, isTold);
    } catch (thrown) {
      // Past a limit, for instance. The others go on; to serve this one with an old value would be worse than not at all.
      if (!(thrown instanceof PvaError)) throw thrown;
      replica.close();
    }
  }

  readFinish(body: Reader): void {
    this.#replicas.get(body.u32())?.finish(decodeStatus(body));
  }

  readClosed(body: Reader): void {
    const id = body.u32();
    this.#replicas.get(id)?.close();
    this.#replicas.delete(id);
  }

  readReleased(body: Reader): void {
    this.#replicas.delete(body.u32());
  }

  #openedFrom(body: Reader, types: TypeReceiver): Channel | undefined {
    const outcome = body.u8();
    switch (outcome) {
      case OPENED.none:
        return undefined;
      case OPENED.refused:
        throw new PvaError('REFUSED', body.string());
      case OPENED.known:
        return this.#granted(this.#replicas.get(body.u32()));
      case OPENED.fresh:
        return this.#granted(this.#replicate(body, types));
      default:
        throw new RemoteProtocolError(`outcome ${outcome} of the opening of a channel, which is none`);
    }
  }

  #replicate(body: Reader, types: TypeReceiver): Replica {
    const id = body.u32();
    const type = types.decode(body);
    if (type?.kind !== 'structure') throw new RemoteProtocolError('the type of a channel is no structure');
    const facts = {
      id,
      type,
      ...decodeAbilities(body.u8()),
      putTimeoutMs: decodeDeadline(body),
      callTimeoutMs: decodeDeadline(body),
    };
    const { changed, value } = decodeUpdate(body, type, types);
    const replica = new Replica(facts, { changed, value: requireStructure(value) }, this.#asked);
    this.#replicas.set(id, replica);
    return replica;
  }

  #granted(replica: Replica | undefined): Replica {
    if (replica === undefined) throw new PvaError('REFUSED', 'the value of this PV cannot be read by a worker');
    replica.grantCount++;
    replica.idleCount = 0;
    return replica;
  }

  #release({ id, grantCount }: Replica): void {
    this.#pipe.send(TO_SERVER.release, (writer) => {
      writer.u32(id);
      writer.u32(grantCount);
    });
  }
}
