// How far is a command that takes a while? One line on a terminal that changes in place; nothing in a pipe or a file.

import { counted } from '../protocol/index.ts';
import type { CliHost } from './host.ts';
import { LiveLines } from './live-lines.ts';

/** Often enough to see it move, seldom enough to cost nothing. */
const SHOW_EVERY_MS = 100;
const BAR_CHARACTERS = 24;
/** Characters of the longest line without its bar: narrower terminals get none. */
const ROOM_FOR_TEXT = 50;
const PERCENT = 100;

type ProgressHost = Pick<CliHost, 'stderr' | 'clock'>;

export class Progress {
  readonly #host: ProgressHost;
  readonly #lines: LiveLines | undefined;
  #shownAtMs = Number.NEGATIVE_INFINITY;

  constructor(host: ProgressHost) {
    this.#host = host;
    this.#lines = host.stderr.isTerminal ? new LiveLines(host.stderr) : undefined;
  }

  /** Shows how far it is; with a total as a bar. `what` is what is done to these channels: `backing up`. */
  show(what: string, count: number, total?: number): void {
    if (this.#lines === undefined) return;
    const now = this.#host.clock.now();
    if (now - this.#shownAtMs < SHOW_EVERY_MS) return;
    this.#shownAtMs = now;
    this.#lines.show([total === undefined ? `${what}: ${counted(count, 'channel')}` : this.#bar(what, count, total)]);
  }

  /** Takes the line away. */
  end(): void {
    this.#lines?.show([]);
  }

  #bar(what: string, count: number, total: number): string {
    const share = total === 0 ? 1 : Math.min(1, count / total);
    const text = `${Math.floor(share * PERCENT)} %, ${count} of ${counted(total, 'channel')}`;
    if (this.#host.stderr.columns < BAR_CHARACTERS + ROOM_FOR_TEXT) return `${what}: ${text}`;
    const filled = Math.round(share * BAR_CHARACTERS);
    return `${what} [${'#'.repeat(filled)}${'.'.repeat(BAR_CHARACTERS - filled)}] ${text}`;
  }
}
