// How is a load run: connect, warm up, measure, end, and put into figures?

import { hostname, userInfo } from 'node:os';

import { LocalProtocolError, reasonOf } from '../protocol/errors.ts';
import { DEFAULT_LIMITS } from '../protocol/limits.ts';
import { systemClock, type Clock } from '../transport/clocks.ts';
import { endpointText } from '../transport/network-error.ts';
import { nodeNetwork } from '../transport/node-network.ts';
import { Exchange } from './exchange.ts';
import { processSeconds } from './server-cpu.ts';
import type { RunLoadOptions, LoadProgress, LoadResult, LoadScenario } from './load.ts';
import { Tally } from './tally.ts';
import type { Workload, WorkloadSettings } from './workload.ts';

const DEFAULT_SECONDS = 5;
const DEFAULT_TIMEOUT_MS = 5_000;
const PROGRESS_MS = 1_000;
const MS_PER_SECOND = 1_000;
const US_PER_SECOND = 1_000_000;

/** What `runLoad` does. */
export async function measureLoad(scenario: LoadScenario, options: RunLoadOptions): Promise<LoadResult> {
  const { server, names, clients = 1, depth = 1, serverPids = [] } = options;
  const clock = options.clock ?? systemClock;
  if (names.length === 0) throw new LocalProtocolError('a load needs the name of a PV at least');
  const tally = new Tally();
  const workload = workloadOf(scenario, { options, tally, clock });
  const seconds = options.seconds ?? DEFAULT_SECONDS;
  try {
    await workload.open();
    workload.start();
    await new Phase('warmup', workload, tally, clock, options).last(options.warmupSeconds ?? 1);
    tally.restart();
    const before = usage(clock, serverPids);
    await new Phase('measuring', workload, tally, clock, options).last(seconds);
    const after = usage(clock, serverPids);
    tally.isCounting = false;
    const elapsed = (after.now - before.now) / MS_PER_SECOND;
    await workload.stop().catch((thrown: unknown) => {
      tally.errors++;
      tally.tell(reasonOf(thrown));
    });
    const serverCpuSeconds = after.server === null || before.server === null ? null : after.server - before.server;
    return {
      scenario,
      server: endpointText(server),
      clients,
      depth,
      names: names.length,
      seconds: elapsed,
      operations: tally.operations,
      perSecond: rate(tally.operations, elapsed) ?? 0,
      latencyUs: tally.latency.summary(),
      bytes: tally.bytes,
      bytesPerSecond: rate(tally.bytes, elapsed) ?? 0,
      wrong: tally.wrong,
      lost: tally.lost,
      squashed: tally.squashed,
      changed: tally.changed,
      errors: tally.errors,
      serverCpuSeconds,
      perServerCpuSecond: rate(tally.operations, serverCpuSeconds),
      clientCpuSeconds: after.client - before.client,
      problems: tally.problems,
    };
  } finally {
    workload.close();
  }
}

function workloadOf(
  scenario: LoadScenario,
  { options, tally, clock }: { readonly options: RunLoadOptions; readonly tally: Tally; readonly clock: Clock },
): Workload {
  const settings: WorkloadSettings = {
    link: {
      server: options.server,
      network: options.network ?? nodeNetwork,
      clock,
      limits: options.limits ?? DEFAULT_LIMITS,
      timeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
      ...identity(),
    },
    names: options.names,
    clients: options.clients ?? 1,
    depth: options.depth ?? 1,
    rate: options.rate,
    request: options.request ?? '',
    tally,
  };
  switch (scenario) {
    case 'get':
    case 'array':
      return new Exchange(settings, 'GET');
    case 'put':
      return new Exchange(settings, 'PUT');
    default:
      throw new LocalProtocolError(`no load of the kind ${scenario}`);
  }
}

/** One of the two times of a load, with its progress. */
class Phase {
  readonly #name: LoadProgress['phase'];
  readonly #workload: Workload;
  readonly #tally: Tally;
  readonly #clock: Clock;
  readonly #options: RunLoadOptions;

  constructor(name: LoadProgress['phase'], workload: Workload, tally: Tally, clock: Clock, options: RunLoadOptions) {
    this.#name = name;
    this.#workload = workload;
    this.#tally = tally;
    this.#clock = clock;
    this.#options = options;
  }

  /** Waits until the time is over, all links are lost, or nobody wants more. */
  async last(seconds: number): Promise<void> {
    const startedAt = this.#clock.now();
    const endsAt = startedAt + seconds * MS_PER_SECOND;
    let toldAt = startedAt;
    let toldCount = 0;
    while (!this.#isOver(endsAt)) {
      await this.#pause(Math.min(PROGRESS_MS, endsAt - this.#clock.now()));
      const now = this.#clock.now();
      const { operations } = this.#tally;
      this.#options.onProgress?.({
        phase: this.#name,
        seconds: (now - startedAt) / MS_PER_SECOND,
        operations,
        perSecond: rate(operations - toldCount, (now - toldAt) / MS_PER_SECOND) ?? 0,
        faults: this.#tally.wrong + this.#tally.lost + this.#tally.errors,
      });
      toldAt = now;
      toldCount = operations;
    }
  }

  #isOver(endsAt: number): boolean {
    return this.#clock.now() >= endsAt || this.#workload.isBroken || this.#options.signal?.aborted === true;
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const { signal } = this.#options;
      const over = (): void => {
        timer.cancel();
        signal?.removeEventListener('abort', over);
        resolve();
      };
      const timer = this.#clock.after(ms, over);
      signal?.addEventListener('abort', over);
    });
  }
}

interface Usage {
  readonly now: number;
  readonly client: number;
  readonly server: number | null;
}

function usage(clock: Clock, serverPids: readonly number[]): Usage {
  const { user, system } = process.cpuUsage();
  return { now: clock.now(), client: (user + system) / US_PER_SECOND, server: processSeconds(serverPids) };
}

function rate(count: number, seconds: number | null): number | null {
  return seconds === null ? null : seconds > 0 ? count / seconds : 0;
}

function identity(): { readonly user: string; readonly host: string } {
  try {
    return { user: userInfo().username, host: hostname() };
  } catch {
    // A process may run under a user number that has no name.
    return { user: 'nobody', host: hostname() };
  }
}
