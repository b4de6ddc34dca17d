// Which store keeps the channels of `pvkit serve`, and what if it is not there?

import { Option, type Command } from 'commander';

import {
  ChannelManager,
  NodesPV,
  openStore,
  SearchSpread,
  StoredChannels,
  StoreError,
  StoreStatusPV,
  type Channel,
  type ChannelStore,
  type Server,
  type ServerConfig,
  type Workspace,
} from '../index.ts';
import { LocalProtocolError, reasonOf } from '../protocol/index.ts';
import { endpointText } from './serve-events.ts';
import { UsageError } from './fault.ts';
import type { CliHost } from './host.ts';
import type { Log } from './log.ts';
import { secondsOf } from './options.ts';

export interface StoreFlags {
  readonly workspace?: string;
  readonly store?: string;
  /** Seconds; true for as long as it takes. */
  readonly storeWait?: number | true;
  readonly redefine?: true;
}

const MS_PER_SECOND = 1_000;
const RETRY_MS = 1_000;
const MAX_WAIT_S = 864_000;

export function withStoreFlags(command: Command): Command {
  return command
    .option('--workspace <folder>', 'keep channels, logs and configuration of this server in a folder of its own')
    .option('--store <url>', 'keep channels in this store: redis://host:port/db, rediss://..., or memory:')
    .addOption(
      new Option('--store-wait [seconds]', 'wait for a store that is away, for so long or until ^C').argParser((text) =>
        secondsOf(text, MAX_WAIT_S),
      ),
    )
    .option('--redefine', 'replace definitions of the store that differ; values stay where the type is the same');
}

interface KeptOptions {
  readonly config: ServerConfig;
  readonly options: StoreFlags;
  readonly host: CliHost;
  readonly log: Log;
  readonly workspace: Workspace | undefined;
}

/** The channels of a store, and the PV that shows how the store is. */
export class KeptChannels {
  readonly #store: ChannelStore;
  readonly #channels: StoredChannels;
  readonly #status: StoreStatusPV;
  readonly #statusName: string;
  readonly #nodes: NodesPV | undefined;
  readonly #nodesName: string;
  readonly #kept: KeptOptions;

  private constructor(store: ChannelStore, channels: StoredChannels, kept: KeptOptions) {
    const { config, host } = kept;
    this.#kept = kept;
    this.#store = store;
    this.#channels = channels;
    this.#status = new StoreStatusPV(store, host.clock);
    this.#statusName = `${config.name}:store`;
    this.#nodes = store.nodes && new NodesPV(store.nodes, host.clock);
    this.#nodesName = `${config.name}:nodes`;
  }

  /**
   * The channels of the store that is configured, once it is there; undefined where none is.
   * @throws StoreError when it is away and nobody waits for it, is damaged, or defines a channel otherwise
   */
  static async open(kept: KeptOptions): Promise<KeptChannels | undefined> {
    const { config, options, host, log, workspace } = kept;
    if (config.storeUrl === undefined && workspace === undefined) return undefined;
    const store = await openWaiting(kept);
    try {
      const channels = await StoredChannels.open(store, {
        definitions: config.channels,
        redefine: options.redefine === true,
        clock: host.clock,
        onNotice: (level, text) => log.write({ level, text }),
      });
      return new KeptChannels(store, channels, kept);
    } catch (thrown) {
      await store.close();
      throw withWayOut(thrown, 'DEFINITION_CONFLICT', '--redefine replaces what the store has');
    }
  }

