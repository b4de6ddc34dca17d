// How is a load run: connect, warm up, measure, end, and put into figures?

import { hostname, userInfo } from 'node:os';

import { msgpack } from '../protocol/codecs/msgpack.ts';
import { pva } from '../protocol/codecs/pva.ts';
import { LocalProtocolError, reasonOf } from '../protocol/errors.ts';
import { DEFAULT_LIMITS } from '../protocol/limits.ts';
import { systemClock, type Clock } from '../transport/clocks.ts';
import { endpointText } from '../transport/network-error.ts';
import { nodeNetwork } from '../transport/node-network.ts';
import { ChannelChurn } from './channel-churn.ts';
import { Churn } from './churn.ts';
import { ConnectStorm } from './connect-storm.ts';
import { ConnectionBurst } from './connection-burst.ts';
import { Exchange } from './exchange.ts';
import { OpenLinks } from './open-links.ts';
import { growthVerdict } from './growth-verdict.ts';
import { waited } from './pace.ts';
import { processReading, ProcessWatch } from './process-watch.ts';
import { SearchFlood } from './search-flood.ts';
import { Searches } from './searches.ts';
import { processSeconds } from './server-cpu.ts';
import { SlowReaders } from './slow-readers.ts';
import { Soak } from './soak.ts';
import { Subscriptions } from './subscriptions.ts';
import type { RunLoadOptions, LoadProgress, LoadResult, LoadScenario } from './load.ts';
import { Tally } from './tally.ts';
import type { Workload, WorkloadSettings } from './workload.ts';

const DEFAULT_SECONDS = 5;
const DEFAULT_WARMUP_SECONDS = 1;
const DEFAULT_TIMEOUT_MS = 5_000;
/** What is under way is looked after this often at the end. */
const DRAIN_MS = 5;
const READ_BYTES = 256 * 1024;
const MANY_READ_BYTES = 16 * 1024;
const FEW_CLIENTS = 16;
/** Ten thousand links at once are to fit in memory, and each reads little. */
const STORM_READ_BYTES = 4 * 1024;
const FLOOD_NAMES_PER_DATAGRAM = 50;
const SEEDS = 1_000_000;
/** As much as the kernel may hold for a socket, in one call. */
const ARRAY_READ_BYTES = 1024 * 1024;
const PROGRESS_MS = 1_000;
const MS_PER_SECOND = 1_000;
const US_PER_SECOND = 1_000_000;

