// What does the system allow a server, and each of its processes?

import type { ServerConfig } from '../config/effective.ts';
import type { Limits } from '../protocol/limits.ts';
import type { Network } from '../transport/network.ts';

/** Descriptors that are for other things than links: ports, files, stores, pipes to workers. */
const OTHER_DESCRIPTORS = 128;

/** Fewer links than are allowed. */
export interface LinkCap {
  readonly most: number;
  /** What a person should do about it. */
  readonly text: string;
}

/**
 * As many links as there are descriptors for, where that is less than is allowed: what is refused because of it is
 * refused in order, and told.
 */
export function linkCap(network: Network, { limits, workers }: Pick<ServerConfig, 'limits' | 'workers'>) {
  const descriptors = network.descriptorLimit?.();
  if (descriptors === undefined) return undefined;
  const most = Math.max(descriptors - OTHER_DESCRIPTORS, 1) * workers;
  if (most >= limits.maxLinks) return undefined;
  const text = `at most ${most} links are taken, not ${limits.maxLinks}: the system allows a process ${descriptors} open files; raise that (ulimit -Hn, LimitNOFILE), or lower limits.max_links`;
  return { most, text } satisfies LinkCap;
}

/** What each process may take of the memory; 0 for any. */
export function memoryShare({ maxMemoryBytes, workers }: Pick<ServerConfig, 'maxMemoryBytes' | 'workers'>): number {
  return workers > 1 ? maxMemoryBytes / (workers + 1) : maxMemoryBytes;
}

/** What buffers of unsent bytes may take of the memory, at most: they grow by doubling, so half of it is air. */
const UNSENT_PART = 0.25;

/** Limits that fit the memory of a process; 0 for any. */
export function limitsWithin(limits: Limits, maxMemoryBytes: number): Limits {
  if (maxMemoryBytes === 0) return limits;
  return { ...limits, maxUnsentBytes: Math.min(limits.maxUnsentBytes, Math.floor(maxMemoryBytes * UNSENT_PART)) };
}

/** Bounds on what all links take together are split: no worker knows what the others hold. */
export function limitsShared(limits: Limits, workerCount: number): Limits {
  const share = (bytes: number): number => Math.ceil(bytes / workerCount);
  return {
    ...limits,
    maxReceivingBytes: share(limits.maxReceivingBytes),
    maxOpenBytes: share(limits.maxOpenBytes),
    maxQueuedBytes: share(limits.maxQueuedBytes),
    maxUnsentBytes: share(limits.maxUnsentBytes),
  };
}
