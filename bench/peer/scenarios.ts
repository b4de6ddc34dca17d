// What work is measured, and what has to come of it? Every row with two servers, as words for `pvkit load`.

import type { LoadReport } from './load.ts';
import type { Target } from '../statistics.ts';

/** A number of a report that the two servers are compared by. */
export interface Figure {
  readonly name: string;
  readonly unit: string;
  readonly of: (report: LoadReport) => number;
  /** What the ratio pvkit : pvxs has to be. */
  readonly target: Target | undefined;
}

export interface Scenario {
  readonly name: string;
  readonly words: readonly string[];
  readonly figures: readonly Figure[];
  /** What the generator has to be told of the server besides its address. */
  readonly needsUdpPort?: true;
  /** Workers of pvkit: it is `pvkit serve` then, and servers and generator share both cores. */
  readonly workers?: number;
}

const get = (clients: number, depth: number, pvName = 'bench:get'): readonly string[] => [
  'get',
  pvName,
  ...shape(clients, depth),
];
/** A PV for each client, so that each can tell whether it finds again what it put. */
const put = (clients: number, depth: number): readonly string[] => [
  'put',
  ...numbered('bench:put', clients),
  ...shape(clients, depth),
];

export const SCENARIOS: readonly Scenario[] = [
  { name: 'get-1x1', words: get(1, 1), figures: [perSecond(atLeast(0.85))] },
  { name: 'get-1x16', words: get(1, 16), figures: [perSecond(atLeast(1.3))] },
  { name: 'get-10x16', words: get(10, 16), figures: [perSecond(atLeast(1.3)), p99(atMost(2))] },
  { name: 'get-10x1', words: get(10, 1), figures: [perSecond(atLeast(0.75))] },
  { name: 'get-100x1', words: get(100, 1), figures: [perSecond(atLeast(0.75))] },
  { name: 'full-get-10x16', words: get(10, 16, 'bench:full'), figures: [perSecond()] },
  { name: 'put-1x1', words: put(1, 1), figures: [perSecond()] },
  { name: 'put-1x16', words: put(1, 16), figures: [perSecond(atLeast(1))] },
  { name: 'put-100x16', words: put(100, 16), figures: [perSecond(atLeast(1))] },
  {
    name: 'monitor-1x100',
    words: ['monitor', 'bench:counter', '--clients', '100'],
    figures: [perServerCpuSecond(atLeast(2.5))],
  },
  {
    name: 'monitor-100x10',
    words: ['monitor', ...numbered('bench:rate', 100), '--clients', '10'],
    figures: [perServerCpuSecond(atLeast(10))],
  },
  {
    name: 'array-8MB',
    words: ['array', 'bench:array', ...shape(1, 1)],
    figures: [bytesPerSecond(atLeast(3))],
  },
  {
    name: 'search-1',
    words: ['search', 'bench:pv0', '--names', '1'],
    needsUdpPort: true,
    figures: [perSecond(atLeast(0.5))],
  },
  {
    name: 'search-50',
    words: ['search', ...numbered('bench:pv', 50), '--names', '50'],
    needsUdpPort: true,
    figures: [perSecond(atLeast(0.5))],
  },
  {
    name: 'connect',
    words: ['connect', ...numbered('bench:pv', 1_000), '--clients', '1', '--channels', '1000'],
    figures: [perSecond(atLeast(0.5))],
  },
  { name: 'workers-get-10x1', words: get(10, 1, 'bench:full'), workers: 2, figures: [perSecond(atLeast(1.2))] },
  { name: 'workers-get-100x1', words: get(100, 1, 'bench:full'), workers: 2, figures: [perSecond(atLeast(1.2))] },
];

function perSecond(target?: Target): Figure {
  return { name: 'per second', unit: '/s', of: (report) => report.perSecond, target };
}

function perServerCpuSecond(target: Target): Figure {
  return {
    name: 'per CPU second of the server',
    unit: '/s',
    of: (report) => report.perServerCpuSecond ?? Number.NaN,
    target,
  };
}

function bytesPerSecond(target: Target): Figure {
  return { name: 'bytes per second', unit: 'B/s', of: (report) => report.bytesPerSecond, target };
}

function p99(target: Target): Figure {
  return { name: 'p99', unit: 'us', of: (report) => report.latencyUs.p99, target };
}

function shape(clients: number, depth: number): readonly string[] {
  return ['--clients', String(clients), '--depth', String(depth)];
}

function numbered(prefix: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${index}`);
}

function atLeast(value: number): Target {
  return { bound: 'atLeast', value };
}

function atMost(value: number): Target {
  return { bound: 'atMost', value };
}
