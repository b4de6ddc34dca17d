// What can be said to a context as a whole?

import type { ClientSettings } from '../config/effective.ts';
import type { Limits } from '../protocol/limits.ts';
import type { CodecName } from '../protocol/messages/data.ts';
import type { Clock } from '../transport/clocks.ts';
import type { Network } from '../transport/network.ts';
import type { Identity } from './identity.ts';

/** What can be said to a context; without any it is a client as the EPICS_PVA_* variables describe it. */
export interface ContextOptions {
  /** Default: the EPICS_PVA_* variables of this process. */
  readonly config?: ClientSettings | undefined;
  readonly network?: Network | undefined;
  readonly clock?: Clock | undefined;
  /** Numbers from 0 up to, not including, 1. */
  readonly random?: (() => number) | undefined;
  /** Who we say we are; default: this process's user and host. */
  readonly identity?: Identity | undefined;
  readonly limits?: Limits | undefined;
  /**
   * How the bodies of messages become bytes; default `pva`. With `msgpack` only servers are found that speak MessagePack
   * (docs/msgpack.md), and `server` options have to name the port of it.
   */
  readonly codec?: CodecName | undefined;
}
