// How does a server show how it is? As PVs that any tool can watch: links, monitors, what was squashed and refused, how late
// the event loop is, how much memory is taken.

import type { SharedPV } from '../channels/shared-pv.ts';
import type { AlarmDefinition } from '../config/channel-definition.ts';
import { systemClock, type Clock, type TimerHandle } from '../transport/clocks.ts';
import type { VitalSigns } from '../transport/vitals.ts';
import { configuredPv } from './configured-pv.ts';
import type { ServerCounters } from './notices.ts';

/** A server in numbers; of one with workers, of all its processes. */
export interface ServerStatistics {
  /** Open TCP links, and how many there may be. */
  readonly links: number;
  readonly maxLinks: number;
  /** Subscriptions of all links. */
  readonly monitors: number;
  /** Updates that were squashed into others because a client was slow, since the server was made. */
  readonly squashed: number;
  /** Connections refused, and links closed to free memory, since the server was made. */
  readonly refused: number;
  /** The longest that anything due had to wait within the last second, in milliseconds; the worst of all processes. */
  readonly loopDelayMs: number;
  /** Memory that all processes have in use, and how much that may be; 0 where that was not said. */
  readonly memoryBytes: number;
  readonly maxMemoryBytes: number;
}

interface Parts extends Pick<ServerStatistics, 'links' | 'maxLinks' | 'maxMemoryBytes'> {
  readonly counters: Readonly<ServerCounters>;
  readonly processes: readonly (VitalSigns | undefined)[];
}

export function statisticsOf({ counters, processes, ...known }: Parts): ServerStatistics {
  const { linksRefused, linksShed, monitorsOpened, monitorsClosed, updatesSquashed } = counters;
  let [loopDelayMs, memoryBytes] = [0, 0];
  for (const signs of processes) {
    loopDelayMs = Math.max(loopDelayMs, signs?.loopDelayMs ?? 0);
    memoryBytes += signs?.memoryBytes ?? 0;
  }
  return {
    ...known,
    monitors: monitorsOpened - monitorsClosed,
    squashed: updatesSquashed,
    refused: linksRefused + linksShed,
    loopDelayMs,
    memoryBytes,
  };
}

interface Statistic {
  readonly name: string;
  readonly units: string;
  readonly description: string;
  readonly precision: number;
  readonly valueOf: (statistics: ServerStatistics) => number;
  /** From where on it is a warning, and an alarm. */
  readonly alarms?: (statistics: ServerStatistics) => readonly [warning: number, alarm: number] | undefined;
}

const PERIOD_MS = 1_000;
const MIB = 1024 * 1024;
/** Parts of what is allowed from which on a person should look. */
const WARNING = 0.8;
const ALARM = 0.95;
/** Where clients begin to notice, and where they begin to lose their patience. */
const LOOP_WARNING_MS = 100;
const LOOP_ALARM_MS = 1_000;

const STATISTICS: readonly Statistic[] = [
  {
    name: 'links',
    units: 'links',
    description: 'open TCP links',
    precision: 0,
    valueOf: ({ links }) => links,
    alarms: ({ maxLinks }) => [maxLinks * WARNING, maxLinks * ALARM],
  },
  {
    name: 'monitors',
    units: 'monitors',
    description: 'subscriptions of all links',
    precision: 0,
    valueOf: ({ monitors }) => monitors,
  },
  {
    name: 'squashed',
    units: 'updates',
    description: 'updates squashed into others for slow clients, since the start',
    precision: 0,
    valueOf: ({ squashed }) => squashed,
  },
  {
    name: 'refused',
    units: 'links',
    description: 'connections refused and links closed to free memory, since the start',
    precision: 0,
    valueOf: ({ refused }) => refused,
  },
  {
    name: 'loopDelay',
    units: 'ms',
    description: 'longest delay of the event loop within the last second',
    precision: 1,
    valueOf: ({ loopDelayMs }) => loopDelayMs,
    alarms: () => [LOOP_WARNING_MS, LOOP_ALARM_MS],
  },
  {
    name: 'memory',
    units: 'MiB',
    description: 'memory in use by all processes of the server',
    precision: 1,
    valueOf: ({ memoryBytes }) => memoryBytes / MIB,
    alarms: ({ maxMemoryBytes: most }) => (most === 0 ? undefined : [(most / MIB) * WARNING, (most / MIB) * ALARM]),
  },
];

/** What they are called on a server of that name. */
export function ownNames(serverName: string): ReadonlySet<string> {
  return new Set(STATISTICS.map(({ name }) => `${serverName}:${name}`));
}

/** The PVs that show a server, until `close`; posted once a second where something has changed. */
export class StatisticsPVs {
  /** By the last part of their names: `links`, `monitors`, `squashed`, `refused`, `loopDelay`, `memory`. */
  readonly pvs: ReadonlyMap<string, SharedPV>;
  readonly #server: { readonly statistics: ServerStatistics };
  readonly #timer: TimerHandle;
  #shown: ServerStatistics;

  constructor(server: { readonly statistics: ServerStatistics }, clock: Clock = systemClock) {
    this.#server = server;
    this.#shown = server.statistics;
    this.pvs = new Map(STATISTICS.map((statistic) => [statistic.name, pvOf(statistic, this.#shown, clock)]));
    this.#timer = clock.every(PERIOD_MS, () => this.#show());
  }

  close(): void {
    this.#timer.cancel();
    for (const pv of this.pvs.values()) pv.close();
  }

  #show(): void {
    const before = this.#shown;
    const now = this.#server.statistics;
    this.#shown = now;
    for (const { name, valueOf } of STATISTICS) {
      const value = valueOf(now);
      if (value !== valueOf(before)) this.pvs.get(name)?.post({ value });
    }
  }
}

function pvOf(
  { name, units, description, precision, valueOf, alarms }: Statistic,
  now: ServerStatistics,
  clock: Clock,
) {
  const found = alarms?.(now);
  return configuredPv(
    {
      name,
      type: { kind: 'scalar', scalar: 'double' },
      value: valueOf(now),
      units,
      description,
      display: { low: 0, high: found?.[1], precision, format: undefined },
      control: undefined,
      alarm: found && alarmOf(found),
      readOnly: true,
      origin: 'statistics',
    },
    clock,
  );
}

function alarmOf([highWarning, high]: readonly [number, number]): AlarmDefinition {
  return { low: undefined, lowWarning: undefined, highWarning, high, hysteresis: undefined };
}
