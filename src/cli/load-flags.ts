// Which flags does a scenario of `pvkit load` take? One that it would ignore is refused: whoever gave it wanted something.

import { LOAD_SCENARIOS, type LoadScenario } from '../index.ts';
import type { CodecName } from '../protocol/index.ts';
import { UsageError } from './fault.ts';

/** What is only for some scenarios. */
export interface ScenarioFlags {
  readonly depth?: number;
  readonly rate?: number;
  readonly request?: string;
  readonly channels?: number;
  readonly names?: number;
  readonly udpPort?: number;
  readonly stopped?: number;
  readonly hold?: true;
  readonly seed?: number;
  readonly codec?: CodecName;
}

/** Scenarios that go to the server's UDP port, where pvAccess alone is spoken. */
export const BY_UDP: ReadonlySet<LoadScenario> = new Set(['search', 'search-flood']);

interface Flag {
  readonly text: string;
  readonly scenarios: readonly LoadScenario[];
}

const FLAGS: Readonly<Record<keyof ScenarioFlags, Flag>> = {
  depth: { text: '--depth', scenarios: ['get', 'put', 'array', 'search', 'slow-readers', 'churn', 'soak'] },
  rate: {
    text: '--rate',
    scenarios: ['get', 'put', 'array', 'connect-storm', 'slow-readers', 'search-flood', 'churn', 'soak'],
  },
  request: {
    text: '--request',
    scenarios: ['get', 'monitor', 'array', 'connect-storm', 'slow-readers', 'churn', 'soak'],
  },
  channels: { text: '--channels', scenarios: ['connect'] },
  names: { text: '--names', scenarios: ['search', 'search-flood'] },
  udpPort: { text: '--udp-port', scenarios: ['search', 'search-flood', 'soak'] },
  stopped: { text: '--stopped', scenarios: ['slow-readers'] },
  hold: { text: '--hold', scenarios: ['connect-storm'] },
  seed: { text: '--seed', scenarios: ['churn', 'soak'] },
  codec: { text: '--codec', scenarios: LOAD_SCENARIOS.filter((scenario) => !BY_UDP.has(scenario)) },
};

/** @throws UsageError naming the scenarios that take the flag */
export function requireFitting(scenario: LoadScenario, options: ScenarioFlags): void {
  // `FLAGS` has no other keys.
  for (const key of Object.keys(FLAGS) as (keyof ScenarioFlags)[]) {
    const { text, scenarios } = FLAGS[key];
    if (options[key] === undefined || scenarios.includes(scenario)) continue;
    throw new UsageError(`${text} is for \`pvkit load ${scenarios.join('|')}\` only`);
  }
}
