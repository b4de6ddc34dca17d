// What does a server do that takes more memory than it may? It closes the links that hold most of it, worst first, and
// takes no new ones, until it is below again. Whoever reads what he asked for loses nothing.

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
/** Memory of closed links comes back with the next garbage collection: so many looks nothing more is closed. */
const PATIENCE = 2;
const MIB = 1024 * 1024;

export class MemoryWatch {
  readonly #maxBytes: number;
  readonly #notices: NoticeBoard;
  #patience = 0;
  #isOver = false;

  /** 0: any memory is allowed. */
  constructor(maxBytes: number, notices: NoticeBoard) {
    this.#maxBytes = maxBytes;
    this.#notices = notices;
  }

  /** Called about once a second with the memory of the process. */
  look(memoryBytes: number, links: ShedableLinks): void {
    const maxBytes = this.#maxBytes;
    if (maxBytes === 0) return;
    if (memoryBytes <= maxBytes * ADMIT_BELOW) this.#recover(memoryBytes, links);
    if (this.#patience > 0) this.#patience--;
    if (memoryBytes <= maxBytes) return;
    const said = `${mebibytes(memoryBytes)} of memory are taken, ${mebibytes(maxBytes)} are allowed`;
    if (!this.#isOver) {
      this.#isOver = true;
      links.admission.pauseFor(said);
      this.#notices.publish({ kind: 'memory', level: 'warning', text: `${said}: no more connections are taken` });
    }
    if (this.#patience > 0) return;
    if (this.#shed(memoryBytes - maxBytes * GOAL, said, links) > 0) this.#patience = PATIENCE;
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
    admission.pauseFor(undefined);
    const text = `${mebibytes(memoryBytes)} of memory are taken: connections are taken again`;
    this.#notices.publish({ kind: 'memory', level: 'info', text });
  }
}

function mebibytes(bytes: number): string {
  return `${(bytes / MIB).toFixed(1)} MiB`;
}
