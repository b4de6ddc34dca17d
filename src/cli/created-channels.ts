// Where do channels live that clients create on a `pvkit serve` without a store? In memory, until it ends.

import {
  ChannelManager,
  openStore,
  StoredChannels,
  type ChannelStore,
  type Server,
  type ServerConfig,
} from '../index.ts';
import type { CliHost } from './host.ts';
import type { Log } from './log.ts';

export class CreatedChannels {
  #channels: StoredChannels | undefined;
  #store: ChannelStore | undefined;

  /** Makes them possible; nothing is loaded or opened before the first is created. */
  constructor(server: Server, { channels: configured, limits }: ServerConfig, host: CliHost, log: Log) {
    const channels = async (): Promise<StoredChannels> => {
      this.#store = await openStore('memory:');
      const opened = await StoredChannels.open(this.#store, {
        clock: host.clock,
        onNotice: (level, text) => log.write({ level, text }),
      });
      this.#channels = opened;
      server.addSource(opened);
      return opened;
    };
    server.manage(new ChannelManager({ channels, configured, limits }));
  }

  async close(): Promise<void> {
    this.#channels?.close();
    await this.#store?.close();
  }
}
