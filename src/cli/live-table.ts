// Which servers are there, as a table that is kept up to date on a terminal?

import type { DiscoveredServer, TimerHandle } from '../index.ts';
import type { CliHost } from './host.ts';
import { LiveLines } from './live-lines.ts';
import { columns } from './paint.ts';

interface Row {
  readonly server: DiscoveredServer;
  /** When it was first heard of. */
  readonly since: number;
  /** When it was found to be gone. */
  goneAt: number | undefined;
}

const HEAD = ['SERVER', 'GUID', 'PROTO', 'VER', 'AGE', 'STATE'];
/** Somebody may be inventing servers. */
const MAX_ROWS = 10_000;
const REDRAW_MS = 1_000;
const MS_PER_SECOND = 1_000;
/** Ages: up to how many of a unit are told in it. */
const UNITS: readonly (readonly [name: string, seconds: number, upTo: number])[] = [
  ['s', 1, 120],
  ['min', 60, 120],
  ['h', 3_600, 48],
  ['d', 86_400, Number.POSITIVE_INFINITY],
];

/** At the end of the terminal; ages go on, so it is drawn anew each second. */
export class LiveTable {
  /** To print through, so that what is printed comes above the table. */
  readonly host: CliHost;
  readonly #table = new ServerTable();
  readonly #lines: LiveLines;
  #timer: TimerHandle | undefined;

  constructor(host: CliHost) {
    this.#lines = new LiveLines(host.stdout);
    this.host = { ...host, stderr: this.#lines.above(host.stderr) };
  }

  start(): void {
    this.#timer = this.host.clock.every(REDRAW_MS, () => this.#draw());
    this.#draw();
  }

  add(event: DiscoveredServer): void {
    this.#table.add(event, this.host.clock.now());
    this.#draw();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#draw();
  }

  #draw(): void {
    this.#lines.show(this.#table.lines(this.host.clock.now()));
  }
}

class ServerTable {
  readonly #rows = new Map<string, Row>();

  add(event: DiscoveredServer, now: number): void {
    const known = this.#rows.get(event.guid);
    if (event.kind === 'offline') {
      if (known !== undefined) known.goneAt = now;
    } else if (known === undefined) {
      this.#rows.set(event.guid, { server: event, since: now, goneAt: undefined });
      this.#forgetOldest();
    } else {
      known.goneAt = undefined;
    }
  }

  #forgetOldest(): void {
    if (this.#rows.size <= MAX_ROWS) return;
    const [oldest] = this.#rows.keys();
    if (oldest !== undefined) this.#rows.delete(oldest);
  }

  lines(now: number): readonly string[] {
    const rows = [...this.#rows.values()].map(({ server, since, goneAt }) => [
      server.server,
      `0x${server.guid}`,
      server.protocol,
      String(server.version),
      ageText((goneAt ?? now) - since),
      goneAt === undefined ? 'online' : `gone for ${ageText(now - goneAt)}`,
    ]);
    return columns([HEAD, ...rows])
      .trimEnd()
      .split('\n');
  }
}

/** `75 s`, `12 min`, `3 h`, `5 d`: time since a server was first heard of. */
export function ageText(ms: number): string {
  const seconds = Math.floor(ms / MS_PER_SECOND);
  const [name, unit] = UNITS.find(([, size, upTo]) => seconds < size * upTo) ?? ['s', 1];
  return `${Math.floor(seconds / unit)} ${name}`;
}
