// What does a server do that takes more memory than it may? It takes no new links, has garbage collected, squashes the
// updates that wait, and closes the links that hold most of what is left, worst first, until it is below again. Whoever
// reads what he asked for is closed only for very many types, channels and operations.

import { counted } from '../protocol/counted.ts';
import type { Admission } from './admission.ts';
import type { NoticeBoard } from './notices.ts';

/** What this needs of a link. */
export interface Shedable {
  readonly remote: { readonly address: string; readonly port: number };
  /** Memory that goes free when it is closed. */
  readonly heldBytes: number;
  /** Of them, those of updates that wait and could be squashed. */
  readonly account: { readonly queuedBytes: number };
  readonly operations: ReadonlyMap<number, { squash?(): void }>;
  shed(reason: string): void;
}

/** What this needs of all links. */
export interface ShedableLinks extends Iterable<Shedable> {
  readonly admission: Pick<Admission, 'pauseFor'>;
}

/** Less than this is what every link takes, and no link is to blame for it. */
const LEAST_HELD_BYTES = 64 * 1_024;
/** Links are closed until so much of the allowed memory would be left. */
const GOAL = 0.9;
/** Below this part of what is allowed, links are taken again. */
const ADMIT_BELOW = 0.95;
/** Looks that pass after something went free; then garbage is collected, and at the next look more are closed. */
const PATIENCE = 1;
/** Looks that pass, at most, where nobody is to blame: collecting again and again only makes everybody wait. */
const MOST_PATIENCE = 60;
const MIB = 1024 * 1024;

export class MemoryWatch {
  readonly #maxBytes: number;
  readonly #notices: NoticeBoard;
  readonly #collect: (() => void) | undefined;
  /** Looks at which nothing is done. */
  #patience = 0;
  /** Collections in a row after which there was nobody to close. */
  #vainCount = 0;
  #isCollected = false;
  #isOver = false;

  /** 0: any memory is allowed. `collect` has garbage collected; what that frees is seen at the next look. */
  constructor(maxBytes: number, notices: NoticeBoard, collect?: () => void) {
    this.#maxBytes = maxBytes;
    this.#notices = notices;
    this.#collect = collect;
  }

  /** Called about once a second with the memory that the process has in use. */
  look(memoryBytes: number, links: ShedableLinks): void {
    const maxBytes = this.#maxBytes;
    if (maxBytes === 0) return;
    if (memoryBytes <= maxBytes * ADMIT_BELOW) return this.#recover(memoryBytes, links);
    const said = `${mebibytes(memoryBytes)} of memory are taken, ${mebibytes(maxBytes)} are allowed`;
    if (memoryBytes > maxBytes) this.#pause(said, links);
    if (!this.#isOver) return;
    if (this.#patience > 0) {
      this.#patience--;
      return;
    }
    // Nothing but a collection brings back what nobody has any more, and a server that takes no connections allocates
    // too little for one to come by itself.
    if (this.#collect !== undefined && !this.#isCollected) {
      this.#isCollected = true;
      return this.#collect();
    }
    this.#isCollected = false;
    const isFreeing = memoryBytes > maxBytes && this.#free(memoryBytes - maxBytes * GOAL, said, links);
    this.#vainCount = isFreeing ? 0 : this.#vainCount + 1;
    this.#patience = isFreeing ? PATIENCE : Math.min(2 ** this.#vainCount, MOST_PATIENCE);
  }

  #pause(said: string, { admission }: ShedableLinks): void {
    if (this.#isOver) return;
    this.#isOver = true;
    admission.pauseFor(said);
    this.#notices.publish({ kind: 'memory', level: 'warning', text: `${said}: no more connections are taken` });
  }

  /** Has `excess` bytes go free: links are closed where squashing does not do. Whether there was anything to free. */
  #free(excess: number, said: string, links: Iterable<Shedable>): boolean {
    let freedBytes = this.#squash(excess, said, links);
    for (const { link, bytes } of worstFirst(links, ({ heldBytes }) => heldBytes)) {
      if (freedBytes >= excess) break;
      link.shed(`${said}, and this link holds ${mebibytes(bytes)}`);
      freedBytes += bytes;
    }
    return freedBytes > 0;
  }

  /** Clients lose values that newer ones have replaced, and their overrun masks say so. */
  #squash(excess: number, said: string, links: Iterable<Shedable>): number {
    let squashedBytes = 0;
    let count = 0;
    for (const { link, bytes } of worstFirst(links, ({ account }) => account.queuedBytes)) {
      if (squashedBytes >= excess) break;
      for (const operation of link.operations.values()) operation.squash?.();
      squashedBytes += bytes - link.account.queuedBytes;
      count++;
    }
    if (count > 0) {
      const text = `${said}: updates that wait for ${counted(count, 'link')} are squashed, ${mebibytes(squashedBytes)}`;
      this.#notices.publish({ kind: 'memory', level: 'warning', text });
    }
    return squashedBytes;
  }

  #recover(memoryBytes: number, { admission }: ShedableLinks): void {
    if (!this.#isOver) return;
    this.#isOver = false;
    this.#isCollected = false;
    this.#patience = 0;
    this.#vainCount = 0;
    admission.pauseFor(undefined);
    const text = `${mebibytes(memoryBytes)} of memory are taken: connections are taken again`;
    this.#notices.publish({ kind: 'memory', level: 'info', text });
  }
}

/** Links that hold more than all do, those with most bytes first. */
function worstFirst(
  links: Iterable<Shedable>,
  bytesOf: (link: Shedable) => number,
): readonly { readonly link: Shedable; readonly bytes: number }[] {
  return [...links]
    .map((link) => ({ link, bytes: bytesOf(link) }))
    .filter(({ bytes }) => bytes >= LEAST_HELD_BYTES)
    .toSorted((a, b) => b.bytes - a.bytes);
}

function mebibytes(bytes: number): string {
  return `${(bytes / MIB).toFixed(1)} MiB`;
}
