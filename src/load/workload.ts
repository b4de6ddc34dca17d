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
  readonly tally: Tally;
}

export interface Workload {
  /** All links are lost: there is nothing more to wait for. */
  readonly isBroken: boolean;
  /** Connects and gets everything ready. Rejects when the server refuses or does not answer. */
  open(): Promise<void>;
  start(): void;
  /** Lets what is under way end, and checks what can only be checked at the end. */
  stop(): Promise<void>;
  /** Closes what `open` opened. Idempotent. */
  close(): void;
}
