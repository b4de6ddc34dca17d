// What does a link need from the server that it belongs to?

import type { KnownNames } from '../protocol/known-names.ts';
import type { Limits } from '../protocol/limits.ts';
import type { Clock } from '../transport/clocks.ts';
import type { AccessControl } from './access-control.ts';
import type { Directory } from './directory.ts';
import type { LinkLedger } from './link-ledger.ts';
import type { NoticeBoard, ServerCounters } from './notices.ts';
import type { PutLog } from './put-log.ts';
import type { SearchSpread } from './search-spread.ts';
import type { UnsentLedger } from './unsent-ledger.ts';

export interface LinkHost {
  readonly directory: Directory;
  readonly access: AccessControl;
  /** Names of PVs that clients have found here. */
  readonly names: KnownNames;
  /** Which searches are for other servers to answer first; undefined where there are none. */
  spread?: SearchSpread | undefined;
  /** Undefined where nobody asked for one. */
  readonly putLog: PutLog | undefined;
  readonly notices: NoticeBoard;
  readonly counters: ServerCounters;
  /** What all links take of the memory: messages and updates that wait; */
  readonly ledger: LinkLedger;
  /** and what was sent and is not taken. */
  readonly unsent: UnsentLedger;
  /** The server is about to end: what is under way is finished, nothing new is begun. */
  isDraining: boolean;
  readonly clock: Clock;
  readonly limits: Limits;
  /** 24 hexadecimal digits. */
  readonly guid: string;
  /** Byte order in which links send. */
  readonly bigEndian: boolean;
  /** Silence of a client after which its link is closed. */
  readonly connectionTimeoutMs: number;
}
