// How many updates come, and how many are squashed? Once a second, below the values on a terminal.

import type { Monitor, TimerHandle } from '../index.ts';
import type { CliHost } from './host.ts';
import { LiveLines } from './live-lines.ts';
import { paintOf } from './paint.ts';
import { printable } from './printable.ts';
import { timeText } from './time-text.ts';

type Counters = Monitor['counters'];

interface Watched {
  readonly name: string;
  readonly counters: () => Counters;
  /** Updates at the end of the last period. */
  before: number;
}

const PERIOD_MS = 1_000;
const MS_PER_SECOND = 1_000;

export class RateMeter {
  /** To print values through, so that they come above the rates. */
  readonly host: CliHost;
  readonly #stderr: CliHost['stderr'];
  readonly #isJson: boolean;
  readonly #live: LiveLines | undefined;
  readonly #watched: Watched[] = [];
  #startedAt = 0;
  #periodAt = 0;
  #timer: TimerHandle | undefined;

  constructor(host: CliHost, isJson: boolean) {
    this.#stderr = host.stderr;
    this.#isJson = isJson;
    this.#live = host.stderr.isTerminal && !isJson ? new LiveLines(host.stderr) : undefined;
    const [stdout, stderr] = [host.stdout, host.stderr].map((output) => this.#live?.above(output) ?? output);
    this.host = { ...host, stdout: stdout ?? host.stdout, stderr: stderr ?? host.stderr };
  }

  start(): void {
    const { clock } = this.host;
    this.#startedAt = clock.now();
    this.#periodAt = this.#startedAt;
    this.#timer = clock.every(PERIOD_MS, () => this.#tell());
  }

  watch(name: string, counters: () => Counters): void {
    this.#watched.push({ name, counters, before: 0 });
  }

  /** The last word: totals, and the rates over the whole time. */
  stop(): void {
    this.#timer?.cancel();
    const seconds = (this.host.clock.now() - this.#startedAt) / MS_PER_SECOND;
    const totals = this.#watched.map(({ name, counters }) => {
      const { receivedCount } = counters();
      return {
        name,
        ...textParts(receivedCount, seconds, counters()),
        of: `${receivedCount} in ${seconds.toFixed(3)} s`,
      };
    });
    this.#write(totals);
  }

  #tell(): void {
    const now = this.host.clock.now();
    const seconds = (now - this.#periodAt) / MS_PER_SECOND;
    this.#periodAt = now;
    this.#write(
      this.#watched.map((watched) => {
        const counters = watched.counters();
        const count = counters.receivedCount - watched.before;
        watched.before = counters.receivedCount;
        return { name: watched.name, ...textParts(count, seconds, counters), of: `${counters.receivedCount} so far` };
      }),
    );
  }

  #write(rates: readonly Rate[]): void {
    const wallTimeMs = this.host.clock.wallTime();
    if (this.#isJson) {
      const time = new Date(wallTimeMs).toISOString();
      for (const { name, updatesPerS, squashed, overrun } of rates) {
        this.#stderr.write(`${JSON.stringify({ name, event: 'rate', time, updatesPerS, squashed, overrun })}\n`);
      }
      return;
    }
    const lines = rates.map(
      ({ name, updatesPerS, squashed, overrun, of }) =>
        `${name} ${updatesPerS.toFixed(1)} updates/s (${of}), ${squashed} squashed here, ${overrun} by the server`,
    );
    if (this.#live !== undefined) return this.#live.show(lines);
    const time = paintOf(this.#stderr, this.host.environment).dim(timeText(wallTimeMs));
    for (const line of lines) this.#stderr.write(`${time} ${printable(line)}\n`);
  }
}

interface Rate {
  readonly name: string;
  readonly updatesPerS: number;
  /** Updates that were squashed here, because whoever reads is slow. */
  readonly squashed: number;
  /** Updates that the server had squashed before it sent them. */
  readonly overrun: number;
  readonly of: string;
}

function textParts(
  count: number,
  seconds: number,
  { clientSquashCount, serverSquashCount }: Counters,
): Pick<Rate, 'updatesPerS' | 'squashed' | 'overrun'> {
  const updatesPerS = seconds > 0 ? count / seconds : 0;
  return { updatesPerS, squashed: clientSquashCount, overrun: serverSquashCount };
}
