// Which of a server's sources has a PV? The first that has it; a source that fails is noticed and passed over.

import type { Channel } from '../channels/channel.ts';
import type { Peer } from '../channels/peer.ts';
import { nativePromise } from '../channels/promise-like.ts';
import type { Source } from '../channels/source.ts';
import { reasonOf } from '../protocol/errors.ts';
import type { NoticeBoard } from './notices.ts';

export class Directory {
  readonly #sources: Source[] = [];
  readonly #notices: NoticeBoard;
  /** The same behind the hidden one. */
  readonly #openable: Source[];
  #ownRevision = 0;
  readonly #moved: () => void;

  /**
   * `hidden` has PVs that can be opened by whoever knows their name, and are not found by searching: `server`. `moved` is
   * called when names come and go, by sources that tell.
   */
  constructor(hidden: Source, notices: NoticeBoard, moved: () => void = nobody) {
    this.#openable = [hidden];
    this.#notices = notices;
    this.#moved = moved;
  }

  add(source: Source): void {
    this.#sources.push(source);
    this.#openable.push(source);
    this.#ownRevision++;
    source.onNames?.(this.#moved);
    this.#moved();
  }

  /** Moves whenever the names that can be found do. */
  get revision(): number {
    return this.#sources.reduce((sum, source) => sum + source.revision, this.#ownRevision);
  }

  /** Whether a search for the name is to be answered. */
  has(pvName: string): boolean {
    for (const source of this.#sources) {
      try {
        if (source.has(pvName)) return true;
      } catch (thrown) {
        this.#blame(source, thrown);
      }
    }
    return false;
  }

  /** Throws or rejects with what a source says to refuse the name to this peer. */
  open(pvName: string, peer: Peer): Channel | undefined | Promise<Channel | undefined> {
    return this.#openFrom(0, pvName, peer);
  }

  #openFrom(first: number, pvName: string, peer: Peer): Channel | undefined | Promise<Channel | undefined> {
    for (let index = first; index < this.#openable.length; index++) {
      const opened = nativePromise(this.#openable[index]?.open(pvName, peer));
      if (opened instanceof Promise)
        return opened.then((channel) => channel ?? this.#openFrom(index + 1, pvName, peer));
      if (opened !== undefined) return opened;
    }
    return undefined;
  }

  /** All names that sources list, sorted. */
  names(): readonly string[] {
    return [...this.listed()].toSorted();
  }

  /** The same in any order: to sort takes longer than all else where there are many. */
  listed(): Set<string> {
    const names = new Set<string>();
    for (const source of this.#sources) {
      try {
        for (const name of source.names()) names.add(name);
      } catch (thrown) {
        this.#blame(source, thrown);
      }
    }
    return names;
  }

  #blame(source: Source, thrown: unknown): void {
    const text = `source ${source.constructor.name} threw: ${reasonOf(thrown)}`;
    this.#notices.publish({ kind: 'sourceFailed', level: 'error', text });
  }
}

function nobody(): void {
  // Nobody wants to know.
}