  serveOn(server: Server): void {
    server.addSource(this.#channels);
    const { channels: configured, limits } = this.#kept.config;
    server.manage(new ChannelManager({ channels: this.#channels, configured, limits }));
    this.#add(server, this.#statusName, this.#status);
    const { nodes } = this.#store;
    if (this.#nodes === undefined || nodes === undefined) return;
    this.#add(server, this.#nodesName, this.#nodes);
    server.spreadSearches(new SearchSpread(nodes, (pvName) => this.#channels.has(pvName), this.#kept.host.clock));
  }

  /** What the store has under the name of a PV of the server itself is meant to be there. */
  #add(server: Server, pvName: string, pv: Channel): void {
    if (this.#channels.storedOf(pvName) === undefined) server.add(pvName, pv);
  }

  /** Tells the other servers of the store that this one is there; it listens. */
  async join(server: Server): Promise<void> {
    const { nodes } = this.#store;
    if (nodes === undefined) return;
    const { log } = this.#kept;
    nodes.onChange((alive) => {
      const others = alive.filter(({ id }) => id !== nodes.own).map(({ id, address }) => `${id} (${address})`);
      const shared = others.length === 0 ? 'nobody else' : others.join(', ');
      log.write({ level: 'info', text: `node ${nodes.own} shares its store with ${shared}` });
    });
    const describe = () => ({
      address: server.tcpEndpoints.map(endpointText)[0] ?? '',
      channelCount: [...this.#channels.names()].length,
      linkCount: server.linkCount,
    });
    try {
      await nodes.join(describe);
    } catch (thrown) {
      // It joins when the store is back.
      log.write({ level: 'warning', text: reasonOf(thrown) });
    }
  }

  /** Tells the other servers that this one goes: from now on they answer its searches, too. */
  async leave(): Promise<void> {
    // Where the store is away, they notice after a while.
    await this.#store.nodes?.leave().catch(() => undefined);
  }

  /** Ends what is under way; the server is closed before. */
  async close(): Promise<void> {
    await this.#channels.kept();
    this.#channels.close();
    this.#status.close();
    this.#nodes?.close();
    await this.#store.close();
  }
}

/** Opens the store; tries again as long as `--store-wait` says. */
async function openWaiting(kept: KeptOptions): Promise<ChannelStore> {
  const { options, host, log } = kept;
  const { storeWait } = options;
  const start = host.clock.now();
  const waitMs = storeWait === true ? Number.POSITIVE_INFINITY : (storeWait ?? 0) * MS_PER_SECOND;
  for (let attempt = 1; ; attempt++) {
    try {
      return await openOnce(kept);
    } catch (thrown) {
      const isAway = thrown instanceof StoreError && thrown.reason === 'STORE_AWAY';
      const isOver = host.clock.now() - start + RETRY_MS > waitMs || host.interrupt.aborted;
      if (!isAway || isOver) {
        if (storeWait !== undefined) throw thrown;
        throw withWayOut(thrown, 'STORE_AWAY', '--store-wait waits for it');
      }
      log.write({ level: 'warning', text: `${thrown.message}; attempt ${attempt}, the next one in 1 s` });
      await pause(host);
    }
  }
}

async function openOnce({ config, host, log, workspace }: KeptOptions): Promise<ChannelStore> {
  const { storeUrl, storeFlushMs, limits, origins } = config;
  const onWarning = (text: string): void => log.write({ level: 'warning', text });
  const onInfo = (text: string): void => log.write({ level: 'info', text });
  if (storeUrl === undefined && workspace !== undefined)
    return workspace.openStore(limits, { flushMs: storeFlushMs, onWarning, onInfo });
  try {
    // Orchestrators set HOSTNAME to what they call this instance.
    const nodeId = host.environment['HOSTNAME'];
    return await openStore(storeUrl ?? '', {
      clock: host.clock,
      ...(nodeId !== undefined && nodeId !== '' && { nodeId }),
      onWarning,
    });
  } catch (thrown) {
    if (thrown instanceof LocalProtocolError) throw new UsageError(`${origins.storeUrl}: ${thrown.message}`);
    throw thrown;
  }
}

/** Resolves after a while, or at once when the user wants no more. */
function pause({ clock, interrupt }: CliHost): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      timer.cancel();
      interrupt.removeEventListener('abort', done);
      resolve();
    };
    const timer = clock.after(RETRY_MS, done);
    if (interrupt.aborted) done();
    else interrupt.addEventListener('abort', done);
  });
}

function withWayOut(thrown: unknown, code: StoreError['reason'], wayOut: string): unknown {
  if (!(thrown instanceof StoreError) || thrown.reason !== code) return thrown;
  return new StoreError(code, `${thrown.message}; ${wayOut}`, { cause: thrown });
}
