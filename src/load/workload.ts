// What has each scenario in common, as the one who times it sees it?

import type { LinkSettings } from './link.ts';
import type { Tally } from './tally.ts';

export interface WorkloadSettings {
  readonly link: LinkSettings;
  readonly names: readonly string[];
  readonly clients: number;
  readonly depth: number;
  /** Operations a second, all connections together; undefined for as many as it takes. */
  readonly rate: number | undefined;
  /** A pvRequest; '' for all fields. */
  readonly request: string;
  /** Names in one datagram of a search. */
  readonly namesPerDatagram: number;
  /** Channels that are created on one link at once. */
  readonly channels: number;
  /** That are measured, and before them those that are not. */
  readonly seconds: number;
  readonly warmupSeconds: number;
  /** Readers that stop reading. */
  readonly stopped: number;
  /** Links stay open once they are served. */
  readonly isHeld: boolean;
  /** Where the server answers searches; undefined when nobody said so. */
  readonly udpPort: number | undefined;
  /** Of everything that happens at random. */
  readonly seed: number;
  readonly tally: Tally;
  /** Waits until this is 0, but only for the time that a reply may take; gives what it is then. */
  drained(count: () => number): Promise<number>;
  /** There is nothing more to wait for. */
  ended(): void;
}

export interface Workload {
  /** Measures itself from its start on and calls `ended`; otherwise it is warmed up and measured for the time that was asked for. */
  readonly timesItself?: boolean;
  /** All links are lost, or all work is done: there is nothing more to wait for. */
  readonly isBroken: boolean;
  /** What `operations` took, where that is not the whole time; undefined before it is known. */
  readonly servingMs?: number | undefined;
  /** Connects and gets everything ready. Rejects when the server refuses or does not answer. */
  open(): Promise<void>;
  start(): void;
  /** Lets what is under way end, and checks what can only be checked at the end. */
  stop(): Promise<void>;
  /** Closes what `open` opened. Idempotent. */
  close(): void;
  /** What only this scenario has to tell, by name. */
  figures?(): Readonly<Record<string, number>>;
}
