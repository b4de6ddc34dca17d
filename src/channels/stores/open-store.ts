// Which store does a URL name?

import { LocalProtocolError } from '../../protocol/errors.ts';
import type { Clock } from '../../transport/clocks.ts';
import type { ChannelStore } from './channel-store.ts';
import { MemoryStore } from './memory-store.ts';

/** What a store is told when it is opened. */
export interface OpenStoreOptions {
  readonly clock?: Clock;
  /** The identity of this server among those that share the store; a new UUID unless it is given. */
  readonly nodeId?: string;
  /** Told of what an operator should know. */
  readonly onWarning?: (text: string) => void;
}

/**
 * Opens the store of a URL such as `memory:` or `redis://host:6379/0`. The embedded store is that of a `Workspace`.
 * @throws LocalProtocolError for what is no store URL; StoreError STORE_AWAY when it cannot be reached. No message has a
 * password.
 */
export async function openStore(url: string, options: OpenStoreOptions = {}): Promise<ChannelStore> {
  if (url === 'memory:') return new MemoryStore();
  if (!/^rediss?[:+]/u.test(url))
    throw new LocalProtocolError('no store URL; expected memory:, redis://host:port/db or rediss://host:port/db');
  // Loaded late: it brings a client library.
  const { openRedisStore } = await import('./redis/redis-store.ts');
  return openRedisStore(url, options);
}
