// Which of several servers that have the same channels answers a search? For each PV they have an order of their own
// (rendezvous hashing of server and PV name): the first answers at once, the second when the client asks again, and so
// on. So channels spread evenly, a server that is gone costs its clients one more search, and no client hears of a PV
// twice, which pvxs warns of.

import type { StoreNode, StoreNodes } from '../channels/stores/store-nodes.ts';
import { STORE_LIMITS } from '../protocol/limits.ts';
import type { Clock } from '../transport/clocks.ts';
import type { Endpoint } from '../transport/network.ts';

/** The same search comes more than once: over several interfaces, and passed on by other servers of the host. */
const SAME_SEARCH_MS = 50;
/** A client that asks again after so long has lost the channel since, and begins anew. */
const FORGET_MS = 30_000;

interface Asked {
  /** How often, before this time. */
  count: number;
  at: number;
}

/** Which searches a server of a shared store answers at once, and which only when a client asks again. */
export class SearchSpread {
  readonly #nodes: StoreNodes;
  readonly #isShared: (pvName: string) => boolean;
  readonly #clock: Clock;
  /** By client and PV, in the order in which they were asked last. */
  readonly #asked = new Map<string, Asked>();
  #alive: readonly StoreNode[] = [];
  #seeds: readonly number[] = [];
  #ownSeed: number;

  /** @param isShared whether the other servers have this PV, too */
  constructor(nodes: StoreNodes, isShared: (pvName: string) => boolean, clock: Clock) {
    this.#nodes = nodes;
    this.#isShared = isShared;
    this.#clock = clock;
    this.#ownSeed = hashOf(nodes.own);
  }

  /** Whether this server is to answer this search for a PV that it has. */
  mayAnswer(pvName: string, client: Endpoint): boolean {
    if (!this.#isShared(pvName)) return true;
    const rank = this.rankOf(pvName);
    return rank === 0 || this.#askedBefore(pvName, client) >= rank;
  }

  /** How many servers come before this one for a PV. */
  rankOf(pvName: string): number {
    this.#follow();
    const name = hashOf(pvName);
    const own = scoreOf(name, this.#ownSeed);
    let rank = 0;
    for (const seed of this.#seeds) if (scoreOf(name, seed) > own) rank++;
    return rank;
  }

  #follow(): void {
    const { alive, own } = this.#nodes;
    if (alive === this.#alive) return;
    this.#alive = alive;
    this.#ownSeed = hashOf(own);
    this.#seeds = alive.map(({ id }) => hashOf(id));
  }

  #askedBefore(pvName: string, { address, port }: Endpoint): number {
    const key = `${address} ${port} ${pvName}`;
    const now = this.#clock.now();
    const before = this.#asked.get(key);
    if (before !== undefined && now - before.at < SAME_SEARCH_MS) return before.count;
    const isNew = before === undefined || now - before.at > FORGET_MS;
    const count = isNew ? 0 : before.count + 1;
    this.#asked.delete(key);
    this.#asked.set(key, { count, at: now });
    if (this.#asked.size > STORE_LIMITS.maxAskedSearches) {
      const [oldest = ''] = this.#asked.keys();
      this.#asked.delete(oldest);
    }
    return count;
  }
}

/** FNV-1a over UTF-16 code units, 32 bits. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return hash >>> 0;
}

/** Mixes well, so that similar names and servers are spread: the finalizer of MurmurHash3. */
function scoreOf(name: number, node: number): number {
  let score = Math.imul(name ^ node, 0x85ebca6b);
  score = Math.imul(score ^ (score >>> 13), 0xc2b2ae35);
  score = Math.imul(score ^ (score >>> 16) ^ node, 0x9e3779b1);
  return (score ^ (score >>> 15)) >>> 0;
}
