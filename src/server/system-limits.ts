// What does the system allow a server, and each of its processes?

import type { ServerConfig } from '../config/effective.ts';
import type { Network } from '../transport/network.ts';
import type { Admission } from './admission.ts';
import type { NoticeBoard } from './notices.ts';

/** Descriptors that are for other things than links: ports, files, stores, pipes to workers. */
const OTHER_DESCRIPTORS = 128;

interface CapOptions {
  readonly admission: Admission;
  readonly network: Network;
  readonly notices: NoticeBoard;
  readonly config: Pick<ServerConfig, 'limits' | 'workers'>;
}

/** Takes no more links than there are descriptors for: what is refused here is refused in order, and told. */
export function capLinks({ admission, network, notices, config: { limits, workers } }: CapOptions): void {
  const descriptors = network.descriptorLimit?.();
  if (descriptors === undefined) return;
  const possible = Math.max(descriptors - OTHER_DESCRIPTORS, 1) * workers;
  if (possible >= limits.maxLinks) return;
  admission.capAt(possible);
  notices.publish({
    kind: 'fewDescriptors',
    level: 'warning',
    text: `at most ${possible} links are taken, not ${limits.maxLinks}: the system allows a process ${descriptors} open files; raise that (ulimit -Hn, LimitNOFILE), or lower limits.max_links`,
  });
}

/** What each process may take of the memory; 0 for any. */
export function memoryShare({ maxMemoryBytes, workers }: Pick<ServerConfig, 'maxMemoryBytes' | 'workers'>): number {
  return workers > 1 ? maxMemoryBytes / (workers + 1) : maxMemoryBytes;
}
