// What does a server do that takes more memory than it may? It takes no new links, has garbage collected, and closes the
// links that hold most of what is left, worst first, until it is below again. Whoever reads what he asked for is closed
// only for very many types, channels and operations.

import type { Admission } from './admission.ts';
import type { NoticeBoard } from './notices.ts';

/** What this needs of a link. */
export interface Shedable {
  readonly remote: { readonly address: string; readonly port: number };
  /** Memory that goes free when it is closed. */
  readonly heldBytes: number;
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
/** Looks that pass after links were closed; then garbage is collected, and at the next look more are closed. */
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
    const isClosing = memoryBytes > maxBytes && this.#shed(memoryBytes - maxBytes * GOAL, said, links) > 0;
    this.#vainCount = isClosing ? 0 : this.#vainCount + 1;
    this.#patience = isClosing ? PATIENCE : Math.min(2 ** this.#vainCount, MOST_PATIENCE);
  }

  #pause(said: string, { admission }: ShedableLinks): void {
    if (this.#isOver) return;
    this.#isOver = true;
    admission.pauseFor(said);
    this.#notices.publish({ kind: 'memory', level: 'warning', text: `${said}: no more connections are taken` });
  }

  /** Closes the links that hold most until `excess` bytes go free; gives how many were closed. */
  #shed(excess: number, said: string, links: Iterable<Shedable>): number {
    const worst = [...links]
      .map((link) => ({ link, heldBytes: link.heldBytes }))
      .filter(({ heldBytes }) => heldBytes >= LEAST_HELD_BYTES)
      .toSorted((a, b) => b.heldBytes - a.heldBytes);
    let freedBytes = 0;
    let count = 0;
    for (const { link, heldBytes } of worst) {
      if (freedBytes >= excess) break;
      link.shed(`${said}, and this link holds ${mebibytes(heldBytes)}`);
      freedBytes += heldBytes;
      count++;
    }
    return count;
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

function mebibytes(bytes: number): string {
  return `${(bytes / MIB).toFixed(1)} MiB`;
}