/** What `runLoad` does. */
export async function measureLoad(scenario: LoadScenario, options: RunLoadOptions): Promise<LoadResult> {
  const { server, names, clients = 1, depth = 1, serverPids = [], channels, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  const clock = options.clock ?? systemClock;
  if (names.length === 0) throw new LocalProtocolError('a load needs the name of a PV at least');
  if (!(timeoutMs > 0 && timeoutMs < Number.POSITIVE_INFINITY)) {
    throw new LocalProtocolError(`timeoutMs is ${timeoutMs}: without a limit no reply would ever be lost`);
  }
  const missing = serverPids.find((pid) => processReading([pid]) === null);
  if (missing !== undefined) {
    throw new LocalProtocolError(`no process ${missing} on this machine whose memory and handles the system tells`);
  }
  const tally = new Tally();
  const links = new OpenLinks();
  const over = new AbortController();
  const signal = options.signal === undefined ? over.signal : AbortSignal.any([options.signal, over.signal]);
  const settings = settingsOf(scenario, { options, tally, clock, links, ended: () => over.abort() });
  const workload = workloadOf(scenario, settings, scenario === 'connect' && channels === undefined);
  const watch = new ProcessWatch(serverPids, clock);
  const phase = { workload, tally, clock, signal, watch, onProgress: options.onProgress };
  const { warmupSeconds, seconds } = settings;
  try {
    await opened(workload, links, options.signal);
    let before = usage(clock, serverPids);
    workload.start();
    if (workload.timesItself !== true) {
      await lastingPhase('warmup', warmupSeconds, phase);
      tally.restart();
      watch.restart();
      before = usage(clock, serverPids);
    }
    await lastingPhase('measuring', workload.timesItself === true ? Number.POSITIVE_INFINITY : seconds, phase);
    watch.sample();
    const after = usage(clock, serverPids);
    tally.isCounting = false;
    const elapsed = (after.now - before.now) / MS_PER_SECOND;
    const serving = workload.servingMs === undefined ? elapsed : workload.servingMs / MS_PER_SECOND;
    if (serverPids.length > 0 && watch.latest === null) {
      tally.errors++;
      tally.tell('a process of the server is gone');
    }
    await workload.stop().catch((thrown: unknown) => {
      tally.errors++;
      tally.tell(reasonOf(thrown));
    });
    const processes = watch.use();
    const growth = scenario === 'soak' ? growthVerdict(processes) : null;
    const serverCpuSeconds = after.server === null || before.server === null ? null : after.server - before.server;
    return {
      scenario,
      server: endpointText(server),
      codec: settings.link.codec.name,
      clients,
      depth,
      names: names.length,
      seconds: elapsed,
      operations: tally.operations,
      perSecond: rate(tally.operations, serving) ?? 0,
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
      processes,
      growth: growth?.verdict ?? null,
      figures: workload.figures?.() ?? {},
      // What is cut off by the end is no fault of the server.
      problems: [...(growth?.problems ?? []), ...tally.problems],
    };
  } finally {
    workload.close();
    links.close();
  }
}

/** Rejects with the reason of the signal when it aborts before everything is ready. */
async function opened(workload: Workload, links: OpenLinks, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  const giveUp = (): void => links.close();
  signal?.addEventListener('abort', giveUp);
  try {
    await workload.open();
  } catch (thrown) {
    throw signal?.aborted === true ? signal.reason : thrown;
  } finally {
    signal?.removeEventListener('abort', giveUp);
  }
  signal?.throwIfAborted();
}

function settingsOf(
  scenario: LoadScenario,
  around: {
    readonly options: RunLoadOptions;
    readonly tally: Tally;
    readonly clock: Clock;
    readonly links: OpenLinks;
    readonly ended: () => void;
  },
): WorkloadSettings {
  const { options, tally, clock, links, ended } = around;
  const { clients = 1, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  return {
    link: {
      server: options.server,
      network: options.network ?? nodeNetwork,
      clock,
      limits: options.limits ?? DEFAULT_LIMITS,
      codec: options.codec === 'msgpack' ? msgpack : pva,
      timeoutMs,
      readBytes: readBytesOf(scenario, clients),
      ...identity(),
      links,
    },
    names: options.names,
    clients,
    depth: options.depth ?? 1,
    rate: options.rate,
    request: options.request ?? '',
    namesPerDatagram: options.namesPerDatagram ?? (scenario === 'search-flood' ? FLOOD_NAMES_PER_DATAGRAM : 1),
    channels: options.channels ?? 1,
    seconds: options.seconds ?? DEFAULT_SECONDS,
    warmupSeconds: options.warmupSeconds ?? DEFAULT_WARMUP_SECONDS,
    stopped: options.stopped ?? 1,
    isHeld: options.isHeld ?? false,
    udpPort: options.udpPort,
    seed: options.seed ?? Math.floor(clock.wallTime()) % SEEDS,
    tally,
    drained: async (count) => {
      const deadline = clock.now() + timeoutMs;
      while (count() > 0 && clock.now() < deadline) await waited(DRAIN_MS, clock);
      return count();
    },
    ended,
  };
}

/** A read holds hundreds of replies, and many connections together take no more memory than few. */
function readBytesOf(scenario: LoadScenario, clients: number): number {
  if (scenario === 'array') return ARRAY_READ_BYTES;
  if (scenario === 'connect-storm') return STORM_READ_BYTES;
  return clients <= FEW_CLIENTS ? READ_BYTES : MANY_READ_BYTES;
}

function workloadOf(scenario: LoadScenario, settings: WorkloadSettings, isBurst: boolean): Workload {
  switch (scenario) {
    case 'get':
    case 'array':
      return new Exchange(settings, 'GET');
    case 'put':
      return new Exchange(settings, 'PUT');
    case 'monitor':
      return new Subscriptions(settings);
    case 'connect':
      return isBurst ? new ConnectionBurst(settings) : new ChannelChurn(settings);
    case 'search':
      return new Searches(settings);
    case 'connect-storm':
      return new ConnectStorm(settings);
    case 'slow-readers':
      return new SlowReaders(settings);
    case 'search-flood':
      return new SearchFlood(settings);
    case 'churn':
      return new Churn(settings);
    case 'soak':
      return new Soak(settings);
  }
}

interface PhaseSettings {
  readonly workload: Workload;
  readonly tally: Tally;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly watch: ProcessWatch;
  readonly onProgress: RunLoadOptions['onProgress'];
}

/** Waits until the time is over, all links are lost, or nobody wants more; tells each second how it goes. */
async function lastingPhase(name: LoadProgress['phase'], seconds: number, settings: PhaseSettings): Promise<void> {
  const { workload, tally, clock, signal, watch, onProgress } = settings;
  const startedAt = clock.now();
  const endsAt = startedAt + seconds * MS_PER_SECOND;
  let toldAt = startedAt;
  let toldCount = 0;
  while (clock.now() < endsAt && !workload.isBroken && !signal.aborted) {
    await waited(Math.min(PROGRESS_MS, endsAt - clock.now()), clock, signal);
    const now = clock.now();
    watch.sample();
    const { operations, wrong, lost, errors } = tally;
    onProgress?.({
      phase: name,
      seconds: (now - startedAt) / MS_PER_SECOND,
      operations,
      perSecond: rate(operations - toldCount, (now - toldAt) / MS_PER_SECOND) ?? 0,
      faults: wrong + lost + errors,
      processes: watch.latest,
    });
    toldAt = now;
    toldCount = operations;
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

/** Null where no time is known, or less than the system counts. */
function rate(count: number, seconds: number | null): number | null {
  return seconds === null || seconds <= 0 ? null : count / seconds;
}

function identity(): { readonly user: string; readonly host: string } {
  try {
    return { user: userInfo().username, host: hostname() };
  } catch {
    // A process may run under a user number that has no name.
    return { user: 'nobody', host: hostname() };
  }
}
