// How does a person watch a load, and what is told at its end?

import type { LoadProgress, LoadResult, LoadScenario } from '../index.ts';
import type { CliHost } from './host.ts';
import { LiveLines } from './live-lines.ts';
import { columns } from './paint.ts';
import { printable } from './printable.ts';

/** One line that is kept up to date, on a terminal only. */
export class LoadMeter {
  readonly #live: LiveLines | undefined;
  readonly #scenario: LoadScenario;

  constructor(host: CliHost, scenario: LoadScenario) {
    this.#live = host.stderr.isTerminal ? new LiveLines(host.stderr) : undefined;
    this.#scenario = scenario;
  }

  show({ phase, seconds, operations, perSecond, faults }: LoadProgress): void {
    this.#live?.show([
      `${this.#scenario}: ${phase}, ${seconds.toFixed(0)} s, ${countText(operations)} done, ` +
        `${countText(perSecond)} a second, ${faults === 0 ? 'no faults' : `${faults} faults`}`,
    ]);
  }
}

/** The figures as lines. */
export function loadSummary(result: LoadResult): string {
  const { latencyUs: us, serverCpuSeconds, perServerCpuSecond } = result;
  return columns([
    ['server', printable(result.server)],
    ['asked', `${result.clients} x ${result.depth}, ${result.names} ${result.names === 1 ? 'name' : 'names'}`],
    ['done', `${countText(result.operations)} in ${result.seconds.toFixed(2)} s`],
    ['a second', countText(result.perSecond)],
    ['bytes a second', countText(result.bytesPerSecond)],
    ['latency us', `min ${us.min} p50 ${us.p50} p90 ${us.p90} p99 ${us.p99} p99.9 ${us.p999} max ${us.max}`],
    ['faults', `${result.wrong} wrong, ${result.lost} lost, ${result.errors} errors`],
    ['changed', countText(result.changed)],
    ['squashed', countText(result.squashed)],
    ['generator', `${result.clientCpuSeconds.toFixed(2)} s of processor time`],
    ...(serverCpuSeconds === null || perServerCpuSecond === null
      ? []
      : [['server', `${serverCpuSeconds.toFixed(2)} s of processor time, ${countText(perServerCpuSecond)} for each`]]),
  ]);
}

function countText(count: number): string {
  return Math.round(count).toLocaleString('en-US').replaceAll(',', ' ');
}
