// What can a program load a server with, and what does it learn? The work itself is loaded when it is asked for.

import type { Limits } from '../protocol/limits.ts';
import type { CodecName } from '../protocol/messages/data.ts';
import type { Clock } from '../transport/clocks.ts';
import type { Endpoint, Network } from '../transport/network.ts';
import type { GrowthVerdict } from './growth-verdict.ts';
import type { LatencySummary } from './histogram.ts';
import type { ProcessReading, ProcessUse } from './process-watch.ts';

/** What can be loaded. */
export const LOAD_SCENARIOS = [
  'get',
  'put',
  'monitor',
  'array',
  'connect',
  'search',
  'connect-storm',
  'slow-readers',
  'search-flood',
  'churn',
  'soak',
] as const;
/** What a server is loaded with. */
export type LoadScenario = (typeof LOAD_SCENARIOS)[number];

/** What a load has come to. Counts are those of the measured time, but faults are counted from the first connection on. */
export interface LoadResult {
  readonly scenario: LoadScenario;
  /** `host:port` */
  readonly server: string;
  readonly codec: CodecName;
  readonly clients: number;
  readonly depth: number;
  readonly names: number;
  /** That were measured. */
  readonly seconds: number;
  /** Replies; updates of `monitor` and `slow-readers`, channels of `connect`, links of `connect-storm`, names of `search`. */
  readonly operations: number;
  /** Those of `connect-storm` until the last link is served: the time that links are only held does not count. */
  readonly perSecond: number;
  /**
   * Microseconds from a request to its reply. `monitor`: from one update of a PV to the next. `connect-storm`: from the
   * connection to the first value. `slow-readers`: from a put to its update, while the readers are stopped. `search-flood`:
   * of the searches beside the flood.
   */
  readonly latencyUs: LatencySummary;
  /** Of the replies, with their headers. */
  readonly bytes: number;
  readonly bytesPerSecond: number;
  /** Replies whose value cannot be right. */
  readonly wrong: number;
  /** Replies that never came, and updates that are missing without a word. */
  readonly lost: number;
  /** Updates that the server left out, and said so by an overrun mask. */
  readonly squashed: number;
  /** Replies that were different from the one before, and right: the PV changed. */
  readonly changed: number;
  /** Requests that were refused and links that were lost. */
  readonly errors: number;
  /** Null without the process id of the server. */
  readonly serverCpuSeconds: number | null;
  /** Operations for each second that the server's processor worked; null too when that was less than the system counts. */
  readonly perServerCpuSecond: number | null;
  readonly clientCpuSeconds: number;
  /** What the processes of the server held, from the end of the warm-up on; null without a process id. */
  readonly processes: ProcessUse | null;
  /** `soak`: whether the processes of the server grow, as `GROWTH_TOLERANCE` has it; null without them. */
  readonly growth: GrowthVerdict | null;
  /** What only this scenario has to tell, by name: `ratioP99` of `slow-readers`, `floodNamesPerSecond` of `search-flood`, ... */
  readonly figures: Readonly<Record<string, number>>;
  /** The first faults, as sentences. */
  readonly problems: readonly string[];
}

/** What can be said about a load. */
export interface RunLoadOptions {
  /** Where the server listens: its TCP port, for `search` its UDP port. */
  readonly server: Endpoint;
  /** How messages are encoded; default `pva`. `server` then is the port for it. Searches are pvAccess always. */
  readonly codec?: CodecName | undefined;
  readonly names: readonly string[];
  /** Connections; default 1. */
  readonly clients?: number | undefined;
  /** Requests under way on each of them; default 1. */
  readonly depth?: number | undefined;
  /** That are measured; default 5. */
  readonly seconds?: number | undefined;
  /** Before them, not counted; default 1. */
  readonly warmupSeconds?: number | undefined;
  /**
   * Requests a second of all connections together; default: each as soon as the one before is answered. `connect-storm`:
   * links (default: all at once), `slow-readers`: puts (1 000), `search-flood`: names (50 000), `churn` and `soak`: steps
   * of the random clients (`soak`: 200).
   */
  readonly rate?: number | undefined;
  /** What a connection, and at the end a reply, may take; default 5 000. Not 0 and not for ever: then nothing is lost. */
  readonly timeoutMs?: number | undefined;
  /** `search` and `search-flood`: names in each datagram, default 1 and 50. */
  readonly namesPerDatagram?: number | undefined;
  /** `connect`: channels that are created on each link at once, again and again; default: one on each of a burst of links. */
  readonly channels?: number | undefined;
  /** `slow-readers`: links that stop reading, default 1; each has `depth` monitors of each PV. */
  readonly stopped?: number | undefined;
  /** `connect-storm`: links stay open with one monitor each, for `seconds` after the last was served. */
  readonly isHeld?: boolean | undefined;
  /** `soak`: where the server answers searches; without it there are none. */
  readonly udpPort?: number | undefined;
  /** Of what happens at random; default: from the clock. It is among the figures. */
  readonly seed?: number | undefined;
  /** A pvRequest; default: all fields. */
  readonly request?: string | undefined;
  /** Processes of the server on this machine, whose processor time, memory and handles are told. */
  readonly serverPids?: readonly number[] | undefined;
  /** Ends the load early; what was measured until then is told. Before anything is measured it rejects with its reason. */
  readonly signal?: AbortSignal | undefined;
  /** Told about once a second while the load runs. */
  readonly onProgress?: ((progress: LoadProgress) => void) | undefined;
  readonly network?: Network | undefined;
  readonly clock?: Clock | undefined;
  readonly limits?: Limits | undefined;
}

/** How a load is going. */
export interface LoadProgress {
  readonly phase: 'warmup' | 'measuring';
  /** Since this phase began. */
  readonly seconds: number;
  /** In this phase. */
  readonly operations: number;
  /** Since the progress told before. */
  readonly perSecond: number;
  readonly faults: number;
  /** What the processes of the server hold now; null when that is not known. */
  readonly processes: ProcessReading | null;
}

/**
 * Loads a server with one scenario and tells what came of it; faults of the server are counted, not thrown.
 * @throws PvaError when the load cannot begin: nobody listens, a PV is refused, nothing answers in time
 */
export async function runLoad(scenario: LoadScenario, options: RunLoadOptions): Promise<LoadResult> {
  const { measureLoad } = await import('./measure-load.ts');
  return measureLoad(scenario, options);
}
