// How does a person watch a load, and what is told at its end?

import { GROWTH_TOLERANCE } from '../index.ts';
import type { Growth, LoadProgress, LoadResult, LoadScenario, ProcessReading } from '../index.ts';
import { counted } from '../protocol/index.ts';
import type { CliHost } from './host.ts';
import { LiveLines } from './live-lines.ts';
import { columns } from './paint.ts';
import { printable } from './printable.ts';

/** As many readings as stand side by side on a narrow terminal. */
const DRAWN = 40;
const BARS = '\u2581\u2582\u2583\u2584\u2585\u2586\u2587\u2588';
/** The slope of a shorter time says nothing about an hour. */
const SLOPE_SECONDS = 60;
const BYTES_PER_MIB = 1024 * 1024;

/** Lines that are kept up to date, on a terminal only. */
export class LoadMeter {
  readonly #live: LiveLines | undefined;
  readonly #scenario: LoadScenario;
  /** The newest ones. */
  readonly #memory: number[] = [];

  constructor(host: CliHost, scenario: LoadScenario) {
    this.#live = host.stderr.isTerminal ? new LiveLines(host.stderr) : undefined;
    this.#scenario = scenario;
  }

  show({ phase, seconds, operations, perSecond, faults, processes }: LoadProgress): void {
    this.#live?.show([
      `${this.#scenario}: ${phase}, ${seconds.toFixed(0)} s, ${countText(operations)} done, ` +
        `${countText(perSecond)} a second, ${faults === 0 ? 'no faults' : counted(faults, 'fault')}`,
      ...(processes === null ? [] : [this.#drawn(processes)]),
    ]);
  }

  #drawn({ memoryBytes, handles }: ProcessReading): string {
    this.#memory.push(memoryBytes);
    if (this.#memory.length > DRAWN) this.#memory.shift();
    return `server: memory ${mibText(memoryBytes)} ${bars(this.#memory)}, ${countText(handles)} handles`;
  }
}

/** The figures as lines. */
export function loadSummary(result: LoadResult): string {
  const { scenario, latencyUs: us, serverCpuSeconds, perServerCpuSecond, processes, growth, figures } = result;
  return columns([
    ['server', printable(result.server)],
    ['asked', `${result.clients} x ${result.depth}, ${counted(result.names, 'name')}`],
    ['done', `${countText(result.operations)} in ${result.seconds.toFixed(2)} s`],
    ['a second', countText(result.perSecond)],
    ['bytes a second', countText(result.bytesPerSecond)],
    ['latency us', `min ${us.min} p50 ${us.p50} p90 ${us.p90} p99 ${us.p99} p99.9 ${us.p999} max ${us.max}`],
    ['faults', `${result.wrong} wrong, ${result.lost} lost, ${counted(result.errors, 'error')}`],
    ['changed', countText(result.changed)],
    ['squashed', countText(result.squashed)],
    ['generator', `${result.clientCpuSeconds.toFixed(2)} s of processor time`],
    ...Object.entries(figures).map(([name, figure]) => [
      wordsOf(name),
      name === 'seed' ? String(figure) : figureText(figure),
    ]),
    ...(serverCpuSeconds === null || perServerCpuSecond === null
      ? []
      : [
          [
            'server worked',
            `${serverCpuSeconds.toFixed(2)} s of processor time, ${countText(perServerCpuSecond)} for each`,
          ],
        ]),
    ...(processes === null
      ? []
      : [
          ['memory', growthText(processes.memoryBytes, processes.seconds, mibText)],
          ['handles', growthText(processes.handles, processes.seconds, countText)],
        ]),
    ...(scenario === 'soak' ? [['growth', verdictText(growth)]] : []),
  ]);
}

function growthText({ first, last, max, perHour }: Growth, seconds: number, text: (figure: number) => string): string {
  const slope = `, slope ${perHour < 0 ? '-' : '+'}${text(Math.abs(perHour))} an hour`;
  return `first ${text(first)} last ${text(last)} max ${text(max)}${seconds < SLOPE_SECONDS ? '' : slope}`;
}

/** What soak says of memory and handles. */
function verdictText(growth: LoadResult['growth']): string {
  const { leastSeconds, memoryBytesPerHour, handlesPerHour } = GROWTH_TOLERANCE;
  const tolerated = `${mibText(memoryBytesPerHour)} and ${handlesPerHour} handles an hour`;
  switch (growth) {
    case null:
      return 'not judged: --pid says whose memory and handles to look at';
    case 'tooShort':
      return `not judged: a slope means something after ${countText(leastSeconds)} s`;
    case 'steady':
      return `none past the ${tolerated} that are tolerated`;
    case 'grows':
      return `past the ${tolerated} that are tolerated`;
  }
}

/** Memory from the least that is drawn to the most. */
function bars(readings: readonly number[]): string {
  const least = Math.min(...readings);
  const span = Math.max(1, Math.max(...readings) - least);
  return readings.map((reading) => BARS[Math.floor(((reading - least) / span) * (BARS.length - 1))]).join('');
}

function mibText(bytes: number): string {
  return `${(bytes / BYTES_PER_MIB).toFixed(1)} MiB`;
}

/** `aloneP99Us` is `alone p99 us`. */
function wordsOf(name: string): string {
  return name.replaceAll(/[A-Z]/gu, (letter) => ` ${letter.toLowerCase()}`);
}

function figureText(figure: number): string {
  return Number.isInteger(figure) ? countText(figure) : String(figure);
}

function countText(count: number): string {
  return Math.round(count).toLocaleString('en-US').replaceAll(',', ' ');
}
